"""A Parquet file, or a frame, of bars or trades as checked numpy columns.

What makes a result wrong is an error that names file, row and remedy: a missing column or value, a time that steps back,
two bars of one time, a price that is no positive number, a high below its low. What real data does contain is accepted
and counted in ``notes``: a close or open slightly outside high and low, missing minutes, trades of one time.
"""

import hashlib
import math
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..domain.errors import DataError
from .market_checks import Floats, Integers, Notes, check_increment, check_times, check_values, infer_increment, row_words

BAR_COLUMNS = ("open", "high", "low", "close", "volume")
TRADE_COLUMNS = ("price", "size", "side")
_SIDES = {"buy": 1.0, "sell": -1.0}
_BATCH = 65_536  # rows decoded together
_IS_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
_SYMBOL = re.compile(r"([a-z0-9]{2,6}?)-?(usdt|usdc|usd|eur|gbp)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class MarketFile:
    """Columns of one instrument: ``ts_ns`` int64; of bars open, high, low, close, volume; of trades price, size, side (+1, -1, 0)."""

    path: Path
    kind: Literal["bars", "trades"]
    symbol: str
    ts_ns: Integers
    columns: dict[str, Floats]
    sha256: str  # of the file's bytes
    price_increment: Decimal
    notes: Notes = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ts_ns)


def read_market_file(path: Path, *, symbol: str | None = None, price_increment: Decimal | None = None) -> MarketFile:
    """Reads and checks the file; DataError in one line says what is wrong with it, in which row, and what to do.

    Without ``price_increment`` it is the largest power of ten that every price is a multiple of.
    """
    parquet = _open(path)
    rows = parquet.metadata.num_rows
    kind, wanted = _check_schema(path, parquet.schema_arrow, rows)
    ts_ns, columns = _read_columns(path, parquet, rows, wanted)
    notes, price_increment = _check_columns(path, kind, ts_ns, columns, price_increment)
    return MarketFile(path, kind, symbol or _symbol(path), ts_ns, columns, _sha256(path), price_increment, notes)


def market_frame(frame: object, *, symbol: str | None = None, price_increment: Decimal | None = None) -> MarketFile:
    """A frame of bars or trades under the checks of a file: anything that Arrow can read, as pyarrow, pandas and polars have it.

    Its ``sha256`` is of the columns that are used, its ``path`` the word frame.
    """
    path = Path("frame")
    try:
        table = frame if isinstance(frame, pa.Table) else pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(
            f"data is {type(frame).__name__}: {_first_line(error)}; give a path, or a pyarrow, pandas or polars frame of bars or trades"
        ) from None
    kind, wanted = _check_schema(path, table.schema, table.num_rows)
    digest = hashlib.sha256(f"traider-frame-1 {kind}".encode())
    read: dict[str, Any] = {}
    for name in ("ts", *wanted):
        read[name] = np.empty(table.num_rows, np.int64 if name == "ts" else np.float64)
        at = 0
        for chunk in table.column(name).chunks:
            read[name][at : at + len(chunk)] = _numbers(path, name, _plain_words(chunk), at)
            at += len(chunk)
        digest.update(read[name].tobytes())
    ts_ns = read.pop("ts")
    notes, price_increment = _check_columns(path, kind, ts_ns, read, price_increment)
    return MarketFile(path, kind, symbol or "FRAME", ts_ns, read, digest.hexdigest(), price_increment, notes)


def _plain_words(chunk: Any) -> Any:
    """The chunk with categories as polars has them turned into ones that Arrow can look up."""
    if pa.types.is_dictionary(chunk.type) and pa.types.is_string_view(chunk.type.value_type):
        return pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(pa.string()))
    return chunk


def _check_schema(path: Path, schema: pa.Schema, rows: int) -> tuple[Literal["bars", "trades"], tuple[str, ...]]:
    """What the columns are of, and which of them are used."""
    names = set(schema.names)
    kind: Literal["bars", "trades"] = "trades" if "price" in names and "close" not in names else "bars"
    wanted = BAR_COLUMNS if kind == "bars" else TRADE_COLUMNS
    missing = [name for name in ("ts", *wanted) if name not in names]
    if missing:
        there = ", ".join(name if name.isprintable() else repr(name) for name in schema.names)
        raise DataError(
            f"{path}: column {missing[0]!r} is missing (there are: {there}); "
            "bars need ts, open, high, low, close, volume; trades need ts, price, size, side"
        )
    for name in ("ts", *wanted):
        if schema.names.count(name) > 1:
            raise DataError(f"{path}: column {name!r} is there twice; keep one of them")
    if rows == 0:
        raise DataError(f"{path}: has no rows; give a file with at least one {kind[:-1]}")
    _check_types(path, schema, kind)
    return kind, wanted


