"""Bars made of a stream's trades, put among them: each stands before the first trade that is not in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..domain.vocabulary import BAR_MADE, KIND_BITS, EventKind
from ..kernel.aggregators import DollarBars, TimeBars, VolumeBars
from ..kernel.bar_columns import BarColumns, BarCutter
from .stream import Stream
from .tape import Tape

Maker = TimeBars | VolumeBars | DollarBars
_MADE = int(EventKind.BAR) | BAR_MADE


@dataclass(frozen=True)
class WithBars:
    """The stream with a bar of each instrument whenever one is complete. What is left of a bar at the end is not told."""

    stream: Stream
    maker: Maker

    @cached_property
    def rows(self) -> int:
        """The events and the bars; told by making them once."""
        cutting = _Cutting(self.maker, self.stream.instruments)
        return self.stream.rows + sum(len(bars.ts_ns) for chunk in self.stream.chunks() for _, _, bars in cutting.cut(chunk))

    @property
    def kinds(self) -> int:
        return self.stream.kinds | 1 << EventKind.BAR

    @property
    def instruments(self) -> int:
        return self.stream.instruments

    def chunks(self) -> Iterator[Tape]:
        cutting = _Cutting(self.maker, self.instruments)
        waiting: dict[int, list[BarColumns]] = {}  # complete, and the first trade that is not in them has not been seen
        for chunk in self.stream.chunks():
            placed: list[tuple[int, Any, BarColumns]] = []
            for number, trades, bars in cutting.cut(chunk):
                if number in waiting:
                    bars = _joined([*waiting.pop(number), bars])
                first = cutting.seen[number] - len(trades)
                inside = int(np.searchsorted(bars.told_before, cutting.seen[number]))
                placed.append((number, trades[np.maximum(bars.told_before[:inside] - first, 0)], _part(bars, 0, inside)))
                if inside < len(bars.ts_ns):
                    waiting[number] = [_part(bars, inside, None)]
            yield self._woven(chunk, placed)
        if waiting:
            last = sorted(waiting.items())
            yield self._woven(chunk.part(0, 0), [(number, np.zeros(len(bars.ts_ns), np.int64), bars) for number, (bars,) in last])

    def _woven(self, chunk: Tape, placed: Sequence[tuple[int, Any, BarColumns]]) -> Tape:
        """The chunk with bars before these of its rows."""
        rows, made = len(chunk), sum(len(bars.ts_ns) for _, _, bars in placed)
        before = np.concatenate([np.zeros(0, np.int64), *(positions for _, positions, _ in placed)])
        order = np.argsort(np.concatenate((2 * before, 2 * np.arange(rows) + 1)), kind="stable")
        heads = [
            [np.concatenate([np.zeros(0, np.int64), *(bars.ts_ns for _, _, bars in placed)])],
            [np.full(made, _MADE, np.uint8)],
            [np.concatenate([np.zeros(0, np.uint16), *(np.full(len(bars.ts_ns), number, np.uint16) for number, _, bars in placed)])],
        ]
        values = [
            [np.concatenate([np.zeros(0), *(getattr(bars, name) for _, _, bars in placed)])]
            for name in ("open", "high", "low", "close", "volume")
        ]
        columns = [
            np.concatenate((*head, column if len(column) == rows else np.zeros(rows)))[order]
            for head, column in zip(heads + values, chunk.columns(), strict=True)
        ]
        return Tape(*columns, kinds=self.kinds, instruments=self.instruments)


class _Cutting:
    """A cutter for each instrument, and how many trades of it there have been."""

    def __init__(self, maker: Maker, instruments: int) -> None:
        self._cutters = [BarCutter(maker) for _ in range(instruments)]
        self.seen = [0] * instruments

    def cut(self, chunk: Tape) -> Iterator[tuple[int, Any, BarColumns]]:
        """For each instrument with trades in the chunk its number, their rows, and the bars that they complete."""
        is_trade = chunk.kind & np.uint8(KIND_BITS) == EventKind.TRADE
        for number, cutter in enumerate(self._cutters):
            rows = np.flatnonzero(is_trade & (chunk.inst == number) if len(self._cutters) > 1 else is_trade)
            if len(rows):
                self.seen[number] += len(rows)
                yield number, rows, cutter.cut(chunk.ts_ns[rows], chunk.a[rows], chunk.b[rows])


def _part(bars: BarColumns, start: int, stop: int | None) -> BarColumns:
    return BarColumns(*(column[start:stop] for column in bars))


def _joined(pieces: Sequence[BarColumns]) -> BarColumns:
    return BarColumns(*(np.concatenate(columns) for columns in zip(*pieces, strict=True)))
