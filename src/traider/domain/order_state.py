"""The order's state machine: an order changes only by applying events (transitions drawn in ``traider.domain.orders``)."""

from decimal import Context, Decimal

import msgspec

from .errors import OrderStateError
from .orders import (
    AnyOrderEvent,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequest,
    OrderSubmitted,
    OrderUnknown,
)
from .vocabulary import OrderStatus, Reason

_EXACT = Context(prec=80)  # price x size of two shortest-repr floats has 34 digits; the default precision of 28 would round

_LIVE = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})
_TERMINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED})

# a late fill is booked to a cancelled order, which stays cancelled
_ALLOWED: dict[type[AnyOrderEvent], frozenset[OrderStatus]] = {
    OrderAccepted: frozenset({OrderStatus.PENDING, OrderStatus.UNKNOWN}),
    OrderRejected: frozenset({OrderStatus.PENDING, OrderStatus.UNKNOWN}),
    OrderUnknown: frozenset({OrderStatus.PENDING}),
    OrderFilled: _LIVE | {OrderStatus.UNKNOWN, OrderStatus.CANCELLED},
    OrderCancelled: _LIVE | {OrderStatus.UNKNOWN},
    OrderAmended: _LIVE,
}
_NEVER: frozenset[OrderStatus] = frozenset()


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order as its events have left it. ``notional`` is the exact sum of price x size over the fills; ``n`` the last event's number."""

    request: OrderRequest
    status: OrderStatus
    n: int
    created_ts_ns: int
    updated_ts_ns: int
    venue_order_id: str | None = None
    filled_size: Decimal = Decimal(0)
    notional: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    fills: int = 0
    reason: Reason = Reason.NONE
    detail: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it may still fill: everything that isn't terminal counts against the limits."""
        return self.status not in _TERMINAL

    @property
    def remaining_size(self) -> Decimal:
        return _EXACT.subtract(self.request.size, self.filled_size)

    @property
    def average_price(self) -> Decimal | None:
        """What a unit cost on average, None before the first fill."""
        return self.notional / self.filled_size if self.filled_size else None


def apply(order: Order | None, event: AnyOrderEvent) -> Order:
    """The order after the event; ``None`` is an order that nothing has been said of yet. ``OrderStateError`` when it can't be.

    An event number must be larger than the last one's; 0 is an event that could not be journalled, and comes at any time.
    """
    if order is None:
        return _first(event)
    if event.client_order_id != order.request.client_order_id:
        raise OrderStateError(f"event of order {event.client_order_id} applied to order {order.request.client_order_id}")
    if event.n != 0 and event.n <= order.n:
        raise OrderStateError(f"order {event.client_order_id}: event {event.n} comes after event {order.n}")
    if order.status not in _ALLOWED.get(type(event), _NEVER):
        raise OrderStateError(f"order {event.client_order_id} is {order.status}: {_name(event)} is not possible")
    n = order.n if event.n == 0 else event.n
    if isinstance(event, OrderAccepted):  # what most events are
        return msgspec.structs.replace(order, n=n, updated_ts_ns=event.ts_ns, status=OrderStatus.OPEN, venue_order_id=event.venue_order_id)
    order = msgspec.structs.replace(order, n=n, updated_ts_ns=event.ts_ns)
    match event:
        case OrderRejected():
            return msgspec.structs.replace(order, status=OrderStatus.REJECTED, reason=event.reason, detail=event.detail)
        case OrderUnknown():
            return msgspec.structs.replace(order, status=OrderStatus.UNKNOWN, detail=event.detail)
        case OrderCancelled():
            return msgspec.structs.replace(order, status=OrderStatus.CANCELLED, reason=event.reason)
        case OrderAmended():
            return _amended(order, event)
        case OrderFilled():
            return _filled(order, event)
        case _:
            raise OrderStateError(f"order {event.client_order_id} is {order.status}: {_name(event)} is not possible")


def _first(event: AnyOrderEvent) -> Order:
    match event:
        case OrderSubmitted():
            status, reason, detail = OrderStatus.PENDING, Reason.NONE, ""
        case OrderRejected():
            status, reason, detail = OrderStatus.REJECTED, event.reason, event.detail
        case _:
            raise OrderStateError(f"order {event.client_order_id}: {_name(event)} of an order that was never submitted")
    if event.request.client_order_id != event.client_order_id:
        raise OrderStateError(f"order {event.client_order_id}: its request is that of {event.request.client_order_id}")
    return Order(
        request=event.request, status=status, n=event.n, created_ts_ns=event.ts_ns, updated_ts_ns=event.ts_ns, reason=reason, detail=detail
    )


def _filled(order: Order, event: OrderFilled) -> Order:
    if event.symbol != order.request.symbol or event.side != order.request.side:
        raise OrderStateError(f"order {event.client_order_id}: a fill of another market or side")
    filled = _EXACT.add(order.filled_size, event.size)
    if event.size <= 0 or filled > order.request.size:
        raise OrderStateError(f"order {event.client_order_id}: a fill of {event.size} with {order.remaining_size} left")
    if order.status is OrderStatus.CANCELLED:
        status = OrderStatus.CANCELLED
    else:
        status = OrderStatus.FILLED if filled == order.request.size else OrderStatus.PARTIALLY_FILLED
    return msgspec.structs.replace(
        order,
        status=status,
        filled_size=filled,
        notional=_EXACT.add(order.notional, _EXACT.multiply(event.price, event.size)),
        fees=_EXACT.add(order.fees, event.fee),
        fills=order.fills + 1,
    )


def _amended(order: Order, event: OrderAmended) -> Order:
    if event.size <= 0 or event.size < order.filled_size:
        raise OrderStateError(f"order {event.client_order_id}: amended to {event.size} with {order.filled_size} filled")
    stop_price = order.request.stop_price if event.stop_price is None else event.stop_price
    request = msgspec.structs.replace(order.request, size=event.size, limit_price=event.limit_price, stop_price=stop_price)
    return msgspec.structs.replace(order, request=request, status=OrderStatus.FILLED if event.size == order.filled_size else order.status)


def _name(event: AnyOrderEvent) -> str:
    return type(event).__name__.removeprefix("Order").lower()
