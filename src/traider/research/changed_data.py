"""Copies of a market data file with another future: same columns, same types, same times."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from traider.engine.lookahead.futures import Columns, Future, Grid, changed
from traider.storage.market_checks import MAX_TICKS
from traider.storage.market_file import MarketFile

_ROOM = 4.0  # times the highest recorded price that another future may reach
_SIDES = {1.0: "buy", -1.0: "sell", 0.0: None}


def write_future(market: MarketFile, table: pa.Table, path: Path, *, cut: int, future: Future, seed: int) -> None:
    """Writes the file's table with the rows from ``cut`` on of another future.

    A column that isn't market data as traider knows them has those rows in another order, so that whoever reads it is found
    out as well.
    """
    if future == "truncated":
        pq.write_table(table.slice(0, cut), path)
        return
    grid = Grid(market.price_increment, _ceiling(market.columns, market.price_increment))
    new = changed(market.kind, market.columns, cut, future, grid=grid, seed=seed)
    order = np.arange(table.num_rows)
    order[cut:] = np.random.default_rng([seed, cut]).permutation(order[cut:])
    columns: list[Any] = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if field.name == "ts":
            columns.append(column)
        elif field.name in new:
            columns.append(_column(field, new[field.name]))
        else:
            columns.append(column.take(order))
    pq.write_table(pa.table(columns, schema=table.schema), path)


def _ceiling(columns: Columns, increment: Decimal) -> float:
    highest = max(float(columns[name].max()) for name in ("high", "close", "price") if name in columns)
    return min(highest * _ROOM, float(increment) * MAX_TICKS * 0.99)


def _column(field: Any, values: np.ndarray[Any, Any]) -> Any:
    if field.name == "side":
        return pa.array([_SIDES[side] for side in values.tolist()], pa.string()).cast(field.type)
    return pa.array(values).cast(field.type, safe=False)
