"""The source of the compiled loop around a strategy's handlers, and what it is made of.

Written for the machine: indices are unsigned, so that none can mean "from the end"; columns are read only where they are
needed; what is true of nearly every event is asked first, and full logs only where something was logged. A loop is made for
the kinds of events that its stream holds: where that is one kind of one instrument, nothing is asked about either.
"""

import math
from dataclasses import dataclass
from textwrap import indent

from . import (
    book_type,
    context_type,
    driver,
    events,
    layout,
    machine,
    matching,
    matching_book,
    matching_quotes,
    matching_trades,
    orders,
    portfolio,
    risk,
    settle,
)
from .structs import StructType, view_of

_HEAD = '''"""Written by traider: the compiled loop of {name}. Safe to delete."""

from numba import int64, njit, uint64

from traider.kernel.loop import parts

P = parts("{key}")
view, as_context, as_book, prefetch, apart = P.view, P.as_context, P.as_book, P.prefetch, P.apart
quiet_until, is_watched, mark_bar, mark_trade = P.quiet_until, P.is_watched, P.mark_bar, P.mark_trade
start_day, start_event, mark, is_full = P.start_day, P.start_event, P.mark, P.is_full
match_bar, match_market, match_trade, awaits_price = P.match_bar, P.match_market, P.match_trade, P.awaits_price
match_quote, match_trade_on_book, match_touch = P.match_quote, P.match_trade_on_book, P.match_touch
update_book, see_book, see_quote, book_of = P.update_book, P.see_book, P.see_quote, P.book_of
settle_requests, settle_due, next_timer, note_curve = P.settle_requests, P.settle_due, P.next_timer, P.note_curve
apply_funding, reaches_loss_limit, trip = P.apply_funding, P.reaches_loss_limit, P.trip
Bar, Trade, Quote, Timer, Fill = P.Bar, P.Trade, P.Quote, P.Timer, P.Fill
TRADE, QUOTE, BAR, DEPTH, FUNDING = P.TRADE, P.QUOTE, P.BAR, P.DEPTH, P.FUNDING
KIND_BITS, BAR_MADE, BOOK_END = P.KIND_BITS, P.BAR_MADE, P.BOOK_END
FILL, NEXT_CLOSE, SIMULATED, BY_BOOK, BY_EVENT = P.FILL, P.NEXT_CLOSE, P.SIMULATED, P.BY_BOOK, P.BY_EVENT
INFINITE, AHEAD, ONE = P.INFINITE, uint64(P.AHEAD), uint64(1)


@njit(cache=True, nogil=True)
def drive(desks, block, curve, ts_ns, kind, inst, a, b, c, d, e, start, stop):
    apart()
    desk = desks[0]
    account = desk.account
    account.ask_below = INFINITE  # whatever was changed since the last call
    if is_full(desk):
        return start
    ctx = as_context(desk)
    strategy = view(block)
    i, end = uint64(start), uint64(stop)
    watched = is_watched(desk)
    wake_ns = int64(0)
    stride = uint64(account.curve_stride)
    note_at = i + uint64(account.curve_left) - ONE if stride > 0 else end
    while i < end:
        pause = min(end, note_at + ONE)
        while i < pause:
'''
# ``ctx`` speaks of the fill's instrument, and afterwards of the event's again
_ON_FILL = """\
while account.told < account.executions:
    x = desk.executions[account.told]
    account.told += 1
    if x.kind == FILL:
        account.current = uint64(x.inst)
        strategy.on_fill(Fill(x.ts_ns, x.inst, x.ref, x.side, x.price, x.size, x.fee, x.maker), ctx)
        account.current = uint64({event})
"""
_ON_TIMER = """\
while now_ns >= account.timer_ns:
    number = next_timer(desk)
    wake_ns = int64(0)
{fills}    strategy.on_timer(Timer(account.now_ns + account.lag_ns, number), ctx)
    if account.requests > 0:
        settle_requests(desk)
    if is_full(desk):
        end = pause = i + ONE
"""
# one timer that is due, for callers that stop between two of them
_FIRE = """


@njit(cache=True, nogil=True)
def fire(desks, block):
    desk = desks[0]
    account = desk.account
    ctx = as_context(desk)
    strategy = view(block)
    number = next_timer(desk)
{fills}    strategy.on_timer(Timer(account.now_ns + account.lag_ns, number), ctx)
"""
_CLOCK = """\
if now_ns > account.due_ns:
    settle_due(desk, now_ns)
    if is_full(desk):
        end = pause = i + ONE  # the caller drains the logs before the next event
if now_ns >= account.day_end_ns:
    start_day(desk, now_ns)
    if is_full(desk):
        end = pause = i + ONE
start_event(desk, k, now_ns)
"""
# an event of one kind and instrument before its handler: in full, or where nothing waits for it
_EVENT = """\
if now_ns >= wake_ns:
{full}else:
    start_event(desk, k, now_ns)
{mark}"""
_TAIL = """\
if account.requests > 0:
    settle_requests(desk)
    wake_ns = {wake}
    if is_full(desk):
        end = pause = i + ONE
i += ONE
"""
_END = """\
        if i > note_at:
            note_curve(desk, curve, k, now_ns)
            note_at += stride
    if stride > 0:
        account.curve_left = int64(note_at - i + ONE)
    return int64(i)
"""

