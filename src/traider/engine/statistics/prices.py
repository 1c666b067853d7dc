"""The prices of a stream's first instrument: what statistics and charts of the market are made of."""

from typing import Any, NamedTuple

import numpy as np

from ...domain.vocabulary import BAR_MADE, KIND_BITS, EventKind
from ...kernel.ladder import Ladder
from ..tape import Floats, Tape

_TRADE, _QUOTE, _BAR, _DEPTH = (1 << kind for kind in (EventKind.TRADE, EventKind.QUOTE, EventKind.BAR, EventKind.DEPTH))


class Prices(NamedTuple):
    """Equal-length columns, one row an event that has a price. Of a trade, a quote or a book all four are the same."""

    ts_ns: np.ndarray[Any, np.dtype[np.int64]]
    open: Floats
    high: Floats
    low: Floats
    close: Floats


class PriceReader:
    """Trades have their price, bars their own four, quotes their middle. The middle of the book counts where nothing else has a price.

    Bars that were made of the trades in the same stream don't count: their trades do. Chunks are read in their order.
    """

    def __init__(self, kinds: int) -> None:
        self._ladder = Ladder() if kinds & _DEPTH and not kinds & (_TRADE | _QUOTE | _BAR) else None

    def of(self, chunk: Tape) -> Prices:
        if chunk.instruments == 1 and chunk.kinds == _BAR:
            return Prices(chunk.ts_ns, chunk.a, chunk.b, chunk.c, chunk.d)
        if chunk.instruments == 1 and chunk.kinds == _TRADE:
            return Prices(chunk.ts_ns, chunk.a, chunk.a, chunk.a, chunk.a)
        if self._ladder is not None:
            return self._of_book(chunk, self._ladder)
        return _of_events(chunk)

    def _of_book(self, chunk: Tape, ladder: Ladder) -> Prices:
        mine = np.flatnonzero(chunk.inst == 0)
        mids = ladder.mids(chunk.kind[mine], chunk.a[mine], chunk.b[mine], chunk.c[mine])
        known = ~np.isnan(mids)
        mids = mids[known]
        return Prices(chunk.ts_ns[mine][known], mids, mids, mids, mids)


def _of_events(chunk: Tape) -> Prices:
    bits = chunk.kind & np.uint8(KIND_BITS)
    mine = (chunk.inst == 0) & ((bits == EventKind.TRADE) | (bits == EventKind.QUOTE) | (bits == EventKind.BAR))
    rows = np.flatnonzero(mine & (chunk.kind & np.uint8(BAR_MADE) == 0))
    bits = bits[rows]
    first = chunk.a[rows].copy()
    if chunk.kinds & _QUOTE:
        quotes = bits == EventKind.QUOTE
        first[quotes] = (first[quotes] + chunk.c[rows][quotes]) / 2
    high, low, close = first, first, first
    if chunk.kinds & _BAR:
        bars = bits == EventKind.BAR
        high, low, close = (np.where(bars, column[rows], first) for column in (chunk.b, chunk.c, chunk.d))
    return Prices(chunk.ts_ns[rows], first, high, low, close)
