"""Matching on bars, the worse assumed wherever a bar leaves it open in which order its prices came."""

import math
from typing import Any

from .jit import compiled
from .layout import ARRIVING, FOK, IOC, LIMIT, MARKET, NEXT_CLOSE, POST_ONLY, RELEASED, RESTING, TRAILING_STOP
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
def match_pessimistic(desk: Any, inst: int, open_: float, high: float, low: float, close: float, volume: float, on_offer: float) -> None:
    """Market orders and stops first, then limit orders, then the stops that those have let in: each time the worse is assumed."""
    on_offer = _market_and_stops(desk, inst, open_, high, low, close, volume, on_offer)
    on_offer = _limits(desk, inst, open_, high, low, volume, on_offer)
    if desk.account.stirred != 0:
        _released_stops(desk, inst, high, low, volume, on_offer)


@compiled
def stop_price_on_bar(order: Any, open_: float, high: float, low: float) -> float:
    """Where a stop that this bar reaches goes off: at its price, or at an open beyond it; nan where the bar doesn't reach it."""
    if order.side > 0 and high >= order.stop_price:
        return max(open_, float(order.stop_price))
    if order.side < 0 and low <= order.stop_price:
        return min(open_, float(order.stop_price))
    return math.nan


@compiled
def _market_and_stops(desk: Any, inst: int, open_: float, high: float, low: float, close: float, volume: float, on_offer: float) -> float:
    account = desk.account
    next_close = desk.settings.fill_mode == NEXT_CLOSE
    trailing = False
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        if meets(desk, order, inst) and order.type != LIMIT:
            part = min(unfilled(desk, i), on_offer)
            fills = account.fills + account.reports
            if order.type == MARKET:
                if part > 0.0:
                    left = take_part(desk, i, close if next_close else open_, on_offer, volume, 0, AT_CLOSE if next_close else AT_OPEN)
            else:
                at = stop_price_on_bar(order, open_, high, low)
                if at == at:
                    left = go_off(desk, i, at, on_offer, volume)
                elif order.type == TRAILING_STOP:
                    trailing = True
            on_offer = left_on_offer(desk, inst, on_offer, fills, part)
        if not left:
            i += 1
    if trailing:  # what a stop was not reached by, it follows: to the best price of the bar, from the next bar on
        ratchet(desk, inst, -1, high)
        ratchet(desk, inst, 1, low)
    return on_offer


@compiled
def _limits(desk: Any, inst: int, open_: float, high: float, low: float, volume: float, on_offer: float) -> float:
    account = desk.account
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        if order.type == LIMIT and meets(desk, order, inst):
            limit = order.limit_price
            arriving = order.stage == ARRIVING
            order.stage = RESTING
            part = min(unfilled(desk, i), on_offer)
            fills = account.fills + account.reports
            if arriving and order.side * (open_ - limit) <= 0.0:
                if order.post_only != 0:
                    left = cancel_at(desk, i, POST_ONLY)
                elif order.tif == FOK and part < unfilled(desk, i):
                    left = cancel_at(desk, i, FOK_UNFILLED)
                else:
                    if part > 0.0:
                        at = min_for(order.side, slipped(desk, inst, order.side, open_, part, volume), limit)
                        left = fill_at(desk, i, at, part, 0, AT_ARRIVAL)
                    if not left and desk.orders[i].stage == RESTING:
                        left = end_unfilled(desk, i)
            elif arriving and (order.tif == IOC or order.tif == FOK):
                left = end_unfilled(desk, i)
            elif part > 0.0 and ((order.side > 0 and low < limit) or (order.side < 0 and high > limit)):
                left = fill_at(desk, i, limit, part, 1, TRADED_THROUGH)
            on_offer = left_on_offer(desk, inst, on_offer, fills, part)
        if not left:
            i += 1
    return on_offer


@compiled
def _released_stops(desk: Any, inst: int, high: float, low: float, volume: float, on_offer: float) -> None:
    """A stop that follows an order which this bar filled: where the bar reaches it, it is assumed to have come after the entry."""
    account = desk.account
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        if order.inst == inst and order.stage == RELEASED and order.type != LIMIT and order.type != MARKET:
            at = stop_price_on_bar(order, order.stop_price, high, low)
            if at == at:
                order.stage = RESTING
                part = min(unfilled(desk, i), on_offer)
                fills = account.fills + account.reports
                left = go_off(desk, i, at, on_offer, volume)
                on_offer = left_on_offer(desk, inst, on_offer, fills, part)
        if not left:
            i += 1
