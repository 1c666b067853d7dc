"""What matching on bars, trades, quotes and books has in common. The rules in words are in ``docs/matching.md``."""

import math
from typing import Any

from ..domain.vocabulary import FillRule, Reason
from .grid import size_on_grid
from .jit import compiled, inlined
from .layout import FOK, IOC, IOC_UNFILLED, LIMIT, MARKET, RELEASED, RESTING, STOP_LIMIT, TRAILING_STOP
from .orders import cancel_at, fill_at, trail_from, unfilled
from .slippage import slipped

FOK_UNFILLED = int(Reason.FOK_UNFILLED)
AT_OPEN = int(FillRule.NEXT_OPEN)
AT_CLOSE = int(FillRule.NEXT_CLOSE)
AT_SAME_PRICE = int(FillRule.SAME_PRICE)
AT_TRADE = int(FillRule.NEXT_TRADE)
STOP_REACHED = int(FillRule.STOP_REACHED)
STOP_GAPPED = int(FillRule.STOP_GAPPED)
AT_ARRIVAL = int(FillRule.LIMIT_AT_ARRIVAL)
TRADED_THROUGH = int(FillRule.TRADED_THROUGH)


@inlined
def meets(desk: Any, order: Any, inst: int) -> bool:
    """Whether the order is one of this instrument that has come to the venue and can be matched."""
    return bool(order.inst == inst and order.stage <= RESTING and order.active_ns <= desk.account.now_ns)


@compiled
def min_for(side: int, price: float, limit: float) -> float:
    """The price, but no worse than the limit for this side."""
    return min(price, limit) if side > 0 else max(price, limit)


@compiled
def left_on_offer(desk: Any, inst: int, on_offer: float, fills: int, part: float) -> float:
    """What is left of it after a fill of this part, if there was one since ``fills`` were counted."""
    if on_offer == math.inf or desk.account.fills + desk.account.reports == fills:
        return on_offer
    return size_on_grid(desk, inst, on_offer - part)


@compiled
def take_part(desk: Any, slot: int, price: float, on_offer: float, volume: float, maker: int, rule: int) -> bool:
    """Fills what there is for the order; True when it left the table."""
    part = min(unfilled(desk, slot), on_offer)
    if maker == 0:
        order = desk.orders[slot]
        price = slipped(desk, order.inst, order.side, price, part, volume)
    return fill_at(desk, slot, price, part, maker, rule)


@compiled
def end_unfilled(desk: Any, slot: int) -> bool:
    """An immediate-or-cancel order that has met its first price is over; True when it left the table."""
    order = desk.orders[slot]
    if order.tif == IOC:
        return cancel_at(desk, slot, IOC_UNFILLED)
    if order.tif == FOK:
        return cancel_at(desk, slot, FOK_UNFILLED)
    return False


@compiled
def go_off(desk: Any, slot: int, price: float, on_offer: float, volume: float) -> bool:
    """A stop is reached at this price; True when it left the table.

    A stop-limit whose limit is worse rests: from the open on where that was beyond the stop, else from the next bar on,
    since nothing says what came after the moment at which it was reached.
    """
    order = desk.orders[slot]
    rule = STOP_REACHED if price == order.stop_price else STOP_GAPPED
    if order.type == STOP_LIMIT:
        order.type = LIMIT
        order.stage = RESTING
        if order.side * (price - order.limit_price) > 0.0:
            if rule == STOP_REACHED:
                order.stage = RELEASED
                desk.account.stirred = 1
            return False
    else:
        order.type = MARKET
    if on_offer <= 0.0:
        return False
    return take_part(desk, slot, price, on_offer, volume, 0, rule)


@compiled
def ratchet(desk: Any, inst: int, side: int, price: float) -> None:
    """Trailing stops of this side follow the price, if it is better for them than any before."""
    for i in range(desk.account.open_orders):
        order = desk.orders[i]
        if order.type == TRAILING_STOP and order.side == side and meets(desk, order, inst):
            stop = trail_from(desk, order, price)
            if side * (stop - order.stop_price) < 0.0:
                order.stop_price = stop
