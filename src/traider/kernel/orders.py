"""The order table: what is approved lies in it, fills and cancels take it out.

The table is kept in the order of submission, without holes, so that a scan costs as much as there are open orders. An order
that another one's fill ends, or that may begin because of it, changes its stage at once and its place only when the event
has been matched: a scan that is under way is not disturbed.
"""

from typing import Any

from ..domain.vocabulary import FillRule, Reason
from .controls import check_begin, note_executed
from .fees import fee_rate
from .grid import price_on_grid, size_on_grid, ticks
from .jit import compiled, inlined
from .latency import delay_back, delay_out
from .layout import (
    ARRIVING,
    BY_BOOK,
    CANCEL,
    ENDING,
    FOK,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    MATCHED,
    MAX_REPORTS,
    RATE_WINDOW,
    RELEASED,
    RESTING,
    STOP_LIMIT,
    TRAIL_AMOUNT,
    TRAILING_STOP,
    WAITING,
)
from .machine import copy_record, seldom
from .margin import close_on_margin
from .portfolio import apply_fill, log_execution, tell_order
from .risk import INSUFFICIENT_BALANCE, KILL_SWITCH, NONE, counts, has_limit, has_stop, left_open, worst_case

OCO = int(Reason.OCO)
PARENT_ENDED = int(Reason.PARENT_ENDED)
LIQUIDATION = int(Reason.LIQUIDATION)
_AT_CLOSE = int(FillRule.NEXT_CLOSE)


@compiled
def count_open(desk: Any, inst: int) -> None:
    """What is left of the open orders of one instrument, by side, summed anew so that no rounding can pile up."""
    account = desk.account
    position = desk.positions[inst]
    if account.open_orders == 0:
        position.open_buys = 0.0
        position.open_sells = 0.0
        return
    if account.open_orders == 1 and desk.orders[0].filled == 0.0 and desk.orders[0].stage != WAITING:
        only = desk.orders[0]
        if only.inst == inst:
            position.open_buys = only.size if only.side > 0 else 0.0
            position.open_sells = 0.0 if only.side > 0 else only.size
            return
    special = account.linked > 0 or account.waiting > 0
    buys = 0.0
    sells = 0.0
    summed = 0
    for i in range(account.open_orders):
        order = desk.orders[i]
        if order.inst == inst and (not special or counts(desk, i)):
            if order.side > 0:
                summed += buys != 0.0
                buys += left_open(order)
            else:
                summed += sells != 0.0
                sells += left_open(order)
            summed += order.filled != 0.0
    if summed != 0:  # a difference or a sum: else they are sizes as they were given
        buys = size_on_grid(desk, inst, buys)
        sells = size_on_grid(desk, inst, sells)
    position.open_buys = buys
    position.open_sells = sells


@compiled
def take_out(desk: Any, slot: int) -> None:
    """Removes the order at this place of the table; the later ones move up."""
    account = desk.account
    order = desk.orders[slot]
    inst = order.inst
    if order.stage == WAITING:
        account.waiting -= 1
    if order.oco != 0:
        account.linked -= 1
    for i in range(slot + 1, account.open_orders):
        copy_record(desk.orders[i - 1], desk.orders[i])
    account.open_orders -= 1
    count_open(desk, inst)


@compiled
def find(desk: Any, order_id: int) -> int:
    """The order's place in the table, -1 when it isn't open."""
    for i in range(desk.account.open_orders):
        if desk.orders[i].id == order_id:
            return i
    return -1


@compiled
def find_ref(desk: Any, ref: int) -> int:
    for i in range(desk.account.open_orders):
        if desk.orders[i].ref == ref:
            return i
    return -1


@inlined
def unfilled(desk: Any, slot: int) -> float:
    """What is left to fill, at the venue, of the order at this place of the table."""
    order = desk.orders[slot]
    if order.filled == 0.0 and order.untold == 0.0:
        return float(order.size)
    return size_on_grid(desk, order.inst, order.size - order.filled - order.untold)


@compiled
def due_at(desk: Any, ts_ns: int) -> None:
    """Something arrives at this time."""
    if ts_ns < desk.account.due_ns:
        desk.account.due_ns = ts_ns


