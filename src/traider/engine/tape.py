"""Market events in columns: what a session runs over.

Columns and not records, because a strategy on closes then reads 27 bytes an event instead of 64 (``docs/adr/0003``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..domain.guard_protocol import MarketEvent
from ..domain.vocabulary import KIND_BITS, EventKind
from ..kernel.loop import Shape

Floats = np.ndarray[Any, np.dtype[np.float64]]
_EMPTY = np.zeros(0)
_COLUMNS = ("ts_ns", "kind", "inst", "a", "b", "c", "d", "e")


@dataclass(frozen=True)
class Tape:
    """Equal-length columns in time order; a..e as ``EventKind`` says, empty where no event has them."""

    ts_ns: np.ndarray[Any, np.dtype[np.int64]]
    kind: np.ndarray[Any, np.dtype[np.uint8]]
    inst: np.ndarray[Any, np.dtype[np.uint16]]
    a: Floats
    b: Floats
    c: Floats
    d: Floats
    e: Floats
    kinds: int = 0  # 1 << EventKind of every kind that the whole stream may hold; 0: those of this tape
    instruments: int = 1  # how many the stream has

    def __len__(self) -> int:
        return len(self.ts_ns)

    def columns(self) -> tuple[Any, Any, Any, Any, Any, Any, Any, Any]:
        """In the order in which a driver takes them."""
        return self.ts_ns, self.kind, self.inst, self.a, self.b, self.c, self.d, self.e

    @cached_property
    def shape(self) -> Shape:
        """What a compiled loop is made for."""
        return Shape(self.kinds or kinds_of(self.kind), self.instruments == 1)

    def head(self, count: int) -> "Tape":
        """The first ``count`` events, without a copy."""
        return self.part(0, count)

    def part(self, start: int, stop: int) -> "Tape":
        """The events from ``start`` to before ``stop``, without a copy."""
        return replace(self, **{name: getattr(self, name)[start:stop] for name in _COLUMNS})

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in self.columns())


def kinds_of(kind: np.ndarray[Any, np.dtype[np.uint8]]) -> int:
    """The bit mask of the kinds among these."""
    return sum(1 << int(found) for found in np.unique(kind & KIND_BITS))


def bars_tape(ts_ns: np.ndarray[Any, np.dtype[np.int64]], open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats) -> Tape:
    """A tape of one instrument's bars."""
    kind, inst = _one_instrument(EventKind.BAR, len(ts_ns))
    return Tape(ts_ns, kind, inst, open_, high, low, close, volume, kinds=1 << EventKind.BAR)


def trades_tape(ts_ns: np.ndarray[Any, np.dtype[np.int64]], price: Floats, size: Floats, side: Floats) -> Tape:
    """A tape of one instrument's trades; ``side`` is the taker's, +1, -1 or 0."""
    kind, inst = _one_instrument(EventKind.TRADE, len(ts_ns))
    return Tape(ts_ns, kind, inst, price, size, side, _EMPTY, _EMPTY, kinds=1 << EventKind.TRADE)


def _one_instrument(kind: EventKind, rows: int) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.uint16]]]:
    return np.full(rows, int(kind), np.uint8), np.zeros(rows, np.uint16)


def tape_of(events: Sequence[MarketEvent], numbers: dict[str, int]) -> Tape:
    """A tape of live events; ``numbers`` are the account's numbers of the symbols."""
    return Tape(
        np.array([event.ts_ns for event in events], np.int64),
        np.array([int(event.kind) for event in events], np.uint8),
        np.array([numbers[event.symbol] for event in events], np.uint16),
        *_floats_of(events),
        instruments=len(numbers),
    )


def _floats_of(events: Sequence[MarketEvent]) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    a, b, c, d, e = (np.array([getattr(event, name) for event in events], np.float64) for name in "abcde")
    return a, b, c, d, e
