"""How long does a user wait before anything happens?"""

import sys

from .asked import Asked
from .measure import TRAIDER, answer, in_turns, process, warm_up
from .memory import backtest_command
from .page import Row, Table

BARS = 100_000


def measure(asked: Asked) -> list[Table]:
    """Seconds from the start of a process to its exit."""
    backtest = backtest_command(BARS)
    warm_up()
    figures = in_turns(
        {
            "pass": lambda: process([sys.executable, "-c", "pass"]).seconds,
            "import": lambda: process([sys.executable, "-c", "import traider"]).seconds,
            "help": lambda: process([TRAIDER, "--help"]).seconds,
            "backtest": lambda: process(backtest).seconds,
        },
        asked.rounds,
    )
    above = [loaded - bare for loaded, bare in zip(figures["import"], figures["pass"], strict=True)]
    return [
        Table(
            title="Start-up",
            question=__doc__ or "",
            text=f"Whole processes, from start to exit; the backtest is `sma_cross` on {BARS:,} bars with compiled code in the cache.",
            unit="s",
            ratio_of="the reference",
            rows=[
                Row("`python -c pass` (the reference)", 1.0, figures["pass"]),
                Row("`import traider`, above that", None, above, goal=0.3, goal_is_of_figure=True),
                Row("`traider --help`", None, figures["help"], goal=0.5, goal_is_of_figure=True),
                Row("`traider backtest`", None, figures["backtest"], goal=1.0, goal_is_of_figure=True),
            ],
        )
    ]


if __name__ == "__main__":
    answer(measure)
