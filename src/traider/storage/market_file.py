"""A Parquet file of bars or trades as checked numpy columns.

What makes a result wrong is an error that names file, row and remedy: a missing column or value, a time that steps back,
two bars of one time, a price that is no positive number, a high below its low. What real data does contain is accepted
and counted in ``notes``: a close or open slightly outside high and low, missing minutes, trades of one time.
"""

import hashlib
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..domain.errors import DataError

BAR_COLUMNS = ("open", "high", "low", "close", "volume")
TRADE_COLUMNS = ("price", "size", "side")
MAX_DECIMALS = 12
MAX_TICKS = 2.0**44  # so that a sum over half a million of them is exact in 64 bits
_SYMBOL = re.compile(r"([a-z0-9]{2,6}?)-?(usdt|usdc|usd|eur|gbp)(?![a-z])", re.IGNORECASE)

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class MarketFile:
    """Columns of one instrument: ``ts_ns`` int64; of bars open, high, low, close, volume; of trades price, size, side (+1, -1, 0)."""

    path: Path
    kind: Literal["bars", "trades"]
    symbol: str
    ts_ns: np.ndarray[Any, np.dtype[np.int64]]
    columns: dict[str, Floats]
    sha256: str  # of the file's bytes
    price_increment: Decimal
    notes: dict[str, int | str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ts_ns)


def read_market_file(path: Path, *, symbol: str | None = None, price_increment: Decimal | None = None) -> MarketFile:
    """Reads and checks the file; DataError in one line says what is wrong with it, in which row, and what to do.

    Without ``price_increment`` it is the largest power of ten that every price is a multiple of.
    """
    parquet = _open(path)
    names = set(parquet.schema_arrow.names)
    kind: Literal["bars", "trades"] = "trades" if "price" in names and "close" not in names else "bars"
    wanted = BAR_COLUMNS if kind == "bars" else TRADE_COLUMNS
    missing = [name for name in ("ts", *wanted) if name not in names]
    if missing:
        raise DataError(
            f"{path}: column {missing[0]!r} is missing (there are: {', '.join(parquet.schema_arrow.names)}); "
            "bars need ts, open, high, low, close, volume; trades need ts, price, size, side"
        )
    for name in ("ts", *wanted):
        if parquet.schema_arrow.names.count(name) > 1:
            raise DataError(f"{path}: column {name!r} is there twice; keep one of them")
    rows = parquet.metadata.num_rows
    if rows == 0:
        raise DataError(f"{path}: has no rows; give a file with at least one {kind[:-1]}")
    _check_types(path, parquet.schema_arrow, kind)
    ts_ns, columns = _read_columns(path, parquet, rows, wanted)
    notes: dict[str, int | str] = {}
    _check_times(path, ts_ns, kind, notes)
    _check_values(path, ts_ns, columns, kind)
    if kind == "bars":
        _check_bars(path, ts_ns, columns, notes)
    prices = [columns[name] for name in (BAR_COLUMNS[:4] if kind == "bars" else ("price",))]
    if price_increment is None:
        price_increment = _infer_increment(prices, notes)
    return MarketFile(path, kind, symbol or _symbol(path), ts_ns, columns, _sha256(path), price_increment, notes)


def _open(path: Path) -> pq.ParquetFile:
    if not path.exists():
        raise DataError(f"{path}: there is no such file; give the path of a Parquet file of bars or trades")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give one Parquet file of bars or trades")
    try:
        return pq.ParquetFile(path)
    except pa.ArrowInvalid:
        raise DataError(f"{path}: is not a Parquet file (or it is cut off); write it with pyarrow, polars or pandas.to_parquet") from None
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror or error}; check its permissions") from None


def _check_types(path: Path, schema: pa.Schema, kind: str) -> None:
    if schema.field("ts").type != pa.int64():
        raise DataError(f"{path}: column 'ts' is {schema.field('ts').type}; it must be int64, nanoseconds since 1970 in UTC")
    for name in BAR_COLUMNS if kind == "bars" else ("price", "size"):
        found = schema.field(name).type
        if not (pa.types.is_floating(found) or pa.types.is_integer(found) or pa.types.is_decimal(found)):
            raise DataError(f"{path}: column {name!r} is {found}; it must be a number (float64)")
    if kind == "trades":
        found = schema.field("side").type
        if pa.types.is_dictionary(found):
            found = found.value_type
        if not (pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_null(found)):
            raise DataError(f"{path}: column 'side' is {found}; it must be text: the taker's side, 'buy' or 'sell', or null")


