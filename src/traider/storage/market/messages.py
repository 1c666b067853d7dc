"""Where the messages of an order book begin and end: the flags ``BOOK_CLEAR`` and ``BOOK_END`` of its rows.

With a column ``seq``, the rows of one message are the depth rows, one after the other, that have the same number; trades may
stand between. Without it, all rows of one ``ts`` are one moment, trades among them, and the book is seen at its end.
"""

from typing import Any

import numpy as np

from ...domain.vocabulary import BOOK_CLEAR, BOOK_END
from .block import Block, BookColumns
from .rows import Rows, rows_of
from .values import Flags, Integers

_LONGEST_WAIT = 262_144  # rows held back for a message that might go on; behind so many trades it is taken to have ended


class Messages:
    """Gives rows out with their flags, as soon as nothing that comes later can change them."""

    def __init__(self, *, has_seq: bool) -> None:
        self._has_seq = has_seq
        self._held: list[_Piece] = []
        self._before: tuple[int, int, bool] | None = None  # instrument, seq, snapshot: of the last depth row that was given out

    def add(self, block: Block, book: BookColumns) -> Rows | None:
        """The rows that are settled by now, those held back before first."""
        seq = book.seq if book.seq is not None else block.ts_ns
        piece = _Piece.joined([*self._held, _Piece(rows_of(block), book.level != 0, book.snapshot, seq)])
        cut = self._settled(piece)
        self._held = [piece.part(cut, len(piece))]
        return self._flagged(piece, cut) if cut else None

    def finish(self) -> Rows | None:
        """The rows that are still held back: the file's end is their message's."""
        piece = _Piece.joined(self._held)
        self._held = []
        return self._flagged(piece, len(piece)) if len(piece) else None

    def _settled(self, piece: "_Piece") -> int:
        """How many rows from the start are of messages that are known to be over."""
        if self._has_seq:
            depth = np.flatnonzero(piece.depth)
            first = int(depth[-1]) if len(depth) else len(piece)
            return first if len(piece) - first <= _LONGEST_WAIT else len(piece)
        changes = _changes(piece.rows.inst, piece.rows.ts_ns)
        return int(np.flatnonzero(changes)[-1]) + 1 if changes.any() else 0

    def _flagged(self, piece: "_Piece", count: int) -> Rows:
        """The first ``count`` rows. Their last message ends with them, or does not end as long as rows are held back behind them."""
        rows = piece.rows.part(0, count)
        depth = np.flatnonzero(piece.depth[:count])
        if not len(depth):
            return rows
        inst, seq, snapshot = piece.rows.inst[depth], piece.seq[depth], piece.snapshot[depth]
        new = np.concatenate(([True], _changes(inst, seq)))
        opens = np.concatenate(([True], (inst[1:] != inst[:-1]) | ~snapshot[:-1]))
        if self._before is not None:
            last_inst, last_seq, was_snapshot = self._before
            new[0] = (last_inst, last_seq) != (int(inst[0]), int(seq[0]))
            opens[0] = last_inst != inst[0] or not was_snapshot
        rows.kind[depth[snapshot & (new if self._has_seq else opens)]] |= BOOK_CLEAR
        rows.kind[self._ends(piece, count, depth, new)] |= BOOK_END
        self._before = int(inst[-1]), int(seq[-1]), bool(snapshot[-1])
        return rows

    def _ends(self, piece: "_Piece", count: int, depth: Integers, new: Flags) -> Integers:
        if self._has_seq:
            following = np.flatnonzero(piece.depth[count:])
            goes_on = bool(len(following)) and (
                piece.seq[depth[-1]] == piece.seq[count + following[0]]
                and piece.rows.inst[depth[-1]] == piece.rows.inst[count + following[0]]
            )
            last = np.append(new[1:], not goes_on)
            ends: Integers = depth[last]
            return ends
        moment_ends = np.append(np.flatnonzero(_changes(piece.rows.inst[:count], piece.rows.ts_ns[:count])), count - 1)
        of_depth = np.searchsorted(moment_ends, depth)
        found: Integers = moment_ends[np.unique(of_depth)]
        return found


class _Piece:
    """Rows with what decides their flags."""

    def __init__(self, rows: Rows, depth: Flags, snapshot: Flags, seq: Integers) -> None:
        self.rows, self.depth, self.snapshot, self.seq = rows, depth, snapshot, seq

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, start: int, stop: int) -> "_Piece":
        return _Piece(self.rows.part(start, stop), self.depth[start:stop], self.snapshot[start:stop], self.seq[start:stop])

    @staticmethod
    def joined(pieces: "list[_Piece]") -> "_Piece":
        if len(pieces) == 1:
            return pieces[0]
        return _Piece(
            Rows.joined([piece.rows for piece in pieces]),
            *(np.concatenate([getattr(piece, name) for piece in pieces]) for name in ("depth", "snapshot", "seq")),
        )


def _changes(*columns: "np.ndarray[Any, Any]") -> Flags:
    """Where a row differs from the one before it in one of the columns; one flag less than there are rows."""
    changed: Flags = columns[0][1:] != columns[0][:-1]
    for column in columns[1:]:
        changed = changed | (column[1:] != column[:-1])
    return changed
