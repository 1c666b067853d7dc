"""Private calls about orders and fills."""

from collections.abc import Callable, Iterable
from typing import Any

from . import shapes
from .account_calls import owner_of
from .accounts import Account
from .calls import Call, Route
from .configurations import parse_time
from .market_calls import PREFIX
from .order_entry import OrderEntry, close_position
from .orders import SIDE_NAMES, Fill, Order
from .paging import page
from .refusals import EditRefusedError, OrderRefusedError, bad_request, not_found
from .units import text

_DEFAULT_LIMIT, _MOST = 100, 1000
_NO_MARGIN = (
    "order_margin_total", "leverage", "long_leverage", "short_leverage", "current_liquidation_buffer", "projected_liquidation_buffer",
    "max_leverage",
)  # fmt: skip


class OrderCalls:
    def __init__(self, entry: OrderEntry) -> None:
        self._entry = entry
        self._exchange = entry.exchange

    def routes(self) -> list[Route]:
        orders = f"{PREFIX}/orders"
        return [
            Route("POST", orders, "trade", self._create),
            Route("POST", f"{orders}/preview", "view", self._preview),
            Route("POST", f"{orders}/batch_cancel", "trade", self._cancel),
            Route("POST", f"{orders}/edit", "trade", self._edit),
            Route("POST", f"{orders}/edit_preview", "view", self._edit_preview),
            Route("POST", f"{orders}/close_position", "trade", self._close_position),
            Route("GET", f"{orders}/historical/batch", "view", self._list),
            Route("GET", f"{orders}/historical/fills", "view", self._fills),
            Route("GET", f"{orders}/historical/{{}}", "view", self._get),
        ]

    def _create(self, call: Call) -> dict[str, Any]:
        body = call.json()
        try:
            return shapes.created(self._entry.create(owner_of(call), body))
        except OrderRefusedError as refused:
            return shapes.create_refused(refused, body.get("order_configuration"))

    def _close_position(self, call: Call) -> dict[str, Any]:
        try:
            return shapes.created(close_position(self._entry, owner_of(call), call.json()))
        except OrderRefusedError as refused:
            return shapes.create_refused(refused, None)

    def _preview(self, call: Call) -> dict[str, Any]:
        intent, order, errors = self._entry.preview(owner_of(call), call.json())
        reply: dict[str, Any] = {
            "order_total": "0",
            "commission_total": "0",
            "errs": errors,
            "warning": [],
            "quote_size": "0",
            "base_size": "0",
            "best_bid": "0",
            "best_ask": "0",
            "is_max": False,
            "slippage": "0",
            "preview_id": "",
            **dict.fromkeys(_NO_MARGIN, ""),
        }
        if intent is None or order is None:
            return reply
        matcher = self._exchange.market_of(intent.product).matcher
        grid = intent.product.grid
        lots, cost = order.lots, 0
        if intent.terms.budget:
            lots = matcher.affordable(order, intent.terms.budget, order.taker_ppm, self._exchange.switches.self_trade)
        taken, spent = matcher.available(order, order.ticks, lots, self._exchange.switches.self_trade)
        cost = grid.cost(1, spent) + grid.cost(order.ticks, lots - taken)
        fee = order.fee_for(cost, maker=False)
        bid, ask = matcher.bids.best(), matcher.asks.best()
        touch = ask if order.side > 0 else bid
        return reply | {
            "order_total": text(cost + order.side * fee),
            "commission_total": text(fee),
            "quote_size": text(cost),
            "base_size": grid.size(lots),
            "best_bid": grid.price(bid),
            "best_ask": grid.price(ask),
            "slippage": shapes.ratio(abs(spent - touch * taken), touch * taken) if taken else "0",
            "preview_id": f"preview-{self._exchange.order_count}-{self._exchange.now_ns()}",
        }

    def _cancel(self, call: Call) -> dict[str, Any]:
        ids = call.json().get("order_ids")
        most = self._exchange.switches.cancel_batch
        if not isinstance(ids, list) or not ids:
            raise bad_request("order_ids is missing")
        if len(ids) > most:
            raise bad_request(f"too many orders to cancel, the maximum is {most}", "InvalidArgument")
        results = []
        for order_id in ids:
            failure = self._entry.cancel(owner_of(call), order_id)
            results.append({"success": not failure, "failure_reason": failure or "UNKNOWN_CANCEL_FAILURE_REASON", "order_id": order_id})
        return {"results": results}

    def _edit(self, call: Call) -> dict[str, Any]:
        try:
            self._entry.edit(owner_of(call), call.json())
        except EditRefusedError as refused:
            return {"success": False, "errors": [_edit_error(refused)]}
        return {"success": True, "errors": []}

    def _edit_preview(self, call: Call) -> dict[str, Any]:
        try:
            order, ticks, lots, _ = self._entry.check_edit(owner_of(call), call.json())
        except EditRefusedError as refused:
            return {"errors": [_edit_error(refused)]}
        matcher, grid = self._exchange.market_of(order.product).matcher, order.product.grid
        cost = grid.cost(ticks, lots)
        fee = order.fee_for(cost, maker=False)
        return {
            "errors": [],
            "slippage": "0",
            "order_total": text(cost + order.side * fee),
            "commission_total": text(fee),
            "quote_size": text(cost),
            "base_size": grid.size(lots),
            "best_bid": grid.price(matcher.bids.best()),
            "best_ask": grid.price(matcher.asks.best()),
            "average_filled_price": shapes.average_price(order),
        }

    def _get(self, call: Call) -> dict[str, Any]:
        order = owner_of(call).orders.get(call.parts[0])
        if order is None or order.visible_ns > self._exchange.now_ns():
            raise not_found("order with this orderID was not found")
        return {"order": shapes.order(order)}

    def _list(self, call: Call) -> dict[str, Any]:
        owner = owner_of(call)
        source: Iterable[Order] = owner.open.values() if set(call.words("order_status")) == {"OPEN"} else owner.orders.values()
        listed = self._filter(call)
        found, cursor = page(
            (order for order in reversed(list(source)) if listed(order)),
            number=lambda order: order.number,
            cursor=call.word("cursor"),
            limit=call.number("limit", _DEFAULT_LIMIT, _MOST),
        )
        return {"orders": [shapes.order(order) for order in found], "sequence": "0", "has_next": bool(cursor), "cursor": cursor}

    def _filter(self, call: Call) -> Callable[[Order], bool]:
        """Whether an order is asked for, and seen by now."""
        asked: list[tuple[set[str], Callable[[Order], str]]] = [
            (set(call.words("order_status")), lambda order: str(order.status)),
            (set(call.words("order_ids")), lambda order: order.order_id),
            (set(self._product_ids(call)), lambda order: order.product.product_id),
            (set(call.words("time_in_forces")), lambda order: str(order.terms.tif)),
            (set(call.words("order_types")), lambda order: str(order.terms.kind)),
            (set(call.words("order_side")), lambda order: SIDE_NAMES[order.side]),
            (set(call.words("asset_filters")), lambda order: order.product.base),
            (set(call.words("order_placement_source")) or {"RETAIL_ADVANCED"}, lambda order: order.source),
            (set(call.words("product_type")) - {"UNKNOWN_PRODUCT_TYPE"}, lambda order: "SPOT"),
        ]
        filters = [(wanted, value) for wanted, value in asked if wanted]
        first, last, now_ns = _time(call, "start_date"), _time(call, "end_date"), self._exchange.now_ns()

        def listed(order: Order) -> bool:
            if order.visible_ns > now_ns or any(value(order) not in wanted for wanted, value in filters):
                return False
            return (first is None or order.created_ns >= first) and (last is None or order.created_ns < last)

        return listed

    def _fills(self, call: Call) -> dict[str, Any]:
        owner = owner_of(call)
        found, cursor = page(
            self._matching_fills(owner, call),
            number=lambda fill: fill.number,
            cursor=call.word("cursor"),
            limit=call.number("limit", _DEFAULT_LIMIT, _MOST),
        )
        return {"fills": [shapes.fill(fill) for fill in found], "cursor": cursor}

    def _matching_fills(self, owner: Account, call: Call) -> Iterable[Fill]:
        orders = set(call.words("order_ids") + call.words("order_id"))
        trades, products = set(call.words("trade_ids")), set(self._product_ids(call))
        first, last = _time(call, "start_sequence_timestamp"), _time(call, "end_sequence_timestamp")
        now_ns = self._exchange.now_ns()
        for fill in reversed(owner.fills):
            if fill.visible_ns > now_ns or (orders and fill.order.order_id not in orders) or (trades and fill.trade_id not in trades):
                continue
            if products and fill.order.product.product_id not in products:
                continue
            if (first is None or fill.ts_ns >= first) and (last is None or fill.ts_ns <= last):
                yield fill

    def _product_ids(self, call: Call) -> list[str]:
        """One client sends the singular name, which the real server is said to ignore."""
        singular = [] if self._exchange.switches.strict_query else call.words("product_id")
        return call.words("product_ids") + singular


def _edit_error(refused: EditRefusedError) -> dict[str, str]:
    return {"edit_failure_reason": refused.reason, "preview_failure_reason": refused.preview}


def _time(call: Call, name: str) -> int | None:
    word = call.word(name)
    if not word:
        return None
    moment = parse_time(word)
    if moment is None:
        raise bad_request(f"{name} must be an RFC 3339 time")
    return moment
