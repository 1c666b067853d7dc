"""A seeded synthetic order book with trades, made once and kept as Parquet."""

from pathlib import Path
from typing import Any

import numba
import numpy as np
import pyarrow as pa

from .data import START_NS, write_parquet
from .measure import WORK

TICK = 0.01
LOT = 0.001
BID, ASK, TRADE = 0, 1, 2  # how the loops below and the hand-written one number the kinds
WORDS = ("bid", "ask", "trade")
_LEVELS = 200_000  # the prices run from 0.01 to 2,000.00, and start in the middle
_SNAPSHOT = 100  # levels a side


def order_book_file(rows: int = 2_000_000) -> Path:
    """Level updates (89 %) and trades (11 %) of a book that starts with 100 levels a side around 1,000.00.

    Levels come, change and go near the touch, more of them the nearer; a trade takes from the touch, and the level follows
    a moment later. One row in ten begins a group of two to six rows with one time stamp; the others are some tens of
    milliseconds apart, so that the maker keeps to a thousand orders a minute.
    """
    path = WORK / f"btc-usd_{rows}_book.parquet"
    if not path.exists():
        ts_ns, kind, tick, lots, buys = _book(rows, 9)
        side = pa.array(np.array(["buy", "sell"])[1 - buys], mask=kind != TRADE)
        columns = {
            "ts": ts_ns,
            "kind": np.array(WORDS)[kind],
            "price": np.round(tick * TICK, 2),
            "size": np.round(lots * LOT, 3),
            "side": side,
            "is_snapshot": ts_ns == ts_ns[0],
        }
        write_parquet(path, columns)
    return path


@numba.njit
def _book(rows: int, seed: int) -> tuple[Any, Any, Any, Any, Any]:
    """Times, kinds, ticks, lots, and 1 where a taker bought."""
    np.random.seed(seed)
    sizes = np.zeros((2, _LEVELS), np.int64)
    best = np.array([_LEVELS // 2, _LEVELS // 2 + 1])
    ts_ns, kind = np.empty(rows, np.int64), np.empty(rows, np.int64)
    tick, lots, buys = np.empty(rows, np.int64), np.empty(rows, np.int64), np.zeros(rows, np.int64)
    now, group, owed = START_NS, 0, -1
    for i in range(rows):
        if i < 2 * _SNAPSHOT:
            s, at, size = i % 2, best[i % 2] + (i // 2) * (2 * (i % 2) - 1), np.random.randint(1, 2000)
        elif owed >= 0:  # the level that the trade before took from
            s, at, size = owed, best[owed], sizes[owed, best[owed]]
            owed = -1
        else:
            s = np.random.randint(0, 2)
            if np.random.random() < 0.11:
                at = best[s]
                size = min(sizes[s, at], np.random.randint(1, 400))
                sizes[s, at] -= size
                owed = s
            else:
                at, size = _update(best, s)
        if i >= 2 * _SNAPSHOT:
            if group > 0:
                group -= 1
            else:
                now += np.random.randint(1, 150_000_000)
                group = np.random.randint(1, 6) if np.random.random() < 0.1 else 0
        ts_ns[i], tick[i], lots[i] = now, at, size
        if owed >= 0:
            kind[i], buys[i] = TRADE, s
            continue
        kind[i] = s
        sizes[s, at] = size
        if size > 0:
            if (at > best[s]) if s == BID else (at < best[s]):
                best[s] = at
        elif at == best[s]:
            while sizes[s, best[s]] == 0:
                best[s] += 2 * s - 1
    return ts_ns, kind, tick, lots, buys


@numba.njit
def _update(best: Any, s: int) -> tuple[int, int]:
    """A level near the touch and its new size; inside the spread where there is room and chance has it."""
    away = 2 * s - 1  # from the other side
    if best[1] - best[0] > 1 and np.random.random() < 0.3:
        return best[s] - away, np.random.randint(1, 1000)
    distance = int(-3.0 * np.log(1.0 - np.random.random()))
    gone = np.random.random() < (0.4 if distance == 0 else 0.2)
    return best[s] + away * distance, 0 if gone else np.random.randint(1, 2000)
