"""The halves of an event around the strategy's handler, for callers that are not compiled.

The compiled loop (``traider.kernel.loop``) is made of the same functions in the same order: open orders meet the
event, the strategy is told of fills, the position is marked, the handler decides, its requests are settled.
"""

from typing import Any

from .jit import compiled
from .layout import BAR, DRAIN_AT, MAX_DAYS, SIMULATED
from .machine import seldom
from .matching import match_bar, match_trade
from .orders import trip
from .portfolio import mark, start_day, start_event
from .risk import NONE, breached


@compiled
def match_event(desk: Any, kind: int, inst: int, ts_ns: int, a: float, b: float, c: float, d: float) -> None:
    """The clock moves on and open orders meet the event; marks are as before."""
    if ts_ns >= desk.account.day_end_ns:
        start_day(desk, ts_ns)
    start_event(desk, inst, ts_ns)
    if desk.account.open_orders > 0 and desk.account.venue == SIMULATED:
        if kind == BAR:
            match_bar(desk, inst, a, b, c, d)
        else:
            match_trade(desk, inst, a, b)


@compiled
def mark_event(desk: Any, kind: int, inst: int, a: float, d: float) -> None:
    """Marks the instrument at the bar's close or the trade's price; a limit that this breaches trips the kill switch."""
    mark(desk, inst, d if kind == BAR else a)
    if desk.account.trips != 0 and breached(desk) != NONE:
        trip(desk)


@compiled
def is_full(desk: Any) -> bool:
    """Whether the logs must be drained before the next event."""
    return bool(desk.account.executions > DRAIN_AT or desk.account.days >= MAX_DAYS)


@compiled
def market_event(desk: Any, kind: int, inst: int, ts_ns: int, a: float, b: float, c: float, d: float) -> bool:
    """Both halves that come before a handler, where nobody wants to be told of fills in between.

    True when the logs must be drained before the next event.
    """
    match_event(desk, kind, inst, ts_ns, a, b, c, d)
    mark_event(desk, kind, inst, a, d)
    desk.account.told = desk.account.executions
    return is_full(desk)


@compiled
def note_curve(desk: Any, curve: Any, inst: int, ts_ns: int) -> None:
    """Adds a point to the equity curve: equity now, its low since the point before, the price.

    There is one every ``curve_stride`` events; ``curve_left`` says how many are left until the next one.
    """
    seldom()
    account = desk.account
    point = curve[account.curve_points]
    point.ts_ns = ts_ns
    point.equity = account.equity
    point.low = account.curve_low
    point.price = desk.positions[inst].mark_price
    account.curve_points += 1
    account.curve_low = account.equity
