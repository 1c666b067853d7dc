"""Matching on trades: each one's price was on offer, in its size, for the orders that had arrived by then."""

from typing import Any

from .grid import size_below
from .jit import compiled
from .layout import ARRIVING, BY_QUOTE, FOK, LIMIT, MARKET, POST_ONLY, RESTING, STOP_LIMIT, TRAILING_STOP
from .matching_rules import (
    AT_ARRIVAL,
    AT_TRADE,
    FOK_UNFILLED,
    TRADED_THROUGH,
    end_unfilled,
    left_on_offer,
    meets,
    min_for,
    ratchet,
)
from .orders import cancel_at, fill_at, sweep_ended, unfilled
from .slippage import slipped


@compiled
def match_trade(desk: Any, inst: int, price: float, size: float) -> None:
    account = desk.account
    on_offer = size_below(desk, inst, size)
    by_quote = desk.instruments[inst].meets == BY_QUOTE
    trailing = False
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        if meets(desk, order, inst):
            if order.type == MARKET:
                if not by_quote:
                    left = fill_at(desk, i, slipped(desk, inst, order.side, price, unfilled(desk, i), size), unfilled(desk, i), 0, AT_TRADE)
            elif order.type != LIMIT:
                trailing = trailing or order.type == TRAILING_STOP
                _reach_stop(order, price)
            elif not by_quote or order.stage == RESTING:
                part = min(unfilled(desk, i), on_offer)
                fills = account.fills + account.reports
                left = _limit_on_trade(desk, i, price, part, size)
                on_offer = left_on_offer(desk, inst, on_offer, fills, part)
        if not left:
            i += 1
    if trailing:
        ratchet(desk, inst, -1, price)
        ratchet(desk, inst, 1, price)
    if account.stirred != 0:
        sweep_ended(desk)


@compiled
def _reach_stop(order: Any, price: float) -> None:
    """A trade at the stop makes it an order for the trade after it: the trade that told of the price is gone."""
    if order.side * (price - order.stop_price) >= 0.0:
        order.type = LIMIT if order.type == STOP_LIMIT else MARKET
        order.stage = ARRIVING


@compiled
def _limit_on_trade(desk: Any, slot: int, price: float, part: float, volume: float) -> bool:
    """True when the order left the table."""
    order = desk.orders[slot]
    arriving = order.stage == ARRIVING
    order.stage = RESTING
    distance = order.side * (price - order.limit_price)
    if arriving and distance <= 0.0 and order.post_only != 0:
        return cancel_at(desk, slot, POST_ONLY)
    if arriving and order.tif == FOK and (distance > 0.0 or part < unfilled(desk, slot)):
        return cancel_at(desk, slot, FOK_UNFILLED)
    left = False
    if part > 0.0 and arriving and distance <= 0.0:
        at = min_for(order.side, slipped(desk, order.inst, order.side, price, part, volume), order.limit_price)
        left = fill_at(desk, slot, at, part, 0, AT_ARRIVAL)
    elif part > 0.0 and distance < 0.0:
        left = fill_at(desk, slot, order.limit_price, part, 1, TRADED_THROUGH)
    if not left and arriving and desk.orders[slot].stage == RESTING:
        left = end_unfilled(desk, slot)
    return left
