"""What a market data file may hold and what it may not: each mistake is one line with file, row and remedy."""

import hashlib
import random
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from traider.domain.errors import DataError
from traider.storage.market import MarketFile, read_market_file

MINUTE_NS = 60_000_000_000
START_NS = 1_525_305_600_000_000_000
NAN, INF = float("nan"), float("inf")


def bars(rows: int = 6) -> dict[str, list[Any]]:
    """Bars without a fault, a cent wide."""
    close = [100 + n / 100 for n in range(rows)]
    return {
        "ts": [START_NS + n * MINUTE_NS for n in range(rows)],
        "open": close[:],
        "high": [round(price + 0.01, 2) for price in close],
        "low": [round(price - 0.01, 2) for price in close],
        "close": close,
        "volume": [1.5] * rows,
    }


def trades(rows: int = 6) -> dict[str, list[Any]]:
    sides = ["buy", "sell", None]
    return {
        "ts": [START_NS + n for n in range(rows)],
        "price": [100 + n / 100 for n in range(rows)],
        "size": [0.5 + n for n in range(rows)],
        "side": [sides[n % 3] for n in range(rows)],
    }


def written(folder: Path, columns: dict[str, Any], name: str = "coinbase_btcusd_1m.parquet") -> Path:
    path = folder / name
    pq.write_table(pa.table(columns), path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_market_file(path)
    told = str(caught.value)
    assert "\n" not in told
    assert told.startswith(f"{path}: ")
    return told.removeprefix(f"{path}: ")


def changed(column: str, row: int, value: Any) -> Callable[[dict[str, list[Any]]], None]:
    def change(columns: dict[str, list[Any]]) -> None:
        columns[column][row] = value

    return change


BAR_MISTAKES: dict[str, tuple[Callable[[dict[str, list[Any]]], object], str]] = {
    "null": (changed("close", 2, None), "column 'close' has no value in row 3 (index 2); fill it or leave the row out"),
    "null time": (changed("ts", 4, None), "column 'ts' has no value in row 5 (index 4); fill it or leave the row out"),
    "nan": (changed("high", 1, NAN), "column 'high' is nan in row 2 (index 1); it must be a finite number: fix it or leave the row out"),
    "infinity": (
        changed("low", 0, -INF),
        "column 'low' is -inf in row 1 (index 0); it must be a finite number: fix it or leave the row out",
    ),
    "nan volume": (
        changed("volume", 5, NAN),
        "column 'volume' is nan in row 6 (index 5); it must be a finite number: fix it or leave the row out",
    ),
    "negative price": (
        changed("open", 3, -1.0),
        "column 'open' is -1.0 in row 4 (index 3); it must be above zero: fix it or leave the row out",
    ),
    "price of zero": (
        changed("close", 3, 0.0),
        "column 'close' is 0.0 in row 4 (index 3); it must be above zero: fix it or leave the row out",
    ),
    "negative volume": (changed("volume", 3, -0.5), "column 'volume' is -0.5 in row 4 (index 3); it can't be negative"),
    "high below low": (changed("high", 2, 99.0), "high 99.0 is below low 100.01 in row 3 (index 2); swap them or leave the row out"),
    "time before 1970": (changed("ts", 0, -5), "column 'ts' is -5 in row 1 (index 0); it must be nanoseconds since 1970 in UTC"),
    "time beyond 2262": (
        changed("ts", 5, 2**63 - 1),
        f"column 'ts' is {2**63 - 1} in row 6 (index 5); it must be nanoseconds before the year 2262, in UTC",
    ),
    "unsorted": (
        changed("ts", 3, START_NS),
        f"time steps back in row 4 (index 3) ({START_NS} after {START_NS + 2 * MINUTE_NS}); sort the rows by ts",
    ),
    "two bars of one time": (
        changed("ts", 3, START_NS + 2 * MINUTE_NS),
        f"two bars of one time, row 3 (index 2) and row 4 (index 3) ({START_NS + 2 * MINUTE_NS}); keep one of them",
    ),
}


@pytest.mark.parametrize(("change", "told"), BAR_MISTAKES.values(), ids=BAR_MISTAKES.keys())
def test_a_mistake_in_bars_is_told_by_file_row_and_remedy(
    change: Callable[[dict[str, list[Any]]], object], told: str, tmp_path: Path
) -> None:
    columns = bars()
    change(columns)
    assert refusal(written(tmp_path, columns)) == told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (changed("price", 1, None), "column 'price' has no value in row 2 (index 1); fill it or leave the row out"),
        (changed("price", 1, 0.0), "column 'price' is 0.0 in row 2 (index 1); it must be above zero: fix it or leave the row out"),
        (changed("size", 1, 0.0), "column 'size' is 0.0 in row 2 (index 1); it must be above zero: fix it or leave the row out"),
        (changed("size", 1, NAN), "column 'size' is nan in row 2 (index 1); it must be a finite number: fix it or leave the row out"),
        (changed("side", 4, "BUY"), "column 'side' is 'BUY' in row 5 (index 4); it must be 'buy', 'sell' or null"),
        (changed("ts", 4, START_NS), f"time steps back in row 5 (index 4) ({START_NS} after {START_NS + 3}); sort the rows by ts"),
    ],
)
def test_a_mistake_in_trades_is_told_by_file_row_and_remedy(
    change: Callable[[dict[str, list[Any]]], object], told: str, tmp_path: Path
) -> None:
    columns = trades()
    change(columns)
    assert refusal(written(tmp_path, columns)) == told


