"""How much memory does a backtest take beside its input?"""

import json
import sys
from pathlib import Path

from . import commands
from .asked import Asked
from .data import DAY_TRADES, FIVE_YEARS, bars_file, days_file
from .measure import MIB, TRAIDER, WORK, answer, in_turns, process, warm_up
from .page import Row, Table

INPUT_BYTES = 48 * FIVE_YEARS  # time, open, high, low, close, volume, eight bytes each
IMPORTS = "import traider.cli.backtest, traider.kernel.compiler, traider.strategies.sma_cross, traider.storage.market_file"
FEW_DAYS, MANY_DAYS = 10, 100


def backtest_command(rows: int = FIVE_YEARS) -> list[str | Path]:
    """The backtest as a user writes it."""
    words = "--param fast=20 --param slow=50 --quantity 1 --cash 10000000 --fee-taker 0.001 --fee-maker 0.001 --fill next-open --json"
    manifest = WORK / "manifest.json"
    return [TRAIDER, "backtest", "sma_cross", "--data", bars_file(rows), *words.split(), "--manifest-out", manifest]


def measure(asked: Asked) -> list[Table]:
    """MiB at the peak: of a file of bars against its arrays, of a hundred days of trades against one day."""
    warm_up()
    return [_bars(asked), _days(asked)]


def _bars(asked: Asked) -> Table:
    events = json.loads(process(backtest_command()).printed)["events"]
    figures = in_turns(
        {
            "imports": lambda: process([sys.executable, "-c", IMPORTS]).peak_bytes / MIB,
            "backtest": lambda: process(backtest_command()).peak_bytes / MIB,
        },
        asked.rounds,
    )
    size = INPUT_BYTES / MIB
    above = [peak - imports for peak, imports in zip(figures["backtest"], figures["imports"], strict=True)]
    return Table(
        title="Memory",
        question=__doc__ or "",
        text=(
            f"`traider backtest sma_cross --json` as a process of its own on a Parquet file of {events:,} bars. The input arrays are "
            f"six columns of eight bytes, {size:.0f} MiB. Peak resident memory, the interpreter with everything imported included, "
            "and without it."
        ),
        unit="MiB",
        ratio_of="the input arrays",
        rows=[
            Row("input arrays", 1.0, [size]),
            Row("Python with the imports, doing nothing", None, figures["imports"]),
            Row("**whole process at its peak**", max(figures["backtest"]) / size, figures["backtest"], goal=3.0),
            Row("of that, above the imports", max(above) / size, above),
        ],
    )


def _days(asked: Asked) -> Table:
    days = FEW_DAYS if asked.quick else MANY_DAYS

    def peak(count: int) -> float:
        return process(commands.backtest("ema_band", days_file(count), {"span": 1000, "band": 0.0003}, quantity=0.01)).peak_bytes / MIB

    figures = in_turns({"one": lambda: peak(1), "many": lambda: peak(days)}, min(asked.rounds, 3))
    return Table(
        title="Memory of a long stream",
        question=f"Does a backtest over {days} days of trades take more memory than one over a day?",
        text=f"`traider backtest ema_band --json` on {DAY_TRADES:,} trades a day, a process of its own at its peak, imports included.",
        unit="MiB",
        ratio_of="one day",
        rows=[
            Row("one day", 1.0, figures["one"]),
            Row(f"**{days} days**", max(figures["many"]) / max(figures["one"]), figures["many"], goal=1.2),
        ],
    )


if __name__ == "__main__":
    answer(measure)
