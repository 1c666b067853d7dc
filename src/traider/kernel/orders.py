"""The order table: requests wait in the outbox, the check lets them into the table, fills and cancels take them out.

The table is kept in the order of submission, without holes, so that a scan costs as much as there are open orders.
"""

from typing import Any

from .jit import compiled
from .layout import ARRIVING, CANCEL, MARKET, MAX_REQUESTS, RATE_WINDOW, REFUSAL, REMOTE, REQUESTED, SAME
from .machine import seldom
from .portfolio import apply_fill, log_execution, on_grid, revalue
from .risk import INSUFFICIENT_BALANCE, KILL_SWITCH, NONE, check

CANCEL_REQUEST = -1  # the type of a request that takes back the order whose ref is in its id


@compiled
def copy_order(to: Any, source: Any) -> None:
    to.id = source.id
    to.ref = source.ref
    to.inst = source.inst
    to.side = source.side
    to.type = source.type
    to.tif = source.tif
    to.post_only = source.post_only
    to.stage = source.stage
    to.size = source.size
    to.filled = source.filled
    to.limit_price = source.limit_price
    to.stop_price = source.stop_price
    to.ts_ns = source.ts_ns


@compiled
def count_open(desk: Any, inst: int) -> None:
    """What is left of the open orders of one instrument, by side, summed anew so that no rounding can pile up."""
    buys = 0.0
    sells = 0.0
    for i in range(desk.account.open_orders):
        order = desk.orders[i]
        if order.inst == inst:
            if order.side > 0:
                buys += order.size - order.filled
            else:
                sells += order.size - order.filled
    position = desk.positions[inst]
    if buys == 0.0 and sells == 0.0:
        position.open_buys = 0.0
        position.open_sells = 0.0
        return
    instrument = desk.instruments[inst]
    position.open_buys = on_grid(buys, instrument.size_num, instrument.size_den)
    position.open_sells = on_grid(sells, instrument.size_num, instrument.size_den)


@compiled
def take_out(desk: Any, slot: int) -> None:
    """Removes the order at this place of the table; the later ones move up."""
    account = desk.account
    inst = desk.orders[slot].inst
    for i in range(slot + 1, account.open_orders):
        copy_order(desk.orders[i - 1], desk.orders[i])
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


@compiled
def unfilled(desk: Any, slot: int) -> float:
    """What is left to fill of the order at this place of the table."""
    order = desk.orders[slot]
    if order.filled == 0.0:
        return float(order.size)
    instrument = desk.instruments[order.inst]
    return on_grid(order.size - order.filled, instrument.size_num, instrument.size_den)


@compiled
def cancel_at(desk: Any, slot: int, reason: int) -> None:
    order = desk.orders[slot]
    log_execution(desk, CANCEL, order.id, order.ref, order.inst, order.side, 0, reason, 0.0, unfilled(desk, slot), 0.0)
    take_out(desk, slot)


@compiled
def trip(desk: Any) -> None:
    """Turns the kill switch on, for good, and takes every open order back: what the guard does when a loss limit is reached."""
    seldom()
    account = desk.account
    account.killed = 1
    account.trips = 0
    while account.open_orders > 0:
        cancel_at(desk, 0, KILL_SWITCH)


@compiled
def cash_short(desk: Any, side: int, price: float, size: float, fee_rate: float) -> bool:
    """Whether a buy at this price would take more cash than there is; sales never do."""
    return bool(side > 0 and price * size * (1.0 + fee_rate) > desk.account.cash)


@compiled
def fill_at(desk: Any, slot: int, price: float, size: float, maker: int) -> bool:
    """Fills the order at this place of the table; True when it left the table.

    A buy that the cash doesn't reach for at the price it would fill at (a gap since it was checked) is cancelled:
    a spot account can't go below zero. Covering a short position is always let through.
    """
    account = desk.account
    order = desk.orders[slot]
    rate = account.maker_fee if maker != 0 else account.taker_fee
    if desk.positions[order.inst].size >= 0.0 and cash_short(desk, order.side, price, size, rate):
        cancel_at(desk, slot, INSUFFICIENT_BALANCE)
        return True
    done = size >= unfilled(desk, slot)
    order_id = order.id
    ref = order.ref
    inst = order.inst
    side = order.side
    if done:
        take_out(desk, slot)
    else:
        instrument = desk.instruments[inst]
        order.filled = on_grid(order.filled + size, instrument.size_num, instrument.size_den)
        count_open(desk, inst)
    apply_fill(desk, order_id, ref, inst, side, price, size, price * size * rate, maker)
    return bool(done)