@pytest.mark.parametrize("missing", ["ts", "open", "high", "low", "close", "volume"])
def test_a_missing_column_is_named_and_what_there_is(missing: str, tmp_path: Path) -> None:
    columns = bars()
    del columns[missing]
    told = refusal(written(tmp_path, columns))
    assert told.startswith(f"column {missing!r} is missing (there are: {', '.join(columns)}); bars need ts, open, ")


@pytest.mark.parametrize("missing", ["ts", "size", "side"])
def test_a_missing_column_of_trades_is_named(missing: str, tmp_path: Path) -> None:
    columns = trades()
    del columns[missing]
    assert refusal(written(tmp_path, columns)).startswith(f"column {missing!r} is missing (there are: {', '.join(columns)}); ")


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("ts", pa.array([1.0, 2.0]), "column 'ts' is double; it must be int64, nanoseconds since 1970 in UTC"),
        ("ts", pa.array([1, 2], pa.timestamp("ns")), "column 'ts' is timestamp[ns]; it must be int64, nanoseconds since 1970 in UTC"),
        ("ts", pa.array([1, 2], pa.int32()), "column 'ts' is int32; it must be int64, nanoseconds since 1970 in UTC"),
        ("close", pa.array(["1", "2"]), "column 'close' is string; it must be a number (float64)"),
        ("close", pa.array([True, False]), "column 'close' is bool; it must be a number (float64)"),
        ("volume", pa.array([[1.0], [2.0]]), "column 'volume' is list<element: double>; it must be a number (float64)"),
    ],
)
def test_a_wrong_type_is_named(column: str, values: Any, told: str, tmp_path: Path) -> None:
    columns: dict[str, Any] = bars(2)
    columns[column] = values
    assert refusal(written(tmp_path, columns)) == told


def test_a_side_that_is_a_number_is_a_wrong_type(tmp_path: Path) -> None:
    columns: dict[str, Any] = trades(2)
    columns["side"] = [1, -1]
    assert refusal(written(tmp_path, columns)) == "column 'side' is int64; it must be text: the taker's side, 'buy' or 'sell', or null"


def test_two_columns_of_one_name_are_told(tmp_path: Path) -> None:
    columns = bars(3)
    table = pa.table([pa.array(columns[name]) for name in (*columns, "close")], names=[*columns, "close"])
    path = tmp_path / "twice.parquet"
    pq.write_table(table, path)
    assert refusal(path) == "column 'close' is there twice; keep one of them"


