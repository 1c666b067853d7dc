"""Copies of market data files with another future: same columns, same types, same times."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from traider.engine.lookahead.futures import Future
from traider.engine.lookahead.markets import OtherMarket, other_market, tape_of
from traider.engine.lookahead.shifted import Levels
from traider.engine.lookahead.traces import Integers
from traider.storage.market import FileKind, MarketFile

from .recorded import Recorded

_SIDES = {1.0: "buy", -1.0: "sell", 0.0: None}
_LEVELS = {1.0: "bid", -1.0: "ask"}
_TAPE = "tape.npz"


def write_recorded(recorded: Recorded, folder: Path) -> Path:
    """Copies of the files as they are, and the tape, in a new folder; the folder."""
    return _write(recorded, folder, len(recorded.tape), None, seed=0)


def write_future(recorded: Recorded, folder: Path, *, cut: int, future: Future, seed: int) -> Path:
    """Copies of the files whose rows from row ``cut`` of the stream on are of another future, and its tape; the folder.

    A column that isn't market data as traider knows them has those rows in another order, so that whoever reads it is found
    out as well. A file that begins after a cut is empty where the data end.
    """
    other = None if future == "truncated" else other_market(recorded.tape, cut, future, grids=recorded.grids(), seed=seed)
    return _write(recorded, folder, cut, other, seed=seed)


def copies_in(folder: Path, count: int) -> list[Path]:
    """Where the copies of the files are, in the market's order."""
    return [folder / f"{number}.parquet" for number in range(count)]


def tape_in(folder: Path) -> Path:
    """Where the numbers of the stream are."""
    return folder / _TAPE


def _write(recorded: Recorded, folder: Path, cut: int, other: OtherMarket | None, *, seed: int) -> Path:
    folder.mkdir()
    tape = recorded.tape.head(cut) if other is None else tape_of(recorded.tape, other)
    np.savez(tape_in(folder), *tape.columns())
    copies = copies_in(folder, len(recorded.market.files))
    for file, rows, path in zip(recorded.market.files, recorded.rows, copies, strict=True):
        table = pq.read_table(file.path)
        first = int(np.searchsorted(rows, cut))
        pq.write_table(table.slice(0, first) if other is None else _with_future(file, table, rows, first, other, seed=seed), path)
    return folder


def _with_future(file: MarketFile, table: pa.Table, rows: Integers, first: int, other: OtherMarket, *, seed: int) -> pa.Table:
    numbers = dict(zip(file.found.format.numbers, (column[rows] for column in other.values), strict=False))
    order = np.arange(table.num_rows)
    order[first:] = np.random.default_rng([seed, first]).permutation(order[first:])
    kept = {"ts", *file.found.format.words, "is_snapshot", "seq", "symbol"}
    columns: list[Any] = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if field.name in numbers:
            columns.append(_joined(column, first, numbers[field.name], field))
        elif field.name == "side" and file.kind is FileKind.TRADES:
            sides = [_SIDES[side] for side in other.values[2][rows[first:]].tolist()]
            columns.append(pa.chunked_array([*column.slice(0, first).chunks, _words(sides, field)], field.type))
        else:
            columns.append(column if field.name in kept else column.take(order))
    changed = pa.table(columns, schema=table.schema)
    return _with_levels(file, changed, rows, other) if file.found.format.is_book else changed


def _joined(column: Any, first: int, values: "np.ndarray[Any, Any]", field: Any) -> Any:
    """The past as it lies in the file, and the numbers of the future."""
    return pa.chunked_array([*column.slice(0, first).chunks, pa.array(values[first:]).cast(field.type, safe=False)], field.type)


def _with_levels(file: MarketFile, table: pa.Table, rows: Integers, other: OtherMarket) -> pa.Table:
    """The table with each snapshot before its row, as part of that row's message."""
    parts, done = [], 0
    for before, levels in other.levels.items():
        row = int(np.searchsorted(rows, before))
        if row == len(rows) or rows[row] != before:
            continue  # another file's
        parts += [table.slice(done, row - done), _snapshot(file, table.slice(row, 1), levels)]
        done = row
    return pa.concat_tables([*parts, table.slice(done)])


def _snapshot(file: MarketFile, row: pa.Table, levels: Levels) -> pa.Table:
    words = [_LEVELS[side] for side in levels.side.tolist()]
    own: dict[str, Any] = {"price": levels.price, "size": levels.size, "is_snapshot": np.ones(len(levels), np.bool_)}
    own["kind" if file.kind is FileKind.BOOK else "side"] = words
    columns = []
    for field, column in zip(row.schema, row.columns, strict=True):
        if field.name not in own:
            columns.append(column.take(np.zeros(len(levels), np.int64)))
        elif own[field.name] is words:
            columns.append(_words(words, field))
        else:
            columns.append(pa.array(own[field.name]).cast(field.type, safe=False))
    return pa.table(columns, schema=row.schema)


def _words(words: list[Any], field: Any) -> Any:
    return pa.array(words, pa.string()).cast(field.type)
