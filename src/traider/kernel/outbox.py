"""What a strategy asks for while it handles an event: it waits here until the handler has returned."""

from typing import Any

from .jit import compiled
from .layout import (
    AMEND_REQUEST,
    ARRIVING,
    CANCEL_REQUEST,
    GTC,
    GTD,
    LIMIT,
    MARKET,
    MAX_REQUESTS,
    STOP,
    TRAIL_AMOUNT,
    TRAIL_FRACTION,
    TRAILING_STOP,
)


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
    entry.trail = 0.0
    entry.trail_kind = 0
    entry.expire_ns = 0
    entry.oco = 0
    entry.parent = 0
    entry.ts_ns = account.now_ns
    return int(entry.ref)


@compiled
def request_trailing(desk: Any, inst: int, side: int, size: float, trail: float, trail_kind: int) -> int:
    """Notes a trailing stop that the strategy wants."""
    ref = request(desk, inst, side, TRAILING_STOP, 0, 0, size, 0.0, 0.0)
    if ref != 0:
        entry = desk.requests[desk.account.requests - 1]
        entry.trail = trail
        entry.trail_kind = TRAIL_FRACTION if trail_kind == TRAIL_FRACTION else TRAIL_AMOUNT
    return ref


@compiled
def asked_for(desk: Any, ref: int) -> int:
    """The place among the requests of the order with this ref, -1 where it was not asked for at this event."""
    for i in range(desk.account.requests):
        entry = desk.requests[i]
        if entry.ref == ref and entry.type >= MARKET:
            return i
    return -1


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


@compiled
def request_amend(desk: Any, ref: int, size: float, price: float) -> bool:
    """Notes that the order shall have this size and price; 0 leaves one as it is. False when too much was asked for."""
    account = desk.account
    if account.requests >= MAX_REQUESTS:
        return False
    entry = desk.requests[account.requests]
    account.requests += 1
    entry.id = ref
    entry.ref = ref
    entry.type = AMEND_REQUEST
    entry.new_size = size
    entry.new_price = price
    return True


@compiled
def expire_at(desk: Any, ref: int, ts_ns: int) -> bool:
    """Makes an order that was asked for at this event, and is good till cancelled, good till this time."""
    at = asked_for(desk, ref)
    if at < 0 or (desk.requests[at].tif != GTC and desk.requests[at].tif != GTD):
        return False
    desk.requests[at].tif = GTD
    desk.requests[at].expire_ns = ts_ns
    return True


@compiled
def link_oco(desk: Any, first: int, second: int) -> bool:
    """Of two orders asked for at this event, each fill of one takes as much from the other."""
    a = asked_for(desk, first)
    b = asked_for(desk, second)
    if a < 0 or b < 0 or a == b:
        return False
    group = desk.requests[a].oco
    if group == 0:
        group = first
        desk.requests[a].oco = group
    desk.requests[b].oco = group
    return True


@compiled
def link_oto(desk: Any, parent: int, child: int) -> bool:
    """Of two orders asked for at this event, the second one waits until the first is filled."""
    a = asked_for(desk, parent)
    b = asked_for(desk, child)
    if a < 0 or b < 0 or a >= b:
        return False
    desk.requests[b].parent = parent
    return True


@compiled
def bracket(desk: Any, entry: int, take_profit: float, stop_loss: float) -> bool:
    """A limit order and a stop that close what this order opens, once it is filled; one ends the other."""
    at = asked_for(desk, entry)
    if at < 0 or desk.account.requests + 2 > MAX_REQUESTS:
        return False
    order = desk.requests[at]
    inst = order.inst
    side = -order.side
    size = order.size
    target = request(desk, inst, side, LIMIT, 0, 0, size, take_profit, 0.0)
    stop = request(desk, inst, side, STOP, 0, 0, size, 0.0, stop_loss)
    link_oto(desk, entry, target)
    link_oto(desk, entry, stop)
    return link_oco(desk, target, stop)