def _read_columns(
    path: Path, parquet: pq.ParquetFile, rows: int, names: tuple[str, ...]
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], dict[str, Floats]]:
    ts_ns = np.empty(rows, np.int64)
    columns = {name: np.empty(rows, np.float64) for name in names}
    at = 0
    try:
        for batch in parquet.iter_batches(batch_size=131_072, columns=["ts", *names]):
            end = at + batch.num_rows
            for name in ("ts", *names):
                column = batch.column(name)
                if name == "side":
                    columns[name][at:end] = _sides(path, column, at)
                    continue
                if column.null_count:
                    row = at + int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
                    raise DataError(f"{path}: column {name!r} has no value in {_row(row)}; fill it or leave the row out")
                if name == "ts":
                    ts_ns[at:end] = column.to_numpy()
                else:
                    columns[name][at:end] = column.cast(pa.float64(), safe=False).to_numpy()
            at = end
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}: can't be read after {_row(at)}: {str(error).splitlines()[0]}; the file is damaged, write it again"
        ) from None
    return ts_ns, columns


def _sides(path: Path, column: Any, at: int) -> Floats:
    if pa.types.is_null(column.type):
        return np.zeros(len(column))
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)
    sides = np.where(values == "buy", 1.0, np.where(values == "sell", -1.0, 0.0))
    unknown = (sides == 0.0) & (values != None)  # noqa: E711  # element by element
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        raise DataError(f"{path}: column 'side' is {values[row]!r} in {_row(at + row)}; it must be 'buy', 'sell' or null")
    return sides


def _row(index: int) -> str:
    return f"row {index + 1} (index {index})"


def _first(condition: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    return int(condition.argmax()) if condition.any() else -1


def _check_times(path: Path, ts_ns: np.ndarray[Any, np.dtype[np.int64]], kind: str, notes: dict[str, int | str]) -> None:
    if (row := _first(ts_ns < 0)) >= 0:
        raise DataError(f"{path}: column 'ts' is {ts_ns[row]} in {_row(row)}; it must be nanoseconds since 1970 in UTC")
    steps = np.diff(ts_ns)
    if (row := _first(steps < 0)) >= 0:
        raise DataError(f"{path}: time steps back in {_row(row + 1)} ({ts_ns[row + 1]} after {ts_ns[row]}); sort the rows by ts")
    same = steps == 0
    if kind == "bars":
        if (row := _first(same)) >= 0:
            raise DataError(f"{path}: two bars of one time, {_row(row)} and {_row(row + 1)} ({ts_ns[row]}); keep one of them")
        if len(steps):
            interval = int(steps.min())
            notes["bar_interval_ns"] = interval
            if gaps := int(np.count_nonzero(steps > interval)):
                notes["gaps"] = gaps
                notes["bars_missing"] = int(np.sum(steps[steps > interval] // interval - 1))
    elif count := int(np.count_nonzero(same)):
        notes["trades_of_one_time"] = count


def _check_values(path: Path, ts_ns: np.ndarray[Any, np.dtype[np.int64]], columns: dict[str, Floats], kind: str) -> None:
    for name, values in columns.items():
        if name == "side":
            continue
        if (row := _first(~np.isfinite(values))) >= 0:
            raise DataError(
                f"{path}: column {name!r} is {values[row]} in {_row(row)}; it must be a finite number: fix it or leave the row out"
            )
        if name == "volume":
            if (row := _first(values < 0)) >= 0:
                raise DataError(f"{path}: column 'volume' is {values[row]} in {_row(row)}; it can't be negative")
        elif (row := _first(values <= 0)) >= 0:
            raise DataError(f"{path}: column {name!r} is {values[row]} in {_row(row)}; it must be above zero: fix it or leave the row out")


def _check_bars(path: Path, ts_ns: np.ndarray[Any, np.dtype[np.int64]], columns: dict[str, Floats], notes: dict[str, int | str]) -> None:
    high, low = columns["high"], columns["low"]
    if (row := _first(high < low)) >= 0:
        raise DataError(f"{path}: high {high[row]} is below low {low[row]} in {_row(row)}; swap them or leave the row out")
    for name in ("open", "close"):
        values = columns[name]
        if outside := int(np.count_nonzero((values > high) | (values < low))):
            notes[f"{name}_outside_high_low"] = outside


def _infer_increment(prices: list[Floats], notes: dict[str, int | str]) -> Decimal:
    largest = max(float(values.max()) for values in prices)
    finest = 0
    while finest < MAX_DECIMALS and largest * 10.0 ** (finest + 1) <= MAX_TICKS:
        finest += 1
    decimals = 0
    for values in prices:
        for sample in (values[:1000], values):
            while decimals < finest and not _on_grid(sample, decimals):
                decimals += 1
    if not all(_on_grid(values, decimals) for values in prices):
        notes["price_increment"] = f"prices are multiples of no decimal increment; averages round them to 1e-{decimals}"
    return Decimal(1).scaleb(-decimals)


def _on_grid(values: Floats, decimals: int) -> bool:
    scale = 10.0**decimals
    return bool(np.array_equal(np.rint(values * scale) / scale, values))


def _symbol(path: Path) -> str:
    found = _SYMBOL.search(path.stem.replace("_", " "))
    if found is None:
        return path.stem.split("_")[0].upper()
    return f"{found.group(1)}-{found.group(2)}".upper()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
