"""Market data of any length, in chunks that fit into memory: the stream that a backtest runs over.

Several sources become one stream in the order in which things become known. Rows of one moment keep the order of their sources,
and rows of one source theirs. What is known when, and which source comes first, is decided where the sources are made
(``traider.research.market``); the rules are on one page, ``docs/market-data.md``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ..domain.vocabulary import EventKind
from ..kernel.loop import Shape
from .tape import Tape

Integers = np.ndarray[Any, np.dtype[np.int64]]
_NO_NUMBERS = np.zeros(0)


class Stream(Protocol):
    """``rows``: how many events; ``kinds``: a bit mask, 1 << kind, of what may be among them; ``instruments``: how many."""

    @property
    def rows(self) -> int: ...

    @property
    def kinds(self) -> int: ...

    @property
    def instruments(self) -> int: ...

    def chunks(self) -> Iterator[Tape]:
        """All events in order; any number of times. Each chunk says what the whole stream may hold."""
        ...


def shape_of(stream: Stream) -> Shape:
    """What a compiled loop is made for."""
    return Shape(stream.kinds, stream.instruments == 1)


class Chunk(Protocol):
    """Columns of events, as a tape has them."""

    def columns(self) -> tuple[Any, ...]: ...


@dataclass(frozen=True)
class Line:
    """One source: its chunks in the order in which they become known.

    ``delays_ns`` is how long after its time a row is known, for each instrument of the stream: a bar's interval, else 0.
    """

    chunks: Callable[[], Iterator[Chunk]]
    delays_ns: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Merged:
    """The stream of several lines. Of rows that are known at one moment those of an earlier line come first."""

    lines: Sequence[Line]
    rows: int
    kinds: int
    instruments: int

    def chunks(self) -> Iterator[Tape]:
        if len(self.lines) == 1:
            yield from (self._tape(chunk.columns()) for chunk in self.lines[0].chunks())
            return
        heads = [_Head(line) for line in self.lines]
        while waiting := [head for head in heads if head.is_waiting()]:
            # Whatever has not been read comes after the last row of the line whose last row comes first.
            nearest = min(range(len(waiting)), key=lambda at: (waiting[at].last_ns, at))
            until_ns = waiting[nearest].last_ns
            taken = [head.take(until_ns, including=at <= nearest) for at, head in enumerate(waiting)]
            known = np.concatenate([known_ns for known_ns, _ in taken])
            order = np.argsort(known, kind="stable")
            columns = [self._full(columns) for _, columns in taken]
            yield self._tape([np.concatenate(pieces)[order] for pieces in zip(*columns, strict=True)])

    def _full(self, columns: Sequence[Any]) -> list[Any]:
        """The columns with zeros where other sources have numbers, and nothing where none has any."""
        rows = len(columns[0])
        return [*columns[:3], *(column if len(column) == rows else np.zeros(rows) for column in columns[3:])]

    def _tape(self, columns: Sequence[Any]) -> Tape:
        rows, width = len(columns[0]), _width(self.kinds)
        values = [
            _NO_NUMBERS if number >= width else column if len(column) == rows else np.zeros(rows)
            for number, column in enumerate(columns[3:])
        ]
        return Tape(*columns[:3], *values, kinds=self.kinds, instruments=self.instruments)


def _width(kinds: int) -> int:
    """How many of the columns a..e events of these kinds have, at most; the loop reads three of any."""
    if kinds & 1 << EventKind.BAR:
        return 5
    return 4 if kinds & 1 << EventKind.QUOTE else 3


@dataclass
class _Head:
    """What of a line has been read and not yet been taken."""

    line: Line
    _chunks: Iterator[Chunk] = field(init=False)
    _known_ns: Integers = field(init=False, default_factory=lambda: np.zeros(0, np.int64))
    _columns: list[Any] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._chunks = self.line.chunks()

    def is_waiting(self) -> bool:
        """Whether there are rows to take; reads on when all that was read has been taken."""
        while not len(self._known_ns):
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self._columns = list(chunk.columns())
            self._known_ns = self._columns[0] + _delays(self._columns[2], self.line.delays_ns)
        return True

    @property
    def last_ns(self) -> int:
        return int(self._known_ns[-1])

    def take(self, until_ns: int, *, including: bool) -> tuple[Integers, list[Any]]:
        """The rows that are known before that moment, or at it."""
        cut = int(np.searchsorted(self._known_ns, until_ns, side="right" if including else "left"))
        taken = self._known_ns[:cut], [column[:cut] for column in self._columns]
        self._known_ns, self._columns = self._known_ns[cut:], [column[cut:] for column in self._columns]
        return taken


def _delays(inst: Any, delays_ns: tuple[int, ...]) -> Any:
    return delays_ns[0] if len(set(delays_ns)) == 1 else np.array(delays_ns, np.int64)[inst]


def whole(stream: Stream) -> Tape:
    """The stream in memory once, for what goes over it many times. It has at least one event."""
    if isinstance(stream, Tape):
        return stream
    columns: list[Any] = []
    at = 0
    for chunk in stream.chunks():
        if not len(chunk):
            continue
        found = chunk.columns()
        if not columns:
            columns = [np.empty(stream.rows if len(column) else 0, column.dtype) for column in found]
        for column, values in zip(columns, found, strict=True):
            column[at : at + len(values)] = values
        at += len(chunk)
    return Tape(*columns, kinds=stream.kinds, instruments=stream.instruments)
