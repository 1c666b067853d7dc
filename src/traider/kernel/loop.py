"""The source of the compiled loop around a strategy's handlers, and what it is made of.

Written for the machine: indices are unsigned, so that none can mean "from the end"; columns are read only where they are
needed; what is true of nearly every event is asked first, and full logs only where something was logged.
"""

from . import context_type, driver, events, layout, machine, matching, orders, portfolio, risk
from .structs import StructType, view_of

_HEAD = '''"""Written by traider: the compiled loop of {name}. Safe to delete."""

from numba import int64, njit, uint64

from traider.kernel.loop import parts

P = parts("{key}")
view, as_context, prefetch = P.view, P.as_context, P.prefetch
start_day, start_event, mark, is_full = P.start_day, P.start_event, P.mark, P.is_full
match_bar, match_market, match_trade, awaits_price = P.match_bar, P.match_market, P.match_trade, P.awaits_price
settle_requests, note_curve = P.settle_requests, P.note_curve
breached, trip, NONE = P.breached, P.trip, P.NONE
Bar, Trade, Fill = P.Bar, P.Trade, P.Fill
BAR, FILL, NEXT_CLOSE, SIMULATED = P.BAR, P.FILL, P.NEXT_CLOSE, P.SIMULATED
AHEAD, ONE = uint64(P.AHEAD), uint64(1)


@njit(cache=True, nogil=True)
def drive(desks, block, curve, ts_ns, kind, inst, a, b, c, d, e, start, stop):
    desk = desks[0]
    account = desk.account
    if is_full(desk):
        return start
    ctx = as_context(desk)
    strategy = view(block)
    i, end = uint64(start), uint64(stop)
    stride = uint64(account.curve_stride)
    note_at = i + uint64(account.curve_left) - ONE if stride > 0 else end
    while i < end:
        prefetch(a, i + AHEAD)  # read only where something fills, too seldom for the processor to foresee it
        k = int64(inst[i])
        is_bar = kind[i] == BAR
        now_ns = ts_ns[i]
        if now_ns >= account.day_end_ns:
            start_day(desk, now_ns)
            if is_full(desk):
                end = i + ONE  # the caller drains the logs before the next event
        start_event(desk, k, now_ns)
        if account.open_orders > 0 and account.venue == SIMULATED:
            if is_bar and awaits_price(desk):
                match_bar(desk, k, a[i], b[i], c[i], d[i])
            elif is_bar:
                match_market(desk, k, d[i] if account.fill_mode == NEXT_CLOSE else a[i])
            else:
                match_trade(desk, k, a[i], b[i])
            if is_full(desk):
                end = i + ONE
'''
_ON_FILL = """\
        while account.told < account.executions:
            x = desk.executions[account.told]
            account.told += 1
            if x.kind == FILL:
                strategy.on_fill(Fill(x.ts_ns, x.inst, x.ref, x.side, x.price, x.size, x.fee, x.maker), ctx)
"""
_MARK = """\
        if is_bar:
            mark(desk, k, d[i])
            if account.trips != 0 and breached(desk) != NONE:
                trip(desk)
                end = i + ONE  # what was taken back is drained before the next event
"""
_ON_BAR = """\
            strategy.on_bar(Bar(ts_ns[i], k, a[i], b[i], c[i], d[i], e[i]), ctx)
"""
_MARK_TRADE = """\
        else:
            mark(desk, k, a[i])
            if account.trips != 0 and breached(desk) != NONE:
                trip(desk)
                end = i + ONE  # what was taken back is drained before the next event
"""
_ON_TRADE = """\
            strategy.on_trade(Trade(ts_ns[i], k, a[i], b[i], int(c[i])), ctx)
"""
_TAIL = """\
        if account.requests > 0:
            settle_requests(desk)
            if is_full(desk):
                end = i + ONE
        if i == note_at:
            note_curve(desk, curve, k, now_ns)
            note_at += stride
        i += ONE
    if stride > 0:
        account.curve_left = int64(note_at - i + ONE)
    return int64(i)
"""


def source(name: str, key: str, handlers: tuple[str, ...]) -> str:
    """The loop's module; ``key`` is how it finds its parts again."""
    blocks = [_HEAD.format(name=name, key=key)]
    if "on_fill" in handlers:
        blocks.append(_ON_FILL)
    blocks.append(_MARK)
    if "on_bar" in handlers:
        blocks.append(_ON_BAR)
    blocks.append(_MARK_TRADE)
    if "on_trade" in handlers:
        blocks.append(_ON_TRADE)
    blocks.append(_TAIL)
    return "".join(blocks)


class Parts:
    """What a loop's module asks for by its key."""

    def __init__(self, struct: StructType) -> None:
        self.view = view_of(struct)
        self.as_context = context_type.as_context
        self.prefetch, self.AHEAD = machine.prefetch, machine.AHEAD
        self.start_day, self.start_event, self.mark = portfolio.start_day, portfolio.start_event, portfolio.mark
        self.is_full, self.note_curve = driver.is_full, driver.note_curve
        self.match_bar, self.match_trade = matching.match_bar, matching.match_trade
        self.match_market, self.awaits_price = matching.match_market, matching.awaits_price
        self.settle_requests, self.trip = orders.settle_requests, orders.trip
        self.breached, self.NONE = risk.breached, risk.NONE
        self.Bar, self.Trade, self.Fill = events.Bar, events.Trade, events.Fill
        self.BAR, self.FILL, self.SIMULATED, self.NEXT_CLOSE = layout.BAR, layout.FILL, layout.SIMULATED, layout.NEXT_CLOSE


_waiting: dict[str, Parts] = {}


def offer(key: str, struct: StructType) -> None:
    """Lays the parts out under their key, for the module that is about to be loaded."""
    _waiting[key] = Parts(struct)


def parts(key: str) -> Parts:
    """What ``offer`` laid out."""
    return _waiting[key]