def _check_columns(
    path: Path, kind: str, ts_ns: Integers, columns: dict[str, Floats], price_increment: Decimal | None
) -> tuple[Notes, Decimal]:
    """What is noted of the values, and the price increment: the one given, or what the prices tell."""
    notes = check_times(path, ts_ns, kind) | check_values(path, columns)
    prices = [columns[name] for name in (BAR_COLUMNS[:4] if kind == "bars" else ("price",))]
    if price_increment is None:
        price_increment, remark = infer_increment(prices)
        notes |= remark
    check_increment(path, prices, price_increment)
    return notes, price_increment


def _open(path: Path) -> pq.ParquetFile:
    if not path.exists():
        raise DataError(f"{path}: there is no such file; give the path of a Parquet file of bars or trades")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give one Parquet file of bars or trades")
    try:
        parquet = pq.ParquetFile(path, pre_buffer=False)
        _ = parquet.schema_arrow  # read now, so that what is wrong with it is told here
    except pa.ArrowInvalid:
        raise DataError(f"{path}: is not a Parquet file (or it is cut off); write it with pyarrow, polars or pandas.to_parquet") from None
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(f"{path}: can't be read: {error.strerror}; check its permissions") from None
        raise DataError(f"{path}: is damaged: {_first_line(error)}; write it again") from None
    return parquet


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].strip()


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
        if not any(test(found) for test in _IS_TEXT):
            raise DataError(f"{path}: column 'side' is {found}; it must be text: the taker's side, 'buy' or 'sell', or null")


def _read_columns(path: Path, parquet: pq.ParquetFile, rows: int, names: tuple[str, ...]) -> tuple[Integers, dict[str, Floats]]:
    groups = [parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups)]
    try:
        if rows < 0 or sum(groups) != rows:
            raise pa.ArrowInvalid(f"it says that it has {rows} rows, and has {sum(groups)}")
        ts_ns = np.empty(rows, np.int64)
        columns = {name: np.empty(rows, np.float64) for name in names}
    except (MemoryError, pa.ArrowInvalid) as error:
        raise DataError(f"{path}: can't be read: {_first_line(error)}; give a smaller file, or write it again if it is damaged") from None
    at = 0
    try:
        for group, count in enumerate(groups):
            for name in ("ts", *names):  # one column at a time: what is decoded and not yet copied stays small
                start = at
                for batch in parquet.iter_batches(_BATCH, row_groups=[group], columns=[name], use_threads=False):
                    chunk = batch.column(0)
                    values = ts_ns if name == "ts" else columns[name]
                    values[start : start + len(chunk)] = _numbers(path, name, chunk, start)
                    start += len(chunk)
                if start != at + count:
                    raise pa.ArrowInvalid(f"column {name!r} has {start - at} values instead of {count}")
            at += count
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: can't be read after {row_words(at)}: {_first_line(error)}; the file is damaged, write it again") from None
    pa.default_memory_pool().release_unused()  # what decoding needed is of no more use, and a backtest's peak is yet to come
    return ts_ns, columns


def _numbers(path: Path, name: str, column: Any, at: int) -> Floats | Integers:
    """The values of one chunk that begins at this row; DataError where one is missing."""
    if name == "side":
        return _sides(path, column, at)
    if column.null_count:
        row = at + int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise DataError(f"{path}: column {name!r} has no value in {row_words(row)}; fill it or leave the row out")
    numbers: Floats | Integers
    numbers = _in_place(column, np.int64) if name == "ts" else _in_place(column.cast(pa.float64(), safe=False), np.float64)
    return numbers


def _in_place(column: Any, dtype: type) -> np.ndarray[Any, Any]:
    """The numbers of a chunk without nulls, where they lie. ``to_numpy`` would import pandas wherever that is installed."""
    if not len(column):
        return np.empty(0, dtype)
    return np.frombuffer(column.buffers()[1], dtype)[column.offset : column.offset + len(column)]


def _sides(path: Path, column: Any, at: int) -> Floats:
    if pa.types.is_null(column.type):
        return np.zeros(len(column))
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    encoded = column.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    sides: Floats = np.array([_SIDES.get(word, math.nan) for word in words] + [0.0])[
        _in_place(encoded.indices.fill_null(len(words)), np.int32)
    ]
    unknown = np.isnan(sides)
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        raise DataError(f"{path}: column 'side' is {column[row].as_py()!r} in {row_words(at + row)}; it must be 'buy', 'sell' or null")
    return sides


def _symbol(path: Path) -> str:
    found = _SYMBOL.search(path.stem.replace("_", " "))
    if found is None:
        return path.stem.split("_")[0].upper()
    return f"{found.group(1)}-{found.group(2)}".upper()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
