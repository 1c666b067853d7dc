"""How much longer than a loop on one core does a sweep take, with all cores?"""

import functools
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import commands, race, reference
from .asked import Asked
from .bars import check_fills
from .data import bars_file
from .loops import WARM_UP, run_loop, told
from .measure import MIB, answer
from .page import Row, Table
from .peers.columns import columns_of
from .race import Entrant, case, peer

BARS, FEW = 500_000, 10_000
GRID = {"fast": "5:50:5", "slow": "60:155:5"}
PAIRS = list(itertools.product(range(5, 51, 5), range(60, 156, 5)))
SETTINGS: dict[str, Any] = {"fast": [5, 51, 5], "slow": [60, 156, 5], "quantity": 1, "cash": reference.CASH, "fee": reference.FEE}
GOAL_MIB = 500.0


def _loop() -> dict[str, Any]:
    ran = run_loop(reference.sma_cross_sweep, bars_file(BARS), ("close",), 5, 51, 5, 60, 156, 5, 1.0)
    return {**ran, "ns": ran["ns"] / len(PAIRS)}


def _exact() -> dict[str, Any]:
    """Every pair by the loop that follows the drawdown. It fills at the next open: each open is the close before, with one bar more."""
    column = columns_of(bars_file(BARS))["close"]
    opens, close = np.concatenate((column[:1], column)), np.concatenate((column, column[-1:]))
    reference.exact_sma_cross(opens[:WARM_UP], close[:WARM_UP], 5, 60, 1.0)
    started = time.perf_counter()
    runs = [reference.exact_sma_cross(opens, close, fast, slow, 1.0) for fast, slow in PAIRS]
    seconds = time.perf_counter() - started
    return told(seconds, BARS * len(PAIRS), sum(fills for _, fills, _ in runs), max(equity for equity, *_ in runs))


CASES: dict[str, Callable[[], dict[str, Any]]] = {"loop": _loop, "exact": _exact}


def _traider(name: str, *more: str, goal: float | None = None) -> Entrant:
    return Entrant(name, lambda: commands.sweep("sma_cross", bars_file(BARS), GRID, fill="close", more=more), commands.read_sweep, goal)


def measure(asked: Asked) -> list[Table]:
    """Nanoseconds a bar and pair, and how often the reference's that is; and the memory that it takes."""
    data = functools.partial(bars_file, BARS)
    ran = race.run(
        {
            "loop": case("hand-written loop, one core (the reference)", "sweep", "loop"),
            "exact": case("the same, with drawdown at each bar", "sweep", "exact"),
            "traider": _traider("**traider, all cores**", goal=2.0),
            "traider-one": _traider("traider, one core", "--threads", "1"),
            "vectorbt": vectorbt("rust", 1, data, rounds=3),
            "vectorbt-some": vectorbt("rust", 20, data, rounds=1, slow=True),
            "vectorbt-all": vectorbt("numba", 200, data, rounds=1, slow=True),
            "backtesting": peer(
                f"backtesting.py's optimize, all cores ({FEW:,} bars),",
                "backtesting",
                "backtesting_sweep",
                functools.partial(bars_file, FEW),
                SETTINGS,
                rounds=1,
            ),
        },
        asked,
        "loop",
    )
    check_fills(ran, "loop")
    check_fills(ran, "exact")
    text = (
        f"`sma_cross` with 200 pairs (5 to 50 by 5, 60 to 155 by 5) on {BARS:,} bars, filled at the same close, 0.1 % fee; the equity is "
        "the best pair's, fills and fees are those of all. The loop is integer sums on one core. traider adds for each the risk check, "
        "the drawdown and 512 points of the equity curve, and of them all the deflated Sharpe ratio and the probability of overfitting."
    )
    races = race.table(
        ran, title="W2: 200 parameter pairs on bars", question=__doc__ or "", text=text, unit="ns a bar and pair", reference="loop"
    )
    return [races, _memory(ran)]


def vectorbt(engine: str, together: int, data: Callable[[], Path], **more: Any) -> Entrant:
    """vectorbt, with so many pairs in one call."""
    how = "one pair at a time" if together == 1 else f"{together} pairs at a time"
    settings = {**SETTINGS, "engine": engine, "together": together}
    return peer(f"vectorbt ({engine}), {how},", "vectorbt", "vectorbt_sweep", data, settings, **more)


def _memory(ran: race.Race) -> Table:
    peaks = [turn.peak_mib for turn in ran.turns["traider"]]
    arrays = BARS * 48 / MIB
    return Table(
        title="W2: memory",
        question="How much memory does the sweep take?",
        text=f"The whole process of `traider sweep`, at its peak; the {BARS:,} bars are {arrays:.0f} MiB.",
        unit="MiB",
        ratio_of="the input arrays",
        rows=[Row("**traider, all cores**", max(peaks) / arrays, peaks, goal=GOAL_MIB, goal_is_of_figure=True)],
    )


if __name__ == "__main__":
    answer(measure)
