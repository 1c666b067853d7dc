"""How near does a compiled strategy on bars come to a loop written by hand for it?"""

from collections.abc import Callable
from typing import Any

from traider.engine.tape import Tape, bars_tape
from traider.storage.market import MarketFile, read_market_file
from traider.strategies.sma_cross import SmaCross

from . import reference
from .data import bars_file
from .engine import run_engine, run_loop
from .measure import answer, cases_in_turns, ratio
from .page import Row, Table

INTERPRETED_BARS = 100_000
PARAMETERS: dict[str, object] = {"fast": 20, "slow": 50}


def _data() -> tuple[MarketFile, Tape]:
    file = read_market_file(bars_file())
    return file, bars_tape(file.ts_ns, *(file.columns[name] for name in ("open", "high", "low", "close", "volume")))


def _loop(function: Callable[..., tuple[Any, ...]]) -> dict[str, Any]:
    file, _ = _data()
    return run_loop(function, [file.columns["open"], file.columns["close"]], 20, 50, 1.0)


def _compiled() -> dict[str, Any]:
    return run_engine(SmaCross, PARAMETERS, *_data())


def _interpreted() -> dict[str, Any]:
    file, tape = _data()
    return run_engine(SmaCross, PARAMETERS, file, tape.head(INTERPRETED_BARS), interpreted=True)


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "loop": lambda: _loop(reference.sma_cross),
    "exact": lambda: _loop(reference.exact_sma_cross),
    "compiled": _compiled,
    "interpreted": _interpreted,
}


def measure(rounds: int) -> Table:
    """Nanoseconds a bar, and how often the reference's that is."""
    figures, told = cases_in_turns("bars", CASES, "ns", rounds)
    exact, ours = told["exact"], told["compiled"]
    if (exact["fills"], exact["equity"]) != (ours["fills"], ours["equity"]):
        raise RuntimeError(f"the loop and the engine disagree: {exact}, {ours}")
    return Table(
        title="A strategy on bars",
        question=__doc__ or "",
        text=(
            f"`sma_cross` (20, 50) on 2,628,000 synthetic one-minute bars, {ours['fills']:,} fills at the next open, 0.1 % fee. The "
            "engine's time alone: no start-up, no reading, no compilation. The risk check has every limit set; orders, positions, "
            "equity, peak and drawdown are kept at every bar. The loops are in `benchmarks/reference.py`. The exact one adds in "
            "whole cents, so that equal averages are equal, and follows equity and drawdown bar by bar; its fills and final equity "
            "are the engine's, to the cent."
        ),
        unit="ns a bar",
        rows=[
            Row("hand-written loop (the reference)", 1.0, figures["loop"]),
            Row("the same, exact sums and drawdown", ratio(figures, "exact", "loop"), figures["exact"]),
            Row("**traider, compiled**", ratio(figures, "compiled", "loop"), figures["compiled"], goal=3.0),
            Row(f"traider, interpreted ({INTERPRETED_BARS:,} bars)", ratio(figures, "interpreted", "loop"), figures["interpreted"]),
        ],
    )


if __name__ == "__main__":
    answer(measure)
