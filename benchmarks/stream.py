"""Does a backtest over a hundred days of trades need more memory than over one?"""

import json
from pathlib import Path
from typing import Any

from .data import trades_folder
from .measure import TRAIDER, WORK, answer, in_turns, process, ratio
from .page import Row, Table

DAYS = 100
TRADES_A_DAY = 250_000
MIB = 1024 * 1024
COLUMNS_BYTES = 8 + 1 + 2 + 3 * 8  # of a trade on a tape: time, kind, instrument, price, size, side


def backtest_command(days: int) -> list[str | Path]:
    """The backtest as a user writes it: over a folder of daily files."""
    words = "--param span=1000 --param band=0.0003 --quantity 0.01 --fee-taker 0.001 --fill same --json"
    manifest = WORK / "stream-manifest.json"
    return [TRAIDER, "backtest", "ema_band", "--data", trades_folder(days, TRADES_A_DAY), *words.split(), "--manifest-out", manifest]


def measure(rounds: int) -> Table:
    """MiB at the peak, and how often that of one day it is."""
    told: dict[int, dict[str, Any]] = {}

    def peak(days: int) -> float:
        run = process(backtest_command(days))
        told[days] = json.loads(run.printed)
        return run.peak_bytes / MIB

    peak(1)  # fills the cache
    figures = in_turns({"one": lambda: peak(1), "many": lambda: peak(DAYS)}, rounds)
    events = told[DAYS]["events"]
    return Table(
        title="A long stream",
        question=__doc__ or "",
        text=(
            f"`traider backtest ema_band --data FOLDER --json` as a process of its own, over {DAYS} daily Parquet files with together "
            f"{events:,} trades, and over the first of them. On a tape they are {events * COLUMNS_BYTES / MIB:,.0f} MiB; the fills, "
            f"{told[DAYS]['fills']:,} and {told[1]['fills']:,}, are kept. Peak resident memory, the interpreter included."
        ),
        unit="MiB",
        ratio_of="one day",
        rows=[
            Row("one day (the reference)", 1.0, figures["one"]),
            Row(f"**{DAYS} days**", ratio(figures, "many", "one"), figures["many"], goal=1.15),
        ],
    )


if __name__ == "__main__":
    answer(measure)
