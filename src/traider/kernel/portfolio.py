"""Cash, positions and profit: how a fill and a price change the account.

Average cost: a fill that adds to a position averages its price in; a fill that reduces it realises
(price - average price) x size closed; a fill that crosses zero opens the rest at its own price.
"""

import math
from typing import Any

from .fees import count_volume, start_fee_day
from .grid import on_grid
from .jit import compiled, inlined
from .layout import DAY_NS, FILL, FUNDING, MAX_EXECUTIONS
from .machine import seldom


@compiled
def holdings(desk: Any) -> float:
    """What the positions are worth at their marks."""
    total = 0.0
    for i in range(desk.account.instruments):
        position = desk.positions[i]
        if position.size != 0.0:
            total += position.size * position.mark_price
    return total


@inlined
def net_worth(desk: Any) -> float:
    """Cash and the positions at their marks."""
    if desk.account.instruments == 1:
        return float(desk.account.cash + desk.positions[0].size * desk.positions[0].mark_price)
    return float(desk.account.cash + holdings(desk))


@inlined
def revalue(desk: Any) -> None:
    """Equity from cash and marks; new peaks and the largest drawdown are noted.

    Called when marks are those of now: between a fill at a bar's open and the mark at its close, a peak would be one of
    a new position at an old price.
    """
    account = desk.account
    equity = net_worth(desk)
    account.equity = equity
    account.unmarked = 0
    account.curve_low = min(account.curve_low, equity)
    peak = account.high_water_mark
    if equity > peak:
        account.high_water_mark = equity
        account.ask_below = math.inf
    elif peak - equity > account.max_drawdown * peak:
        account.max_drawdown = (peak - equity) / peak


@compiled
def start_day(desk: Any, ts_ns: int) -> None:
    """The UTC day before is closed at the equity that it ended with."""
    seldom()
    account = desk.account
    if account.day_end_ns != 0:
        day_end = desk.day_ends[account.days]
        day_end.day = account.day_end_ns // DAY_NS - 1
        day_end.equity = account.equity
        account.days += 1
    account.day_start_equity = account.equity
    account.ask_below = math.inf
    account.day_end_ns = (ts_ns // DAY_NS + 1) * DAY_NS
    start_fee_day(desk, ts_ns)


@inlined
def start_event(desk: Any, inst: int, ts_ns: int) -> None:
    """Moves the clock, never back. Whoever calls it has called ``start_day`` if this is the day's first event."""
    desk.account.now_ns = max(desk.account.now_ns, ts_ns)
    desk.account.current = inst


@inlined
def mark(desk: Any, inst: int, price: float) -> bool:
    """The instrument is worth this price from now on; whether a loss limit may be reached, which has then to be asked."""
    account = desk.account
    position = desk.positions[inst]
    position.mark_price = price
    if position.size != 0.0 or account.unmarked != 0:
        revalue(desk)
        return bool(account.equity <= account.ask_below)
    return False


@inlined
def log_execution(
    desk: Any, kind: int, order_id: int, ref: int, inst: int, side: int, maker: int, reason: int, price: float, size: float, fee: float
) -> None:
    account = desk.account
    if account.executions >= MAX_EXECUTIONS:
        return  # the drivers drain long before: see DRAIN_AT
    entry = desk.executions[account.executions]
    account.executions += 1
    entry.kind = kind
    entry.order_id = order_id
    entry.ref = ref
    entry.inst = inst
    entry.side = side
    entry.maker = maker
    entry.reason = reason
    entry.ts_ns = account.now_ns
    entry.price = price
    entry.size = size
    entry.fee = fee
    entry.rule = 0
    entry.type = 0
    entry.decided_ns = 0
    entry.limit_price = 0.0
    entry.stop_price = 0.0
    entry.queue = 0.0


@inlined
def tell_order(desk: Any, order: Any, rule: int) -> None:
    """Adds to the last entry of the log what the order was, and by which rule it was filled."""
    entry = desk.executions[desk.account.executions - 1]
    entry.rule = rule
    entry.type = order.type
    entry.decided_ns = order.ts_ns
    entry.limit_price = order.limit_price
    entry.stop_price = order.stop_price
    entry.queue = order.queue_start


@compiled
def apply_fill(desk: Any, order_id: int, ref: int, inst: int, side: int, price: float, size: float, fee: float, maker: int) -> None:
    """The account after this fill; the fill is logged."""
    account = desk.account
    position = desk.positions[inst]
    instrument = desk.instruments[inst]
    before = position.size
    after = on_grid(before + side * size, instrument.size_num, instrument.size_den)
    if before * side >= 0.0:
        if after != 0.0:
            position.average_price = (position.average_price * abs(before) + price * size) / abs(after)
    else:
        closed = min(abs(before), size)
        direction = 1.0 if before > 0.0 else -1.0
        position.realized_pnl += closed * (price - position.average_price) * direction
        if size > abs(before):
            position.average_price = price
        elif after == 0.0:
            position.average_price = 0.0
    position.size = after
    position.fees += fee
    account.cash -= side * price * size + fee
    account.fees += fee
    account.fills += 1
    account.equity = net_worth(desk)
    account.unmarked = 1
    count_volume(desk, price * size)
    log_execution(desk, FILL, order_id, ref, inst, side, maker, 0, price, size, fee)


@compiled
def apply_funding(desk: Any, inst: int, rate: float) -> None:
    """A long position pays this fraction of its notional at the mark, a short one is paid it; only positions on margin."""
    account = desk.account
    position = desk.positions[inst]
    if position.size == 0.0 or desk.instruments[inst].initial_margin == 0.0:
        return
    paid = position.size * position.mark_price * rate
    account.cash -= paid
    position.funding += paid
    account.equity = net_worth(desk)
    account.unmarked = 1
    side = 1 if position.size > 0.0 else -1
    log_execution(desk, FUNDING, 0, 0, inst, side, 0, 0, position.mark_price, abs(position.size), paid)
