"""The halves of an event around the strategy's handler, for callers that are not compiled.

The compiled loop (``traider.kernel.loop``) is made of the same functions in the same order: what is under way arrives, open
orders meet the event, the strategy is told of fills, the position is marked, the handler decides, its requests are settled.
"""

from typing import Any

import numpy as np

from .book import ASK, BID, FAR_LIMIT, apply, clear, has_both, mid_price, price_of, tick_of
from .controls import see_market
from .jit import compiled, inlined
from .layout import (
    BAR,
    BAR_MADE,
    BOOK_CLEAR,
    BOOK_END,
    BY_BOOK,
    BY_EVENT,
    DEPTH,
    DRAIN_AT,
    FUNDING_EVENT,
    KIND_BITS,
    MAX_DAYS,
    MAX_TIMERS,
    NEVER_NS,
    QUOTE,
    SIMULATED,
    TRADE,
)
from .machine import seldom
from .margin import is_liquidated_at, liquidation_price
from .matching import match_bar
from .matching_book import book_of, match_depth, match_touch, match_trade_on_book
from .matching_quotes import match_quote
from .matching_trades import match_trade
from .orders import liquidate, trip
from .portfolio import apply_funding, mark, start_day, start_event
from .risk import NONE, reaches_loss_limit
from .settle import settle_due


@compiled
def update_book(desk: Any, inst: int, code: int, price: float, size: float, side: float) -> None:
    """A row of the instrument's order book; own orders at that level or beyond it are matched."""
    account = desk.account
    book = book_of(desk, inst)
    if code & BOOK_CLEAR:
        clear(book)
    s = BID if side > 0.0 else ASK
    tick = tick_of(book, price)
    before = apply(book, s, tick, size)
    if book.far[s] > FAR_LIMIT:
        account.book_full = 1
    if account.open_orders > 0 and account.venue == SIMULATED:
        match_depth(desk, inst, s, tick, before, size)


@inlined
def see_book(desk: Any, inst: int) -> None:
    """The book's message is complete: best prices and mark are those of now. A book with one side only changes nothing."""
    book = book_of(desk, inst)
    if has_both(book):
        position = desk.positions[inst]
        position.bid = price_of(book, book.best[BID])
        position.ask = price_of(book, book.best[ASK])
        mark_at(desk, inst, mid_price(book))


@compiled
def watch_margin(desk: Any, inst: int, first: float, high: float, low: float) -> None:
    """Liquidates an account whose equity falls below the maintenance margin while the price moves from the first to the extremes."""
    size = desk.positions[inst].size
    if size == 0.0 or desk.account.venue != SIMULATED:
        return
    if is_liquidated_at(desk, inst, first):
        liquidate(desk, inst, first)
    elif is_liquidated_at(desk, inst, low if size > 0.0 else high):
        liquidate(desk, inst, liquidation_price(desk, inst))


@inlined
def mark_at(desk: Any, inst: int, price: float) -> None:
    """Marks the instrument; a limit that this breaches trips the kill switch, a margin that it breaks liquidates."""
    account = desk.account
    if account.margined > 0:
        watch_margin(desk, inst, price, price, price)
    if mark(desk, inst, price) and reaches_loss_limit(desk):
        trip(desk)
    if desk.controls.on != 0:
        watch_controls(desk, inst, price)


@compiled
def watch_controls(desk: Any, inst: int, price: float) -> None:
    """Tells the controls what the market's price is; a halt trips the kill switch, as a limit that is reached does."""
    seldom()
    account = desk.account
    see_market(desk.controls, inst, account.now_ns, price)
    if desk.controls.halted != NONE and account.trips != 0:
        trip(desk)


@inlined
def see_quote(desk: Any, inst: int, bid: float, ask: float) -> None:
    """The best prices are these, and the mark is the middle of them; where one is missing, the mark stays."""
    position = desk.positions[inst]
    position.bid = bid if bid > 0.0 else 0.0
    position.ask = ask if ask > 0.0 else 0.0
    if bid > 0.0 and ask > 0.0:
        mark_at(desk, inst, 0.5 * (bid + ask))


