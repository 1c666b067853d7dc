"""Quotes, order books, funding rates and files of several instruments: what they may hold and what they may not."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from traider.domain.errors import DataError
from traider.domain.vocabulary import BOOK_CLEAR, BOOK_END, EventKind
from traider.storage.market import FileKind, MarketFile, Rows, market_frame, read_market_file

START_NS = 1_723_161_256_000_000_000
Columns = dict[str, Any]


def quotes() -> Columns:
    return {"ts": ts(3), "bid": [99.5, 99.0, 99.5], "bid_size": [1.0, 0.0, 2.0], "ask": [100.5] * 3, "ask_size": [3.0] * 3}


def depth() -> Columns:
    return {
        "ts": ts(4),
        "side": ["bid", "ask", "bid", "ask"],
        "price": [99.5, 100.5, 99.5, 100.25],
        "size": [1.0, 2.0, 0.0, 3.0],
        "is_snapshot": [True, True, False, False],
    }


def book() -> Columns:
    return {
        "ts": ts(4),
        "kind": ["bid", "ask", "trade", "ask"],
        "price": [99.5, 100.5, 100.5, 100.5],
        "size": [1.0, 2.0, 0.5, 1.5],
        "side": [None, None, "buy", None],
        "is_snapshot": [True, True, False, False],
    }


def funding() -> Columns:
    return {"ts": ts(3), "rate": [0.0001, 0.0, -0.0002]}


def ts(rows: int) -> list[int]:
    return [START_NS + n * 1_000_000_000 for n in range(rows)]


def read(columns: Columns, **more: Any) -> MarketFile:
    return market_frame(pa.table(columns), **more)


def rows_of(file: MarketFile) -> Rows:
    return Rows.joined(list(file.chunks()))


def values(rows: Rows) -> list[list[float]]:
    return [column.tolist() for column in rows.columns()[3:]]


KINDS: dict[FileKind, Callable[[], Columns]] = {
    FileKind.QUOTES: quotes,
    FileKind.DEPTH: depth,
    FileKind.BOOK: book,
    FileKind.FUNDING: funding,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_known_by_its_columns(kind: FileKind) -> None:
    assert read(KINDS[kind]()).kind == kind


def test_quotes_become_events() -> None:
    rows = rows_of(read(quotes()))
    assert set(rows.kind.tolist()) == {EventKind.QUOTE}
    assert values(rows) == [[99.5, 99.0, 99.5], [1.0, 0.0, 2.0], [100.5] * 3, [3.0] * 3, []]


def test_levels_become_events_with_the_ends_of_their_moments() -> None:
    rows = rows_of(read(depth()))
    moment = EventKind.DEPTH | BOOK_END
    assert rows.kind.tolist() == [moment | BOOK_CLEAR, moment, moment, moment]
    assert values(rows) == [[99.5, 100.5, 99.5, 100.25], [1.0, 2.0, 0.0, 3.0], [1.0, -1.0, 1.0, -1.0], [], []]


def test_trades_among_levels_keep_their_taker_side() -> None:
    columns = book()
    columns["side"] = ["", "buy", "sell", None]  # of a level it is not looked at
    rows = rows_of(read(columns))
    assert (rows.kind & 0x1F).tolist() == [EventKind.DEPTH, EventKind.DEPTH, EventKind.TRADE, EventKind.DEPTH]
    assert rows.c.tolist() == [1.0, -1.0, -1.0, -1.0]


def test_rows_of_one_number_are_one_message() -> None:
    rows = rows_of(read({**depth(), "seq": [1, 1, 7, 7]}))
    ends = [bool(code & BOOK_END) for code in rows.kind.tolist()]
    assert ends == [False, True, False, True]


def test_a_number_is_not_needed_where_there_is_a_trade() -> None:
    columns = {**book(), "seq": [1, 1, None, 2], "is_snapshot": [True, True, None, False]}
    assert [bool(code & BOOK_END) for code in rows_of(read(columns)).kind.tolist()] == [False, True, False, True]


def test_rates_become_events() -> None:
    file = read(funding())
    rows = rows_of(file)
    assert set(rows.kind.tolist()) == {EventKind.FUNDING}
    assert values(rows)[0] == [0.0001, 0.0, -0.0002]
    assert file.event_kinds == 1 << EventKind.FUNDING


def changed(make: Callable[[], Columns], column: str, row: int, value: Any) -> Columns:
    columns = make()
    columns[column][row] = value
    return columns


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (changed(quotes, "bid", 1, 100.5), "bid 100.5 is not below ask 100.5 in row 2 (index 1); swap them or leave the row out"),
        (changed(quotes, "ask_size", 2, -1.0), "column 'ask_size' is -1.0 in row 3 (index 2); it can't be negative"),
        (changed(quotes, "ask", 0, 0.0), "column 'ask' is 0.0 in row 1 (index 0); it must be above zero: fix it or leave the row out"),
        (changed(depth, "size", 2, -1.0), "column 'size' is -1.0 in row 3 (index 2); it can't be negative"),
        (changed(depth, "side", 1, "sell"), "column 'side' is 'sell' in row 2 (index 1); it must be 'bid' or 'ask'"),
        (changed(depth, "side", 1, None), "column 'side' has no value in row 2 (index 1); fill it or leave the row out"),
        (changed(depth, "is_snapshot", 3, None), "column 'is_snapshot' has no value in row 4 (index 3); fill it or leave the row out"),
        ({**depth(), "seq": [1, None, 2, 2]}, "column 'seq' has no value in row 2 (index 1); fill it or leave the row out"),
        ({**depth(), "seq": [1.0, 1.0, 2.0, 2.0]}, "column 'seq' is double; it must be int64: rows of one message have the same number"),
        ({**depth(), "is_snapshot": [1, 1, 0, 0]}, "column 'is_snapshot' is int64; it must be bool"),
        (changed(book, "kind", 2, "TRADE"), "column 'kind' is 'TRADE' in row 3 (index 2); it must be 'bid', 'ask' or 'trade'"),
        (changed(book, "side", 2, "bid"), "column 'side' is 'bid' in row 3 (index 2); it must be 'buy', 'sell' or null"),
        (
            changed(book, "size", 2, 0.0),
            "column 'size' is 0.0 in row 3 (index 2); a trade's must be above zero: fix it or leave the row out",
        ),
        (
            changed(funding, "rate", 1, float("nan")),
            "column 'rate' is nan in row 2 (index 1); it must be a finite number: fix it or leave the row out",
        ),
        ({**funding(), "symbol": ["A-USD", " ", "A-USD"]}, "column 'symbol' is ' ' in row 2 (index 1); name one instrument in each row"),
        (
            {**funding(), "symbol": ["A-USD", None, "A-USD"]},
            "column 'symbol' has no value in row 2 (index 1); fill it or leave the row out",
        ),
        ({**funding(), "symbol": [1, 1, 1]}, "column 'symbol' is int64; it must be text: the instrument, as BASE-QUOTE"),
    ],
)
def test_a_mistake_is_told_by_row_and_remedy(columns: Columns, told: str) -> None:
    with pytest.raises(DataError) as caught:
        read(columns)
    assert str(caught.value) == f"frame: {told}"


@pytest.mark.parametrize(("factor", "unit"), [(10**9, "seconds"), (10**6, "milliseconds"), (10**3, "microseconds")], ids=["s", "ms", "us"])
def test_times_in_another_unit_are_told(factor: int, unit: str) -> None:
    columns = funding()
    columns["ts"] = [time // factor for time in columns["ts"]]
    with pytest.raises(DataError) as caught:
        read(columns)
    first = START_NS // factor
    looks = f"frame: column 'ts' begins with {first}, which looks like {unit}; it must be nanoseconds since 1970 in UTC"
    assert str(caught.value) == f"{looks}: multiply it by {factor}"


def test_bars_of_quotes_are_refused_with_what_to_give_instead() -> None:
    with pytest.raises(DataError, match="holds bars of quotes"):
        read({"ts": ts(1), "bid_open": [1.0], "ask_open": [2.0]})


# --- several instruments ---


def two() -> Columns:
    return {
        "ts": [START_NS, START_NS, START_NS + 60, START_NS + 60, START_NS + 180],
        "symbol": ["ETH-USD", "BTC-USD", "BTC-USD", "ETH-USD", "ETH-USD"],
        **{name: [3.5, 100.25, 100.5, 3.25, 3.125] for name in ("open", "high", "low", "close")},
        "volume": [1.0] * 5,
    }


def test_instruments_are_numbered_as_they_appear_and_have_their_own_increments() -> None:
    file = read(two())
    assert file.symbols == ("ETH-USD", "BTC-USD")
    assert file.price_increments == (Decimal("0.001"), Decimal("0.01"))
    assert rows_of(file).inst.tolist() == [0, 1, 1, 0, 0]
    assert file.found.intervals_ns == (60, 60)
    assert file.notes == {"bar_interval_ns": 60, "gaps": 1, "bars_missing": 1}
    assert read(two(), price_increment=Decimal("0.125")).price_increments == (Decimal("0.125"),) * 2


def test_two_bars_of_one_time_are_told_for_each_instrument() -> None:
    columns = two()
    columns["symbol"][0] = "BTC-USD"
    with pytest.raises(DataError, match=r"two bars of one time, row 1 \(index 0\) and row 2 \(index 1\)"):
        read(columns)


def test_a_name_can_not_be_given_to_several_instruments() -> None:
    with pytest.raises(DataError, match="holds ETH-USD, BTC-USD, and one symbol is given; leave it out"):
        read(two(), symbol="X-USD")


def test_the_name_in_the_file_is_its_instrument_s() -> None:
    columns = {**funding(), "symbol": pa.array(["A-USD"] * 3).dictionary_encode()}
    assert read(columns).symbols == ("A-USD",)
    assert read(columns, symbol="B-USD").symbols == ("B-USD",)


def test_more_instruments_than_an_account_has_are_told() -> None:
    count = 65
    columns = {"ts": ts(count), "symbol": [f"C{n}-USD" for n in range(count)], "rate": [0.0] * count}
    with pytest.raises(DataError, match=r"column 'symbol' has more than 64 instruments in row 65 \(index 64\)"):
        read(columns)


def test_the_hash_of_a_frame_is_of_all_columns_that_are_used() -> None:
    hashes = {read(columns).sha256 for columns in (two(), changed(two, "symbol", 4, "BTC-USD"), changed(two, "volume", 4, 2.0))}
    assert len(hashes) == 3
    assert read({**two(), "more": [1] * 5}).sha256 == read(two()).sha256


# --- reading ---


def test_rows_are_the_same_in_pieces_of_any_size(data_dir: Path) -> None:
    file = read_market_file(data_dir / "l2" / "binance_usdm_btcusdt_l2_2024-08-08_first.parquet")
    whole = Rows.joined(list(file.chunks()))
    for rows in (1000, 4099):
        chunks = list(file.chunks(rows))
        assert len(chunks) > 2
        assert all(np.array_equal(one, other) for one, other in zip(Rows.joined(chunks).columns(), whole.columns(), strict=True))


def test_a_file_that_changes_between_check_and_run_is_told(tmp_path: Path) -> None:
    path = tmp_path / "funding.parquet"
    pq.write_table(pa.table(funding()), path)
    file = read_market_file(path)
    pq.write_table(pa.table({**funding(), "more": [1] * 3}), path)
    with pytest.raises(DataError, match="has changed since it was checked"):
        next(file.chunks())


def test_each_recorded_message_ends_once(data_dir: Path) -> None:
    path = data_dir / "l2" / "binance_usdm_btcusdt_l2_2024-08-08_first.parquet"
    seq = pq.read_table(path)["seq"].to_numpy()
    file = read_market_file(path)
    rows = rows_of(file)
    ends = np.flatnonzero(rows.kind & BOOK_END)
    assert ends.tolist() == np.flatnonzero(np.append(np.diff(seq) != 0, True)).tolist()
    assert np.flatnonzero(rows.kind & BOOK_CLEAR).tolist() == [0]
    assert (file.kind, file.symbols, file.price_increment) == (FileKind.DEPTH, ("BTC-USDT",), Decimal("0.1"))
