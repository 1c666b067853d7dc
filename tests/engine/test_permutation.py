"""The permutation test: what is kept of the bars, what is lost, and what it says of luck and of a pattern in time."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.research.markets import TRADES, bars
from traider.domain.errors import UserError
from traider.engine.backtest import BacktestSpec
from traider.engine.grid import parse_axis, trials_of
from traider.engine.permutation import BarPermutation, PermutationTest, check_permutations, permutation_test
from traider.engine.sweep import run_trials
from traider.engine.tape import Floats, Tape, bars_tape
from traider.research import inputs
from traider.storage.market import read_market_file

CENT = Fraction(1, 100)
MINUTE_NS = 60_000_000_000


def made_up(closes: Floats) -> Tape:
    """Bars that open at the close before and reach a little beyond open and close."""
    opens = np.concatenate((closes[:1], closes[:-1]))
    high, low = np.maximum(opens, closes) + 0.05, np.minimum(opens, closes) - 0.05
    ts_ns = np.arange(len(closes), dtype=np.int64) * MINUTE_NS
    return bars_tape(ts_ns, opens, high, low, closes, np.arange(float(len(closes))))


def logarithms(tape: Tape) -> tuple[Floats, Floats]:
    """The gaps, and the bars' own steps."""
    return np.log(tape.a[1:] / tape.d[:-1]), np.log(tape.d / tape.a)


def test_returns_trend_and_times_are_kept_and_their_order_is_not() -> None:
    _, tape, _ = bars(2000)
    # Increments so fine that rounding hides nothing.
    permuted = BarPermutation(tape, increment=Fraction(1, 10**9), seed=1).tape(0)
    for real, other in zip(logarithms(tape), logarithms(permuted), strict=True):
        assert np.sort(other) == pytest.approx(np.sort(real), abs=1e-11)
        assert not np.allclose(other, real, atol=1e-6)
    assert permuted.a[0] == pytest.approx(tape.a[0])
    assert permuted.d[-1] == pytest.approx(tape.d[-1], rel=1e-9)
    assert np.array_equal(permuted.ts_ns, tape.ts_ns)
    assert np.sort(permuted.e).tolist() == np.sort(tape.e).tolist()


def test_each_bar_keeps_its_shape_and_its_volume() -> None:
    closes = 100.0 + np.cumsum(np.arange(1.0, 41.0))  # no two steps alike
    tape = made_up(closes)
    permuted = BarPermutation(tape, increment=Fraction(1, 10**9), seed=3).tape(0)
    came_from = permuted.e.astype(int)  # a bar's volume is its number
    for name in "bcd":
        real = getattr(tape, name) / tape.a
        assert getattr(permuted, name) / permuted.a == pytest.approx(real[came_from], rel=1e-9)


def test_prices_lie_on_the_increment_and_within_high_and_low() -> None:
    _, tape, _ = bars(2000)
    for number in range(3):
        permuted = BarPermutation(tape, increment=CENT, seed=1).tape(number)
        for column in (permuted.a, permuted.b, permuted.c, permuted.d):
            assert np.array_equal(column, np.rint(column * 100) / 100)
        inside = (permuted.b >= np.maximum(permuted.a, permuted.d)) & (permuted.c <= np.minimum(permuted.a, permuted.d))
        outside = np.count_nonzero((tape.b < np.maximum(tape.a, tape.d)) | (tape.c > np.minimum(tape.a, tape.d)))
        assert np.count_nonzero(~inside) <= outside  # a real bar that closes outside of its range still does


def test_a_permutation_hangs_on_seed_and_number_alone() -> None:
    _, tape, _ = bars(500)

    def closes(seed: int, number: int) -> list[float]:
        values: list[float] = BarPermutation(tape, increment=CENT, seed=seed).tape(number).d.tolist()
        return values

    assert closes(1, 7) == closes(1, 7)
    assert closes(1, 7) != closes(1, 8)
    assert closes(1, 7) != closes(2, 7)


@given(st.lists(st.integers(1, 10_000), min_size=3, max_size=60), st.integers(0, 5))
def test_no_price_falls_below_one_increment(cents: list[int], seed: int) -> None:
    price = np.array(cents) / 100
    tape = bars_tape(np.arange(len(price), dtype=np.int64), price, price, price, price, price)
    permuted = BarPermutation(tape, increment=CENT, seed=seed).tape(0)
    assert min(permuted.a.min(), permuted.b.min(), permuted.c.min(), permuted.d.min()) >= 0.01
    assert np.isfinite(permuted.d).all()


