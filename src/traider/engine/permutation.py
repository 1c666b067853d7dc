"""Could the best of a sweep have come from the same bars in another order? A permutation test of the whole search.

After Masters, "Permutation and Randomization Tests for Trading System Development" (2018). The logarithms of two kinds of
steps are permuted, each among themselves: the gap from a bar's close to the next bar's open, and a bar's own shape (high,
low and close against its open, with its volume). The permuted bars are those steps put together again from the first bar's
open on: every return is kept, and so are the first price, the last one and the whole trend between them, but for rounding
to the price increment. What is lost is their order, so a strategy that lives on patterns in time can't find any. Bars keep
their times.

The null hypothesis is that order tells nothing that the search could use. Under it the real bars are one more permutation,
and p = (1 + permutations whose best is at least as good) / (1 + permutations).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np

from ..domain.errors import UserError
from ..domain.vocabulary import EventKind
from .tape import Floats, Tape

MOST = 100_000


class Bests(Protocol):
    """The best of permutations that were run before, and where a new one is noted."""

    def known_best(self, number: int) -> float | None: ...

    def note_best(self, number: int, best: float) -> None: ...


@dataclass(frozen=True)
class PermutationTest:
    """``observed`` is the objective's value of the best trial; ``as_good`` permutations had one that was at least that good."""

    permutations: int
    seed: int
    objective: str
    observed: float
    as_good: int

    @property
    def p_value(self) -> float:
        return (1 + self.as_good) / (1 + self.permutations)


class BarPermutation:
    """Permutations of one instrument's bars by number, each the same for the same seed; UserError where the data has none."""

    def __init__(self, tape: Tape, *, increment: Fraction, seed: int) -> None:
        _check(tape)
        self._tape, self._seed = tape, seed
        self._num, self._den = float(increment.numerator), float(increment.denominator)
        close_before = np.concatenate((tape.a[:1], tape.d[:-1]))
        self._gap = np.log(tape.a / close_before)  # the first is none
        self._high, self._low, self._close = (np.log(column / tape.a) for column in (tape.b, tape.c, tape.d))

    def tape(self, number: int) -> Tape:
        """The permuted bars of this number, counted from 0."""
        real = self._tape
        rng = np.random.default_rng((self._seed, number))
        gap = np.concatenate((self._gap[:1], rng.permutation(self._gap[1:])))
        shape = rng.permutation(len(real))
        close = self._close[shape]
        opens = math.log(real.a[0]) + np.cumsum(gap) + np.concatenate(([0.0], np.cumsum(close[:-1])))
        high, low = opens + self._high[shape], opens + self._low[shape]
        a, b, c, d = (self._on_grid(logarithms) for logarithms in (opens, high, low, opens + close))
        return Tape(real.ts_ns, real.kind, real.inst, a, b, c, d, real.e[shape])

    def _on_grid(self, logarithms: Floats) -> Floats:
        """Prices, at the nearest increment and never below one."""
        units = np.maximum(np.rint(np.exp(logarithms) * self._den / self._num), 1.0)
        return units * self._num / self._den


def _check(tape: Tape) -> None:
    if len(tape) < 3:
        raise UserError(f"a permutation test needs at least 3 bars, and there are {len(tape)}: give more data")
    if np.any(tape.kind != EventKind.BAR):
        raise UserError(
            "a permutation test needs bars: trades in another order would be another market (their sides, sizes and times hang together, "
            "and orders fill by them); make bars of the trades, or leave the test out"
        )
    if np.any(tape.inst != tape.inst[0]):
        raise UserError("a permutation test takes the bars of one instrument; leave it out, or test the instruments one by one")
    if min(float(column.min()) for column in (tape.a, tape.b, tape.c, tape.d)) <= 0:
        raise UserError("a permutation test needs prices above zero: their logarithms are permuted")


def check_permutations(count: int, name: str) -> None:
    if not 1 <= count <= MOST:
        raise UserError(f"{name} is {count}; give a number from 1 to {MOST:,} (99 or more, to show a p-value of 1 %)")


def permutation_test(
    best_of: Callable[[Tape], float],
    bars: BarPermutation,
    *,
    observed: float,
    objective: str,
    permutations: int,
    seed: int,
    bests: Bests | None = None,
    progress: Callable[[int], None] | None = None,
) -> PermutationTest:
    """Runs the whole search, which ``best_of`` is, over so many permutations; what ``bests`` knows is not run again."""
    as_good = 0
    for number in range(permutations):
        best = None if bests is None else bests.known_best(number)
        if best is None:
            best = best_of(bars.tape(number))
            if bests is not None:
                bests.note_best(number, best)
        as_good += best >= observed
        if progress is not None:
            progress(number + 1)
    return PermutationTest(permutations, seed, objective, observed, as_good)
