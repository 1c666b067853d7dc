"""The prices of a stream's first instrument: what statistics and charts of the market are made of."""

from typing import Any, NamedTuple

import numpy as np

from ...domain.vocabulary import BAR_MADE, KIND_BITS, EventKind
from ...kernel.ladder import Ladder
from ..tape import Floats, Tape

_TRADE, _QUOTE, _BAR, _DEPTH = (1 << kind for kind in (EventKind.TRADE, EventKind.QUOTE, EventKind.BAR, EventKind.DEPTH))


Rows = np.ndarray[Any, np.dtype[np.int64]]


class Prices(NamedTuple):
    """Equal-length columns, one row an event that has a price. Of a trade, a quote or a book all four are the same."""

    ts_ns: np.ndarray[Any, np.dtype[np.int64]]
    open: Floats
    high: Floats
    low: Floats
    close: Floats


class PriceReader:
    """Trades have their price, bars their own four, quotes their middle. Until the first of these the middle of the book counts.

    A recording of a quiet time may hold a book and no trade, and of another instrument's trades nothing can be said of this one.
    Bars that were made of the trades in the same stream don't count: their trades do. Chunks are read in their order.
    """

    def __init__(self, kinds: int) -> None:
        self._ladder = Ladder() if kinds & _DEPTH else None

    def of(self, chunk: Tape) -> Prices:
        if chunk.instruments == 1 and chunk.kinds == _BAR:
            return Prices(chunk.ts_ns, chunk.a, chunk.b, chunk.c, chunk.d)
        if chunk.instruments == 1 and chunk.kinds == _TRADE:
            return Prices(chunk.ts_ns, chunk.a, chunk.a, chunk.a, chunk.a)
        rows = _priced(chunk)
        if self._ladder is None:
            return _of_events(chunk, rows)
        before = int(rows[0]) if len(rows) else len(chunk)
        of_book = _of_book(chunk.part(0, before), self._ladder)
        if not len(rows):
            return of_book
        self._ladder = None
        of_events = _of_events(chunk, rows)
        return Prices(*(np.concatenate(columns) for columns in zip(of_book, of_events, strict=True)))


def _of_book(chunk: Tape, ladder: Ladder) -> Prices:
    mine = np.flatnonzero(chunk.inst == 0)
    mids = ladder.mids(chunk.kind[mine], chunk.a[mine], chunk.b[mine], chunk.c[mine])
    known = ~np.isnan(mids)
    mids = mids[known]
    return Prices(chunk.ts_ns[mine][known], mids, mids, mids, mids)


def _priced(chunk: Tape) -> Rows:
    """The rows of the first instrument's trades, quotes and recorded bars."""
    bits = chunk.kind & np.uint8(KIND_BITS)
    mine = (chunk.inst == 0) & ((bits == EventKind.TRADE) | (bits == EventKind.QUOTE) | (bits == EventKind.BAR))
    return np.flatnonzero(mine & (chunk.kind & np.uint8(BAR_MADE) == 0))


def _of_events(chunk: Tape, rows: Rows) -> Prices:
    bits = chunk.kind[rows] & np.uint8(KIND_BITS)
    first = chunk.a[rows].copy()
    if chunk.kinds & _QUOTE:
        quotes = bits == EventKind.QUOTE
        first[quotes] = (first[quotes] + chunk.c[rows][quotes]) / 2
    high, low, close = first, first, first
    if chunk.kinds & _BAR:
        bars = bits == EventKind.BAR
        high, low, close = (np.where(bars, column[rows], first) for column in (chunk.b, chunk.c, chunk.d))
    return Prices(chunk.ts_ns[rows], first, high, low, close)
