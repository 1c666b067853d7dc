"""What accounts ask of their orders: create, preview, cancel, edit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .accounts import Account, identity
from .agenda import SECOND_NS
from .configurations import attached_bracket, check_amount, parse_configuration
from .exchange import Exchange
from .matching import Match
from .orders import SIDES, Kind, Order, Status, Terms, TimeInForce
from .products import Product
from .refusals import EditRefusedError, OrderRefusedError, bad_request
from .units import parse_atoms

LONGEST_CLIENT_ID = 128
_ATTACHED = "trigger_bracket_gtc"
EDITS_KEPT = 5  # of an order: as many as the exchange tells


@dataclass(frozen=True, slots=True)
class Intent:
    """An order as it was asked for, checked."""

    product: Product
    side: int
    terms: Terms
    configuration: dict[str, Any]
    attached: dict[str, Any] | None


class OrderEntry:
    """The order side of the exchange. ``before_cancel`` and ``before_edit`` are called while the order is still as it was."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.before_cancel: list[Callable[[Order], None]] = []
        self.before_edit: list[Callable[[Order], None]] = []

    # Create

    def create(self, account: Account, body: dict[str, Any], *, source: str = "RETAIL_ADVANCED") -> Order:
        """The order that this client order id stands for: a new one, or the one that it was given before."""
        client_order_id = body.get("client_order_id")
        if not isinstance(client_order_id, str) or not client_order_id:
            raise bad_request("client_order_id is missing")
        if len(client_order_id) > LONGEST_CLIENT_ID:
            raise bad_request(f"client_order_id is longer than {LONGEST_CLIENT_ID} characters")
        exchange = self.exchange
        known = self._known(account, client_order_id)
        if known is not None:
            if exchange.switches.client_order_ids == "reject_duplicate":
                raise OrderRefusedError("DUPLICATE_CLIENT_ORDER_ID", "this client_order_id was used before")
            return known
        intent = self.intent(account, body)
        order = exchange.new_order(
            account, intent.product, intent.side, intent.terms, intent.configuration, client_order_id=client_order_id, source=source
        )
        if intent.attached is not None:
            order.attached = intent.attached
            order.attached_id = identity(exchange.config.seed, "attached", order.number)
        self._admit(order)
        account.clients[client_order_id] = (order, exchange.now_ns())
        exchange.finish(exchange.market_of(order.product))
        return order

    def _known(self, account: Account, client_order_id: str) -> Order | None:
        order, made_ns = account.clients.get(client_order_id, (None, 0))
        switches = self.exchange.switches
        if switches.client_order_ids == "forget" and self.exchange.now_ns() - made_ns >= switches.forget_after_s * SECOND_NS:
            return None
        return order

    def _admit(self, order: Order) -> None:
        """Holds what it needs and lets it work, or refuses it and leaves nothing behind."""
        exchange, terms = self.exchange, order.terms
        matcher = exchange.market_of(order.product).matcher
        if terms.kind is Kind.MARKET and not matcher.side(-order.side).keys:
            raise OrderRefusedError("INVALID_NO_LIQUIDITY", "there is nobody to trade with", preview="PREVIEW_INVALID_NO_LIQUIDITY")
        if terms.post_only and matcher.crosses(order.side, order.ticks):
            raise OrderRefusedError(
                "INVALID_LIMIT_PRICE_POST_ONLY", "a post-only order would take", preview="PREVIEW_INVALID_LIMIT_PRICE_POSTONLY"
            )
        if len(order.account.open) >= exchange.switches.max_open_orders:
            raise OrderRefusedError("COMMANDER_REJECTED_NEW_ORDER", "too many open orders", preview="UNKNOWN_PREVIEW_FAILURE_REASON")
        if not exchange.place_hold(order):
            raise OrderRefusedError("INSUFFICIENT_FUND", "Insufficient balance in source account", preview="PREVIEW_INSUFFICIENT_FUND")
        exchange.add_order(order)
        exchange.work(order)
        if terms.end_ns and not order.ended:
            exchange.expire_at(order, terms.end_ns)

    def intent(self, account: Account, body: dict[str, Any]) -> Intent:
        """What is asked for; ``OrderRefusedError`` where it can't be had."""
        product = self.exchange.products.get(str(body.get("product_id")))
        if product is None:
            raise OrderRefusedError("INVALID_PRODUCT_ID", f"unknown product {body.get('product_id')}")
        side = SIDES.get(str(body.get("side")))
        if side is None:
            raise OrderRefusedError("INVALID_SIDE", "side is BUY or SELL")
        configuration: dict[str, Any] = body.get("order_configuration") or {}
        market = self.exchange.market_of(product)
        now_ns = self.exchange.now_ns()
        terms = parse_configuration(product, side, configuration, now_ns=now_ns, last=market.price(), switches=self.exchange.switches)
        if terms.kind is Kind.MARKET and terms.lots:
            check_amount(product, market.price(), terms.lots)
        _check_flags(product, terms)
        return Intent(product, side, terms, configuration, self._attached(product, side, terms, body.get("attached_order_configuration")))

    @staticmethod
    def _attached(product: Product, side: int, terms: Terms, attached: object) -> dict[str, Any] | None:
        if not attached:
            return None
        fields = attached.get(_ATTACHED) if isinstance(attached, dict) and len(attached) == 1 else None
        if not isinstance(fields, dict) or terms.kind not in (Kind.MARKET, Kind.LIMIT):
            raise OrderRefusedError(
                "UNSUPPORTED_ORDER_CONFIGURATION",
                f"only {_ATTACHED} can be attached, to a market or limit order",
                preview="PREVIEW_INVALID_ATTACHED_ORDER_CONFIGURATION",
            )
        if fields.get("base_size"):
            raise OrderRefusedError(
                "INVALID_REQUEST",
                "an attached order has no size of its own: it is for what its order gets",
                preview="PREVIEW_INVALID_ATTACHED_ORDER_CONFIGURATION",
            )
        attached_bracket(product, -side, fields, max(1, terms.lots))
        return {_ATTACHED: dict(fields)}

    def preview(self, account: Account, body: dict[str, Any]) -> tuple[Intent | None, Order | None, list[str]]:
        """What would be asked for, an order that is nowhere, and the words of what is wrong with it."""
        try:
            intent = self.intent(account, body)
        except OrderRefusedError as refused:
            return None, None, [refused.preview]
        exchange = self.exchange
        order = exchange.new_order(account, intent.product, intent.side, intent.terms, intent.configuration)
        exchange.order_count -= 1  # it is nowhere, and takes no number
        errors = []
        if exchange.hold_needed(order) > exchange.wallet(account, order.currency).available:
            errors.append("PREVIEW_INSUFFICIENT_FUND")
        if intent.terms.post_only and exchange.market_of(intent.product).matcher.crosses(order.side, order.ticks):
            errors.append("PREVIEW_INVALID_LIMIT_PRICE_POSTONLY")
        return intent, order, errors

    # Cancel

    def cancel(self, account: Account, order_id: object) -> str:
        """The word for why not; empty where the request was taken."""
        order = account.orders.get(order_id) if isinstance(order_id, str) else None
        if order is None:
            return "UNKNOWN_CANCEL_ORDER"
        if order.product.cancels_rejected:
            return "COMMANDER_REJECTED_CANCEL_ORDER"
        for observe in self.before_cancel:
            observe(order)
        if order.status is Status.FILLED:
            self.exchange.finish(self.exchange.market_of(order.product))
            return "ORDER_IS_FULLY_FILLED"
        if order.ended or order.status is Status.CANCEL_QUEUED:
            return "DUPLICATE_CANCEL_REQUEST"
        if order.status is Status.EDIT_QUEUED:
            return "ORDER_IS_BEING_REPLACED"
        delay_s = self.exchange.switches.cancel_delay_s
        if delay_s > 0:
            order.status = Status.CANCEL_QUEUED
            self.exchange.touch(order)
        self.exchange.later(delay_s, lambda: self._cancel(order))
        self.exchange.finish(self.exchange.market_of(order.product))
        return ""

    def _cancel(self, order: Order) -> None:
        self.exchange.end(order, Status.CANCELLED, "User requested cancel")
        self.exchange.finish(self.exchange.market_of(order.product))

    # Edit

    def check_edit(self, account: Account, body: dict[str, Any]) -> tuple[Order, int, int, int]:
        """The order with its new price, size and stop price in ticks and lots; ``EditRefusedError`` says why not."""
        order = account.orders.get(str(body.get("order_id")))
        if order is None:
            raise EditRefusedError("ORDER_NOT_FOUND")
        if order.status is Status.CANCEL_QUEUED:
            raise EditRefusedError("CANNOT_EDIT_ORDER_PENDING_CANCEL")
        if order.status is Status.EDIT_QUEUED:
            raise EditRefusedError("ORDER_IS_ALREADY_BEING_REPLACED")
        if order.ended:
            raise EditRefusedError("ONLY_OPEN_ORDERS_CAN_BE_EDITED")
        if order.terms.kind not in (Kind.LIMIT, Kind.STOP_LIMIT, Kind.BRACKET) or order.terms.tif is not TimeInForce.GTC:
            raise EditRefusedError("ONLY_LIMIT_ORDER_EDITS_SUPPORTED")
        if any("quote_size" in fields for fields in order.configuration.values()):
            raise EditRefusedError("SIZE_IN_QUOTE_EDITS_NOT_ALLOWED")
        grid = order.product.grid
        price, size = parse_atoms(body.get("price")), parse_atoms(body.get("size")) or 0
        if not price or price % grid.tick:
            raise EditRefusedError("INVALID_EDITED_PRICE", "PREVIEW_INVALID_PRICE_PRECISION")
        if not size or size % grid.lot:
            raise EditRefusedError("INVALID_EDITED_SIZE", "PREVIEW_INVALID_SIZE_PRECISION")
        ticks, lots = price // grid.tick, size // grid.lot
        stop = parse_atoms(body["stop_price"]) if body.get("stop_price") else order.stop_ticks * grid.tick
        if stop is None or stop % grid.tick:
            raise EditRefusedError("INVALID_EDITED_STOP_PRICE", "PREVIEW_INVALID_STOP_PRICE")
        self._check_new_terms(order, ticks, lots, stop // grid.tick)
        return order, ticks, lots, stop // grid.tick

    def _check_new_terms(self, order: Order, ticks: int, lots: int, stop: int) -> None:
        if (ticks, lots, stop) == (order.ticks, order.lots, order.stop_ticks):
            raise EditRefusedError("EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST")
        if lots <= order.filled_lots:
            raise EditRefusedError("CANNOT_EDIT_TO_BELOW_FILLED_SIZE")
        if order.stop_ticks and not order.triggered and not self._stop_makes_sense(order, ticks, stop):
            raise EditRefusedError("INVALID_EDITED_STOP_PRICE", "PREVIEW_INVALID_STOP_PRICE")
        try:
            check_amount(order.product, ticks, lots)
        except OrderRefusedError as refused:
            raise EditRefusedError("INVALID_EDITED_SIZE", refused.preview) from None
        if order.terms.post_only and self.exchange.market_of(order.product).matcher.crosses(order.side, ticks):
            raise EditRefusedError("COMMANDER_REJECTED_EDIT_ORDER", "PREVIEW_INVALID_LIMIT_PRICE_POSTONLY")
        more = order.hold_for(lots - order.filled_lots, order.hold_ticks or ticks) - order.hold
        if more > self.exchange.wallet(order.account, order.currency).available:
            raise EditRefusedError("COMMANDER_REJECTED_EDIT_ORDER", "PREVIEW_INSUFFICIENT_FUND")

    def _stop_makes_sense(self, order: Order, ticks: int, stop: int) -> bool:
        """Whether the stop has yet to be reached, and stands where it belongs with the limit, as of a new order."""
        last, direction = self.exchange.market_of(order.product).price(), order.terms.stop_direction
        if last and (last - stop) * direction >= 0:
            return False
        if order.terms.kind is Kind.BRACKET:
            return (ticks - stop) * order.side < 0
        return direction != order.side or (ticks - stop) * order.side >= 0

    def edit(self, account: Account, body: dict[str, Any]) -> None:
        """Takes the edit; with the switch ``edit_delay_s`` it comes into effect later."""
        order, ticks, lots, stop = self.check_edit(account, body)
        for observe in self.before_edit:
            observe(order)
        if order.ended:
            raise EditRefusedError("ONLY_OPEN_ORDERS_CAN_BE_EDITED")
        delay_s = self.exchange.switches.edit_delay_s
        if delay_s > 0:
            order.status, order.pending = Status.EDIT_QUEUED, (ticks, lots)
            self.exchange.touch(order)
        self.exchange.later(delay_s, lambda: self._edit(order, ticks, lots, stop))
        self.exchange.finish(self.exchange.market_of(order.product))

    def _edit(self, order: Order, ticks: int, lots: int, stop: int) -> None:
        if order.ended:
            return
        exchange = self.exchange
        market = exchange.market_of(order.product)
        order.status = Status.OPEN
        wallet = exchange.wallet(order.account, order.currency)
        needed = order.hold_for(lots - order.filled_lots, order.hold_ticks or ticks)
        if lots <= order.filled_lots or (needed > order.hold and not exchange.ledger.hold(wallet, needed - order.hold)):
            exchange.touch(order)  # what came in between leaves it as it was
            exchange.finish(market)
            return
        if needed < order.hold:
            exchange.ledger.release(wallet, order.hold - needed)
        order.hold = needed
        smaller = ticks == order.ticks and lots < order.lots
        order.edits = [*order.edits[-EDITS_KEPT + 1 :], (ticks, lots, exchange.now_ns())]
        if exchange.switches.edited_configuration == "current":
            order.configuration = _edited(order, ticks, lots, stop)
        if smaller and order.rests_at:
            order.lots, order.stop_ticks = lots, stop
            market.matcher.side(order.side).resize(order, lots - order.filled_lots)
        else:
            self._replace(order, ticks, lots, stop)
        exchange.touch(order)
        exchange.finish(market)

    def _replace(self, order: Order, ticks: int, lots: int, stop: int) -> None:
        """A new price or a larger size gives up the place in the queue."""
        market = self.exchange.market_of(order.product)
        if order.rests_at:
            market.matcher.leave(order)
        if order in market.stops:
            market.stops.remove(order)
        order.ticks, order.lots, order.stop_ticks = ticks, lots, stop
        self.exchange.work(order)

    # The other side's doing

    def fill_by_hand(self, order: Order, lots: int, ticks: int) -> int:
        """Somebody of the market trades with this order at this price, whatever the book says; the lots that it got."""
        market = self.exchange.market_of(order.product)
        lots = min(lots or order.remaining, order.remaining)
        if order.ended or lots <= 0:
            return 0
        if order.rests_at:
            ladder = market.matcher.side(order.side)
            if order.remaining == lots:
                ladder.leave(order)
            else:
                ladder.resize(order, order.remaining - lots)
        self.exchange.settle_by_hand(market, Match(ticks or order.ticks, lots, None, order, -order.side))
        return lots


def _edited(order: Order, ticks: int, lots: int, stop: int) -> dict[str, Any]:
    """The order's configuration with its new terms."""
    grid = order.product.grid
    terms = {"base_size": grid.size(lots), "limit_price": grid.price(ticks)}
    if stop:
        terms["stop_trigger_price" if order.terms.kind is Kind.BRACKET else "stop_price"] = grid.price(stop)
    return {name: fields | terms for name, fields in order.configuration.items()}


def _check_flags(product: Product, terms: Terms) -> None:
    """What the product's state allows."""
    flags = product.flags
    if flags["is_disabled"] or flags["view_only"] or product.status == "delisted":
        raise OrderRefusedError("UNTRADABLE_PRODUCT", "the product is not traded")
    if flags["trading_disabled"] or flags["cancel_only"] or product.status == "offline":
        raise OrderRefusedError("ORDER_ENTRY_DISABLED", "no new orders at the moment")
    limit = terms.kind is not Kind.MARKET
    if flags["limit_only"] and not limit:
        raise OrderRefusedError("INVALID_REQUEST", "limit orders only")
    if (flags["post_only"] or flags["auction_mode"]) and not terms.post_only:
        raise OrderRefusedError("INVALID_REQUEST", "post-only orders only")


def close_position(entry: OrderEntry, account: Account, body: dict[str, Any]) -> Order:
    """Sells what the account has of the product's base currency, or as much of it as is asked."""
    product = entry.exchange.products.get(str(body.get("product_id")))
    if product is None:
        raise OrderRefusedError("INVALID_PRODUCT_ID", "unknown product")
    wallet = entry.exchange.wallet(account, product.base)
    size = body.get("size") or product.grid.size(wallet.available // product.grid.lot)
    request = {"client_order_id": body.get("client_order_id"), "product_id": product.product_id, "side": "SELL"}
    return entry.create(account, request | {"order_configuration": {"market_market_ioc": {"base_size": size}}})
