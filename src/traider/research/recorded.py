"""Recorded market data as the look-ahead check takes them: one stream in memory that knows where each of its rows lies in the files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from traider.domain.errors import DataError
from traider.domain.vocabulary import BOOK_END, KIND_BITS, EventKind
from traider.engine.lookahead.futures import Floats, Grid
from traider.engine.lookahead.traces import Integers
from traider.engine.tape import Tape
from traider.storage.market import FileKind, MarketFile, Rows
from traider.storage.market.increment import MAX_TICKS

from .lines import files_in_order
from .market import MarketData

_ROOM = 4.0  # times the highest recorded price that another future may reach


@dataclass(frozen=True)
class Recorded:
    """``rows`` tells of each file, in the market's order, which rows of the tape are its own. ``breaks`` are the rows where a cut may come.

    A cut parts no moment, and no message of an order book.
    """

    market: MarketData
    tape: Tape
    rows: tuple[Integers, ...]
    breaks: Integers

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(file.path for file in self.market.files)

    def grids(self) -> list[Grid]:
        """Of each instrument, by number."""
        return [self._grid(number) for number in range(self.market.instruments)]

    def _grid(self, number: int) -> Grid:
        mine = (self.tape.inst == number) & (self.tape.kind & np.uint8(KIND_BITS) != EventKind.FUNDING)
        quotes = mine & (self.tape.kind & np.uint8(KIND_BITS) == EventKind.QUOTE)
        highest = max(
            (_highest(column, rows) for column, rows in ((self.tape.a, mine), (self.tape.b, mine & self._bars), (self.tape.c, quotes)))
        )
        increment = self.market.price_increments[number]
        return Grid(increment, min(highest * _ROOM, float(increment) * MAX_TICKS * 0.99))

    @property
    def _bars(self) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        bars: np.ndarray[Any, np.dtype[np.bool_]] = self.tape.kind & np.uint8(KIND_BITS) == EventKind.BAR
        return bars


def _highest(column: Floats, rows: "np.ndarray[Any, np.dtype[np.bool_]]") -> float:
    return float(column[rows].max()) if len(column) and rows.any() else 0.0


def recorded(market: MarketData) -> Recorded:
    """The market in memory, in the order in which a backtest has it; DataError for what can't be cut at one moment."""
    _check(market)
    numbers = {symbol: number for number, symbol in enumerate(market.symbols)}
    ordered = files_in_order(market.files, market.symbols)
    pieces = [_rows_of(file, numbers) for file in ordered]
    columns = [np.concatenate(column) for column in zip(*(_full(piece) for piece in pieces), strict=True)]
    order = np.argsort(columns[0], kind="stable")
    tape = Tape(*(column[order] for column in columns), kinds=market.kinds, instruments=market.instruments)
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    ends = np.cumsum([len(piece) for piece in pieces])
    of_file = {id(file): places[end - len(piece) : end] for file, piece, end in zip(ordered, pieces, ends.tolist(), strict=True)}
    unfinished = np.zeros(len(tape) + 1, np.bool_)  # a message is under way right before this row
    for file, piece in zip(ordered, pieces, strict=True):
        _mark_unfinished(unfinished, file, piece, of_file[id(file)])
    later = np.flatnonzero(np.diff(tape.ts_ns) > 0) + 1
    return Recorded(market, tape, tuple(of_file[id(file)] for file in market.files), later[~unfinished[later]])


def _check(market: MarketData) -> None:
    bars = next((file for file in market.files if file.kind is FileKind.BARS), None)
    if bars is None:
        return
    if any(file.kind is not FileKind.BARS for file in market.files):
        raise DataError(
            f"{bars.path}: holds bars, and there are {market.kind}: a bar is known at its end, so the look-ahead check takes bars alone; "
            "leave the bars or the others out"
        )
    if len({interval for file in market.files for interval in file.found.intervals_ns if interval}) > 1:
        raise DataError(f"{bars.path}: with the bars of this check some last longer than others; give bars of one length")


def _rows_of(file: MarketFile, numbers: dict[str, int]) -> Rows:
    rows = Rows.joined(list(file.chunks()))
    stream_numbers = np.array([numbers[symbol] for symbol in file.symbols], np.uint16)
    ts_ns, kind, inst, *values = rows.columns()
    return Rows(ts_ns, kind, stream_numbers[inst], *values)


def _full(rows: Rows) -> Sequence[Any]:
    heads, values = rows.columns()[:3], rows.columns()[3:]
    return [*heads, *(column if len(column) else np.zeros(len(rows)) for column in values)]


def _mark_unfinished(unfinished: "np.ndarray[Any, np.dtype[np.bool_]]", file: MarketFile, rows: Rows, places: Integers) -> None:
    """Marks the rows of the tape before which the file has a numbered message that goes on; without numbers moments are messages."""
    if "seq" not in file.source.schema.names:
        return
    depth = np.flatnonzero(rows.kind & np.uint8(KIND_BITS) == EventKind.DEPTH)
    going_on = np.flatnonzero(rows.kind[depth] & BOOK_END == 0)
    for start in going_on[np.concatenate(([True], np.diff(going_on) > 1))].tolist() if len(going_on) else ():
        stop = start
        while stop < len(depth) - 1 and not rows.kind[depth[stop]] & BOOK_END:
            stop += 1
        unfinished[places[depth[start]] + 1 : places[depth[stop]] + 1] = True