@compiled
def end(desk: Any, slot: int, reason: int) -> None:
    """The order leaves the table, for this reason, when the event has been matched."""
    order = desk.orders[slot]
    if order.stage == WAITING:
        desk.account.waiting -= 1
    order.stage = ENDING
    order.reason = reason
    desk.account.stirred = 1


@compiled
def _untold_against(desk: Any, inst: int, side: int) -> float:
    """What was filled on the other side of the instrument and is not told yet."""
    total = 0.0
    for i in range(desk.account.open_orders):
        order = desk.orders[i]
        if order.inst == inst and order.side != side:
            total += order.untold
    return total


@compiled
def _cash_with_sales(desk: Any) -> float:
    """The cash, and what reports of sales under way will bring."""
    cash = float(desk.account.cash)
    for i in range(desk.account.reports):
        report = desk.reports[i]
        slot = find(desk, report.order_id)
        if slot >= 0 and desk.orders[slot].side < 0:
            cash += report.price * report.size - report.fee
    return cash


@compiled
def _arrives_anew(order: Any, price: float) -> bool:
    """Whether an order that begins at this price doesn't simply rest: it would trade at once, or says what is to be done if it would."""
    if order.type == LIMIT:
        return bool(order.tif == IOC or order.tif == FOK or order.post_only != 0 or order.side * (price - order.limit_price) <= 0.0)
    return bool(has_stop(order.type) and order.side * (price - order.stop_price) >= 0.0)


@compiled
def release(desk: Any, slot: int, price: float, rule: int) -> None:
    """The order that this one follows was filled, the market at this price: it may go now, if the limits still let it.

    What would trade at once, or follows a fill at a bar's close, arrives at the next event: what the event at hand still has
    to tell came before it, or is gone.
    """
    account = desk.account
    order = desk.orders[slot]
    account.waiting -= 1
    account.stirred = 1
    order.stage = RELEASED
    order.parent = 0
    order.active_ns = account.now_ns
    if order.type == TRAILING_STOP:
        order.stop_price = trail_from(desk, order, price)
    if desk.instruments[order.inst].meets != BY_BOOK and (rule == _AT_CLOSE or _arrives_anew(order, price)):
        if has_stop(order.type) and _arrives_anew(order, price):
            order.type = LIMIT if order.type == STOP_LIMIT else MARKET
        order.stage = ARRIVING
        order.active_ns = account.now_ns + 1
    reason = NONE
    if account.killed != 0:
        reason = KILL_SWITCH
    else:
        held = order.size
        order.size = order.filled  # it is in the table, and must not count twice
        reason = worst_case(desk, order, held, _untold_against(desk, order.inst, order.side), _cash_with_sales(desk))
        if reason == NONE and desk.controls.on != 0:
            reason = check_begin(desk.controls, desk, order, held)
        order.size = held
    if reason != NONE:
        end(desk, slot, reason)
    count_open(desk, order.inst)


@compiled
def settle_children(desk: Any, ref: int, filled: float, inst: int, price: float, rule: int) -> None:
    """The order with this ref has ended with so much filled, at last at this price of its instrument and by this rule.

    Those that follow it begin, for no more than that, or end.
    """
    for i in range(desk.account.open_orders):
        order = desk.orders[i]
        if order.stage == WAITING and order.parent == ref:
            order.size = min(order.size, filled)
            if filled > 0.0:
                release(desk, i, price if order.inst == inst else desk.positions[order.inst].mark_price, rule)
            else:
                end(desk, i, PARENT_ENDED)


@compiled
def shrink_group(desk: Any, slot: int, size: float) -> None:
    """A fill of one order of a group takes as much from each of the others; what is left with nothing ends."""
    filled = desk.orders[slot]
    for i in range(desk.account.open_orders):
        order = desk.orders[i]
        if i == slot or order.oco != filled.oco or order.stage >= ENDING:
            continue
        left = size_on_grid(desk, order.inst, order.size - order.filled - order.untold - size)
        if left <= 0.0:
            end(desk, i, OCO)
        else:
            order.size = size_on_grid(desk, order.inst, order.size - size)
            if order.inst != filled.inst:
                count_open(desk, order.inst)