@pytest.mark.parametrize("make", [bars, trades])
def test_a_file_without_rows_is_told(make: Callable[[int], dict[str, list[Any]]], tmp_path: Path) -> None:
    columns = {name: pa.array(values, type_) for (name, values), type_ in zip(make(0).items(), types_of(make), strict=True)}
    assert refusal(written(tmp_path, columns)) == f"has no rows; give a file with at least one {make.__name__[:-1]}"


def types_of(make: Callable[[int], dict[str, list[Any]]]) -> list[Any]:
    return [pa.int64(), *([pa.float64()] * 5)] if make is bars else [pa.int64(), pa.float64(), pa.float64(), pa.string()]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.parquet") == "there is no such file; give the path of a Parquet file of market data"


def test_a_folder_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "is a folder; give one Parquet file of market data"


@pytest.mark.parametrize("content", [b"", b"ts,open\n1,2\n", b"PAR1", b"PAR1" + bytes(200) + b"PAR1"])
def test_a_file_that_is_no_parquet_is_told(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    told = refusal(path)
    assert told == "is not a Parquet file (or it is cut off); write it with pyarrow, polars or pandas.to_parquet" or told.startswith(
        "is damaged: "
    )


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = written(tmp_path, bars())
    monkeypatch.setattr(pq, "ParquetFile", refuse)
    assert refusal(path) == "can't be read: Permission denied; check its permissions"


def test_a_damaged_file_is_told_wherever_the_damage_is(tmp_path: Path) -> None:
    """Cut off, or with bytes turned over: it is read as it is, or refused in one line, and never anything else."""
    whole = written(tmp_path, bars(500)).read_bytes()
    path, draw = tmp_path / "damaged.parquet", random.Random(5)
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        if draw.random() < 0.3:
            content = content[: draw.randrange(len(content))]
        else:
            for _ in range(draw.randint(1, 4)):
                content[draw.randrange(len(content))] = draw.randrange(256)
        path.write_bytes(content)
        told = outcome(path)
        refused += told != ""
        assert told == "" or told.startswith(f"{path}: ")
        assert "\n" not in told
    assert refused > 100


def outcome(path: Path) -> str:
    """What is said of the file, nothing when it is read."""
    try:
        read_market_file(path)
    except DataError as error:
        return str(error)
    return ""


def test_rows_are_numbered_over_the_whole_file(tmp_path: Path) -> None:
    columns = bars(3)
    rows = 300_000
    table: dict[str, Any] = {name: np.full(rows, values[0]) for name, values in columns.items()}
    table["ts"] = START_NS + np.arange(rows) * MINUTE_NS
    table["close"][287_654] = NAN
    assert refusal(written(tmp_path, table)).startswith("column 'close' is nan in row 287655 (index 287654); ")
    table["close"] = pa.array(table["close"], mask=np.arange(rows) == 287_654)
    assert refusal(written(tmp_path, table)).startswith("column 'close' has no value in row 287655 (index 287654); ")


# --- what is accepted ---


def read(folder: Path, columns: dict[str, Any], **more: Any) -> MarketFile:
    return read_market_file(written(folder, columns), **more)


def test_what_is_in_the_file_is_what_is_read(tmp_path: Path) -> None:
    columns = bars()
    path = written(tmp_path, columns)
    file = read_market_file(path)
    assert (file.kind, file.symbol, len(file)) == ("bars", "BTC-USD", 6)
    assert file.ts_ns.tolist() == columns.pop("ts")
    assert {name: values.tolist() for name, values in file.columns.items()} == columns
    assert list(file.columns) == ["open", "high", "low", "close", "volume"]
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert file.notes == {"bar_interval_ns": MINUTE_NS}


def test_sides_of_trades_are_numbers(tmp_path: Path) -> None:
    columns: dict[str, Any] = trades()
    file = read(tmp_path, columns)
    assert (file.kind, list(file.columns)) == ("trades", ["price", "size", "side"])
    assert file.columns["side"].tolist() == [1.0, -1.0, 0.0, 1.0, -1.0, 0.0]
    columns["side"] = pa.array(columns["side"]).dictionary_encode()
    assert read(tmp_path, columns).columns["side"].tolist() == [1.0, -1.0, 0.0, 1.0, -1.0, 0.0]
    columns["side"] = pa.array(columns["side"].dictionary_decode(), pa.large_string())
    assert read(tmp_path, columns).columns["side"].tolist() == [1.0, -1.0, 0.0, 1.0, -1.0, 0.0]
    columns["side"] = pa.nulls(6)
    assert read(tmp_path, columns).columns["side"].tolist() == [0.0] * 6


@pytest.mark.parametrize("type_", [pa.float32(), pa.float16(), pa.int64(), pa.int32(), pa.uint8(), pa.decimal128(38, 8)], ids=str)
def test_numbers_of_other_types_are_taken(type_: Any, tmp_path: Path) -> None:
    columns: dict[str, Any] = bars(3)
    for name in ("open", "high", "low", "close", "volume"):
        columns[name] = pa.array([7, 8, 9]).cast(type_) if type_ != pa.float16() else pa.array(np.array([7, 8, 9], np.float16))
    assert read(tmp_path, columns).columns["close"].tolist() == [7.0, 8.0, 9.0]


def test_more_columns_than_are_needed_do_no_harm(tmp_path: Path) -> None:
    assert len(read(tmp_path, {**bars(), "price": ["x"] * 6, "trades": [None] * 6})) == 6


def test_a_close_outside_of_high_and_low_is_counted(tmp_path: Path) -> None:
    columns = bars()
    columns["close"][1] = 101.0
    columns["close"][2] = 99.0
    columns["open"][5] = 101.0
    assert read(tmp_path, columns).notes == {"bar_interval_ns": MINUTE_NS, "close_outside_high_low": 2, "open_outside_high_low": 1}


def test_missing_bars_are_counted(tmp_path: Path) -> None:
    columns = bars()
    columns["ts"] = [START_NS + n * MINUTE_NS for n in (0, 1, 2, 5, 6, 10)]
    assert read(tmp_path, columns).notes == {"bar_interval_ns": MINUTE_NS, "gaps": 2, "bars_missing": 2 + 3}


def test_trades_of_one_time_are_counted(tmp_path: Path) -> None:
    columns = trades()
    columns["ts"] = [START_NS + n for n in (0, 0, 0, 1, 2, 2)]
    assert read(tmp_path, columns).notes == {"trades_of_one_time": 3}


def test_a_single_bar_is_a_file(tmp_path: Path) -> None:
    file = read(tmp_path, bars(1))
    assert (len(file), file.notes) == (1, {})


def test_volume_may_be_zero(tmp_path: Path) -> None:
    columns = bars()
    columns["volume"] = [0.0] * 6
    assert read(tmp_path, columns).columns["volume"].tolist() == [0.0] * 6


@pytest.mark.parametrize(
    ("file", "symbol"),
    [
        ("coinbase_btcusd_1m.parquet", "BTC-USD"),
        ("ETH-EUR.parquet", "ETH-EUR"),
        ("binance_spot_btcusdt_trades_2024-08-08.parquet", "BTC-USDT"),
        ("solusdc.parquet", "SOL-USDC"),
        ("spy_1d.parquet", "SPY"),
    ],
)
def test_the_symbol_is_read_from_the_name(file: str, symbol: str, tmp_path: Path) -> None:
    assert read_market_file(written(tmp_path, bars(), file)).symbol == symbol
    assert read_market_file(written(tmp_path, bars(), file), symbol="X-Y").symbol == "X-Y"


# --- the price increment ---


def priced(values: list[float]) -> dict[str, Any]:
    columns: dict[str, Any] = bars(len(values))
    return {**columns, "open": values, "high": values, "low": values, "close": values}


@pytest.mark.parametrize(
    ("prices", "increment"),
    [
        ([100.0, 200.0], "1"),
        ([100.5, 200.0], "0.1"),
        ([100.25, 200.5], "0.01"),
        ([65432.10, 65432.11], "0.01"),
        ([0.00001234, 0.00005678], "0.00000001"),
        ([123456.12345678, 0.00000001], "0.00000001"),
        ([99999.99999999, 1.0], "0.00000001"),
        ([1e-12, 3e-12], "0.000000000001"),
    ],
)
def test_the_price_increment_is_the_largest_power_of_ten_that_all_prices_are_multiples_of(
    prices: list[float], increment: str, tmp_path: Path
) -> None:
    file = read(tmp_path, priced(prices))
    assert file.price_increment == Decimal(increment)
    assert "price_increment" not in file.notes


def test_every_column_of_prices_counts(tmp_path: Path) -> None:
    columns = priced([100.0, 200.0])
    columns["low"] = [100.0, 199.999]
    assert read(tmp_path, columns).price_increment == Decimal("0.001")


def test_prices_late_in_a_long_file_count(tmp_path: Path) -> None:
    assert read(tmp_path, priced([*([100.0] * 5000), 100.0625])).price_increment == Decimal("0.0001")


def test_prices_on_no_decimal_grid_are_noted(tmp_path: Path) -> None:
    file = read(tmp_path, priced([100 / 3, 200 / 7]))
    assert file.notes["price_increment"] == f"prices are multiples of no decimal increment; averages round them to {file.price_increment:f}"
    assert file.price_increment <= Decimal("1e-11")


def test_the_increment_can_be_given(tmp_path: Path) -> None:
    file = read(tmp_path, priced([100 / 3, 200 / 7]), price_increment=Decimal("0.05"))
    assert file.price_increment == Decimal("0.05")
    assert "price_increment" not in file.notes


def test_sums_of_increments_stay_within_64_bits(tmp_path: Path) -> None:
    """Half a million of the largest prices, counted in increments."""
    for largest in (1e-9, 1.0, 65432.0 / 7, 1e9 / 3, 1e13 + 0.5):
        file = read(tmp_path, priced([largest, largest / 3]))
        assert largest / float(file.price_increment) * 500_000 < 2**63


def test_prices_of_too_many_increments_are_refused(tmp_path: Path) -> None:
    told = "prices go up to {}, which is more than 17592186044416 times the price increment {}; give a larger price increment"
    assert refusal(written(tmp_path, priced([1.0, 1e15]))) == told.format("1e+15", "1")
    path = written(tmp_path, priced([1.0, 65432.1]))
    with pytest.raises(DataError, match=re.escape(told.format("65432.1", "0.000000001"))):
        read_market_file(path, price_increment=Decimal("1e-9"))


@pytest.mark.parametrize(
    ("file", "increment"),
    [
        ("bars/coinbase_btcusd_1m_2018-05", "0.01"),
        ("bars/coinbase_btcusd_1d_lean", "0.01"),
        ("trades/binance_spot_btcusdt_trades_2024-08-08_first5000", "0.01"),
        ("trades/coinbase_btcusd_trades_2018-04-16", "0.01"),
    ],
)
def test_the_recorded_files_are_read_with_their_oddities_counted(file: str, increment: str, data_dir: Path) -> None:
    path = data_dir / f"{file}.parquet"
    read = read_market_file(path)
    table = pq.read_table(path)
    assert len(read) == table.num_rows
    assert read.price_increment == Decimal(increment)
    price = "price" if read.kind == "trades" else "close"
    assert read.columns[price].tolist() == table.column(price).to_pylist()
    if read.kind == "bars":
        close, high, low = (np.array(table.column(name)) for name in ("close", "high", "low"))
        assert read.notes.get("close_outside_high_low", 0) == int(np.count_nonzero((close > high) | (close < low)))
        assert read.notes["gaps"] == int(np.count_nonzero(np.diff(np.array(table.column("ts"))) != read.notes["bar_interval_ns"]))
    assert re.fullmatch("[0-9a-f]{64}", read.sha256)
