"""How much memory does a backtest take beside its input?"""

import json
import sys
from pathlib import Path

from . import commands
from .asked import Asked
from .bars import PARAMETERS
from .data import FIVE_YEARS, bars_file
from .measure import MIB, answer, in_turns, process, warm_up
from .page import Row, Table

INPUT_BYTES = 48 * FIVE_YEARS  # time, open, high, low, close, volume, eight bytes each
IMPORTS = "import traider.cli.backtest, traider.kernel.compiler, traider.strategies.sma_cross, traider.storage.market"


def backtest_command(rows: int = FIVE_YEARS) -> list[str | Path]:
    """The backtest as a user writes it."""
    return commands.backtest("sma_cross", bars_file(rows), PARAMETERS)


def measure(asked: Asked) -> list[Table]:
    """MiB at the peak, and how often the input arrays' size that is."""
    warm_up()
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
    return [
        Table(
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
    ]


if __name__ == "__main__":
    answer(measure)
