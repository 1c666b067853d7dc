"""The order book against a dictionary of levels: whatever comes, in and out of its window."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traider.domain.errors import DataError
from traider.kernel.book import FAR, FAR_LIMIT, WINDOW
from traider.kernel.order_book import OrderBook

BID, ASK = 1, -1


class Levels:
    """The same as a dictionary; prices in cents."""

    def __init__(self) -> None:
        self.sizes: dict[int, dict[int, float]] = {BID: {}, ASK: {}}

    def set_level(self, side: int, cents: int, size: float) -> float:
        before = self.sizes[side].get(cents, 0.0)
        if size:
            self.sizes[side][cents] = size
        else:
            self.sizes[side].pop(cents, None)
        return before

    def best_first(self, side: int) -> list[tuple[float, float]]:
        return [(cents / 100, size) for cents, size in sorted(self.sizes[side].items(), reverse=side == BID)]


def shown(book: OrderBook, side: int, count: int) -> list[tuple[float, float]]:
    price, size = (book.bid, book.bid_size) if side == BID else (book.ask, book.ask_size)
    return [(price(level), size(level)) for level in range(count)]


def assert_same(book: OrderBook, levels: Levels) -> None:
    for side in (BID, ASK):
        expected = levels.best_first(side)
        assert book.levels(side) == len(expected)
        assert shown(book, side, len(expected)) == expected
        for price, size in expected:
            assert book.size_at(side, price) == size


# levels near one another, at the window's ends, and as far away as real books have them
cents = st.one_of(
    st.integers(1, 300),
    st.integers(WINDOW - 5, WINDOW + 5),
    st.integers(3 * WINDOW // 4 - 5, 3 * WINDOW // 4 + 5),
    st.integers(1, 10**12),
)
changes = st.lists(st.tuples(st.sampled_from((BID, ASK)), cents, st.sampled_from((0.0, 0.0, 1.0, 2.5))), max_size=60)


@given(changes)
def test_the_book_is_what_a_dictionary_of_levels_is(rows: list[tuple[int, int, float]]) -> None:
    book, levels = OrderBook("0.01"), Levels()
    for side, price, size in rows:
        assert book.set_level(side, price / 100, size) == levels.set_level(side, price, size)
        best = {each: levels.best_first(each) for each in (BID, ASK)}
        assert book.best_bid() == best[BID][0][0] if best[BID] else math.isnan(book.best_bid())
        assert book.best_ask() == best[ASK][0][0] if best[ASK] else math.isnan(book.best_ask())
    assert_same(book, levels)


@given(changes, changes)
def test_a_cleared_book_is_as_good_as_a_new_one(first: list[tuple[int, int, float]], then: list[tuple[int, int, float]]) -> None:
    book, levels = OrderBook("0.01"), Levels()
    for side, price, size in first:
        book.set_level(side, price / 100, size)
    book.clear()
    assert_same(book, levels)
    for side, price, size in then:
        book.set_level(side, price / 100, size)
        levels.set_level(side, price, size)
    assert_same(book, levels)


def test_the_window_follows_the_price_however_far_it_goes() -> None:
    """Up by ten windows and down again, in steps smaller and larger than one; what was left behind is still there."""
    book, levels = OrderBook("0.01"), Levels()
    for path in (range(1_000, 10 * WINDOW, WINDOW // 3), range(10 * WINDOW, 1_000, -2 * WINDOW)):
        for price in path:
            for side, at in ((BID, price), (ASK, price + 1)):
                book.set_level(side, at / 100, 1.0)
                levels.set_level(side, at, 1.0)
            for side in (ASK, BID):  # what the price has gone through is gone
                for gone in [cents for cents in levels.sizes[side] if (cents > price if side == BID else cents <= price)]:
                    book.set_level(side, gone / 100, 0.0)
                    levels.set_level(side, gone, 0.0)
            assert_same(book, levels)


def test_what_is_asked_of_a_book() -> None:
    book = OrderBook("0.5")
    for price, size in ((100.0, 1.0), (99.5, 2.0), (98.0, 4.0)):
        book.set_level(BID, price, size)
    for price, size in ((101.0, 3.0), (103.0, 1.0)):
        book.set_level(ASK, price, size)
    assert book.mid() == 100.5
    assert book.spread() == 1.0
    assert book.imbalance(1) == (1.0 - 3.0) / 4.0
    assert book.imbalance(5) == (7.0 - 4.0) / 11.0
    assert book.vwap(1, 3.5) == (3.0 * 101.0 + 0.5 * 103.0) / 3.5, "buying takes the asks"
    assert book.vwap(-1, 2.0) == (100.0 + 99.5) / 2.0, "selling takes the bids"
    assert math.isnan(book.vwap(1, 4.5)), "the book holds 4"
    assert math.isnan(book.vwap(1, 0.0))
    assert math.isnan(book.bid(3))
    assert math.isnan(book.ask(-1))
    assert book.bid_size(3) == 0.0


def test_an_empty_book_has_no_price() -> None:
    book = OrderBook("0.01")
    assert all(math.isnan(value) for value in (book.best_bid(), book.best_ask(), book.mid(), book.spread(), book.imbalance(3)))
    assert book.levels(BID) == 0


def fill_up(book: OrderBook) -> None:
    for number in range(FAR_LIMIT + 1):
        book.set_level(BID, 1.0 + number / 100, 1.0)


def test_more_levels_far_from_the_touch_than_there_is_room_for_are_refused() -> None:
    book = OrderBook("0.01")
    book.set_level(BID, 1e9, 1.0)
    with pytest.raises(DataError, match="more than 98,304 levels far from its best price"):
        fill_up(book)


def test_a_window_of_more_levels_than_there_is_room_for_is_refused_when_the_price_leaves_it() -> None:
    """All of them fit into the window, and have to leave it at once; a full table would be searched for ever."""
    book = OrderBook("0.01")
    for number in range(FAR + 10):
        book.set_level(BID, 10_000.0 - number / 100, 1.0)
    with pytest.raises(DataError, match="more than 98,304 levels far from its best price"):
        book.set_level(BID, 1e9, 1.0)
