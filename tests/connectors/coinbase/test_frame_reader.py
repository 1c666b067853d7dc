"""The compiled reader takes exactly what the JSON readers would take, to the same book; and leaves everything else alone."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.connectors.coinbase.fuzz_frames import BOOK_FRAMES, PRODUCTS, SNAPSHOTS, Pair, fuzz, number_of
from tests.connectors.coinbase.recorded import frames
from tests.connectors.coinbase.written import frame_of
from traider.connectors.coinbase.book import ASK, BID
from traider.connectors.coinbase.compiled_book import CompiledBook, CompiledBooks
from traider.connectors.coinbase.frame_reader import FULL, OTHER, FrameReader
from traider.connectors.coinbase.ticks import TickGrid

CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def pair() -> Pair:
    pair = Pair()
    for frame in SNAPSHOTS:
        assert pair.feed(frame)
    return pair


def test_every_recorded_book_message_is_taken_and_the_books_are_the_same_after_it(pair: Pair) -> None:
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
    yield "no level", frame_of()
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


def test_a_number_that_json_does_not_allow_is_none(pair: Pair) -> None:
    for number in ("07", "7.", "7e0", "+7", "", "7 ", "０7"):
        raw = frame_of(("bid", "1", "1")).replace(b'"sequence_num":7,', f'"sequence_num":{number},'.encode())
        assert pair.reader.take(raw, 7) == OTHER


def test_of_damaged_frames_it_takes_only_what_json_takes_too() -> None:
    taken, refused = fuzz(20_000, seed=1)
    assert taken > 2_000, "damage within a number or a time leaves many frames good"
    assert refused > 10_000


def test_the_book_follows_a_price_that_moves_by_powers_of_ten(pair: Pair) -> None:
    assert pair.feed(frame_of(("bid", "1.23", "5"), ("offer", "1.24", "5")))
    held = {"bid": "1.23", "offer": "1.24"}
    for price in (1, 10_000, 123, 98_765_432, 7, 100_000_000_000, 1, 54_321, 0):
        bid, offer = f"{price}.01", f"{price}.02"
        # the new best levels, many behind them, and the old best ones gone
        behind = [
            level for k in range(50) for level in (("bid", f"{price * (50 - k) // 50}.00", "2"), ("offer", f"{price + k * k * k}.07", "3"))
        ]
        gone = [(side, price, "0") for side, price in held.items() if price not in (bid, offer)]
        assert pair.feed(frame_of(("bid", bid, "1"), ("offer", offer, "1"), *behind, *gone, type="update"))
        assert pair.same_levels()
        held = {"bid": bid, "offer": offer}


def test_names_that_begin_alike_are_different_products() -> None:
    names = ["BTC-USD", "BTC-USDC", "BTC-USDC-PERP", "BTC-USDC-INTX", "B", "ABCDEFGHIJKLMNOPQRSTUVWXYZ-12345"]
    books = CompiledBooks([CENT] * len(names)).books
    reader = FrameReader({name: (book, TickGrid(CENT)) for name, book in zip(names, books, strict=True)})
    for number, name in enumerate(names):
        assert reader.take(frame_of(("bid", f"{number + 1}", "1"), product_id=name), 7) == number
    assert [book.levels(BID) for book in books] == [{100 * (number + 1): 1.0} for number in range(len(names))]
    for other in ("", "BTC-US", "BTC-USDT", "BTC-USDC-PERX", "BTC-USDC-", "BTC-USDC-PERP2", names[-1][:-1], names[-1] + "6"):
        assert reader.take(frame_of(("bid", "1", "1"), product_id=other), 7) == OTHER


def test_bytes_only_are_a_frame(pair: Pair) -> None:
    for value in (bytearray(BOOK_FRAMES[0]), memoryview(BOOK_FRAMES[0]), BOOK_FRAMES[0].decode(), None):
        with pytest.raises(TypeError, match="expected bytes"):
            pair.reader.take(value, 7)  # type: ignore[arg-type]


def test_a_reader_has_so_much_room() -> None:
    book: tuple[CompiledBook, TickGrid] = (CompiledBooks([CENT]).books[0], TickGrid(CENT))
    with pytest.raises(ValueError, match="room for"):
        FrameReader({"A" * 40: book})


def test_a_book_that_is_full_is_not_valid() -> None:
    book = CompiledBooks([CENT]).books[0]
    reader = FrameReader({"BTC-USD": (book, TickGrid(CENT))})
    first, second = (
        frame_of(*(("bid", f"{part}.{k:02}", "1") for part in parts for k in range(100)), type=kind)
        for kind, parts in (("snapshot", range(500)), ("update", range(500, 990)))
    )
    assert [reader.take(first, 7), reader.take(second, 7)] == [0, FULL]
    assert not reader.valid[0]
    assert reader.take(frame_of(("bid", "1", "1"), type="update"), 7) == OTHER
