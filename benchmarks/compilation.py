"""How long does a new strategy take to compile?"""

import json
import shutil
import tempfile
import time
from pathlib import Path

from .asked import Asked
from .data import bars_file
from .measure import TRAIDER, WORK, answer, cache_folder, in_turns, process
from .page import Row, Table

SOURCE = '''"""Made by a benchmark, new each time."""

from traider.kernel.indicators import Sma, Std
from traider.kernel.kit import Strategy, param


class Fresh(Strategy):
    window: int = param(30, low=2, high=1000)

    def setup(self):
        self.mean = Sma(self.window)
        self.spread = Std(self.window)

    def on_bar(self, bar, ctx):
        mean = self.mean.update(bar.close)
        spread = self.spread.update(bar.close)
        if self.mean.ready():
            if bar.close > mean + {factor} * spread:
                ctx.target(self.quantity)
            elif bar.close < mean:
                ctx.target(0.0)
'''


def _compile(path: Path, cache: Path) -> float:
    bars = bars_file(100_000)
    run = process([TRAIDER, "backtest", f"{path}:Fresh", "--data", bars, "--json", "--manifest-out", WORK / "manifest.json"], cache)
    return float(json.loads(run.printed)["compile_seconds"])


def measure(asked: Asked) -> list[Table]:
    """Seconds of compilation, as ``traider backtest`` tells them."""
    path = WORK / "fresh.py"
    cache = cache_folder()

    def nothing() -> float:
        with tempfile.TemporaryDirectory(dir=WORK) as empty:
            return _compile(path, Path(empty))

    def new() -> float:
        path.write_text(SOURCE.format(factor=1.0 + time.time_ns() % 10**6 / 10**6), encoding="utf-8")
        return _compile(path, cache)

    try:
        new()
        figures = in_turns({"new": new, "again": lambda: _compile(path, cache)}, asked.rounds)
        first = in_turns({"nothing": nothing}, min(asked.rounds, 3))
    finally:
        path.unlink(missing_ok=True)
        shutil.rmtree(WORK / "__pycache__", ignore_errors=True)
    return [
        Table(
            title="Compilation",
            question=__doc__ or "",
            text=(
                "A strategy file that was never seen before, with two indicators, run by `traider backtest`; then the same file again, "
                "from the cache; then with an empty cache, as after an installation, where the kernel is compiled too (`python -m "
                "traider.cli.warm` does that ahead of time)."
            ),
            unit="s",
            rows=[
                Row("new strategy", None, figures["new"], goal=3.0, goal_is_of_figure=True),
                Row("the same again", None, figures["again"], goal=0.7, goal_is_of_figure=True),
                Row("empty cache", None, first["nothing"]),
            ],
        )
    ]


if __name__ == "__main__":
    answer(measure)