@compiled
def fill_elsewhere(desk: Any, slot: int, size: float) -> None:
    """Notes that a part of the order was filled by another venue; a whole fill takes it out of the table."""
    order = desk.orders[slot]
    instrument = desk.instruments[order.inst]
    inst = order.inst
    order.filled = on_grid(order.filled + size, instrument.size_num, instrument.size_den)
    if order.filled >= order.size:
        take_out(desk, slot)
    else:
        count_open(desk, inst)


@compiled
def place(desk: Any, request: Any) -> int:
    """Puts an approved order into the table; its id."""
    account = desk.account
    order = desk.orders[account.open_orders]
    copy_order(order, request)
    account.next_id += 1
    order.id = account.next_id
    order.stage = ARRIVING
    order.filled = 0.0
    order.ts_ns = account.now_ns
    account.open_orders += 1
    desk.submissions[account.submissions % RATE_WINDOW] = account.now_ns
    account.submissions += 1
    count_open(desk, order.inst)
    return int(order.id)


@compiled
def submit(desk: Any, request: Any) -> int:
    """Checks the request and places it: the order id, or minus the reason. Where market orders fill at once, it is filled."""
    reason = check(
        desk,
        request.inst,
        request.side,
        request.type,
        request.tif,
        request.post_only,
        request.size,
        request.limit_price,
        request.stop_price,
    )
    if reason != NONE:
        desk.account.refusals += 1
        return -reason
    order_id = place(desk, request)
    if desk.account.fill_mode == SAME and request.type == MARKET:
        fill_at(desk, find(desk, order_id), desk.positions[request.inst].mark_price, request.size, 0)
        revalue(desk)
    return order_id


@compiled
def settle_requests(desk: Any) -> None:
    """Deals with what the strategy asked for while it handled the event, in the order in which it asked."""
    account = desk.account
    if account.venue == REMOTE:
        return
    for i in range(account.requests):
        request = desk.requests[i]
        if request.type == CANCEL_REQUEST:
            slot = find_ref(desk, request.id)
            if slot >= 0:
                cancel_at(desk, slot, REQUESTED)
            continue
        order_id = submit(desk, request)
        if order_id < 0:
            log_execution(desk, REFUSAL, 0, request.ref, request.inst, request.side, 0, -order_id, 0.0, request.size, 0.0)
    account.requests = 0


@compiled
def request(
    desk: Any, inst: int, side: int, type_: int, tif: int, post_only: int, size: float, limit_price: float, stop_price: float
) -> int:
    """Notes an order that the strategy wants: its ref, or 0 when it asked for too many at one event."""
    account = desk.account
    if account.requests >= MAX_REQUESTS:
        account.refusals += 1
        account.unheard += 1
        return 0
    entry = desk.requests[account.requests]
    account.requests += 1
    account.next_ref += 1
    entry.id = 0
    entry.ref = account.next_ref
    entry.inst = inst
    entry.side = side
    entry.type = type_
    entry.tif = tif
    entry.post_only = post_only
    entry.stage = ARRIVING
    entry.size = size
    entry.filled = 0.0
    entry.limit_price = limit_price
    entry.stop_price = stop_price
    entry.ts_ns = account.now_ns
    return int(entry.ref)


@compiled
def request_cancel(desk: Any, ref: int) -> bool:
    """Notes that the order with this ref shall be taken back; False when too much was asked for at one event."""
    account = desk.account
    if account.requests >= MAX_REQUESTS:
        return False
    entry = desk.requests[account.requests]
    account.requests += 1
    entry.id = ref
    entry.ref = ref
    entry.type = CANCEL_REQUEST
    return True
