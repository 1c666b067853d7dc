"""What does an indicator of the kit cost, compared with the same arithmetic written into the loop by hand?"""

import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from traider.kernel.indicators import Ema, Highest, Rsi, Sma, Sum, Variance
from traider.kernel.structs import allocate, describe, view_of

from .asked import Asked
from .data import FIVE_YEARS, bars_file
from .loops import WARM_UP
from .measure import answer, cases_in_turns, ratio
from .page import Row, Table
from .peers.columns import columns_of

WINDOW = 20


def _told(run: Callable[[Any], float], prices: Any) -> dict[str, Any]:
    """Nanoseconds an update, and the sum of all outputs; after a first run that compiles it."""
    run(prices[:WARM_UP])
    started = time.perf_counter()
    total = run(prices)
    return {"ns": (time.perf_counter() - started) / len(prices) * 1e9, "sum": total}


def _prices() -> Any:
    return columns_of(bars_file())["close"]


def _kit(make: Callable[[int], Any]) -> dict[str, Any]:
    """An indicator as a compiled strategy has it: its state in a block, its methods put into the loop."""
    struct = describe(make(WINDOW))
    view = view_of(struct)

    @numba.njit
    def loop(block: Any, prices: Any) -> float:
        indicator = view(block)
        total = 0.0
        for price in prices:
            total += indicator.update(price)
        return total

    prices = _prices()
    first = make(WINDOW)
    if isinstance(first, Rsi):
        first.update(float(prices[0]))  # of which there is no change yet: its nan would swallow the sum
        prices = prices[1:]
    fresh = allocate(first, struct)
    return _told(lambda prices: float(loop(fresh.copy(), prices)), prices)


def _hand(loop: Callable[[Any, int], float]) -> dict[str, Any]:
    return _told(lambda prices: float(loop(prices, WINDOW)), _prices())


@numba.njit(error_model="numpy")
def ema(prices: Any, span: int) -> float:
    alpha = 2.0 / (span + 1.0)
    mean = prices[0]
    total = mean
    for price in prices[1:]:
        mean += alpha * (price - mean)
        total += mean
    return float(total)


@numba.njit(error_model="numpy")
def sma(prices: Any, window: int) -> float:
    """Whole hundredths of a millionth, which is what an ``Sma`` without an instrument counts in."""
    ticks = np.zeros(window, np.int64)
    held = slot = count = 0
    total = 0.0
    for price in prices:
        tick = round(price * 1e8)
        held += tick - ticks[slot]
        ticks[slot] = tick
        slot = slot + 1 if slot + 1 < window else 0
        count = min(count + 1, window)
        total += held / (count * 1e8)
    return total


@numba.njit(error_model="numpy")
def folded_sum(prices: Any, window: int) -> float:
    values = np.zeros(window)
    slot = 0
    recent = total = 0.0
    for price in prices:
        values[slot] = price
        recent += price
        slot += 1
        if slot < window:
            total += recent + values[slot]
        else:
            folded = 0.0
            for i in range(window - 1, -1, -1):
                folded += values[i]
                values[i] = folded
            recent = 0.0
            slot = 0
            total += folded
    return total


@numba.njit(error_model="numpy")
def variance(prices: Any, window: int) -> float:
    """The direct form, two passes over the window at each price: what the fold saves."""
    total = 0.0
    for k in range(len(prices)):
        first = max(0, k + 1 - window)
        mean = squares = 0.0
        for i in range(first, k + 1):
            mean += prices[i]
        mean /= k + 1 - first
        for i in range(first, k + 1):
            squares += (prices[i] - mean) * (prices[i] - mean)
        total += squares / (k + 1 - first)
    return total


@numba.njit(error_model="numpy")
def highest(prices: Any, window: int) -> float:
    """The direct form, the whole window at each price."""
    total = 0.0
    for k in range(len(prices)):
        top = prices[k]
        for i in range(max(0, k + 1 - window), k):
            top = max(top, prices[i])
        total += top
    return total


@numba.njit(error_model="numpy")
def rsi(prices: Any, window: int) -> float:
    up = down = 0.0
    total = 0.0
    for k in range(1, len(prices)):
        change = prices[k] - prices[k - 1]
        count = min(k, window)
        up += (max(change, 0.0) - up) / count
        down += (max(-change, 0.0) - down) / count
        moved = up + down
        total += 100.0 * up / moved if moved > 0.0 else 50.0
    return total


PAIRS: dict[str, tuple[str, Callable[[int], Any], Callable[[Any, int], float]]] = {
    "ema": ("`Ema`", Ema, ema),
    "sma": ("`Sma`, in whole increments", Sma, sma),
    "sum": ("`Sum`, folded", Sum, folded_sum),
    "rsi": ("`Rsi`", Rsi, rsi),
    "variance": ("`Variance`, against two passes over the window", Variance, variance),
    "highest": ("`Highest`, against a pass over the window", Highest, highest),
}
CASES: dict[str, Callable[[], dict[str, Any]]] = {
    **{name: lambda make=make: _kit(make) for name, (_, make, _) in PAIRS.items()},  # type: ignore[misc]  # a default that binds
    **{f"{name}_loop": lambda loop=loop: _hand(loop) for name, (_, _, loop) in PAIRS.items()},  # type: ignore[misc]  # as above
}


def measure(asked: Asked) -> list[Table]:
    """Nanoseconds an update, and how often the hand-written loop's that is."""
    figures, told = cases_in_turns("indicators", CASES, "ns", asked.rounds)
    for name in PAIRS:
        ours, theirs = told[name]["sum"], told[f"{name}_loop"]["sum"]
        if abs(ours - theirs) > 1e-6 * abs(theirs):
            raise RuntimeError(f"the loop and the kit disagree on {name}: {theirs}, {ours}")
    return [
        Table(
            title="An indicator",
            question=__doc__ or "",
            text=(
                f"{FIVE_YEARS:,} closes, window {WINDOW}, one update each. The kit's indicators keep their state in the strategy's block, "
                "in memory; the loop has it in registers. Both add up what comes out, and the sums agree."
            ),
            unit="ns an update",
            ratio_of="the loop",
            rows=[Row(words, ratio(figures, name, f"{name}_loop"), figures[name]) for name, (words, _, _) in PAIRS.items()],
        )
    ]


if __name__ == "__main__":
    answer(measure)
