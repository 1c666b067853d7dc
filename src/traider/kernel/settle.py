"""What a strategy has asked for is checked and sent, and what is under way arrives when its time has come."""

from typing import Any

from ..domain.vocabulary import Reason
from .admission import admit
from .controls import amend_reason, note_accepted, note_amended, note_placed, note_refused
from .grid import is_multiple, size_on_grid, ticks
from .jit import compiled, inlined
from .latency import delay_out
from .layout import (
    AMEND_REQUEST,
    ARRIVING,
    BY_BOOK,
    BY_QUOTE,
    CANCEL_REQUEST,
    FILL,
    GTD,
    MARKET,
    NEVER_NS,
    RATE_WINDOW,
    REFUSAL,
    REMOTE,
    REQUESTED,
    RESTING,
    SAME,
    STOP,
    WAITING,
)
from .machine import copy_record, seldom
from .matching_book import arrive_on_book, arrive_released
from .matching_rules import AT_SAME_PRICE
from .orders import (
    PARENT_ENDED,
    cancel_at,
    count_open,
    due_at,
    fill_at,
    find_ref,
    place,
    release,
    sweep_ended,
    tell_report,
    trip,
    unfilled,
)
from .portfolio import log_execution, revalue, tell_order
from .risk import INVALID_ORDER, NONE, ORDER_RATE, has_limit, rate_reached
from .slippage import slipped

EXPIRED = int(Reason.EXPIRED)
TOO_MANY_REQUESTS = int(Reason.TOO_MANY_REQUESTS)


@compiled
def _tell_refusal(desk: Any, order: Any, reason: int) -> None:
    log_execution(desk, REFUSAL, 0, order.ref, order.inst, order.side, 0, reason, 0.0, order.size, 0.0)
    tell_order(desk, order, 0)


@compiled
def _filled_of(desk: Any, ref: int) -> float:
    """How much of the order with this ref the log tells as filled."""
    size = 0.0
    for i in range(desk.account.executions):
        entry = desk.executions[i]
        if entry.kind == FILL and entry.ref == ref:
            size += entry.size
    return size


@inlined
def submit(desk: Any, request: Any) -> int:
    """Checks the request and places it: the order id, or minus the reason. Where orders meet the market at once, it does."""
    account = desk.account
    reason = admit(desk, desk.controls, request, 0)
    followed = 0.0
    if reason == NONE and request.parent != 0 and find_ref(desk, request.parent) < 0:
        followed = _filled_of(desk, request.parent)
        if followed == 0.0:
            reason = PARENT_ENDED
    if reason != NONE:
        account.refusals += 1
        note_refused(desk.controls, account.now_ns, reason)
        return -reason
    order_id = place(desk, request)
    if desk.controls.on != 0:
        note_placed(desk.controls, account.now_ns, request)
        note_accepted(desk.controls)
    slot = account.open_orders - 1
    if followed > 0.0:  # what it follows was filled the moment that it was sent
        desk.orders[slot].size = min(desk.orders[slot].size, followed)
        release(desk, slot, desk.positions[request.inst].mark_price, 0)
        meet(desk, request.inst)
    elif desk.orders[slot].stage != WAITING and desk.orders[slot].active_ns <= account.now_ns + account.lag_ns:
        if desk.instruments[request.inst].meets == BY_BOOK:
            arrive_on_book(desk, slot)
            meet(desk, request.inst)
        elif desk.settings.fill_mode == SAME and request.type == MARKET:
            _fill_on_the_spot(desk, slot)
            meet(desk, request.inst)
    return order_id


@inlined
def _fill_on_the_spot(desk: Any, slot: int) -> None:
    """A market order takes the price of the event that it was decided on; of a quote the other side, where there is one."""
    order = desk.orders[slot]
    inst = order.inst
    position = desk.positions[inst]
    price = float(position.mark_price)
    if desk.instruments[inst].meets == BY_QUOTE:
        price = float(position.ask if order.side > 0 else position.bid)
    if price > 0.0:
        fill_at(desk, slot, slipped(desk, inst, order.side, price, order.size, 0.0), order.size, 0, AT_SAME_PRICE)
        revalue(desk)


@inlined
def meet(desk: Any, inst: int) -> None:
    """What was ended or released by an order that met the market between events."""
    if desk.account.stirred != 0:
        if desk.instruments[inst].meets == BY_BOOK:
            arrive_released(desk, inst)
        else:
            sweep_ended(desk)


@compiled
def settle_requests(desk: Any) -> None:
    """Deals with what the strategy asked for while it handled the event, in the order in which it asked."""
    account = desk.account
    if account.venue == REMOTE:
        return
    for i in range(account.requests):
        request = desk.requests[i]
        if request.type == CANCEL_REQUEST:
            _send_cancel(desk, find_ref(desk, request.id))
        elif request.type == AMEND_REQUEST:
            send_amendment(desk, find_ref(desk, request.id), request.new_size, request.new_price)
        else:
            order_id = submit(desk, request)
            if order_id < 0:
                _tell_refusal(desk, request, -order_id)
    account.requests = 0
    if desk.controls.halted != NONE and account.trips != 0:
        trip(desk)  # as a limit that is reached does


@compiled
def take_back(desk: Any, slot: int, reason: int) -> None:
    """Cancels what is left of the order at once; what follows it ends, or begins for what was filled."""
    inst = desk.orders[slot].inst
    cancel_at(desk, slot, reason)
    meet(desk, inst)


@compiled
def _send_cancel(desk: Any, slot: int) -> None:
    if slot < 0:
        return
    account = desk.account
    order = desk.orders[slot]
    if desk.settings.latency == 0:
        take_back(desk, slot, REQUESTED)
        return
    if order.cancel_ns > 0:
        return  # one is under way, and arrives before this one would
    decided_ns = account.now_ns + account.lag_ns
    order.cancel_ns = max(decided_ns + delay_out(desk, decided_ns), order.active_ns)
    due_at(desk, order.cancel_ns)


