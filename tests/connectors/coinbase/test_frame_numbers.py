"""Numbers and times are read from a frame as the JSON readers read them, at every length and place."""

from datetime import datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.connectors.coinbase.fuzz_frames import PRODUCTS, SNAPSHOTS, Pair
from tests.connectors.coinbase.written import frame_of
from traider.connectors.coinbase.book import BID
from traider.connectors.coinbase.compiled_book import CompiledBooks
from traider.connectors.coinbase.frame_reader import OTHER, FrameReader
from traider.connectors.coinbase.malformed import MalformedError
from traider.connectors.coinbase.ticks import TickGrid

CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def pair() -> Pair:
    pair = Pair()
    for frame in SNAPSHOTS:
        assert pair.feed(frame)
    return pair


def digits(count: int) -> str:
    return "9876543210123456789"[:count]


@pytest.mark.parametrize("after_point", range(16))
def test_numbers_of_every_length_are_read_where_fifteen_digits_are_exact(pair: Pair, after_point: int) -> None:
    for whole in range(1, 18):
        size = digits(whole) + ("." + digits(after_point) if after_point else "")
        price = "1" + "0" * (whole - 1) + ("." + "0" * after_point if after_point else "")
        # the last level's size is the last number of a frame, which ends close behind it
        assert pair.feed(frame_of(("bid", "1", size), ("bid", "1.01", "1"))) == (whole + after_point <= 15)
        assert pair.feed(frame_of(("bid", "1.01", "1"), ("bid", "1", size))) == (whole + after_point <= 15)
        assert pair.feed(frame_of(("offer", price, "1"))) == (whole + after_point <= 15)
    assert pair.same_levels()


@pytest.mark.parametrize(
    "number", ["", ".", ".5", "5.", "1.2.3", "1..2", "-1", "+1", "1e5", " 1", "1 ", "0x1", "1_0", "٣", "/", ":", "NaN"]
)
def test_what_is_no_plain_number_is_left_alone(pair: Pair, number: str) -> None:
    assert not pair.feed(frame_of(("bid", number, "1")))
    assert not pair.feed(frame_of(("bid", "1", number)))
    assert not pair.feed(frame_of(("bid", "1", number), ("bid", "2", "1")))


@pytest.mark.parametrize("letter", ['"', "\\", "\n", "\x1f", "\x7f", "é"])
def test_a_letter_that_json_may_write_differently_is_found_at_every_place(pair: Pair, letter: str) -> None:
    for length in range(70):
        assert pair.feed(frame_of(("bid", "1", "1"), event_time="~" * length))
        place = length // 2
        raw = frame_of(("bid", "1", "1"), event_time="~" * place + "@" + "~" * place)
        assert not pair.feed(raw.replace(b"@", letter.encode())), "as it is: not valid, or not this string's end"
        assert not pair.feed(frame_of(("bid", "1", "1"), event_time="~" * place + "\x1f" + "~" * place)), "as JSON writes it"


Rows = list[tuple[str, Decimal, Decimal]]
PRICES = st.decimals(min_value=0, max_value=10**7, places=2)
SIZES = st.decimals(min_value=0, max_value=10**6, places=8)
ROW = st.tuples(st.sampled_from(["bid", "offer"]), PRICES, SIZES)


@given(
    st.lists(st.tuples(st.sampled_from(["bid", "offer"]), PRICES, SIZES), min_size=1, max_size=30), st.sampled_from(PRODUCTS), st.booleans()
)
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


def test_a_price_increment_of_its_own() -> None:
    prices = "0 0.05 0.1 0.10000 0.07 100 99.95 100.00000001 0.12345678 0.00000001000 123456789012345"
    increments = [Decimal("0.05"), Decimal(100), Decimal("0.00000001"), Decimal("1E-17")]
    names = [f"P{number}" for number in range(len(increments))]
    books = CompiledBooks(increments).books
    grids = [TickGrid(increment) for increment in increments]
    reader = FrameReader({name: entry for name, *entry in zip(names, books, grids, strict=True)})  # type: ignore[misc]
    for name, book, grid in zip(names, books, grids, strict=True):
        for price in prices.split():
            taken = reader.take(frame_of(("bid", price, "1"), product_id=name), 7) != OTHER
            try:
                tick = grid.tick(price)
            except MalformedError:
                assert not taken
            else:
                # a tick of more than eighteen digits is left to whole numbers without an end
                assert taken == (tick * grid.units < 10**18)
                assert not taken or book.levels(BID) == {tick: 1.0}


@example(datetime(2028, 2, 29))  # noqa: DTZ001
@example(datetime(2031, 12, 31))  # noqa: DTZ001
@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 12, 31)))  # noqa: DTZ001 (a zone is written below)
def test_times_are_read_to_the_nanosecond(pair: Pair, when: datetime) -> None:
    text = when.strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"
    assert pair.feed(frame_of(("bid", "1", "1"), timestamp=text)), "which compares the time with the calendar's"


@pytest.mark.parametrize("day", ["2026-02-29", "2100-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "1969-12-31"])
def test_days_that_are_none_are_left_alone(pair: Pair, day: str) -> None:
    assert pair.reader.take(frame_of(("bid", "1", "1"), timestamp=f"{day}T00:00:00.0Z"), 7) == OTHER


def test_a_day_that_is_none_does_not_spoil_the_time_after_it(pair: Pair) -> None:
    for timestamp, taken in [
        ("2031-03-04T05:06:07.5Z", True),
        ("2031-03-04T05:06:07.123456789Z", True),
        ("2031-02-30T05:06:07.5Z", False),
        ("2031-02-30T05:06:07.5Z", False),
        ("2031-03-04T05:06:07.25Z", True),
        ("2031-03-04T05:06:07.Z", False),
        ("2031-03-04T05:06:07.1234567890Z", False),
        ("2031-03-04T05:06:07.5z", False),
        ("2031-03-04T05:06:07Z", False),
        ("2031-03-04T05:06:07.1.2Z", False),
        ("2031-03-04T05:06:08.000000001Z", True),
    ]:
        assert pair.feed(frame_of(("bid", "1", "1"), timestamp=timestamp)) == taken, timestamp
