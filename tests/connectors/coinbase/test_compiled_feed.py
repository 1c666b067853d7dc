"""The compiled reader takes exactly what the JSON readers would take, to the same book; and leaves everything else alone."""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.connectors.coinbase.fuzz_frames import BOOK_FRAMES, PRODUCTS, SNAPSHOTS, Pair, fuzz, number_of
from tests.connectors.coinbase.recorded import frames
from traider.connectors.coinbase.book import ASK, BID, DictBook, Top
from traider.connectors.coinbase.compiled_book import CompiledBook, CompiledBooks
from traider.connectors.coinbase.compiled_feed import CompiledMarketFeed
from traider.connectors.coinbase.frame_reader import OTHER, FrameReader
from traider.connectors.coinbase.market_feed import MarketFeed
from traider.connectors.coinbase.messages import AnyMessage, read_message
from traider.connectors.coinbase.ticks import TickGrid
from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import instrument_from_symbol

CENT = Decimal("0.01")
MARKETS = [instrument_from_symbol(symbol, price_increment=CENT, size_increment=Decimal("0.00000001")) for symbol in PRODUCTS]


@pytest.fixture(scope="module")
def pair() -> Pair:
    pair = Pair()
    for frame in SNAPSHOTS:
        assert pair.feed(frame)
    return pair


def test_every_recorded_book_message_is_taken_and_the_books_are_the_same(pair: Pair) -> None:
    for frame in BOOK_FRAMES:
        assert pair.feed(frame)
    assert pair.same_levels()


def test_the_documented_layout_is_taken_too(pair: Pair) -> None:
    documented = BOOK_FRAMES[-1].replace(b'"l2_data",', b'"l2_data","client_id":"",', 1)
    assert pair.feed(documented)


def variants() -> Iterator[tuple[str, bytes]]:
    frame = BOOK_FRAMES[20]
    raw: Any = json.loads(frame)
    yield "spaces", json.dumps(raw).encode()
    yield "a new field", frame[:-1] + b',"new":1}'
    yield "another order", msgspec.json.encode({key: raw[key] for key in reversed(raw)})
    yield "two events", msgspec.json.encode(raw | {"events": raw["events"] * 2})
    yield "no event", msgspec.json.encode(raw | {"events": []})
    yield "another product", frame.replace(raw["events"][0]["product_id"].encode(), b"SOL-USD")
    yield "a price between two ticks", frame.replace(b'"price_level":"', b'"price_level":"0.001', 1)
    yield "more digits than are exact", frame.replace(b'"new_quantity":"', b'"new_quantity":"1234567890123456', 1)
    yield "an exponent", frame.replace(b'"new_quantity":"', b'"new_quantity":"1e', 1)
    yield "an escape", frame.replace(b'"event_time":"', b'"event_time":"\\u0041', 1)
    yield "a raw control character", frame.replace(b'"event_time":"', b'"event_time":"\n', 1)
    yield "bytes that are no UTF-8", frame.replace(b'"event_time":"', b'"event_time":"\xff', 1)
    yield "a number with a zero before it", frame.replace(b'"sequence_num":', b'"sequence_num":0', 1)
    yield "cut off", frame[:-1]
    yield "something behind", frame + b"x"
    yield "nothing", b""
    yield "another channel", frames()[9]


@pytest.mark.parametrize(("what", "frame"), list(variants()), ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_not_of_the_layout_is_left_untouched(pair: Pair, what: str, frame: bytes) -> None:
    before = [pair.compiled[name].levels(side) for name in PRODUCTS for side in (BID, ASK)]
    assert pair.reader.take(frame, 20 if b'"sequence_num":20' in frame else number_of(frame) or 0) == OTHER
    assert [pair.compiled[name].levels(side) for name in PRODUCTS for side in (BID, ASK)] == before


def test_only_the_expected_number_and_a_valid_book_are_taken(pair: Pair) -> None:
    frame = BOOK_FRAMES[20]
    number = number_of(frame)
    assert number is not None
    for wrong in (number - 1, number + 1):
        assert pair.reader.take(frame, wrong) == OTHER
    pair.reader.valid[:] = 0
    assert pair.reader.take(frame, number) == OTHER
    for snapshot in SNAPSHOTS:
        assert pair.feed(snapshot), "a snapshot makes a book valid"
    assert pair.feed(frame)


def test_of_damaged_frames_it_takes_only_what_json_takes_too() -> None:
    taken, refused = fuzz(20_000, seed=1)
    assert taken > 1000, "damage within a number or a time leaves many frames good"
    assert refused > 10_000


Rows = list[tuple[str, Decimal, Decimal]]
PRICES = st.decimals(min_value=0, max_value=10**7, places=2)
SIZES = st.decimals(min_value=0, max_value=10**6, places=8)


@given(st.lists(st.tuples(st.sampled_from(["bid", "offer"]), PRICES, SIZES), max_size=30), st.sampled_from(PRODUCTS), st.booleans())
def test_numbers_are_read_to_the_same_ticks_and_floats(
    pair: Pair, rows: list[tuple[str, Decimal, Decimal]], product: str, trim: bool
) -> None:
    def text(value: Decimal) -> str:
        return (f"{value:f}".rstrip("0").rstrip(".") or "0") if trim else f"{value:f}"

    updates = [{"side": side, "event_time": "x", "price_level": text(price), "new_quantity": text(size)} for side, price, size in rows]
    event = {"type": "snapshot", "product_id": product, "updates": updates}
    frame = msgspec.json.encode({"channel": "l2_data", "timestamp": "2031-03-04T05:06:07.5Z", "sequence_num": 7, "events": [event]})
    assert pair.feed(frame)
    assert pair.same_levels()


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


def test_the_compiled_feed_tells_the_same_quotes(pair: Pair) -> None:
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


@example(datetime(2028, 2, 29))  # noqa: DTZ001
@example(datetime(2031, 12, 31))  # noqa: DTZ001
@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 12, 31)))  # noqa: DTZ001 (a zone is written below)
def test_times_are_read_to_the_nanosecond(pair: Pair, when: datetime) -> None:
    text = when.strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"
    event = {"type": "snapshot", "product_id": "BTC-USD", "updates": []}
    frame = msgspec.json.encode({"channel": "l2_data", "timestamp": text, "sequence_num": 7, "events": [event]})
    assert pair.feed(frame), "which compares the time with the calendar's"


@pytest.mark.parametrize("day", ["2026-02-29", "2100-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "1969-12-31"])
def test_days_that_are_none_are_left_alone(pair: Pair, day: str) -> None:
    event = {"type": "snapshot", "product_id": "BTC-USD", "updates": []}
    message = {"channel": "l2_data", "timestamp": f"{day}T00:00:00.0Z", "sequence_num": 7, "events": [event]}
    assert pair.reader.take(msgspec.json.encode(message), 7) == OTHER


def test_a_reader_has_so_much_room() -> None:
    book: tuple[CompiledBook, TickGrid] = (CompiledBooks([CENT]).books[0], TickGrid(CENT))
    with pytest.raises(ValueError, match="room for"):
        FrameReader({"A" * 40: book})
