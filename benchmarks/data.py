"""Seeded synthetic market data, made once and kept as Parquet."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .measure import WORK

FIVE_YEARS = 2_628_000  # one-minute bars
START_NS = 1_600_000_020_000_000_000  # the start of a minute
MINUTE_NS = 60_000_000_000
DAY_NS = 1440 * MINUTE_NS


def bars_file(rows: int = FIVE_YEARS) -> Path:
    """One-minute bars of a random walk in cents; 2.2 % of them end with the averages of 20 and 50 closes crossing."""
    path = WORK / f"btc-usd_{rows}_bars.parquet"
    if not path.exists():
        rng = np.random.default_rng(7)
        close = _walk(rng, rows, 3e-4)
        opens = np.concatenate(([close[0]], np.round(close[:-1] + rng.integers(-5, 6, rows - 1) * 0.01, 2)))
        high = np.round(np.maximum(opens, close) + rng.integers(0, 300, rows) * 0.01, 2)
        low = np.round(np.minimum(opens, close) - rng.integers(0, 300, rows) * 0.01, 2)
        ts = START_NS + MINUTE_NS * np.arange(rows, dtype=np.int64)
        volume = np.round(rng.exponential(5.0, rows), 4)
        write_parquet(path, {"ts": ts, "open": opens, "high": high, "low": low, "close": close, "volume": volume})
    return path


def trades_file(rows: int = 5_000_000) -> Path:
    """Trades some tens of milliseconds apart; one in five is at a new price, a step of a random walk in cents from the last."""
    path = WORK / f"btc-usd_{rows}_prints.parquet"
    if not path.exists():
        rng = np.random.default_rng(8)
        side = np.array(["buy", "sell"])[rng.integers(0, 2, rows)]
        ts = START_NS + np.cumsum(rng.integers(1, 100_000_000, rows))
        size = np.round(rng.exponential(0.05, rows) + 0.02, 4)
        moves = rng.random(rows) < 0.2
        write_parquet(path, {"ts": ts, "price": _walk(rng, rows, 4.5e-5 * moves), "size": size, "side": side})
    return path


def trades_folder(days: int, trades_a_day: int) -> Path:
    """A folder with so many daily files of trades. The days are one day's prices over and over: made once, and moved in time."""
    folder = WORK / f"btc-usd_{days}_days_of_{trades_a_day}_trades"
    if not folder.exists():
        rng = np.random.default_rng(9)
        side = pa.array(np.array(["buy", "sell"])[rng.integers(0, 2, trades_a_day)]).dictionary_encode()
        ts = START_NS + np.sort(rng.integers(0, DAY_NS, trades_a_day))
        price, size = _walk(rng, trades_a_day, 2e-5), np.round(rng.exponential(0.05, trades_a_day) + 0.02, 4)
        unfinished = folder.with_suffix(".part")
        for day in range(days):
            write_parquet(unfinished / f"btc-usd_{day:03}.parquet", {"ts": ts + day * DAY_NS, "price": price, "size": size, "side": side})
        unfinished.replace(folder)
    return folder


def _walk(rng: np.random.Generator, rows: int, deviation: Any) -> Any:
    return np.round(30_000.0 * np.exp(np.cumsum(rng.normal(0.0, deviation, rows))), 2)


def write_parquet(path: Path, columns: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    pq.write_table(pa.table(columns), unfinished, compression="zstd")
    unfinished.replace(path)
