"""Does a backtest over a hundred days of trades need more memory than over one?"""

import json
from pathlib import Path
from typing import Any

from . import commands
from .asked import Asked
from .data import trades_folder
from .measure import MIB, answer, in_turns, process, ratio, warm_up
from .page import Row, Table
from .trades import PARAMETERS

DAYS, QUICK_DAYS = 100, 10
ROUNDS = 3
TRADES_A_DAY = 250_000
COLUMNS_BYTES = 8 + 1 + 2 + 3 * 8  # of a trade on a tape: time, kind, instrument, price, size, side


def backtest_command(days: int) -> list[str | Path]:
    """The backtest as a user writes it: over a folder of daily files."""
    return commands.backtest("ema_band", trades_folder(days, TRADES_A_DAY), PARAMETERS, fill="same", quantity=0.01)


def measure(asked: Asked) -> list[Table]:
    """MiB at the peak, and how often that of one day it is."""
    warm_up()
    days = QUICK_DAYS if asked.quick else DAYS
    told: dict[int, dict[str, Any]] = {}

    def peak(count: int) -> float:
        run = process(backtest_command(count))
        told[count] = json.loads(run.printed)
        return run.peak_bytes / MIB

    figures = in_turns({"one": lambda: peak(1), "many": lambda: peak(days)}, min(asked.rounds, ROUNDS))
    events = told[days]["events"]
    return [
        Table(
            title="A long stream",
            question=__doc__ or "",
            text=(
                f"`traider backtest ema_band --data FOLDER --json` as a process of its own, over {days} daily Parquet files with together "
                f"{events:,} trades, and over the first of them. On a tape they are {events * COLUMNS_BYTES / MIB:,.0f} MiB; the fills, "
                f"{told[days]['fills']:,} and {told[1]['fills']:,}, are kept. Peak resident memory, the interpreter included."
            ),
            unit="MiB",
            ratio_of="one day",
            rows=[
                Row("one day (the reference)", 1.0, figures["one"]),
                Row(f"**{days} days**", ratio(figures, "many", "one"), figures["many"], goal=1.15),
            ],
        )
    ]


if __name__ == "__main__":
    answer(measure)
