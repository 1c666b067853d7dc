"""Matching on an order book: what arrives takes from the levels, what rests waits in the queue of its own.

The book of a recording doesn't know of own orders: what they take is still there for the next one.
"""

import math
from typing import Any

from ..domain.vocabulary import FillRule, Reason
from .book import ASK, BID, BOOK_BYTES, NO_ASK, NO_BID, book_at, next_level, price_of, size_at
from .grid import size_below, size_on_grid, ticks
from .jit import compiled, inlined
from .layout import (
    ARRIVING,
    FOK,
    LIMIT,
    MARKET,
    MATCHED,
    POST_ONLY,
    RELEASED,
    RESTING,
    STOP_LIMIT,
    TAKEN_UNTIL,
)
from .machine import seldom
from .matching_rules import FOK_UNFILLED, TRADED_THROUGH, end_unfilled, left_on_offer, meets, min_for, ratchet
from .orders import cancel_at, fill_at, sweep_ended, unfilled
from .queueing import join_queue, level_in_queue, reached_front, trade_in_queue
from .slippage import slipped

BOOK_TAKEN = int(FillRule.BOOK_TAKEN)
BOOK_CROSSED = int(FillRule.BOOK_CROSSED)
QUEUE_REACHED = int(FillRule.QUEUE_REACHED)
NO_LIQUIDITY = int(Reason.NO_LIQUIDITY)


@inlined
def book_of(desk: Any, inst: int) -> Any:
    """The instrument's order book; only where the account has books."""
    return book_at(desk.account.books_at + inst * BOOK_BYTES)


# --- what arrives ----------------------------------------------------------------------------------------------------


@compiled
def arrive_on_book(desk: Any, slot: int) -> bool:
    """An order comes to the venue and meets the book as it stands; True when it left the table."""
    order = desk.orders[slot]
    book = book_of(desk, order.inst)
    if order.type == MARKET:
        if _take(desk, slot, book, math.nan):
            return True
        if desk.orders[slot].stage == MATCHED:
            return False
        return cancel_at(desk, slot, NO_LIQUIDITY)
    if order.type != LIMIT:
        order.stage = RESTING
        return False
    order.stage = RESTING
    best = book.best[ASK] if order.side > 0 else book.best[BID]
    crosses = best != NO_ASK and best != NO_BID and order.side * (best - order.tick) <= 0
    left = False
    if crosses:
        if order.post_only != 0:
            return cancel_at(desk, slot, POST_ONLY)
        if order.tif == FOK and _there(desk, order, book) < unfilled(desk, slot):
            return cancel_at(desk, slot, FOK_UNFILLED)
        left = _take(desk, slot, book, order.limit_price)
    if left or desk.orders[slot].stage != RESTING:
        return left
    if end_unfilled(desk, slot):
        return True
    order = desk.orders[slot]
    join_queue(order, size_at(book, BID if order.side > 0 else ASK, order.tick))
    return False


@compiled
def _there(desk: Any, order: Any, book: Any) -> float:
    """What the book holds for the order at its limit or better."""
    s = ASK if order.side > 0 else BID
    total = 0.0
    tick = int(book.best[s])
    while tick != NO_ASK and tick != NO_BID and order.side * (tick - order.tick) <= 0:
        total += size_below(desk, order.inst, size_at(book, s, tick))
        tick = next_level(book, s, tick)
    return size_on_grid(desk, order.inst, total)


@compiled
def _take(desk: Any, slot: int, book: Any, limit: float) -> bool:
    """Takes from the levels of the other side, best first, down to the limit (nan: none); True when it left the table."""
    order = desk.orders[slot]
    side = order.side
    inst = order.inst
    s = ASK if side > 0 else BID
    volume = size_at(book, s, int(book.best[s])) if book.best[s] != NO_ASK and book.best[s] != NO_BID else 0.0
    tick = int(book.best[s])
    while tick != NO_ASK and tick != NO_BID and desk.account.executions + desk.account.reports < TAKEN_UNTIL:
        price = price_of(book, tick)
        if side * (price - limit) > 0.0:
            break
        left = unfilled(desk, slot)
        part = min(left, size_below(desk, inst, size_at(book, s, tick)))
        if part > 0.0:
            at = slipped(desk, inst, side, price, part, volume)
            if limit == limit:
                at = min_for(side, at, limit)
            if fill_at(desk, slot, at, part, 0, BOOK_TAKEN):
                return True
            if part >= left or desk.orders[slot].stage == MATCHED:
                return False
        tick = next_level(book, s, tick)
    return False


