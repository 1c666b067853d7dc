"""The feed with compiled books tells what the plain one tells, whichever way a message takes."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.coinbase.fuzz_frames import BOOK_FRAMES, PRODUCTS, SNAPSHOTS, damaged, number_of
from tests.connectors.coinbase.recorded import frames
from tests.connectors.coinbase.written import frame_of
from traider.connectors.coinbase.book import ASK, BID, DictBook, Top
from traider.connectors.coinbase.compiled_book import CompiledBooks
from traider.connectors.coinbase.compiled_feed import CompiledMarketFeed
from traider.connectors.coinbase.malformed import MalformedError
from traider.connectors.coinbase.market_feed import MarketFeed
from traider.connectors.coinbase.messages import AnyMessage, read_message
from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import instrument_from_symbol

CENT = Decimal("0.01")
MARKETS = [instrument_from_symbol(symbol, price_increment=CENT, size_increment=Decimal("0.00000001")) for symbol in PRODUCTS]

LEVELS = st.lists(st.tuples(st.sampled_from([BID, ASK]), st.integers(1, 10**9), st.sampled_from([0.0, 0.5, 1.0])), max_size=60)


@given(LEVELS)
def test_a_compiled_book_is_what_a_plain_one_is_however_far_the_price_moves(updates: list[tuple[int, int, float]]) -> None:
    compiled, plain = CompiledBooks([CENT]).books[0], DictBook()
    for side, tick, size in updates:
        compiled.apply(side, tick, size)
        plain.apply(side, tick, size)
        assert compiled.top() == plain.top()
    assert (compiled.levels(BID), compiled.levels(ASK)) == (plain.levels(BID), plain.levels(ASK))
    compiled.clear()
    assert compiled.top() == Top(0, 0.0, 0, 0.0)


def test_the_compiled_feed_tells_the_same_quotes() -> None:
    slow, fast = MarketFeed(MARKETS, depth=False), CompiledMarketFeed(MARKETS, depth=False)
    taken = 0
    for number, frame in enumerate(frames()):
        message = read_message(frame)
        assert isinstance(message, AnyMessage)
        slow.on_message(message, number)
        if fast.take_frame(frame, number, number):
            taken += 1
        else:
            fast.on_message(message, number)
    assert taken == len(BOOK_FRAMES)
    assert [event for event in fast._waiting if isinstance(event, MarketEvent)] == list(slow._waiting)
    assert fast.is_whole()
    fast.on_gap("a gap")
    assert not fast.is_whole()
    assert not fast.take_frame(BOOK_FRAMES[20], number_of(BOOK_FRAMES[20]) or 0, 0)


def told(feed: MarketFeed, frame: bytes, number: int) -> tuple[str, list[object]]:
    """What goes wrong with the frame, and what is told of it, as a connection reads it that expects this number."""
    wrong = ""
    try:
        if not feed.take_frame(frame, number, number):
            message = read_message(frame)
            if isinstance(message, AnyMessage):
                feed.on_message(message, number)
    except MalformedError as error:
        wrong = str(error)
        feed.on_gap(wrong)
    events: list[object] = list(feed._waiting)
    feed._waiting.clear()
    return wrong, events


def test_of_damaged_messages_both_feeds_tell_the_same() -> None:
    slow, fast, chance = MarketFeed(MARKETS, depth=False), CompiledMarketFeed(MARKETS, depth=False), random.Random(3)
    received, again, quotes = frames(), list(SNAPSHOTS), 0
    for _ in range(3_000):
        whole = again.pop() if again else chance.choice(received)
        frame = whole if again or chance.random() < 0.7 else damaged(whole, chance)
        number = getattr(read_message(whole), "sequence_num", 0)
        wrong, events = told(slow, frame, number)
        assert told(fast, frame, number) == (wrong, events)
        assert [fast.top(symbol) for symbol in PRODUCTS] == [slow.top(symbol) for symbol in PRODUCTS]
        quotes += len(events)
        if wrong and chance.random() < 0.5:
            again = list(SNAPSHOTS)
    assert quotes > 100


def test_rows_and_other_names_take_the_long_way() -> None:
    rows = CompiledMarketFeed(MARKETS)
    assert not rows.take_frame(SNAPSHOTS[0], number_of(SNAPSHOTS[0]) or 0, 0)
    usdc = instrument_from_symbol("BTC-USDC", price_increment=CENT, size_increment=CENT)
    named = CompiledMarketFeed([usdc], depth=False, aliases={"BTC-USDC": "BTC-USD"})
    assert not named.take_frame(SNAPSHOTS[0], number_of(SNAPSHOTS[0]) or 0, 0)
    message = read_message(SNAPSHOTS[0])
    assert isinstance(message, AnyMessage)
    named.on_message(message, 0)
    assert named.top("BTC-USDC") is not None


@pytest.mark.parametrize("best", [10_000_000, 1_000], ids=["far from the best price", "near it"])
@pytest.mark.parametrize("short", [True, False], ids=["the short way", "the long way"])
def test_a_book_without_room_is_not_used_any_more(best: int, short: bool) -> None:
    feed = CompiledMarketFeed(MARKETS, depth=False)
    begin = frame_of(("bid", f"{best}", "1"), ("offer", f"{best + 1}", "1"))
    first, second = (
        frame_of(*(("bid", f"{part}.{k:02}", "1") for part in parts for k in range(100)), type="update")
        for parts in (range(500), range(500, 999))
    )
    assert [told(feed, frame, 7 if short else 8)[0] for frame in (begin, first)] == ["", ""]
    assert told(feed, second, 7 if short else 8)[0] == "an order book with more than 98,304 levels on a side"
    assert feed.top("BTC-USD") is None
    assert told(feed, first, 7) == ("", [])
    assert told(feed, begin, 7)[0] == "", "a snapshot begins anew"
    assert feed.top("BTC-USD") == Top(100 * best, 1.0, 100 * best + 100, 1.0)
