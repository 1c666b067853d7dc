"""Listings of orders and fills: what is asked for, in which order, page by page."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from . import shapes
from .account_calls import owner_of
from .accounts import Account
from .calls import Call
from .configurations import parse_time
from .exchange import Exchange
from .orders import SIDE_NAMES, Fill, Order
from .paging import page
from .query_words import ANY_PRODUCT_TYPE, known_words
from .refusals import bad_request

T = TypeVar("T")

_DEFAULT_LIMIT, _MOST = 100, 1000
_ANY_SOURCE, _ANY_SORT = "UNKNOWN_PLACEMENT_SOURCE", "UNKNOWN_SORT_BY"

# Greatest first; what has no such value comes last.
_ORDER_SORTS: dict[str, Callable[[Order], int]] = {
    "LIMIT_PRICE": lambda order: order.ticks * order.product.grid.tick,
    "LAST_FILL_TIME": lambda order: order.last_fill_ns,
    "LAST_UPDATE_TIME": lambda order: order.updated_ns,
}
_FILL_SORTS: dict[str, Callable[[Fill], int]] = {
    "PRICE": lambda fill: fill.ticks * fill.order.product.grid.tick,
    "TRADE_TIME": lambda fill: fill.ts_ns,
}


class Listings:
    """What an account may list. Newest first, unless another sort is asked for: pages are then counted, and move with what is new."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def orders(self, call: Call) -> dict[str, Any]:
        owner = owner_of(call)
        listed, sort = self._order_filter(call), _sort(call, _ORDER_SORTS)
        source: Iterable[Order] = owner.open.values() if set(call.words("order_status")) == {"OPEN"} else owner.orders.values()
        matching = (order for order in reversed(list(source)) if listed(order))
        found, cursor = _page(call, matching, sort, lambda order: order.number)
        return {"orders": [shapes.order(order) for order in found], "sequence": "0", "has_next": bool(cursor), "cursor": cursor}

    def fills(self, call: Call) -> dict[str, Any]:
        matching = self._matching_fills(owner_of(call), call)
        found, cursor = _page(call, matching, _sort(call, _FILL_SORTS), lambda fill: fill.number)
        return {"fills": [shapes.fill(fill) for fill in found], "cursor": cursor}

    def _order_filter(self, call: Call) -> Callable[[Order], bool]:
        """Whether an order is asked for, and seen by now."""
        known_words(call, "contract_expiry_type")  # of futures only
        asked: list[tuple[set[str], Callable[[Order], str]]] = [
            (known_words(call, "order_status"), lambda order: str(order.status)),
            (set(call.words("order_ids")), lambda order: order.order_id),
            (set(self._product_ids(call)), lambda order: order.product.product_id),
            (known_words(call, "time_in_forces"), lambda order: str(order.terms.tif)),
            (known_words(call, "order_types"), lambda order: str(order.terms.kind)),
            (known_words(call, "order_side"), lambda order: SIDE_NAMES[order.side]),
            (known_words(call, "product_type") - {ANY_PRODUCT_TYPE}, lambda order: "SPOT"),
        ]
        sources = known_words(call, "order_placement_source") or {"RETAIL_ADVANCED"}
        if _ANY_SOURCE not in sources:
            asked.append((sources, lambda order: order.source))
        filters, assets = [(wanted, value) for wanted, value in asked if wanted], set(call.words("asset_filters"))
        first, last, now_ns = _time(call, "start_date"), _time(call, "end_date"), self._exchange.now_ns()

        def listed(order: Order) -> bool:
            if order.visible_ns > now_ns or any(value(order) not in wanted for wanted, value in filters):
                return False
            if assets and not assets & {order.product.base, order.product.quote}:
                return False
            return (first is None or order.created_ns >= first) and (last is None or order.created_ns < last)

        return listed

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


def _sort(call: Call, sorts: dict[str, Callable[[T], int]]) -> Callable[[T], int] | None:
    """What the items are to be sorted by; None for the time of their creation."""
    word = call.word("sort_by")
    if word in ("", _ANY_SORT):
        return None
    if word not in sorts:
        raise bad_request(f'parsing field "sort_by": "{word}" is not a valid value')
    return sorts[word]


def _page(call: Call, matching: Iterable[T], sort: Callable[[T], int] | None, number: Callable[[T], int]) -> tuple[list[T], str]:
    cursor, limit = call.word("cursor"), call.number("limit", _DEFAULT_LIMIT, _MOST)
    if sort is None:
        return page(matching, number=number, cursor=cursor, limit=limit)
    places = enumerate(sorted(matching, key=sort, reverse=True))
    found, cursor = page(places, number=lambda place: -place[0], cursor=cursor, limit=limit)
    return [item for _, item in found], cursor


def _time(call: Call, name: str) -> int | None:
    word = call.word(name)
    if not word:
        return None
    moment = parse_time(word)
    if moment is None:
        raise bad_request(f"{name} must be an RFC 3339 time")
    return moment
