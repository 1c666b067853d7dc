"""Doors into the kernel for code that is not compiled.

A record handed to compiled code costs 6.6 us to recognise, its address 0.15 us. Whoever passes an address keeps the
array behind it alive.
"""

from typing import Any

from numba import types
from numba.extending import intrinsic

from . import context, driver, orders, risk
from .context_type import DESK_TYPE
from .jit import compiled


@intrinsic
def desk_at(typing_context: Any, address: Any) -> Any:
    """The engine's record that lies at this address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(DESK_TYPE))

    return DESK_TYPE(types.int64), generate


@compiled
def market_event(address: int, kind: int, inst: int, ts_ns: int, a: float, b: float, c: float, d: float) -> bool:
    return driver.market_event(desk_at(address), kind, inst, ts_ns, a, b, c, d)


@compiled
def match_event(address: int, kind: int, inst: int, ts_ns: int, a: float, b: float, c: float, d: float) -> None:
    driver.match_event(desk_at(address), kind, inst, ts_ns, a, b, c, d)


@compiled
def mark_event(address: int, kind: int, inst: int, a: float, d: float) -> bool:
    desk = desk_at(address)
    driver.mark_event(desk, kind, inst, a, d)
    return driver.is_full(desk)


@compiled
def settle_requests(address: int) -> bool:
    """True when the logs must be drained before the next event."""
    desk = desk_at(address)
    orders.settle_requests(desk)
    return driver.is_full(desk)


@compiled
def request(
    address: int, inst: int, side: int, type_: int, tif: int, post_only: int, size: float, limit_price: float, stop_price: float
) -> int:
    return orders.request(desk_at(address), inst, side, type_, tif, post_only, size, limit_price, stop_price)


@compiled
def target(address: int, size: float) -> int:
    return context.target(desk_at(address), size)


@compiled
def pending(address: int) -> float:
    return context.pending(desk_at(address))


@compiled
def cancel(address: int, order: int) -> bool:
    return context.cancel(desk_at(address), order)


@compiled
def cancel_all(address: int) -> int:
    return context.cancel_all(desk_at(address))


@compiled
def check(
    address: int, inst: int, side: int, type_: int, tif: int, post_only: int, size: float, limit_price: float, stop_price: float
) -> int:
    return risk.check(desk_at(address), inst, side, type_, tif, post_only, size, limit_price, stop_price)


@compiled
def breached(address: int) -> int:
    return risk.breached(desk_at(address))


@compiled
def submissions_in_last_minute(address: int) -> int:
    return risk.submissions_in_last_minute(desk_at(address))


@compiled
def cash_reserved(address: int) -> float:
    return risk.cash_reserved(desk_at(address))


@compiled
def find(address: int, order_id: int) -> int:
    return orders.find(desk_at(address), order_id)