@compiled
def cancel_at(desk: Any, slot: int, reason: int) -> bool:
    """Cancels what is left of the order; True when it left the table, which it does when no report of it is under way."""
    account = desk.account
    order = desk.orders[slot]
    log_execution(desk, CANCEL, order.id, order.ref, order.inst, order.side, 0, reason, 0.0, unfilled(desk, slot), 0.0)
    tell_order(desk, order, 0)
    ref = order.ref
    inst = order.inst
    filled = order.filled if order.untold == 0.0 else size_on_grid(desk, order.inst, order.filled + order.untold)
    left_table = order.untold == 0.0
    if left_table:
        take_out(desk, slot)
    else:
        order.stage = MATCHED
        order.size = filled
        count_open(desk, inst)
    if account.waiting > 0:
        settle_children(desk, ref, filled, inst, desk.positions[inst].mark_price, 0)
    return bool(left_table)


@compiled
def sweep_ended(desk: Any) -> None:
    """Takes out what ended while the event was matched; what was released rests from now on."""
    seldom()
    desk.account.stirred = 0
    i = 0
    while i < desk.account.open_orders:
        order = desk.orders[i]
        if order.stage == RELEASED:
            order.stage = RESTING
        if order.stage == ENDING and cancel_at(desk, i, order.reason):
            i = 0  # it may have ended others, before this place too
        else:
            i += 1


@compiled
def cancel_all(desk: Any, reason: int) -> None:
    """Cancels every open order."""
    account = desk.account
    i = 0
    while i < account.open_orders:
        if desk.orders[i].stage == MATCHED or not cancel_at(desk, i, reason):
            i += 1


@compiled
def trip(desk: Any) -> None:
    """Turns the kill switch on, for good, and takes every open order back: what the guard does when a loss limit is reached."""
    seldom()
    account = desk.account
    account.killed = 1
    account.trips = 0
    cancel_all(desk, KILL_SWITCH)


@compiled
def liquidate(desk: Any, inst: int, price: float) -> None:
    """The venue closes what is held on margin, at this price of the instrument, and takes every order back.

    It closes what it holds: fills of which the report is under way are told first.
    """
    seldom()
    cancel_all(desk, LIQUIDATION)
    while desk.account.reports > 0:
        tell_report(desk, 0)
    close_on_margin(desk, inst, price)


@inlined
def cash_short(desk: Any, side: int, price: float, size: float, fee_rate: float) -> bool:
    """Whether a buy at this price would take more cash than there is, reports under way counted; sales never do."""
    if side < 0:
        return False
    cash = desk.account.cash
    for i in range(desk.account.reports):
        report = desk.reports[i]
        slot = find(desk, report.order_id)
        if slot >= 0:
            cash -= desk.orders[slot].side * report.price * report.size + report.fee
    return bool(price * size * (1.0 + fee_rate) > cash)


@compiled
def _report(desk: Any, order: Any, price: float, size: float, fee: float, maker: int, rule: int) -> None:
    """A fill at the venue, told to the account when the report of it arrives."""
    account = desk.account
    report = desk.reports[account.reports]
    account.reports += 1
    report.matched_ns = account.now_ns
    report.due_ns = account.now_ns + delay_back(desk, account.now_ns)
    report.order_id = order.id
    report.price = price
    report.size = size
    report.fee = fee
    report.maker = maker
    report.rule = rule
    order.untold = size_on_grid(desk, order.inst, order.untold + size)
    due_at(desk, report.due_ns)


@compiled
def tell_report(desk: Any, number: int) -> None:
    """The report arrives: the account changes, and the strategy will be told."""
    account = desk.account
    report = desk.reports[number]
    slot = find(desk, report.order_id)
    now_ns = account.now_ns
    if slot >= 0:
        order = desk.orders[slot]
        account.now_ns = report.matched_ns
        apply_fill(desk, order.id, order.ref, order.inst, order.side, report.price, report.size, report.fee, report.maker)
        tell_order(desk, order, report.rule)
        account.now_ns = now_ns
        note_executed(desk.controls, now_ns)
        order.filled = size_on_grid(desk, order.inst, order.filled + report.size)
        order.untold = size_on_grid(desk, order.inst, order.untold - report.size)
        if order.stage == MATCHED and order.untold == 0.0:
            take_out(desk, slot)
        else:
            count_open(desk, order.inst)
    account.reports -= 1
    for i in range(number, account.reports):
        copy_record(desk.reports[i], desk.reports[i + 1])


