"""Matching on bars whose prices are assumed to have come in a stated order: open, the two extremes, close.

Between two of them the price is taken to move in one direction, and orders are met in the order in which it reaches them.
"""

from typing import Any

from .jit import compiled
from .layout import ARRIVING, FOK, IOC, LIMIT, MARKET, NEXT_CLOSE, PATH_HIGH_FIRST, PATH_LOW_FIRST, POST_ONLY, RELEASED, RESTING
from .matching_rules import (
    AT_ARRIVAL,
    AT_CLOSE,
    AT_OPEN,
    FOK_UNFILLED,
    TRADED_THROUGH,
    end_unfilled,
    go_off,
    left_on_offer,
    meets,
    min_for,
    ratchet,
    take_part,
)
from .orders import cancel_at, fill_at, unfilled
from .slippage import slipped


@compiled
def match_along_path(desk: Any, inst: int, open_: float, high: float, low: float, close: float, volume: float, on_offer: float) -> None:
    path = desk.settings.path
    up_first = path == PATH_HIGH_FIRST or (path != PATH_LOW_FIRST and high - open_ < open_ - low)
    next_close = desk.settings.fill_mode == NEXT_CLOSE
    on_offer = _at_open(desk, inst, open_, volume, on_offer, next_close)
    first, second = (high, low) if up_first else (low, high)
    on_offer = _move(desk, inst, open_, first, volume, on_offer)
    on_offer = _move(desk, inst, first, second, volume, on_offer)
    on_offer = _move(desk, inst, second, close, volume, on_offer)
    if next_close:
        _take_market(desk, inst, close, volume, on_offer, AT_CLOSE)


@compiled
def _take_market(desk: Any, inst: int, price: float, volume: float, on_offer: float, rule: int) -> float:
    """Market orders take what there is at this price; what is left then."""
    account = desk.account
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        if order.type == MARKET and meets(desk, order, inst) and on_offer > 0.0:
            part = min(unfilled(desk, i), on_offer)
            fills = account.fills + account.reports
            left = take_part(desk, i, price, on_offer, volume, 0, rule)
            on_offer = left_on_offer(desk, inst, on_offer, fills, part)
        if not left:
            i += 1
    return on_offer


@compiled
def _at_open(desk: Any, inst: int, open_: float, volume: float, on_offer: float, next_close: bool) -> float:
    """What meets the open: market orders, stops that it is beyond, limit orders that arrive at it."""
    account = desk.account
    if not next_close:
        on_offer = _take_market(desk, inst, open_, volume, on_offer, AT_OPEN)
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        if meets(desk, order, inst) and order.type != MARKET:
            part = min(unfilled(desk, i), on_offer)
            fills = account.fills + account.reports
            if order.type != LIMIT:
                if order.side * (open_ - order.stop_price) >= 0.0:
                    left = go_off(desk, i, open_, on_offer, volume)
            elif order.stage == ARRIVING:
                left = _arrive(desk, i, open_, part, volume)
            on_offer = left_on_offer(desk, inst, on_offer, fills, part)
        if not left:
            i += 1
    return on_offer


@compiled
def _arrive(desk: Any, slot: int, open_: float, part: float, volume: float) -> bool:
    """A limit order meets the open; True when it left the table."""
    order = desk.orders[slot]
    order.stage = RESTING
    if order.side * (open_ - order.limit_price) > 0.0:
        return end_unfilled(desk, slot) if order.tif == IOC or order.tif == FOK else False
    if order.post_only != 0:
        return cancel_at(desk, slot, POST_ONLY)
    if order.tif == FOK and part < unfilled(desk, slot):
        return cancel_at(desk, slot, FOK_UNFILLED)
    left = False
    if part > 0.0:
        price = min_for(order.side, slipped(desk, order.inst, order.side, open_, part, volume), order.limit_price)
        left = fill_at(desk, slot, price, part, 0, AT_ARRIVAL)
    if not left and desk.orders[slot].stage == RESTING:
        left = end_unfilled(desk, slot)
    return left


@compiled
def _reach(desk: Any, inst: int, price: float, to: float) -> int:
    """The order that a move from this price reaches first, -1 where it reaches none; of several at once the oldest.

    A stop is reached when the price touches it, a resting limit order when the price goes beyond it.
    """
    up = to > price
    found = -1
    nearest = 0.0
    for i in range(desk.account.open_orders):
        order = desk.orders[i]
        if order.stage == RELEASED:
            order.stage = RESTING  # let in by what the move has reached so far
        if order.type == MARKET or not meets(desk, order, inst):
            continue
        if order.type == LIMIT:
            level = order.limit_price
            reached = order.stage == RESTING and ((up and order.side < 0 and to > level) or (not up and order.side > 0 and to < level))
        else:
            level = order.stop_price
            reached = (up and order.side > 0 and to >= level) or (not up and order.side < 0 and to <= level)
        if not reached:
            continue
        distance = max(level - price, 0.0) if up else max(price - level, 0.0)
        if found < 0 or distance < nearest:
            found = i
            nearest = distance
    return found


@compiled
def _move(desk: Any, inst: int, start: float, to: float, volume: float, on_offer: float) -> float:
    """The price moves in one direction; what is left on offer then."""
    account = desk.account
    price = start
    while on_offer > 0.0:
        slot = _reach(desk, inst, price, to)
        if slot < 0:
            break
        order = desk.orders[slot]
        part = min(unfilled(desk, slot), on_offer)
        fills = account.fills + account.reports
        if order.type == LIMIT:
            price = max(price, order.limit_price) if to > price else min(price, order.limit_price)
            fill_at(desk, slot, order.limit_price, part, 1, TRADED_THROUGH)
        else:
            price = max(price, order.stop_price) if to > price else min(price, order.stop_price)
            go_off(desk, slot, price, on_offer, volume)
        on_offer = left_on_offer(desk, inst, on_offer, fills, part)
    ratchet(desk, inst, -1 if to > start else 1, to)
    return on_offer
