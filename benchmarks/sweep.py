"""What does a sweep over 200 parameter pairs take, in time and in memory?"""

import itertools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from . import reference
from .data import bars_file
from .measure import TRAIDER, answer, case, in_turns, process, ratio
from .page import Row, Table

BARS = 500_000
FAST, SLOW = range(5, 51, 5), range(60, 156, 5)
MIB = 1024 * 1024
WARM_UP = 1000


def _loops(function: Callable[..., tuple[Any, ...]]) -> dict[str, Any]:
    """All pairs, one after the other, on one core; the arrays are read before."""
    table = pq.read_table(bars_file(BARS), columns=["open", "close"])
    opens, close = (table[name].to_numpy() for name in ("open", "close"))
    function(opens[:WARM_UP], close[:WARM_UP], 5, 60, 1.0)
    started = time.perf_counter()
    told = [function(opens, close, fast, slow, 1.0) for fast, slow in itertools.product(FAST, SLOW)]
    seconds = time.perf_counter() - started
    return {"s": seconds, "fills": sum(fills for _, fills, *_ in told), "best": round(max(equity for equity, *_ in told), 2)}


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "loops": lambda: _loops(reference.sma_cross),
    "exact": lambda: _loops(reference.exact_sma_cross),
}


def sweep_command(*more: str) -> list[str | Path]:
    """The sweep as a user writes it."""
    grid = [f"--grid={name}={values[0]}:{values[-1]}:{values.step}" for name, values in (("fast", FAST), ("slow", SLOW))]
    words = "--quantity 1 --cash 10000000 --fee-taker 0.001 --fee-maker 0.001 --json"
    return [TRAIDER, "sweep", "sma_cross", "--data", bars_file(BARS), *grid, *words.split(), *more]


def measure(rounds: int) -> Table:
    """Seconds for all pairs, and how often the reference's that is."""
    process(sweep_command())  # compiles
    peaks: list[float] = []
    told: dict[str, Any] = {}

    def loop(name: str) -> float:
        told[name] = case("sweep", name)
        return float(told[name]["s"])

    def swept(name: str, *more: str) -> float:
        run = process(sweep_command(*more))
        told[name] = json.loads(run.printed)
        if not more:
            peaks.append(run.peak_bytes / MIB)
        return float(told[name]["engine_seconds"])

    figures = in_turns(
        {
            "loops": lambda: loop("loops"),
            "exact": lambda: loop("exact"),
            "one": lambda: swept("one", "--threads", "1"),
            "all": lambda: swept("all"),
        },
        rounds,
    )
    exact, ours = told["exact"], told["all"]
    if (exact["fills"], exact["best"]) != (ours["total_fills"], round(ours["best"]["final_equity"], 2)):
        raise RuntimeError(f"the loops and the sweep disagree: {exact}, {ours['total_fills']}, {ours['best']}")
    return Table(
        title="A sweep",
        question=__doc__ or "",
        text=(
            f"`sma_cross` with {len(FAST) * len(SLOW)} pairs (fast 5 to 50, slow 60 to 155) on {BARS:,} synthetic bars, "
            f"{ours['total_fills']:,} fills at the next open, 0.1 % fee: `traider sweep … --json` as a process of its own, engine time. "
            "The reference is the hand-written loop of the first table, once for each pair, on one core. The exact loop's total of "
            "fills and its best equity are the sweep's, to the cent. The peak is the whole process's resident memory; "
            f"the goal is 500 MB, {500e6 / MIB:.0f} MiB."
        ),
        unit="s",
        rows=[
            Row("hand-written loop, 200 times, one core (the reference)", 1.0, figures["loops"]),
            Row("the same, exact sums and drawdown", ratio(figures, "exact", "loops"), figures["exact"]),
            Row("traider sweep, one thread", ratio(figures, "one", "loops"), figures["one"]),
            Row(f"**traider sweep, all {os.cpu_count()} cores**", ratio(figures, "all", "loops"), figures["all"], goal=2.0),
        ],
        notes=[f"Peak memory of the sweep on all cores: {max(peaks):.0f} MiB, {'met' if max(peaks) * MIB <= 500e6 else '**missed**'}."],
    )


if __name__ == "__main__":
    answer(measure)