_FULL = """\
if is_full(desk):
    end = pause = i + ONE
"""

# how open orders meet each kind of event
_MATCH = {
    layout.BAR: """\
if awaits_price(desk):
    match_bar(desk, k, a[i], b[i], c[i], d[i], e[i])
else:
    match_market(desk, k, d[i] if desk.settings.fill_mode == NEXT_CLOSE else a[i])
""",
    layout.TRADE: "match_trade(desk, k, a[i], b[i])\n",
    layout.QUOTE: "match_quote(desk, k, a[i], b[i], c[i], d[i])\n",
}
_MATCH_TRADE_ANYWHERE = """\
if desk.instruments[k].meets == BY_BOOK:
    match_trade_on_book(desk, k, a[i], b[i], int(c[i]))
else:
    match_trade(desk, k, a[i], b[i])
"""
_MARK_PRICE = """\
if mark(desk, k, {price}[i]) and reaches_loss_limit(desk):
    trip(desk)
    end = pause = i + ONE  # what was taken back is drained before the next event
"""
_UNWATCHED = {layout.BAR: _MARK_PRICE.format(price="d"), layout.TRADE: _MARK_PRICE.format(price="a")}
_WATCHED = """\
if watched:
    {mark}
    wake_ns = int64(0)
    if is_full(desk):
        end = pause = i + ONE
el"""
_MARK = {
    layout.BAR: _WATCHED.format(mark="mark_bar(desk, k, a[i], b[i], c[i], d[i])") + _UNWATCHED[layout.BAR],
    layout.TRADE: _WATCHED.format(mark="mark_trade(desk, k, a[i])") + _UNWATCHED[layout.TRADE],
    layout.QUOTE: "see_quote(desk, k, a[i], c[i])\n",
}
_HANDLE = {
    layout.BAR: ("on_bar", "strategy.on_bar(Bar(now_ns, k, a[i], b[i], c[i], d[i], e[i]), ctx)\n"),
    layout.TRADE: ("on_trade", "strategy.on_trade(Trade(ts_ns[i], k, a[i], b[i], int(c[i])), ctx)\n"),
    layout.QUOTE: ("on_quote", "strategy.on_quote(Quote(ts_ns[i], k, a[i], b[i], c[i], d[i]), ctx)\n"),
}


