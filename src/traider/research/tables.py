"""A run's results as Arrow tables, whose columns ``docs/python-api.md`` states. Times are int64 nanoseconds since 1970, UTC."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from traider.engine.fills import Fills
from traider.engine.round_trips import Ledger
from traider.engine.statistics.curves import Curves

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


def _table(columns: Mapping[str, Column]) -> pa.Table:
    # Words are given their type: of an empty column numpy would not tell.
    return pa.table(
        {
            name: pa.array(values.tolist(), pa.string()) if values.dtype.kind == "U" else pa.array(np.ascontiguousarray(values))
            for name, values in columns.items()
        }
    )
