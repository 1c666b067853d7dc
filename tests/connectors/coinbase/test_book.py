"""Ticks are exact, books keep what was said, and nothing is believed between a gap and the next snapshot."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.coinbase.recorded import frames
from traider.connectors.coinbase.book import ASK, BID, DictBook, Top
from traider.connectors.coinbase.book_keeper import BookKeeper
from traider.connectors.coinbase.compiled_book import CompiledBooks
from traider.connectors.coinbase.malformed import MalformedError
from traider.connectors.coinbase.messages import BookEvent, BookMessage, BookUpdate, read_message
from traider.connectors.coinbase.ticks import TickGrid, size_of

CENT = Decimal("0.01")


@given(st.integers(0, 10**12), st.sampled_from(["0.01", "0.05", "1", "5", "0.00000001", "2.5", "10"]))
def test_a_price_on_the_grid_is_its_tick_however_it_is_written(tick: int, increment: str) -> None:
    step = Decimal(increment)
    grid = TickGrid(step)
    price = tick * step
    for text in (format(price, "f"), format(price, "f") + ("000" if "." in format(price, "f") else ".000")):
        assert grid.tick(text) == tick
        assert grid.tick(text) == tick, "and so is one that was seen before"
    assert grid.price(tick) == float(price)


@pytest.mark.parametrize("text", ["1.005", "0.001", "", ".", ".5", "-1", "1e3", "NaN", "1.0.0", " 1", "１", "9" * 50])
def test_what_is_no_price_on_the_grid_is_a_typed_error(text: str) -> None:
    with pytest.raises(MalformedError):
        TickGrid(CENT).tick(text)


@pytest.mark.parametrize("text", ["", "-1", "nan", "inf", "x"])
def test_what_is_no_size_is_a_typed_error(text: str) -> None:
    with pytest.raises(MalformedError):
        size_of(text)


LEVELS = st.lists(st.tuples(st.sampled_from([BID, ASK]), st.integers(0, 30), st.sampled_from([0.0, 0.5, 1.0, 2.0])), max_size=200)


@given(LEVELS)
def test_a_book_is_what_two_dictionaries_are(updates: list[tuple[int, int, float]]) -> None:
    book, truth = DictBook(), {BID: dict[int, float](), ASK: dict[int, float]()}
    for side, tick, size in updates:
        book.apply(side, tick, size)
        if size:
            truth[side][tick] = size
        else:
            truth[side].pop(tick, None)
        bid = max(truth[BID].items(), default=(0, 0.0))
        ask = min(truth[ASK].items(), default=(0, 0.0))
        assert book.top() == Top(*bid, *ask)
    assert (book.levels(BID), book.levels(ASK)) == (truth[BID], truth[ASK])


@given(LEVELS, st.sampled_from([BID, ASK]), st.sampled_from([0.25, 0.5, 1.0, 3.5, 40.0]))
def test_how_far_a_market_order_reaches_in_either_book(updates: list[tuple[int, int, float]], side: int, size: float) -> None:
    book, compiled = DictBook(), CompiledBooks([CENT]).books[0]
    for update in updates:
        book.apply(*update)
        compiled.apply(*update)
    levels = sorted(book.levels(side).items(), reverse=side == BID)
    expected = next((tick for at, (tick, _) in enumerate(levels) if sum(there for _, there in levels[: at + 1]) >= size), None)
    assert (book.reach(side, size), compiled.reach(side, size)) == (expected, expected)


def test_a_level_that_comes_and_goes_does_not_make_the_book_grow() -> None:
    book = DictBook()
    book.apply(BID, 10, 1.0)
    for _ in range(20_000):
        book.apply(BID, 5, 1.0)
        book.apply(BID, 5, 0.0)
    assert len(book._heaps[BID]) < 2000
    assert book.top().bid_tick == 10


def test_recorded_books_equal_an_exact_replay_after_every_message() -> None:
    keepers = {product: BookKeeper(DictBook(), TickGrid(CENT)) for product in ("BTC-USD", "ETH-USD")}
    truth: dict[tuple[str, str], dict[Decimal, Decimal]] = {}
    messages = [message for message in map(read_message, frames()) if isinstance(message, BookMessage)]
    assert len(messages) > 200
    for message in messages:
        for event in message.events:
            keeper = keepers[event.product_id]
            assert keeper.take(event) is not None
            for update in event.updates:
                side = truth.setdefault((event.product_id, update.side), {})
                side[Decimal(update.price_level)] = Decimal(update.new_quantity)
            bids, asks = ({price: size for price, size in truth[event.product_id, side].items() if size} for side in ("bid", "offer"))
            best_bid, best_ask = max(bids), min(asks)
            assert keeper.top() == Top(int(best_bid * 100), float(bids[best_bid]), int(best_ask * 100), float(asks[best_ask]))
            assert best_bid < best_ask
    # the last word of the recording about BTC-USD, exact
    top = keepers["BTC-USD"].top()
    assert top is not None
    assert (top.bid_tick, top.ask_tick) == (6508366, 6508367)


def event(type: str, *rows: tuple[str, str, str]) -> BookEvent:
    return BookEvent(
        type=type, product_id="BTC-USD", updates=[BookUpdate(side=side, price_level=price, new_quantity=size) for side, price, size in rows]
    )


def test_updates_count_only_after_a_snapshot() -> None:
    keeper = BookKeeper(DictBook(), TickGrid(CENT))
    assert keeper.take(event("update", ("bid", "1.00", "5"))) is None
    assert keeper.top() is None
    assert keeper.take(event("snapshot", ("bid", "2.00", "5"), ("offer", "3.00", "1"))) == [(BID, 200, 5.0), (ASK, 300, 1.0)]
    assert keeper.top() == Top(200, 5.0, 300, 1.0)
    keeper.invalidate()
    assert keeper.take(event("update", ("bid", "2.50", "5"))) is None
    assert keeper.top() is None
    keeper.take(event("snapshot", ("bid", "1.00", "1")))
    assert keeper.top() == Top(100, 1.0, 0, 0.0), "a snapshot replaces everything"


@pytest.mark.parametrize("row", [("bid", "2.005", "1"), ("bid", "2.00", "-1"), ("middle", "2.00", "1")])
def test_an_event_that_can_not_be_read_changes_nothing(row: tuple[str, str, str]) -> None:
    keeper = BookKeeper(DictBook(), TickGrid(CENT))
    keeper.take(event("snapshot", ("bid", "2.00", "5"), ("offer", "3.00", "1")))
    for kind in ("update", "snapshot"):
        with pytest.raises(MalformedError):
            keeper.take(event(kind, ("bid", "2.50", "9"), row))
        assert keeper.top() == Top(200, 5.0, 300, 1.0)
    with pytest.raises(MalformedError):
        keeper.take(event("something else"))
