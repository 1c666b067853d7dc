"""The ladder's best prices against a plain dictionary of levels."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from traider.domain.vocabulary import BOOK_CLEAR, BOOK_END, EventKind
from traider.kernel.ladder import Ladder

DEPTH = int(EventKind.DEPTH)
Row = tuple[int, float, float, float]  # kind with flags, price, size, side

rows_of_depth = st.lists(
    st.tuples(
        st.sampled_from([DEPTH, DEPTH | BOOK_END, DEPTH | BOOK_CLEAR | BOOK_END, int(EventKind.TRADE), EventKind.TRADE | BOOK_END]),
        st.integers(1, 12).map(float),
        st.sampled_from([0.0, 1.0]),
        st.sampled_from([1.0, -1.0]),
    ),
    min_size=1,
)


def by_the_book(rows: list[Row]) -> list[tuple[float, float] | None]:
    """Best bid and ask behind each row."""
    levels: dict[float, set[float]] = {1.0: set(), -1.0: set()}
    touches = []
    for kind, price, size, side in rows:
        if kind & 0x1F == DEPTH:
            if kind & BOOK_CLEAR:
                levels = {1.0: set(), -1.0: set()}
            (levels[side].add if size else levels[side].discard)(price)
        touches.append((max(levels[1.0]), min(levels[-1.0])) if levels[1.0] and levels[-1.0] else None)
    return touches


def columns(rows: list[Row]) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    kind, *numbers = zip(*rows, strict=True)
    return [np.array(kind, np.uint8), *(np.array(column, np.float64) for column in numbers)]


@given(rows_of_depth, st.integers(0, 20))
def test_the_best_prices_are_those_of_a_plain_dictionary(rows: list[Row], cut: int) -> None:
    touches = by_the_book(rows)
    ladder, mids = Ladder(), []
    for part in (rows[:cut], rows[cut:]):
        if part:
            mids += ladder.mids(*columns(part)).tolist()
    assert ladder.touch() == touches[-1]
    expected = [sum(touch) / 2 if kind & BOOK_END and touch else math.nan for (kind, *_), touch in zip(rows, touches, strict=True)]
    np.testing.assert_equal(mids, expected)


@given(rows_of_depth)
def test_the_first_message_that_leaves_it_crossed_is_found(rows: list[Row]) -> None:
    touches = zip(rows, by_the_book(rows), strict=True)
    crossed = [number for number, (row, touch) in enumerate(touches) if row[0] & BOOK_END and touch and touch[0] >= touch[1]]
    ladder = Ladder()
    found = ladder.follow(*columns(rows))
    assert found == (crossed[0] if crossed else -1)
    if crossed:
        assert ladder.touch() == by_the_book(rows)[found]


def test_there_is_room_for_any_number_of_levels() -> None:
    rows = [(DEPTH, float(price), 1.0, 1.0) for price in range(1, 5001)] + [(DEPTH, 5001.0, 1.0, -1.0)]
    ladder = Ladder()
    assert ladder.follow(*columns(rows)) == -1
    assert ladder.touch() == (5000.0, 5001.0)
