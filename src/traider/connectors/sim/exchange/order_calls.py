"""Private calls about orders and fills."""

from typing import Any

from . import shapes
from .account_calls import owner_of
from .accounts import identity
from .calls import Call, Route
from .listings import Listings
from .market_calls import PREFIX
from .order_entry import OrderEntry, close_position
from .refusals import EditRefusedError, OrderRefusedError, bad_request, not_found
from .units import text

_NO_MARGIN = (
    "order_margin_total", "leverage", "long_leverage", "short_leverage", "current_liquidation_buffer", "projected_liquidation_buffer",
    "max_leverage",
)  # fmt: skip


class OrderCalls:
    def __init__(self, entry: OrderEntry) -> None:
        self._entry = entry
        self._exchange = entry.exchange
        self._listings = Listings(entry.exchange)

    def routes(self) -> list[Route]:
        orders = f"{PREFIX}/orders"
        return [
            Route("POST", orders, "trade", self._create),
            Route("POST", f"{orders}/preview", "view", self._preview),
            Route("POST", f"{orders}/batch_cancel", "trade", self._cancel),
            Route("POST", f"{orders}/edit", "trade", self._edit),
            Route("POST", f"{orders}/edit_preview", "view", self._edit_preview),
            Route("POST", f"{orders}/close_position", "trade", self._close_position),
            Route("GET", f"{orders}/historical/batch", "view", self._listings.orders),
            Route("GET", f"{orders}/historical/fills", "view", self._listings.fills),
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
            "preview_id": identity(self._exchange.config.seed, "preview", self._exchange.order_count, self._exchange.now_ns()),
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


def _edit_error(refused: EditRefusedError) -> dict[str, str]:
    return {"edit_failure_reason": refused.reason, "preview_failure_reason": refused.preview}
