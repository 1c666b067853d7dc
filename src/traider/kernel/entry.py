"""Doors into the kernel for code that is not compiled.

A record handed to compiled code costs 6.6 us to recognise, its address 0.15 us. Whoever passes an address keeps the
array behind it alive.
"""

from typing import Any

from . import context, driver, orders, outbox, risk, settle
from .context_type import DESK_TYPE
from .jit import compiled
from .machine import record_at

desk_at = record_at(DESK_TYPE)

# --- an event --------------------------------------------------------------------------------------------------------


@compiled
def market_event(address: int, code: int, inst: int, ts_ns: int, a: float, b: float, c: float, d: float, e: float) -> bool:
    return driver.market_event(desk_at(address), code, inst, ts_ns, a, b, c, d, e)


@compiled
def match_event(address: int, code: int, inst: int, ts_ns: int, a: float, b: float, c: float, d: float, e: float) -> None:
    driver.match_event(desk_at(address), code, inst, ts_ns, a, b, c, d, e)


@compiled
def mark_event(address: int, code: int, inst: int, a: float, b: float, c: float, d: float) -> bool:
    desk = desk_at(address)
    driver.mark_event(desk, code, inst, a, b, c, d)
    return driver.is_full(desk)


@compiled
def next_timer(address: int) -> int:
    return driver.next_timer(desk_at(address))


@compiled
def settle_requests(address: int) -> bool:
    """True when the logs must be drained before the next event."""
    desk = desk_at(address)
    settle.settle_requests(desk)
    return driver.is_full(desk)


@compiled
def note_curve(address: int, curve: Any, inst: int, ts_ns: int) -> None:
    driver.note_curve(desk_at(address), curve, inst, ts_ns)


# --- the account -----------------------------------------------------------------------------------------------------


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


@compiled
def request(
    address: int, inst: int, side: int, type_: int, tif: int, post_only: int, size: float, limit_price: float, stop_price: float
) -> int:
    return outbox.request(desk_at(address), inst, side, type_, tif, post_only, size, limit_price, stop_price)


# --- what a strategy can do: traider.kernel.context ------------------------------------------------------------------


@compiled
def pending(address: int) -> float:
    return context.pending(desk_at(address))


@compiled
def is_open(address: int, order: int) -> bool:
    return context.is_open(desk_at(address), order)


@compiled
def now_ns(address: int) -> int:
    return context.now_ns(desk_at(address))


@compiled
def select(address: int, instrument: int) -> bool:
    return context.select(desk_at(address), instrument)


@compiled
def buy(address: int, size: float) -> int:
    return context.buy(desk_at(address), size)


@compiled
def sell(address: int, size: float) -> int:
    return context.sell(desk_at(address), size)


@compiled
def buy_limit(address: int, size: float, limit_price: float) -> int:
    return context.buy_limit(desk_at(address), size, limit_price)


@compiled
def sell_limit(address: int, size: float, limit_price: float) -> int:
    return context.sell_limit(desk_at(address), size, limit_price)


@compiled
def buy_post_only(address: int, size: float, limit_price: float) -> int:
    return context.buy_post_only(desk_at(address), size, limit_price)


@compiled
def sell_post_only(address: int, size: float, limit_price: float) -> int:
    return context.sell_post_only(desk_at(address), size, limit_price)


@compiled
def buy_ioc(address: int, size: float, limit_price: float) -> int:
    return context.buy_ioc(desk_at(address), size, limit_price)


@compiled
def sell_ioc(address: int, size: float, limit_price: float) -> int:
    return context.sell_ioc(desk_at(address), size, limit_price)


@compiled
def buy_fok(address: int, size: float, limit_price: float) -> int:
    return context.buy_fok(desk_at(address), size, limit_price)


@compiled
def sell_fok(address: int, size: float, limit_price: float) -> int:
    return context.sell_fok(desk_at(address), size, limit_price)


@compiled
def buy_stop(address: int, size: float, stop_price: float) -> int:
    return context.buy_stop(desk_at(address), size, stop_price)


@compiled
def sell_stop(address: int, size: float, stop_price: float) -> int:
    return context.sell_stop(desk_at(address), size, stop_price)


@compiled
def buy_stop_limit(address: int, size: float, stop_price: float, limit_price: float) -> int:
    return context.buy_stop_limit(desk_at(address), size, stop_price, limit_price)


@compiled
def sell_stop_limit(address: int, size: float, stop_price: float, limit_price: float) -> int:
    return context.sell_stop_limit(desk_at(address), size, stop_price, limit_price)


@compiled
def buy_trailing_stop(address: int, size: float, distance: float) -> int:
    return context.buy_trailing_stop(desk_at(address), size, distance)


@compiled
def sell_trailing_stop(address: int, size: float, distance: float) -> int:
    return context.sell_trailing_stop(desk_at(address), size, distance)


@compiled
def buy_trailing_fraction(address: int, size: float, fraction: float) -> int:
    return context.buy_trailing_fraction(desk_at(address), size, fraction)


@compiled
def sell_trailing_fraction(address: int, size: float, fraction: float) -> int:
    return context.sell_trailing_fraction(desk_at(address), size, fraction)


@compiled
def good_till(address: int, order: int, ts_ns: int) -> bool:
    return context.good_till(desk_at(address), order, ts_ns)


@compiled
def oco(address: int, first: int, second: int) -> bool:
    return context.oco(desk_at(address), first, second)


@compiled
def oto(address: int, parent: int, child: int) -> bool:
    return context.oto(desk_at(address), parent, child)


@compiled
def protect(address: int, order: int, take_profit: float, stop_loss: float) -> bool:
    return context.protect(desk_at(address), order, take_profit, stop_loss)


@compiled
def cancel(address: int, order: int) -> bool:
    return context.cancel(desk_at(address), order)


@compiled
def amend(address: int, order: int, size: float, price: float) -> bool:
    return context.amend(desk_at(address), order, size, price)


@compiled
def cancel_all(address: int) -> int:
    return context.cancel_all(desk_at(address))


@compiled
def target(address: int, size: float) -> int:
    return context.target(desk_at(address), size)


@compiled
def size_for(address: int, notional: float) -> float:
    return context.size_for(desk_at(address), notional)


@compiled
def buy_notional(address: int, notional: float) -> int:
    return context.buy_notional(desk_at(address), notional)


@compiled
def sell_notional(address: int, notional: float) -> int:
    return context.sell_notional(desk_at(address), notional)


@compiled
def target_notional(address: int, notional: float) -> int:
    return context.target_notional(desk_at(address), notional)


@compiled
def target_percent(address: int, fraction: float) -> int:
    return context.target_percent(desk_at(address), fraction)


@compiled
def target_risk(address: int, fraction: float, volatility: float) -> int:
    return context.target_risk(desk_at(address), fraction, volatility)


@compiled
def set_timer(address: int, number: int, ts_ns: int) -> bool:
    return context.set_timer(desk_at(address), number, ts_ns)


@compiled
def clear_timer(address: int, number: int) -> bool:
    return context.clear_timer(desk_at(address), number)
