"""Where the messages of a recorded book begin and end, against the rule written out row by row."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traider.domain.vocabulary import BOOK_CLEAR, BOOK_END, EventKind
from traider.storage.market.block import Block, BookColumns
from traider.storage.market.messages import Messages
from traider.storage.market.rows import Rows

BID, ASK, TRADE = 1.0, -1.0, 0.0
Row = tuple[int, int, float, bool, int]  # time, instrument, level, snapshot, seq


def ascending(rows: list[Row]) -> list[Row]:
    """Times and numbers of messages as sums of these steps; of trades no row is a snapshot's."""
    times, seqs = np.cumsum([row[0] // 2 for row in rows]).tolist(), np.cumsum([row[4] for row in rows]).tolist()
    return [(ts, row[1], row[2], row[3] and row[2] != TRADE, seq) for row, ts, seq in zip(rows, times, seqs, strict=True)]


rows_of_books = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.sampled_from([BID, ASK, TRADE]), st.booleans(), st.integers(0, 1)), min_size=1
).map(ascending)


def flags(rows: Sequence[Row], cuts: Sequence[int], *, has_seq: bool) -> list[int]:
    messages = Messages(has_seq=has_seq)
    pieces: list[Rows] = []
    bounds = [0, *sorted(cut for cut in cuts if 0 < cut < len(rows)), len(rows)]
    for start, stop in pairwise(bounds):
        if start < stop:
            block = block_of(rows[start:stop], start, has_seq=has_seq)
            assert block.book is not None
            if (settled := messages.add(block, block.book)) is not None:
                pieces.append(settled)
    if (rest := messages.finish()) is not None:
        pieces.append(rest)
    whole = Rows.joined(pieces)
    assert whole.a.tolist() == list(range(len(rows)))  # every row once, in order
    kinds = [EventKind.TRADE if row[2] == TRADE else EventKind.DEPTH for row in rows]
    return [int(code) - kind for code, kind in zip(whole.kind, kinds, strict=True)]


def block_of(rows: Sequence[Row], at: int, *, has_seq: bool) -> Block:
    ts, inst, level, snapshot, seq = (np.array(column) for column in zip(*rows, strict=True))
    numbers: dict[str, Any] = {"price": np.arange(at, at + len(rows), dtype=np.float64), "size": np.ones(len(rows))}
    book = BookColumns(level, snapshot, seq.astype(np.int64) if has_seq else None)
    return Block(at, ts.astype(np.int64), inst.astype(np.uint16), numbers, np.zeros(len(rows)), book)


def by_the_rule(rows: Sequence[Row], *, has_seq: bool) -> list[int]:
    """The rule of ``docs/market-data.md``, with every row in sight."""
    found = [0] * len(rows)
    depth = [at for at, row in enumerate(rows) if row[2] != TRADE]
    for before, at in zip([None, *depth], depth, strict=False):
        _, inst, _, snapshot, seq = rows[at]
        begins = before is None or rows[before][1] != inst
        if snapshot and (begins or (rows[before][4] != seq if has_seq else not rows[before][3])):  # type: ignore[index]
            found[at] |= BOOK_CLEAR
    if has_seq:
        for at, after in zip(depth, [*depth[1:], None], strict=False):
            if after is None or (rows[after][1], rows[after][4]) != (rows[at][1], rows[at][4]):
                found[at] |= BOOK_END
        return found
    start = 0
    for at, row in enumerate(rows):
        if at + 1 == len(rows) or rows[at + 1][:2] != row[:2]:
            if any(moment[2] != TRADE for moment in rows[start : at + 1]):
                found[at] |= BOOK_END
            start = at + 1
    return found


@pytest.mark.parametrize("has_seq", [True, False])
@given(rows=rows_of_books, cuts=st.lists(st.integers(0, 40)))
def test_flags_follow_the_rule_wherever_the_file_is_read_in_pieces(rows: list[Row], cuts: list[int], has_seq: bool) -> None:
    assert flags(rows, cuts, has_seq=has_seq) == by_the_rule(rows, has_seq=has_seq)


def test_a_snapshot_is_cleared_once_and_seen_at_its_end() -> None:
    rows = [
        (0, 0, BID, True, 5),
        (0, 0, ASK, True, 5),
        (1, 0, BID, False, 6),
        (1, 0, TRADE, False, 0),
        (1, 0, ASK, False, 6),
        (2, 0, TRADE, False, 0),
    ]
    assert flags(rows, [], has_seq=True) == [BOOK_CLEAR, BOOK_END, 0, 0, BOOK_END, 0]
    assert flags(rows, [], has_seq=False) == [BOOK_CLEAR, BOOK_END, 0, 0, BOOK_END, 0]


def test_without_numbers_a_moment_may_end_with_a_trade() -> None:
    rows = [(0, 0, BID, False, 0), (0, 0, TRADE, False, 0), (1, 0, TRADE, False, 0), (2, 0, ASK, False, 0)]
    assert flags(rows, [], has_seq=False) == [0, BOOK_END, 0, BOOK_END]


def test_two_snapshots_in_a_row_are_told_apart_by_their_numbers() -> None:
    rows = [(0, 0, BID, True, 1), (0, 0, ASK, True, 1), (0, 0, BID, True, 2), (0, 0, ASK, True, 2)]
    assert flags(rows, [], has_seq=True) == [BOOK_CLEAR, BOOK_END, BOOK_CLEAR, BOOK_END]
    assert flags(rows, [], has_seq=False) == [BOOK_CLEAR, 0, 0, BOOK_END]


def test_many_trades_behind_a_message_are_not_held_back_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traider.storage.market.messages._LONGEST_WAIT", 3)
    rows = [(0, 0, BID, False, 1), *[(n, 0, TRADE, False, 0) for n in range(10)]]
    messages = Messages(has_seq=True)
    given_out = []
    for at, row in enumerate(rows):
        block = block_of([row], at, has_seq=True)
        assert block.book is not None
        settled = messages.add(block, block.book)
        given_out.append(0 if settled is None else len(settled))
    assert given_out == [0, 0, 0, 4, *[1] * 7]
