"""Rows of a file as market events in columns, as ``traider.domain.vocabulary.EventKind`` has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...domain.vocabulary import EventKind
from .block import Block, Numbers16
from .formats import BARS, FUNDING, QUOTES
from .values import Floats, Integers

_EMPTY = np.zeros(0)


@dataclass(frozen=True)
class Rows:
    """Equal-length columns; those of a..e that no row of the file has are empty. ``inst`` numbers the file's symbols."""

    ts_ns: Integers
    kind: "np.ndarray[Any, np.dtype[np.uint8]]"
    inst: Numbers16
    a: Floats
    b: Floats
    c: Floats
    d: Floats
    e: Floats

    def __len__(self) -> int:
        return len(self.ts_ns)

    def columns(self) -> tuple[Any, ...]:
        return self.ts_ns, self.kind, self.inst, self.a, self.b, self.c, self.d, self.e

    def part(self, start: int, stop: int) -> "Rows":
        """The rows from ``start`` to before ``stop``, without a copy."""
        return Rows(*(column[start:stop] for column in self.columns()))

    @staticmethod
    def joined(pieces: "Sequence[Rows]") -> "Rows":
        return Rows(*(np.concatenate(columns) for columns in zip(*(piece.columns() for piece in pieces), strict=True)))


def rows_of(block: Block) -> Rows:
    """The block's rows as events, without flags."""
    values = list(block.numbers.values())
    if block.book is not None:
        level = block.book.level
        kind = np.where(level != 0, np.uint8(EventKind.DEPTH), np.uint8(EventKind.TRADE))
        values.append(level if block.side is None else level + block.side)  # one of the two is 0
    else:
        names = tuple(block.numbers)
        kinds = {BARS.numbers: EventKind.BAR, QUOTES.numbers: EventKind.QUOTE, FUNDING.numbers: EventKind.FUNDING}
        kind = np.full(len(block), int(kinds.get(names, EventKind.TRADE)), np.uint8)
        if block.side is not None:
            values.append(block.side)
    return Rows(block.ts_ns, kind, block.inst, *values, *[_EMPTY] * (5 - len(values)))
