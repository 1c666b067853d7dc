"""Market events in columns: what a session runs over.

Columns and not records, because a strategy on closes then reads 27 bytes an event instead of 64 (``docs/adr/0003``).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..domain.guard_protocol import MarketEvent
from ..domain.vocabulary import KIND_BITS, EventKind
from ..kernel.loop import Shape

Floats = np.ndarray[Any, np.dtype[np.float64]]
_EMPTY = np.zeros(0)
_PIECE = 65_536  # rows looked at together, so that it takes no memory worth mentioning


@dataclass(frozen=True)
class Tape:
    """Equal-length columns in the order in which things become known; a..e as ``EventKind`` says, empty where no event has them.

    ``kinds`` is a bit mask, 1 << kind, of the kinds that the stream which the tape is a chunk of may hold, ``instruments`` how
    many instruments that stream has. Both are looked up in the tape itself when they are left at 0. A tape by itself is a
    stream of one chunk.
    """

    ts_ns: np.ndarray[Any, np.dtype[np.int64]]
    kind: np.ndarray[Any, np.dtype[np.uint8]]
    inst: np.ndarray[Any, np.dtype[np.uint16]]
    a: Floats
    b: Floats
    c: Floats
    d: Floats
    e: Floats
    kinds: int = field(default=0, kw_only=True)
    instruments: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        if not self.kinds:
            object.__setattr__(self, "kinds", _kinds_in(self.kind))
        if not self.instruments:
            object.__setattr__(self, "instruments", int(self.inst.max()) + 1 if len(self.inst) else 1)

    def __len__(self) -> int:
        return len(self.ts_ns)

    @property
    def rows(self) -> int:
        return len(self)

    def chunks(self) -> Iterator["Tape"]:
        """The tape itself."""
        yield self

    @property
    def shape(self) -> Shape:
        """What a compiled loop is made for."""
        return Shape(self.kinds, self.instruments == 1)

    def columns(self) -> tuple[Any, Any, Any, Any, Any, Any, Any, Any]:
        """In the order in which a driver takes them."""
        return self.ts_ns, self.kind, self.inst, self.a, self.b, self.c, self.d, self.e

    def head(self, count: int) -> "Tape":
        """The first ``count`` events, without a copy."""
        return self.part(0, count)

    def part(self, start: int, stop: int) -> "Tape":
        """The events from ``start`` to before ``stop``, without a copy; of the same stream."""
        return Tape(*(column[start:stop] for column in self.columns()), kinds=self.kinds, instruments=self.instruments)

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in self.columns())


def _kinds_in(kind: np.ndarray[Any, np.dtype[np.uint8]]) -> int:
    found = 0
    for start in range(0, len(kind), _PIECE):
        counts = np.bincount(kind[start : start + _PIECE] & np.uint8(KIND_BITS), minlength=KIND_BITS + 1)
        found |= sum(1 << number for number in np.flatnonzero(counts).tolist())
    return found


def bars_tape(ts_ns: np.ndarray[Any, np.dtype[np.int64]], open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats) -> Tape:
    """A tape of one instrument's bars."""
    return _one_instrument(EventKind.BAR, ts_ns, open_, high, low, close, volume)


def trades_tape(ts_ns: np.ndarray[Any, np.dtype[np.int64]], price: Floats, size: Floats, side: Floats) -> Tape:
    """A tape of one instrument's trades; ``side`` is the taker's, +1, -1 or 0."""
    return _one_instrument(EventKind.TRADE, ts_ns, price, size, side, _EMPTY, _EMPTY)


def _one_instrument(kind: EventKind, ts_ns: np.ndarray[Any, np.dtype[np.int64]], *values: Floats) -> Tape:
    rows = len(ts_ns)
    return Tape(ts_ns, np.full(rows, int(kind), np.uint8), np.zeros(rows, np.uint16), *values, kinds=1 << kind, instruments=1)


def tape_of(events: Sequence[MarketEvent], numbers: dict[str, int], *, kinds: int = 0) -> Tape:
    """A tape of live events; ``numbers`` are the account's numbers of the symbols, ``kinds`` what the market may bring later."""
    return Tape(
        np.array([event.ts_ns for event in events], np.int64),
        np.array([int(event.kind) | event.flags for event in events], np.uint8),
        np.array([numbers[event.symbol] for event in events], np.uint16),
        *(np.array([getattr(event, name) for event in events], np.float64) for name in "abcde"),
        kinds=kinds,
        instruments=len(numbers),
    )


_ROW = struct.Struct("=q5dHB")  # ts_ns, a..e, inst, kind: the widest first, so that each lies where its type wants to


class OneRow:
    """A tape of one event, written over for each: to make eight arrays takes several times as long as to fill them.

    ``numbers`` and ``kinds`` are those of ``tape_of``.
    """

    def __init__(self, numbers: dict[str, int], *, kinds: int = 0) -> None:
        self._numbers = numbers
        memory = np.zeros(_ROW.size, np.uint8)
        floats = memory[8:48].view(np.float64)
        self._memory: Any = memory
        self._columns: Any = (
            memory[:8].view(np.int64),
            memory[50:51],
            memory[48:50].view(np.uint16),
            *(floats[place : place + 1] for place in range(5)),
        )
        self._tapes: dict[int, Tape] = {}
        self._kinds = kinds

    def of(self, event: MarketEvent) -> Tape:
        """The event as a tape, until the next is asked for; the same as ``tape_of`` that event alone."""
        _ROW.pack_into(
            self._memory, 0, event.ts_ns, event.a, event.b, event.c, event.d, event.e, self._numbers[event.symbol], event.kind | event.flags
        )
        kinds = self._kinds or 1 << event.kind
        tape = self._tapes.get(kinds)
        if tape is None:
            tape = self._tapes[kinds] = Tape(*self._columns, kinds=kinds, instruments=len(self._numbers))
        return tape