@dataclass(frozen=True)
class Shape:
    """What a stream may hold: ``kinds`` is a bit mask of 1 << EventKind; ``single`` says that it is one instrument's."""

    kinds: int
    single: bool

    def has(self, kind: int) -> bool:
        return bool(self.kinds >> kind & 1)

    @property
    def only(self) -> int:
        """The one kind, without flags, that every event has; 0 where there may be several."""
        for kind in (layout.BAR, layout.TRADE, layout.QUOTE):
            if self.kinds == 1 << kind:
                return kind
        return 0


def source(name: str, key: str, handlers: tuple[str, ...], shape: Shape) -> str:
    """The loop's module; ``key`` is how it finds its parts again."""
    body = _of_one_kind(shape.only, handlers) if shape.only else _of_many(shape, handlers)
    # the next event tells a strategy of fills
    tail = _TAIL.format(wake="int64(0)" if "on_fill" in handlers else "quiet_until(desk)")
    where = "k = int64(0)\n" if shape.single else "k = int64(inst[i])\n"
    drive = _HEAD.format(name=name, key=key) + indent(where + "now_ns = ts_ns[i]\n" + body + tail, " " * 12) + _END
    return drive + (_FIRE.format(fills=indent(_fills(handlers, "0"), "    ")) if "on_timer" in handlers else "")


def _of_one_kind(kind: int, handlers: tuple[str, ...]) -> str:
    handler, call = _HANDLE[kind]
    meet = f"if account.open_orders > 0 and account.venue == SIMULATED:\n{indent(_MATCH[kind] + _FULL, '    ')}"
    event = _CLOCK + meet + _fills(handlers, "k") + _MARK[kind]
    if kind in _UNWATCHED:
        quiet = "wake_ns = quiet_until(desk)\n"
        event = _EVENT.format(
            full=indent(_CLOCK + meet + _fills(handlers, "k") + quiet + _MARK[kind], "    "), mark=indent(_UNWATCHED[kind], "    ")
        )
    return "".join(
        (
            "prefetch(a, i + AHEAD)  # read only where something fills, too seldom for the processor to foresee it\n",
            _timers(handlers),
            event,
            call if handler in handlers else "",
        )
    )


def _of_many(shape: Shape, handlers: tuple[str, ...]) -> str:
    depth = shape.has(layout.DEPTH)
    parts = ["code = int64(kind[i])\n", "what = code & KIND_BITS\n"]
    parts.append(_timers(handlers))
    made = shape.has(layout.BAR) and shape.has(layout.TRADE)
    if made:  # a bar made of trades that have been is nothing new to the market
        parts.append(f"if code & BAR_MADE:\n    account.current = k\nelse:\n{indent(_CLOCK, '    ')}")
    else:
        parts.append(_CLOCK)
    if depth:
        parts.append("if what == DEPTH:\n    update_book(desk, k, code, a[i], b[i], c[i])\n")
    if shape.has(layout.FUNDING_EVENT):
        parts.append("if what == FUNDING:\n    apply_funding(desk, k, a[i])\n")
    meets = _branches(shape, {**_MATCH, layout.TRADE: _MATCH_TRADE_ANYWHERE if depth else _MATCH[layout.TRADE]}, made=made)
    if depth:
        meets += "if code & BOOK_END:\n    match_touch(desk, k)\n"
    parts.append(f"if account.open_orders > 0 and account.venue == SIMULATED:\n{indent(meets, '    ')}")
    parts.append("if account.executions > 0 or account.book_full != 0:\n" + indent(_FULL, "    "))
    parts.append(_fills(handlers, "k"))
    marks = {**_MARK}
    if depth or shape.has(layout.QUOTE):
        marks[layout.TRADE] = f"if desk.instruments[k].meets == BY_EVENT:\n{indent(_MARK[layout.TRADE], '    ')}"
    parts.append(_branches(shape, marks, made=made))
    if depth:
        parts.append(
            "if code & BOOK_END:\n    see_book(desk, k)\n    if account.executions > 0 and is_full(desk):\n        end = pause = i + ONE\n"
        )
    calls = {kind: call for kind, (handler, call) in _HANDLE.items() if handler in handlers}
    if calls:
        parts.append(_branches(shape, calls, made=False))
    if depth and "on_book" in handlers:
        parts.append("if code & BOOK_END:\n    account.current = uint64(k)\n    strategy.on_book(as_book(book_of(desk, k)), ctx)\n")
    return "".join(parts)


