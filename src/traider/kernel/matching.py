"""When a simulated order fills, and at which price. Every rule is in words in ``docs/matching.md``.

On a bar, in this order:
- a market order fills at the open (or the close, where that is the fill mode), as taker;
- a stop fills when the bar reaches it, at the stop or at the open if that is worse, as taker;
- a limit order meets its first bar at the open: if the open is at the limit or better it fills there as taker
  (post-only: cancelled; immediate-or-cancel: cancelled when it doesn't fill);
- a resting limit order fills at its limit, as maker, when the bar trades through it (touching is not enough).
Stops are dealt with before limits: where one bar reaches both, the worse outcome is assumed.

On a trade:
- a market order fills whole at the price; a stop that the price reaches becomes a market order for the next trade;
- a limit order that arrives at or better than the price fills at the price as taker, up to the trade's size;
- a resting one fills at its limit as maker when the price is through it, up to the trade's size.
The size of one trade is given out once.
"""

from typing import Any

import numpy as np

from .jit import compiled, inlined
from .layout import ARRIVING, IOC, IOC_UNFILLED, LIMIT, MARKET, NEXT_CLOSE, POST_ONLY, RESTING, STOP
from .orders import cancel_at, fill_at, unfilled
from .portfolio import on_grid


@compiled
def down_to_grid(desk: Any, inst: int, size: float) -> float:
    """The largest multiple of the size increment that is not above the size."""
    instrument = desk.instruments[inst]
    nearest = np.rint(size * instrument.size_den / instrument.size_num)
    if nearest * instrument.size_num / instrument.size_den > size:
        nearest -= 1.0
    return float(nearest * instrument.size_num / instrument.size_den)


@inlined
def awaits_price(desk: Any) -> bool:
    """Whether an open order is other than a market order."""
    for i in range(desk.account.open_orders):
        if desk.orders[i].type != MARKET:
            return True
    return False


@compiled
def match_market(desk: Any, inst: int, price: float) -> None:
    """The instrument's open orders, all of them market orders, fill at this price."""
    i = 0
    while i < desk.account.open_orders:
        left = False
        if desk.orders[i].inst == inst:
            left = fill_at(desk, i, price, unfilled(desk, i), 0)
        if not left:
            i += 1


@compiled
def match_bar(desk: Any, inst: int, open_: float, high: float, low: float, close: float) -> None:
    account = desk.account
    at = close if account.fill_mode == NEXT_CLOSE else open_
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        if order.inst == inst:
            if order.type == MARKET:
                left = fill_at(desk, i, at, unfilled(desk, i), 0)
            elif order.type == STOP:
                if order.side > 0 and high >= order.stop_price:
                    left = fill_at(desk, i, max(open_, order.stop_price), unfilled(desk, i), 0)
                elif order.side < 0 and low <= order.stop_price:
                    left = fill_at(desk, i, min(open_, order.stop_price), unfilled(desk, i), 0)
        if not left:
            i += 1
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        if order.inst == inst and order.type == LIMIT:
            limit = order.limit_price
            arriving = order.stage == ARRIVING
            order.stage = RESTING
            if arriving and order.side * (open_ - limit) <= 0.0:
                if order.post_only != 0:
                    cancel_at(desk, i, POST_ONLY)
                    left = True
                else:
                    left = fill_at(desk, i, open_, unfilled(desk, i), 0)
            elif arriving and order.tif == IOC:
                cancel_at(desk, i, IOC_UNFILLED)
                left = True
            elif (order.side > 0 and low < limit) or (order.side < 0 and high > limit):
                left = fill_at(desk, i, limit, unfilled(desk, i), 1)
        if not left:
            i += 1


@compiled
def match_trade(desk: Any, inst: int, price: float, size: float) -> None:
    account = desk.account
    instrument = desk.instruments[inst]
    remaining = down_to_grid(desk, inst, size)
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        if order.inst == inst:
            if order.type == MARKET:
                left = fill_at(desk, i, price, unfilled(desk, i), 0)
            elif order.type == STOP:
                if order.side * (price - order.stop_price) >= 0.0:
                    order.type = MARKET
            else:
                arriving = order.stage == ARRIVING
                order.stage = RESTING
                distance = order.side * (price - order.limit_price)
                if arriving and distance <= 0.0 and order.post_only != 0:
                    cancel_at(desk, i, POST_ONLY)
                    left = True
                else:
                    if remaining > 0.0 and (distance < 0.0 or (arriving and distance <= 0.0)):
                        part = min(unfilled(desk, i), remaining)
                        fills = account.fills
                        left = fill_at(desk, i, price if arriving else order.limit_price, part, 0 if arriving else 1)
                        if account.fills > fills:  # and not cancelled for want of cash
                            remaining = on_grid(remaining - part, instrument.size_num, instrument.size_den)
                    if not left and arriving and order.tif == IOC:
                        cancel_at(desk, i, IOC_UNFILLED)
                        left = True
        if not left:
            i += 1