@compiled
def _one_released(desk: Any, inst: int) -> int:
    """An order of the instrument that has been released and has not arrived, -1 where there is none."""
    for i in range(desk.account.open_orders):
        if desk.orders[i].stage == RELEASED and desk.orders[i].inst == inst:
            return i
    return -1


@compiled
def arrive_released(desk: Any, inst: int) -> None:
    """After an event on a book: what ended leaves the table, what was released arrives."""
    seldom()
    while desk.account.stirred != 0:
        slot = _one_released(desk, inst)
        while slot >= 0:
            desk.orders[slot].stage = ARRIVING
            arrive_on_book(desk, slot)
            slot = _one_released(desk, inst)
        sweep_ended(desk)


# --- what rests ------------------------------------------------------------------------------------------------------


@compiled
def match_depth(desk: Any, inst: int, s: int, tick: int, before: float, size: float) -> None:
    """A level of the book changed: queues at it, and own orders on the other side that it reaches.

    A best price on the other side at or beyond an own order's means that somebody would have traded with it.
    """
    account = desk.account
    side = 1 if s == BID else -1
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        if order.type == LIMIT and order.stage == RESTING and order.inst == inst:
            if order.side == side:
                if order.tick == tick:
                    level_in_queue(desk, order, before, size)
            elif size > 0.0 and side * (tick - order.tick) >= 0:
                left = fill_at(desk, i, order.limit_price, unfilled(desk, i), 1, BOOK_CROSSED)
        if not left:
            i += 1
    if account.stirred != 0:
        arrive_released(desk, inst)


@compiled
def match_trade_on_book(desk: Any, inst: int, price: float, size: float, taker: int) -> None:
    """A trade reaches orders that rest on the other side than its taker's; where the taker isn't known, on both."""
    account = desk.account
    tick = ticks(desk, inst, price)
    on_offer = size_below(desk, inst, size)
    partial = desk.settings.partial_fills != 0
    taken = 0.0  # at the level, by own orders that stand before the next one
    stops = False
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        if order.inst == inst and order.stage <= RESTING:
            if order.type != LIMIT:
                stops = True
            elif order.stage == RESTING and order.side != taker:
                beyond = order.side * (tick - order.tick)
                if beyond < 0:
                    part = min(unfilled(desk, i), on_offer) if partial else unfilled(desk, i)
                    if part > 0.0:
                        fills = account.fills + account.reports
                        left = fill_at(desk, i, order.limit_price, part, 1, TRADED_THROUGH)
                        on_offer = left_on_offer(desk, inst, on_offer, fills, part)
                elif beyond == 0:
                    trade_in_queue(order, size)
                    over = reached_front(desk, order)
                    part = min(unfilled(desk, i), size_on_grid(desk, inst, over - taken)) if partial else unfilled(desk, i)
                    if over > 0.0 and part > 0.0:
                        taken = size_on_grid(desk, inst, taken + part)
                        left = fill_at(desk, i, order.limit_price, part, 1, QUEUE_REACHED)
        if not left:
            i += 1
    if stops:
        reach_stops(desk, inst, price, price)
        ratchet(desk, inst, -1, price)
        ratchet(desk, inst, 1, price)
    if account.stirred != 0:
        arrive_released(desk, inst)


@compiled
def match_touch(desk: Any, inst: int) -> None:
    """The book's message is complete: stops that the best prices have reached go off, trailing ones follow."""
    book = book_of(desk, inst)
    if book.best[BID] == NO_BID or book.best[ASK] == NO_ASK:
        return
    stops = False
    for i in range(desk.account.open_orders):
        order = desk.orders[i]
        if order.type != LIMIT and order.type != MARKET and order.stage <= RESTING and order.inst == inst:
            stops = True
    if not stops:
        return
    bid = price_of(book, int(book.best[BID]))
    ask = price_of(book, int(book.best[ASK]))
    reach_stops(desk, inst, bid, ask)
    ratchet(desk, inst, -1, bid)
    ratchet(desk, inst, 1, ask)
    if desk.account.stirred != 0:
        arrive_released(desk, inst)


@compiled
def reach_stops(desk: Any, inst: int, bid: float, ask: float) -> None:
    """A buy stop goes off when a trade or the best bid is at its price or above, a sell stop when a trade or the best ask is below."""
    account = desk.account
    i = 0
    while i < account.open_orders:
        order = desk.orders[i]
        left = False
        price = bid if order.side > 0 else ask
        if order.type != LIMIT and order.type != MARKET and meets(desk, order, inst) and order.side * (price - order.stop_price) >= 0.0:
            order.type = LIMIT if order.type == STOP_LIMIT else MARKET
            left = arrive_on_book(desk, i)
        if not left:
            i += 1