@compiled
def send_amendment(desk: Any, slot: int, size: float, price: float) -> None:
    """Sends it, unless there is one under way already or the order rate is reached: that is told as a refusal."""
    if slot < 0:
        return
    account = desk.account
    order = desk.orders[slot]
    reason = NONE
    if order.amend_ns > 0:
        reason = TOO_MANY_REQUESTS
    elif rate_reached(desk):
        reason = ORDER_RATE
    else:
        reason = amend_reason(desk.controls, account.now_ns)
    if reason != NONE:
        account.refusals += 1
        _tell_refusal(desk, order, reason)
        return
    note_amended(desk.controls, account.now_ns)
    order.new_size = size
    order.new_price = price
    desk.submissions[account.submissions % RATE_WINDOW] = account.now_ns
    account.submissions += 1
    if desk.settings.latency == 0:
        amend_at(desk, slot)
        return
    decided_ns = account.now_ns + account.lag_ns
    order.amend_ns = max(decided_ns + delay_out(desk, decided_ns), order.active_ns)
    due_at(desk, order.amend_ns)


@compiled
def amend_at(desk: Any, slot: int) -> None:
    """The order becomes what the amendment asks for, if the check lets it; else it stays as it is, and that is told.

    An order that only becomes smaller keeps its place in the queue; any other change makes it arrive anew.
    """
    order = desk.orders[slot]
    order.amend_ns = 0
    if order.stage > WAITING:
        return
    inst = order.inst
    done = order.size - unfilled(desk, slot)
    size = order.new_size if order.new_size > 0.0 else order.size
    if size <= done:
        take_back(desk, slot, REQUESTED)
        return
    wanted = desk.amended
    copy_record(wanted, order)
    instrument = desk.instruments[inst]
    if is_multiple(size, instrument.size_num, instrument.size_den):
        wanted.size = size_on_grid(desk, inst, size - done)
    else:
        wanted.size = size  # which the check refuses
    has_price = True
    if order.new_price > 0.0:
        if order.type == STOP:
            wanted.stop_price = order.new_price
        elif has_limit(order.type):
            wanted.limit_price = order.new_price
        else:
            has_price = False
    before = order.size
    order.size = done  # it counts no more while what it would become is checked
    count_open(desk, inst)
    reason = admit(desk, desk.controls, wanted, 1) if has_price else INVALID_ORDER
    order.size = before
    if reason == NONE:
        order.size = size
        moves = size > before or wanted.limit_price != order.limit_price or wanted.stop_price != order.stop_price
        order.limit_price = wanted.limit_price
        order.stop_price = wanted.stop_price
        order.tick = ticks(desk, inst, order.limit_price)
        count_open(desk, inst)
        if moves and order.stage == RESTING:
            order.stage = ARRIVING
            if desk.instruments[inst].meets == BY_BOOK:
                arrive_on_book(desk, slot)
                meet(desk, inst)
        return
    count_open(desk, inst)
    desk.account.refusals += 1
    _tell_refusal(desk, wanted, reason)


# --- under way -------------------------------------------------------------------------------------------------------


@compiled
def _next_due(desk: Any) -> int:
    """The earliest time at which something that is under way arrives."""
    earliest = NEVER_NS
    account = desk.account
    for i in range(account.reports):
        earliest = min(earliest, desk.reports[i].due_ns)
    for i in range(account.open_orders):
        order = desk.orders[i]
        if order.cancel_ns > 0:
            earliest = min(earliest, order.cancel_ns)
        if order.amend_ns > 0:
            earliest = min(earliest, order.amend_ns)
        if order.tif == GTD and order.stage <= WAITING:
            earliest = min(earliest, order.expire_ns)
        if order.stage == ARRIVING and desk.instruments[order.inst].meets == BY_BOOK:
            earliest = min(earliest, order.active_ns)
    return earliest


@compiled
def _arrivals(desk: Any, due_ns: int) -> None:
    """What arrives at this moment: reports, new orders, then cancels, amendments and ends of orders' lives."""
    account = desk.account
    i = 0
    while i < account.reports:
        if desk.reports[i].due_ns <= due_ns:
            tell_report(desk, i)
        else:
            i += 1
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        before = order.id
        inst = order.inst
        if order.stage == ARRIVING and order.active_ns <= due_ns and desk.instruments[inst].meets == BY_BOOK:
            arrive_on_book(desk, i)  # before what was sent after it
        elif 0 < order.cancel_ns <= due_ns:
            order.cancel_ns = 0
            if order.stage <= WAITING:
                cancel_at(desk, i, REQUESTED)
        elif 0 < order.amend_ns <= due_ns:
            amend_at(desk, i)
        elif order.tif == GTD and order.expire_ns <= due_ns and order.stage <= WAITING:
            cancel_at(desk, i, EXPIRED)
        meet(desk, inst)
        if i < account.open_orders and desk.orders[i].id == before:
            i += 1


@compiled
def settle_due(desk: Any, ts_ns: int) -> None:
    """Everything that arrives before this time, in the order of its arrival; the clock goes on to each one's moment."""
    seldom()
    account = desk.account
    due_ns = _next_due(desk)
    while due_ns < ts_ns:
        account.now_ns = max(due_ns, account.now_ns)
        _arrivals(desk, due_ns)
        due_ns = _next_due(desk)
    account.due_ns = due_ns


@compiled
def settle_rest(desk: Any) -> None:
    """After the last event: reports that are still under way are told."""
    account = desk.account
    while account.reports > 0:
        tell_report(desk, 0)
    revalue(desk)
