"""A run's results as Arrow tables, whose columns ``docs/python-api.md`` states. Times are int64 nanoseconds since 1970, UTC."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa

from traider.domain.instruments import Instrument
from traider.engine.explain import why
from traider.engine.fills import Fills
from traider.engine.provenance import Provenance
from traider.engine.round_trips import Ledger
from traider.engine.statistics.curves import Curves
from traider.engine.trial import Trial
from traider.engine.walkforward import Fold

Column = np.ndarray[Any, Any]


def fills_table(fills: Fills, symbols: Sequence[str]) -> pa.Table:
    """One row a fill, in order: ts, symbol, side, liquidity, price, size, fee. ``symbols`` are by instrument's number."""
    return _table(
        {
            "ts": fills["ts_ns"],
            "symbol": np.array(symbols)[fills["inst"]],
            "side": np.where(fills["side"] > 0, "buy", "sell"),
            "liquidity": np.where(fills["maker"] > 0, "maker", "taker"),
            "price": fills["price"],
            "size": fills["size"],
            "fee": fills["fee"],
        }
    )


def with_reasons(table: pa.Table, fills: Fills, instruments: Sequence[Instrument]) -> pa.Table:
    """The fills' table with a column ``why``: the order, and what happened to it."""
    return table.append_column("why", pa.array(list(why(fills, instruments)), pa.string()))


def round_trips_table(ledger: Ledger, symbols: Sequence[str]) -> pa.Table:
    """One row a round trip, in the order in which they ended; ``entry_fill`` and ``exit_fill`` are rows of the fills' table."""
    trips = ledger.trips
    return _table(
        {
            "entry_ts": trips["entry_ns"],
            "exit_ts": trips["exit_ns"],
            "symbol": np.array(symbols)[trips["inst"]],
            "side": np.where(trips["side"] > 0, "long", "short"),
            "size": trips["size"],
            "entry_price": trips["entry_price"],
            "exit_price": trips["exit_price"],
            "pnl": trips["pnl"],
            "fees": trips["fees"],
            "net_pnl": trips["pnl"] - trips["fees"],
            "entry_fill": trips["entry"],
            "exit_fill": trips["exit"],
        }
    )


def equity_table(curves: Curves) -> pa.Table:
    """At most some 4,000 points of the account, in order: ts, equity, drawdown, held."""
    return _table({"ts": curves.ts_ns, "equity": curves.equity, "drawdown": curves.drawdown, "held": curves.held})


def trials_table(trials: Sequence[Trial]) -> pa.Table:
    """One row a trial, in the order in which they were tried; the parameters come first, under their own names."""
    return _columns_of(trials, [field.name for field in fields(Trial)])


def folds_table(folds: Sequence[Fold]) -> pa.Table:
    """One row a fold of a walk-forward, in order; the parameters that were chosen come first, under their own names."""
    return _columns_of(folds, [field.name for field in fields(Fold)])


def stamped(table: pa.Table, provenance: Provenance) -> pa.Table:
    """The table, with what it was made of as JSON in its schema's metadata (``traider``): a Parquet file keeps it, a CSV can't."""
    return table.replace_schema_metadata({**(table.schema.metadata or {}), b"traider": json.dumps(provenance.to_dict()).encode()})


def _columns_of(rows: Sequence[Trial] | Sequence[Fold], names: Sequence[str]) -> pa.Table:
    parameters = {name: [row.parameters[name] for row in rows] for name in rows[0].parameters}
    figures = {_renamed(name): [getattr(row, name) for row in rows] for name in names if name != "parameters"}
    return pa.table({**parameters, **{name: pa.array(values, _type_of(name)) for name, values in figures.items()}})


def _renamed(name: str) -> str:
    """Times end in ``_ts`` in a table, as everywhere in tables."""
    return f"{name.removesuffix('_ns')}_ts" if name.endswith("_ns") else name


def _type_of(name: str) -> pa.DataType | None:
    return pa.float64() if name == "sharpe" else None  # it may be missing in every row


def _words(rows: int, word: str) -> Column:
    return np.full(rows, word)


def _table(columns: Mapping[str, Column]) -> pa.Table:
    # Words are given their type: of an empty column numpy would not tell.
    return pa.table(
        {
            name: pa.array(values.tolist(), pa.string()) if values.dtype.kind == "U" else pa.array(np.ascontiguousarray(values))
            for name, values in columns.items()
        }
    )
