"""Parquet files that the exchange simulator plays: books as they were recorded, trades, bars."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from traider.connectors.sim.exchange.recording import Columns
from traider.domain.errors import DataError
from traider.storage.market import read_market_file

_BOOK = ("ts", "side", "price", "size", "is_snapshot", "seq")


def read_recording(path: Path) -> Columns:
    """The file's columns; DataError in one line says what is wrong with it."""
    if _is_book(path):
        return _read_book(path)
    file = read_market_file(path)
    return Columns(file.kind, str(path), {"ts": file.ts_ns, **file.columns})


def _is_book(path: Path) -> bool:
    """Whether it has a book's columns; anything else, also what is no Parquet file, is left to the reader of bars and trades."""
    try:
        return {"is_snapshot", "seq"} <= set(pq.read_schema(path).names)
    except (pa.ArrowException, OSError):
        return False


def _read_book(path: Path) -> Columns:
    try:
        table = pq.read_table(path, columns=list(_BOOK))
    except (pa.ArrowException, OSError) as error:
        first = str(error).strip().partition("\n")[0]
        raise DataError(f"{path}: can't be read as a book: {first}; it needs {', '.join(_BOOK)}") from None
    if table.num_rows == 0:
        raise DataError(f"{path}: has no rows; give a file with at least a snapshot")
    for name in _BOOK:
        if table.column(name).null_count:
            raise DataError(f"{path}: column {name!r} has a missing value; leave the row out")
    ts = table.column("ts").to_numpy()
    if ts.dtype != np.int64 or np.any(np.diff(ts) < 0):
        raise DataError(f"{path}: column 'ts' must be int64 nanoseconds that never step back; sort the file by its order of arrival")
    side = np.array(table.column("side").cast(pa.string()).to_pylist())
    if not np.isin(side, ("bid", "ask")).all():
        raise DataError(f"{path}: column 'side' must be 'bid' or 'ask'")
    values = {name: table.column(name).to_numpy() for name in ("price", "size", "is_snapshot", "seq")}
    return Columns("l2", str(path), {"ts": ts, "side": np.where(side == "bid", 1, -1), **values})