@compiled
def match_event(desk: Any, code: int, inst: int, ts_ns: int, a: float, b: float, c: float, d: float, e: float) -> None:
    """What is under way arrives, the clock moves on, and open orders meet the event; marks are as before."""
    account = desk.account
    kind = code & KIND_BITS
    if code & BAR_MADE:
        account.current = inst
        return
    if ts_ns > account.due_ns:
        settle_due(desk, ts_ns)
    if ts_ns >= account.day_end_ns:
        start_day(desk, ts_ns)
    start_event(desk, inst, ts_ns)
    if kind == DEPTH:
        if account.books_at != 0:
            update_book(desk, inst, code, a, b, c)
    elif kind == FUNDING_EVENT:
        apply_funding(desk, inst, a)
    elif account.open_orders > 0 and account.venue == SIMULATED:
        if kind == BAR:
            match_bar(desk, inst, a, b, c, d, e)
        elif kind == QUOTE:
            match_quote(desk, inst, a, b, c, d)
        elif desk.instruments[inst].meets == BY_BOOK:
            match_trade_on_book(desk, inst, a, b, int(c))
        else:
            match_trade(desk, inst, a, b)
    if code & BOOK_END and account.books_at != 0 and account.open_orders > 0 and account.venue == SIMULATED:
        match_touch(desk, inst)


@compiled
def mark_bar(desk: Any, inst: int, open_: float, high: float, low: float, close: float) -> None:
    """Marks the instrument at a bar's close; on margin, the prices that the bar has touched are looked at before."""
    if desk.account.margined > 0:
        watch_margin(desk, inst, open_, high, low)
    mark_at(desk, inst, close)


@compiled
def mark_trade(desk: Any, inst: int, price: float) -> None:
    """Marks the instrument at a trade's price."""
    mark_at(desk, inst, price)


@compiled
def mark_event(desk: Any, code: int, inst: int, a: float, b: float, c: float, d: float) -> None:
    """Marks the instrument: at a bar's close, a trade's price, the middle of a quote, or of a book whose message is complete."""
    kind = code & KIND_BITS
    if code & BAR_MADE:
        return
    if kind == BAR:
        mark_bar(desk, inst, a, b, c, d)
    elif kind == TRADE:
        if desk.instruments[inst].meets == BY_EVENT:
            mark_trade(desk, inst, a)
    elif kind == QUOTE:
        see_quote(desk, inst, a, c)
    if code & BOOK_END and desk.account.books_at != 0:
        see_book(desk, inst)


@inlined
def is_watched(desk: Any) -> bool:
    """Whether each price is told to more than the position: to the controls, or to whoever watches the margin."""
    return bool(desk.controls.on != 0 or desk.account.margined > 0)


@inlined
def quiet_until(desk: Any) -> int:
    """Until then an event meets nothing that waits for one: no order is open, nothing arrives, no day ends. 0 while an order is."""
    account = desk.account
    if account.open_orders > 0:
        return 0
    return int(min(account.due_ns, account.day_end_ns))


@compiled
def is_full(desk: Any) -> bool:
    """Whether the caller has to look at the desk before the next event: the logs must be drained, or a book is full."""
    account = desk.account
    if account.forgets != 0:
        account.executions = 0
        account.told = 0
    return bool(account.executions > DRAIN_AT or account.days >= MAX_DAYS or account.book_full != 0)


@compiled
def market_event(desk: Any, code: int, inst: int, ts_ns: int, a: float, b: float, c: float, d: float, e: float) -> bool:
    """Both halves that come before a handler, where nobody wants to be told of fills in between.

    True when the logs must be drained before the next event.
    """
    match_event(desk, code, inst, ts_ns, a, b, c, d, e)
    mark_event(desk, code, inst, a, b, c, d)
    desk.account.told = desk.account.executions
    return is_full(desk)


@compiled
def advance(desk: Any, ts_ns: int) -> None:
    """Between two market events it is this time: what arrives before it is there, and the clock stands at it."""
    account = desk.account
    if ts_ns > account.due_ns:
        settle_due(desk, ts_ns)
    account.current = np.uint64(0)
    account.now_ns = max(account.now_ns, ts_ns - account.lag_ns)


@compiled
def next_timer(desk: Any) -> int:
    """The number of the timer that is due first; it is taken off, the clock stands at its time, what arrived before it is there.

    ``ctx`` speaks of the first instrument: a timer has none.
    """
    seldom()
    account = desk.account
    advance(desk, account.timer_ns)
    found = 0
    for i in range(MAX_TIMERS):
        if desk.timers[i] == account.timer_ns:
            found = i
            break
    desk.timers[found] = NEVER_NS
    first = NEVER_NS
    for i in range(MAX_TIMERS):
        first = min(first, desk.timers[i])
    account.timer_ns = first
    return found


@compiled
def note_curve(desk: Any, curve: Any, inst: int, ts_ns: int) -> None:
    """Adds a point to the equity curve: equity now, its low since the point before, the price.

    There is one every ``curve_stride`` events; ``curve_left`` says how many are left until the next one.
    """
    seldom()
    account = desk.account
    point = curve[account.curve_points]
    point.ts_ns = ts_ns
    point.equity = account.equity
    point.low = account.curve_low
    point.price = desk.positions[inst].mark_price
    account.curve_points += 1
    account.curve_low = account.equity