def _fills(handlers: tuple[str, ...], event: str) -> str:
    return _ON_FILL.format(event=event) if "on_fill" in handlers else ""


def _timers(handlers: tuple[str, ...]) -> str:
    return _ON_TIMER.format(fills=indent(_fills(handlers, "0"), "    ")) if "on_timer" in handlers else ""


def _branches(shape: Shape, blocks: dict[int, str], *, made: bool) -> str:
    names = {layout.BAR: "BAR", layout.TRADE: "TRADE", layout.QUOTE: "QUOTE"}
    found = [kind for kind in names if kind in blocks and shape.has(kind)]
    lines = []
    for number, kind in enumerate(found):
        test = f"what == {names[kind]}" + (" and code & BAR_MADE == 0" if made and kind == layout.BAR else "")
        lines.append(f"{'elif' if number else 'if'} {test}:\n{indent(blocks[kind], '    ')}")
    return "".join(lines)


class Parts:
    """What a loop's module asks for by its key."""

    def __init__(self, struct: StructType) -> None:
        self.view = view_of(struct)
        self.as_context, self.as_book = context_type.as_context, book_type.as_book
        self.prefetch, self.AHEAD, self.apart = (
            machine.prefetch,
            machine.AHEAD,
            machine.apart({"desks": layout.DESK.itemsize, "block": struct.size}),
        )
        self.start_day, self.start_event, self.mark = portfolio.start_day, portfolio.start_event, portfolio.mark
        self.is_full, self.note_curve, self.next_timer = driver.is_full, driver.note_curve, driver.next_timer
        self.mark_bar, self.mark_trade, self.is_watched = driver.mark_bar, driver.mark_trade, driver.is_watched
        self.quiet_until, self.INFINITE = driver.quiet_until, math.inf
        self.update_book, self.see_book, self.see_quote = driver.update_book, driver.see_book, driver.see_quote
        self.match_bar, self.match_market, self.awaits_price = matching.match_bar, matching.match_market, matching.awaits_price
        self.match_trade, self.match_quote = matching_trades.match_trade, matching_quotes.match_quote
        self.match_trade_on_book, self.match_touch = matching_book.match_trade_on_book, matching_book.match_touch
        self.book_of = matching_book.book_of
        self.settle_requests, self.settle_due, self.trip = settle.settle_requests, settle.settle_due, orders.trip
        self.apply_funding = portfolio.apply_funding
        self.reaches_loss_limit = risk.reaches_loss_limit
        self.Bar, self.Trade, self.Quote, self.Timer, self.Fill = events.Bar, events.Trade, events.Quote, events.Timer, events.Fill
        self.TRADE, self.QUOTE, self.BAR, self.DEPTH = layout.TRADE, layout.QUOTE, layout.BAR, layout.DEPTH
        self.FUNDING, self.KIND_BITS = layout.FUNDING_EVENT, layout.KIND_BITS
        self.BAR_MADE, self.BOOK_END = layout.BAR_MADE, layout.BOOK_END
        self.FILL, self.SIMULATED, self.NEXT_CLOSE = layout.FILL, layout.SIMULATED, layout.NEXT_CLOSE
        self.BY_BOOK, self.BY_EVENT = layout.BY_BOOK, layout.BY_EVENT


_waiting: dict[str, Parts] = {}


def offer(key: str, struct: StructType) -> None:
    """Lays the parts out under their key, for the module that is about to be loaded."""
    _waiting[key] = Parts(struct)


def parts(key: str) -> Parts:
    """What ``offer`` laid out."""
    return _waiting[key]
