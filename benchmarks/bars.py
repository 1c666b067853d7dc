"""How near does a compiled strategy on bars come to a loop written by hand for it?"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import commands, race, reference
from .asked import Asked
from .data import FIVE_YEARS, bars_file
from .loops import run_loop
from .measure import answer
from .page import Table
from .race import Entrant, case, peer

FEW = 100_000
PARAMETERS: dict[str, object] = {"fast": 20, "slow": 50}
SETTINGS: dict[str, Any] = {**PARAMETERS, "quantity": 1, "cash": reference.CASH, "fee": reference.FEE}
TEXT = (
    "`sma_cross` (20, 50), one unit, 0.1 % fee. The engines' time alone: no start-up, no reading, no compilation. traider's rows are "
    "`traider backtest` with every risk limit set: orders, positions, equity, peak and drawdown are kept at every bar. The loops are in "
    "`benchmarks/reference.py`. The exact one adds in whole cents, so that equal averages are equal, and follows equity and drawdown "
    "bar by bar; its fills and final equity are traider's, to the cent."
)


def _loop(rows: int, loop: Callable[..., tuple[Any, ...]]) -> dict[str, Any]:
    return run_loop(loop, bars_file(rows), ("open", "close"), 20, 50, 1.0)


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "loop": lambda: _loop(FIVE_YEARS, reference.sma_cross),
    "exact": lambda: _loop(FIVE_YEARS, reference.exact_sma_cross),
    "loop-few": lambda: _loop(FEW, reference.sma_cross),
    "exact-few": lambda: _loop(FEW, reference.exact_sma_cross),
}


def traider(name: str, rows: int, fill: str, *more: str, **entrant: Any) -> Entrant:
    """``traider backtest`` on so many bars."""
    return Entrant(
        name, lambda: commands.backtest("sma_cross", bars_file(rows), PARAMETERS, fill=fill, more=more), commands.read_backtest, **entrant
    )


def measure(asked: Asked) -> list[Table]:
    """Nanoseconds a bar, and how often the reference's that is: five years of minutes, and a hundred thousand."""
    return [_five_years(asked), _few(asked)]


def _five_years(asked: Asked) -> Table:
    data = functools.partial(bars_file, FIVE_YEARS)
    ran = race.run(
        {
            "loop": case("hand-written loop (the reference)", "bars", "loop"),
            "exact": case("the same, exact sums and drawdown", "bars", "exact"),
            "traider": traider("**traider, next open**", FIVE_YEARS, "next-open", goal=2.5),
            "traider-close": traider("traider, same close", FIVE_YEARS, "close"),
            "vectorbt-rust": vectorbt("rust", "close", data, rounds=5),
            "vectorbt-rust-open": vectorbt("rust", "next-open", data, rounds=3),
            "vectorbt-numba": vectorbt("numba", "close", data, rounds=3),
            "backtesting": backtesting("next-open", data, rounds=1, slow=True),
            "nautilus": nautilus(data, tuned=True, rounds=1, slow=True),
        },
        asked,
        "loop",
    )
    check_fills(ran, "exact")
    return race.table(
        ran, title=f"W1: a strategy on {FIVE_YEARS:,} bars", question=__doc__ or "", text=TEXT, unit="ns a bar", reference="loop"
    )


def _few(asked: Asked) -> Table:
    data = functools.partial(bars_file, FEW)
    ran = race.run(
        {
            "loop": case("hand-written loop (the reference)", "bars", "loop-few"),
            "exact": case("the same, exact sums and drawdown", "bars", "exact-few"),
            "traider": traider("**traider, next open**", FEW, "next-open"),
            "interpreted": traider("traider, interpreted", FEW, "next-open", "--interpreted"),
            "vectorbt-rust": vectorbt("rust", "close", data),
            "vectorbt-numba": vectorbt("numba", "close", data, rounds=3),
            "backtesting": backtesting("close", data, rounds=3),
            "backtesting-open": backtesting("next-open", data, rounds=3),
            "nautilus": nautilus(data, tuned=True, rounds=3),
            "nautilus-defaults": nautilus(data, tuned=False, rounds=2, slow=True),
            "backtrader": backtrader(data, rounds=3),
        },
        asked,
        "loop",
    )
    check_fills(ran, "exact")
    text = "The same strategy on a shorter file, for those that take a second or more for it."
    return race.table(ran, title=f"W1: {FEW:,} bars", question=__doc__ or "", text=text, unit="ns a bar", reference="loop")


def vectorbt(engine: str, fill: str, data: Callable[[], Path], **more: Any) -> Entrant:
    """vectorbt, with one of its two engines."""
    name = f"vectorbt ({engine}), {'same close' if fill == 'close' else 'next open'},"
    return peer(name, "vectorbt", "vectorbt_bars", data, {**SETTINGS, "engine": engine, "fill": fill}, **more)


def backtesting(fill: str, data: Callable[[], Path], **more: Any) -> Entrant:
    """backtesting.py."""
    name = f"backtesting.py, {'same close' if fill == 'close' else 'next open'},"
    return peer(name, "backtesting", "backtesting_bars", data, {**SETTINGS, "fill": fill}, **more)


def nautilus(data: Callable[[], Path], *, tuned: bool, **more: Any) -> Entrant:
    """NautilusTrader with a Python strategy; ``tuned`` as in its script."""
    name = f"nautilus_trader, {'tuned' if tuned else 'defaults'}, same close,"
    return peer(name, "nautilus", "nautilus_bars", data, {**SETTINGS, "tuned": tuned}, **more)


def backtrader(data: Callable[[], Path], **more: Any) -> Entrant:
    """backtrader."""
    return peer("backtrader, next open,", "backtrader", "backtrader_events", data, SETTINGS, **more)


def check_fills(ran: race.Race, loop: str) -> None:
    """The measured build does what the loop does: RuntimeError where fills or final equity differ by a cent."""
    if "traider" in ran.failures:
        return
    mine, yours = ran.last("traider"), ran.last(loop)
    if mine["fills"] != yours["fills"] or abs(mine["equity"] - yours["equity"]) >= 0.005:
        raise RuntimeError(f"the loop and the engine disagree: {yours}, {mine}")


if __name__ == "__main__":
    answer(measure)
