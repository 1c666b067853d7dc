"""Matching on quotes: the best bid and ask stand until the next quote, in the sizes that are told."""

from typing import Any

from ..domain.vocabulary import FillRule
from .grid import size_below
from .jit import compiled
from .layout import ARRIVING, FOK, IOC, LIMIT, MARKET, POST_ONLY, RESTING, STOP_LIMIT, TRAILING_STOP
from .matching_rules import FOK_UNFILLED, end_unfilled, meets, min_for, ratchet
from .orders import cancel_at, fill_at, sweep_ended, unfilled
from .slippage import slipped

QUOTE_TAKEN = int(FillRule.QUOTE_TAKEN)
QUOTE_CROSSED = int(FillRule.QUOTE_CROSSED)


@compiled
def match_quote(desk: Any, inst: int, bid: float, bid_size: float, ask: float, ask_size: float) -> None:
    """Orders against the side that they would take; where a quote has none, they wait."""
    account = desk.account
    trailing = False
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        price = ask if order.side > 0 else bid
        if price > 0.0 and meets(desk, order, inst):
            size = ask_size if order.side > 0 else bid_size
            trailing = trailing or order.type == TRAILING_STOP
            if order.type != MARKET and order.type != LIMIT and order.side * (price - order.stop_price) >= 0.0:
                order.type = LIMIT if order.type == STOP_LIMIT else MARKET
                order.stage = ARRIVING
            if order.type == MARKET:
                left = fill_at(desk, i, slipped(desk, inst, order.side, price, unfilled(desk, i), size), unfilled(desk, i), 0, QUOTE_TAKEN)
            elif order.type == LIMIT:
                left = _limit(desk, i, price, size)
        if not left:
            i += 1
    if trailing and bid > 0.0:
        ratchet(desk, inst, -1, bid)
    if trailing and ask > 0.0:
        ratchet(desk, inst, 1, ask)
    if account.stirred != 0:
        sweep_ended(desk)


@compiled
def _limit(desk: Any, slot: int, price: float, size: float) -> bool:
    """A limit order against the quote on the other side; True when it left the table."""
    order = desk.orders[slot]
    arriving = order.stage == ARRIVING
    order.stage = RESTING
    reached = order.side * (price - order.limit_price) <= 0.0
    if not arriving:
        return reached and fill_at(desk, slot, order.limit_price, unfilled(desk, slot), 1, QUOTE_CROSSED)
    if not reached:
        return end_unfilled(desk, slot) if order.tif == IOC or order.tif == FOK else False
    if order.post_only != 0:
        return cancel_at(desk, slot, POST_ONLY)
    part = min(unfilled(desk, slot), size_below(desk, order.inst, size))
    if order.tif == FOK and part < unfilled(desk, slot):
        return cancel_at(desk, slot, FOK_UNFILLED)
    left = False
    if part > 0.0:
        at = min_for(order.side, slipped(desk, order.inst, order.side, price, part, size), order.limit_price)
        left = fill_at(desk, slot, at, part, 0, QUOTE_TAKEN)
    if not left and desk.orders[slot].stage == RESTING:
        left = end_unfilled(desk, slot)
    return left