def worth_of(known: list[float]) -> Callable[[Tape], float]:
    left = iter(known)
    return lambda _: next(left)


@pytest.mark.parametrize(("bests", "as_good", "p_value"), [([1.0, 2.0, 3.0], 2, 3 / 4), ([0.0] * 9, 0, 1 / 10), ([2.0] * 4, 4, 1.0)])
def test_the_p_value_counts_the_real_bars_as_one_permutation(bests: list[float], as_good: int, p_value: float) -> None:
    _, tape, _ = bars(50)
    permuted = BarPermutation(tape, increment=CENT, seed=0)
    test = permutation_test(worth_of(bests), permuted, observed=2.0, objective="final-equity", permutations=len(bests), seed=0)
    assert (test.as_good, test.p_value) == (as_good, p_value)


def sweep_test(spec: BacktestSpec, tape: Tape, permutations: int) -> PermutationTest:
    sets = trials_of([parse_axis("fast=1,2,3"), parse_axis("slow=8,12,16")])

    def best_of(data: Tape) -> float:
        return max(outcome.trial.final_equity for outcome in run_trials(spec, sets, data))

    permuted = BarPermutation(tape, increment=CENT, seed=11)
    return permutation_test(best_of, permuted, observed=best_of(tape), objective="final-equity", permutations=permutations, seed=11)


def test_a_pattern_in_time_is_found_and_a_random_walk_is_none() -> None:
    spec = bars(10)[0]
    assert spec.instrument.price_increment == Decimal("0.01")
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 0.05, 1500)
    waves = 1000 + 30 * np.sin(np.arange(1500) * 2 * np.pi / 60) + np.cumsum(noise)
    walk = 1000 + np.cumsum(rng.permutation(np.diff(waves, prepend=1000)))  # the same steps without their order
    pattern, luck = (sweep_test(spec, made_up(np.round(closes, 2)), 19) for closes in (waves, walk))
    assert pattern.p_value == 1 / 20
    assert luck.p_value > 0.1


def test_under_the_null_hypothesis_small_p_values_are_rare() -> None:
    """Of 40 random walks about one in ten has p <= 0.1: with 9 permutations that is exactly the chance of being the best of ten."""
    rng = np.random.default_rng(8)
    small = 0
    for _ in range(40):
        tape = made_up(np.round(1000 + np.cumsum(rng.normal(0, 0.5, 60)), 2))
        permuted = BarPermutation(tape, increment=CENT, seed=int(rng.integers(1000)))
        test = permutation_test(momentum, permuted, observed=momentum(tape), objective="momentum", permutations=9, seed=0)
        small += test.p_value <= 0.1
    assert small <= 10  # binomial(40, 0.1): more than ten has a chance of 0.1 %


def momentum(tape: Tape) -> float:
    """What follows its own step before earns: a statistic of order alone."""
    steps = np.diff(tape.d)
    return float((np.sign(steps[:-1]) * steps[1:]).sum())


def test_what_has_no_permutation_is_refused() -> None:
    _, tape, _ = bars(100)
    trades = inputs.tape_of(read_market_file(TRADES)).head(100)
    with pytest.raises(UserError, match="needs bars: trades in another order"):
        BarPermutation(trades, increment=CENT, seed=0)
    with pytest.raises(UserError, match="at least 3 bars"):
        BarPermutation(tape.head(2), increment=CENT, seed=0)
    two = replace(tape, inst=np.arange(100, dtype=np.uint16) % 2)
    with pytest.raises(UserError, match="one instrument"):
        BarPermutation(two, increment=CENT, seed=0)
    with pytest.raises(UserError, match="above zero"):
        BarPermutation(replace(tape, c=tape.c - tape.c.min()), increment=CENT, seed=0)


@pytest.mark.parametrize("count", [0, -1, 100_001])
def test_a_number_of_permutations_that_says_nothing_is_refused(count: int) -> None:
    with pytest.raises(UserError, match="--permutations is"):
        check_permutations(count, "--permutations")