@compiled
def fill_at(desk: Any, slot: int, price: float, size: float, maker: int, rule: int) -> bool:
    """Fills the order at this place of the table; True when it left the table.

    A buy that the cash doesn't reach for at the price it would fill at (a gap since it was checked) is cancelled:
    a spot account can't go below zero. Covering a short position is always let through.
    """
    account = desk.account
    order = desk.orders[slot]
    inst = order.inst
    rate = fee_rate(desk, inst, maker)
    on_margin = desk.instruments[inst].initial_margin > 0.0
    if not on_margin and desk.positions[inst].size >= 0.0 and cash_short(desk, order.side, price, size, rate):
        return cancel_at(desk, slot, INSUFFICIENT_BALANCE)
    done = size >= unfilled(desk, slot)
    fee = price * size * rate
    later = desk.settings.latency != 0 and account.reports < MAX_REPORTS
    if later:
        _report(desk, order, price, size, fee, maker, rule)
        if done:
            order.stage = MATCHED
    else:
        apply_fill(desk, order.id, order.ref, inst, order.side, price, size, fee, maker)
        tell_order(desk, order, rule)
        note_executed(desk.controls, account.now_ns)
        if not done:
            order.filled = size_on_grid(desk, inst, order.filled + size)
    if order.oco != 0:
        shrink_group(desk, slot, size)
    ref = order.ref
    filled = order.size if done else 0.0
    leaves = done and not later
    if leaves:
        take_out(desk, slot)
    else:
        count_open(desk, inst)
    if done and account.waiting > 0:
        settle_children(desk, ref, filled, inst, price, rule)
    return bool(leaves)


@compiled
def fill_elsewhere(desk: Any, slot: int, size: float) -> None:
    """Notes that a part of the order was filled by another venue; a whole fill takes it out of the table."""
    order = desk.orders[slot]
    inst = order.inst
    order.filled = size_on_grid(desk, inst, order.filled + size)
    if order.filled >= order.size:
        take_out(desk, slot)
    else:
        count_open(desk, inst)


@compiled
def trail_from(desk: Any, order: Any, price: float) -> float:
    """Where a trailing stop stands that follows this price."""
    distance = order.trail if order.trail_kind == TRAIL_AMOUNT else order.trail * price
    return price_on_grid(desk, order.inst, max(price + order.side * distance, 0.0))


@inlined
def place(desk: Any, request: Any) -> int:
    """Puts an approved order into the table; its id."""
    account = desk.account
    order = desk.orders[account.open_orders]
    copy_record(order, request)
    account.next_id += 1
    order.id = account.next_id
    order.stage = ARRIVING
    order.filled = 0.0
    order.untold = 0.0
    order.ts_ns = account.now_ns
    decided_ns = account.now_ns + account.lag_ns
    order.active_ns = decided_ns + delay_out(desk, decided_ns)
    order.cancel_ns = 0
    order.amend_ns = 0
    order.queue = 0.0
    order.queue_start = 0.0
    order.traded = 0.0
    order.tick = ticks(desk, order.inst, order.limit_price) if has_limit(order.type) else 0
    if order.type == TRAILING_STOP:
        order.stop_price = trail_from(desk, order, desk.positions[order.inst].mark_price)
    if order.parent != 0:
        order.stage = WAITING
        account.waiting += 1
    if order.oco != 0:
        account.linked += 1
    if order.tif == GTD:
        due_at(desk, order.expire_ns)
    if order.active_ns > account.now_ns and desk.instruments[order.inst].meets == BY_BOOK:
        due_at(desk, order.active_ns)
    account.open_orders += 1
    desk.submissions[account.submissions % RATE_WINDOW] = account.now_ns
    account.submissions += 1
    count_open(desk, order.inst)
    return int(order.id)
