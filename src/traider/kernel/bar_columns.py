"""Columns of trades as columns of bars: what the makers of ``aggregators`` do trade by trade, over whole recordings."""

from typing import Any, NamedTuple

import numpy as np

from .aggregators import NEARLY, DollarBars, TimeBars, VolumeBars
from .jit import compiled

BY_TIME, BY_VOLUME, BY_WORTH = 0, 1, 2
ROOM = 65_536  # bars written between two returns to Python

_BAR = [("ts_ns", "i8"), ("trades", "i8"), *((name, "f8") for name in ("open", "high", "low", "close", "volume"))]
STATE = np.dtype([*_BAR, ("worth", "f8"), ("row", "i8")])  # row: of the next trade, counted from the first one of all
MADE = np.dtype([*_BAR, ("told_before", "i8")])


class BarColumns(NamedTuple):
    """Complete bars. ``told_before`` is the row of the trade before which a bar is known, counted from the first of all.

    A time bar is known when the next trade comes, which is at its end or later; a volume or dollar bar right after the trade
    that closed it, so before the one that follows, which may be in the next chunk.
    """

    ts_ns: Any
    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any
    trades: Any
    told_before: Any


class BarCutter:
    """Cuts a stream of trades into the bars of a maker. Where the stream is cut into chunks changes nothing."""

    def __init__(self, maker: TimeBars | VolumeBars | DollarBars) -> None:
        """Of the maker, which is left as it is, only the kind and the setting count."""
        self._span_ns, self._threshold = 1, 0.0
        if isinstance(maker, TimeBars):
            self._rule, self._span_ns = BY_TIME, maker.span_ns
        elif isinstance(maker, VolumeBars):
            self._rule, self._threshold = BY_VOLUME, maker.size * NEARLY
        else:
            self._rule, self._threshold = BY_WORTH, maker.notional * NEARLY
        self._state = np.zeros(1, STATE)

    def cut(self, ts_ns: Any, price: Any, size: Any) -> BarColumns:
        """The bars that these trades, which follow those given before, complete. What they leave open is carried on."""
        parts = []
        start = 0
        made = np.zeros(min(len(ts_ns), ROOM), MADE)
        while start < len(ts_ns):
            start, count = cut(self._rule, self._span_ns, self._threshold, self._state, ts_ns, price, size, start, made)
            parts.append(made[:count].copy())
        bars = np.concatenate(parts) if parts else made
        return BarColumns(*(np.ascontiguousarray(bars[name]) for name in BarColumns._fields))


@compiled
def cut(
    rule: int, span_ns: int, threshold: float, states: Any, ts_ns: Any, price: Any, size: Any, start: int, made: Any
) -> tuple[int, int]:
    """Takes trades from ``start`` on until they end or ``made`` is full; the row that it got to, and how many bars there are."""
    state = states[0]
    count = 0
    for i in range(start, len(ts_ns)):
        if count == len(made):
            return i, count
        begins = ts_ns[i]
        if rule == BY_TIME:
            begins = begins // span_ns * span_ns
            if state.trades > 0 and begins > state.ts_ns:
                finish(state, made[count])
                count += 1
        take(state, begins, price[i], size[i])
        state.row += 1
        if (rule == BY_VOLUME and state.volume >= threshold) or (rule == BY_WORTH and state.worth >= threshold):
            finish(state, made[count])
            count += 1
    return len(ts_ns), count


@compiled
def take(state: Any, ts_ns: int, price: float, size: float) -> None:
    """Adds a trade to the bar that is being made."""
    if state.trades == 0:
        state.ts_ns = ts_ns
        state.open = state.high = state.low = price
        state.volume = 0.0
        state.worth = 0.0
    state.high = max(state.high, price)
    state.low = min(state.low, price)
    state.close = price
    state.volume += size
    state.worth += price * size
    state.trades += 1


@compiled
def finish(state: Any, bar: Any) -> None:
    """Writes the bar that was being made; the next one begins with the next trade."""
    bar.ts_ns = state.ts_ns
    bar.trades = state.trades
    bar.open, bar.high, bar.low, bar.close = state.open, state.high, state.low, state.close
    bar.volume = state.volume
    bar.told_before = state.row
    state.trades = 0
