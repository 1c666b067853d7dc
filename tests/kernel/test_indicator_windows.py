"""Sliding windows under any values: exact extremes, sums without dust, and no rounding that piles up."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import traider.kernel.indicators as kit
from tests.kernel.indicator_cases import CASES, Floats, columns_of, made, outputs_of, rows_of
from traider.kernel.indicators.running import RunningSum

VALUES = st.lists(st.floats(-1e9, 1e9, width=64), min_size=1, max_size=120)
FEW = st.lists(st.integers(0, 3).map(float), min_size=1, max_size=80)  # many ties
WINDOW = st.integers(1, 20)
TINY = 1e-300  # below it floats lose places
# those that know of the last values alone, and of how many
FORGETFUL = {
    "Aroon": 26, "Beta": 30, "Bollinger": 20, "Cci": 20, "ChaikinMoneyFlow": 20, "Cmo": 15, "Correlation": 30, "Donchian": 20,
    "Highest": 20, "Hma": 19, "Ichimoku": 52, "Lag": 8, "LinearRegression": 14, "LogReturn": 2, "Lowest": 20, "Mfi": 15, "Momentum": 11,
    "Quantile": 20, "RealizedVolatility": 21, "Return": 2, "Roc": 11, "Sma": 20, "Std": 20, "Stochastic": 18, "Sum": 20, "Trima": 15,
    "TrueRange": 2, "Ultimate": 29, "Variance": 20, "Vwma": 20, "WilliamsR": 14, "Wma": 20, "ZScore": 20,
}  # fmt: skip
# those that every value leaves a trace in, which fades, or is carried along by a RunningSum
REMEMBERING = {
    "AdLine", "Adx", "Atr", "Chaikin", "Dema", "Ema", "EwmaVolatility", "ForceIndex", "Kama", "Keltner", "Macd",
    "Natr", "Obv", "Ppo", "Rma", "Rsi", "Sar", "StochRsi", "SuperTrend", "T3", "Tema", "Trix", "Vwap",
}  # fmt: skip


def windows(values: list[float], window: int) -> list[list[float]]:
    return [values[max(0, i + 1 - window) : i + 1] for i in range(len(values))]


@given(VALUES | FEW, WINDOW)
def test_highest_and_lowest_are_those_of_the_window_and_their_age_is_that_of_the_latest(values: list[float], window: int) -> None:
    highest, lowest = kit.Highest(window), kit.Lowest(window)
    for value, part in zip(values, windows(values, window), strict=True):
        assert highest.update(value) == max(part) == highest.value()
        assert lowest.update(value) == min(part) == lowest.value()
        assert highest.age() == part[::-1].index(max(part))
        assert lowest.age() == part[::-1].index(min(part))


@given(VALUES, WINDOW)
@example([1e300, 1.0, 0.0, 0.0, 0.0], 2)
def test_a_sum_is_within_the_rounding_of_its_window_whatever_came_before(values: list[float], window: int) -> None:
    total = kit.Sum(window)
    for value, part in zip(values, windows(values, window), strict=True):
        error = len(part) * 2.0**-52 * math.fsum(abs(x) for x in part)
        assert abs(total.update(value) - math.fsum(part)) <= error


@given(VALUES, WINDOW)
def test_a_variance_is_within_the_rounding_of_its_window_and_never_negative(values: list[float], window: int) -> None:
    variance = kit.Variance(window)
    for value, part in zip(values, windows(values, window), strict=True):
        told = variance.update(value)
        assert told >= 0.0
        scale = max(abs(x) for x in part)
        assert told == pytest.approx(float(np.var(part)), rel=1e-9, abs=1e-12 * scale * scale + TINY)


@given(VALUES | FEW, WINDOW, st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]))
def test_a_quantile_is_numpys(values: list[float], window: int, share: float) -> None:
    quantile = kit.Quantile(window, share)
    for value, part in zip(values, windows(values, window), strict=True):
        scale = max(abs(x) for x in part)
        assert quantile.update(value) == pytest.approx(float(np.quantile(part, share)), rel=1e-12, abs=1e-12 * scale + TINY)
        assert quantile.rank() == sum(x <= value for x in part) / len(part)


@given(VALUES, VALUES, st.integers(2, 20))
def test_a_correlation_stays_between_its_ends(xs: list[float], ys: list[float], window: int) -> None:
    correlation = kit.Correlation(window)
    for x, y in zip(xs, ys, strict=False):
        assert -1.0 <= correlation.update(x, y) <= 1.0


@given(st.lists(st.floats(-1e15, 1e15), max_size=60))
@example([1e15, 0.1, -1e15])
def test_a_running_sum_is_right_to_the_last_place_but_one(values: list[float]) -> None:
    total = RunningSum()
    for value in values:
        total.add(value)
    exact = math.fsum(values)
    assert total.sum() == pytest.approx(exact, rel=2.0**-51, abs=1e-30 + len(values) ** 2 * 2.0**-104 * sum(abs(x) for x in values))


@pytest.mark.parametrize("name", ["Variance", "ZScore", "Cmo", "Cci", "Correlation", "Beta"])
def test_a_window_of_equal_prices_is_exactly_still_whatever_came_before(name: str) -> None:
    indicator = getattr(kit, name)(4)
    inputs = len(CASES[name].inputs)
    for price in (1e9, 1e-3, 5e8, 3.0, 7.1, 7.1, 7.1, 7.1, 7.1):
        indicator.update(*([price] * inputs))
    assert indicator.value() == 0.0


def test_volumes_of_nothing_leave_no_dust() -> None:
    """A sum that takes off what leaves would divide one rounding by another here."""
    vwma, flow = kit.Vwma(3), kit.ChaikinMoneyFlow(3)
    for volume in (1e9 / 3.0, 0.1, 7e8 / 9.0, 0.0, 0.0, 0.0):
        vwma.update(5.0 + volume, volume)
        flow.update(3.0, 1.0, 2.9, volume)
    assert vwma.value() == 5.0
    assert flow.value() == 0.0


def test_an_infinity_is_gone_when_it_has_left_the_window() -> None:
    total = kit.Sum(2)
    assert [total.update(x) for x in (1.0, math.inf, 2.0, 3.0)] == [1.0, math.inf, math.inf, 5.0]


def test_every_indicator_is_known_to_forget_or_to_remember() -> None:
    assert set(FORGETFUL).isdisjoint(REMEMBERING)
    assert {*FORGETFUL, *REMEMBERING} == set(CASES)


@pytest.fixture(scope="module")
def bars(data_dir: Path) -> dict[str, Floats]:
    return columns_of(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet", 10_069)


@pytest.mark.parametrize("name", FORGETFUL)
def test_after_a_long_run_it_says_what_a_new_one_says_of_the_same_window(name: str, bars: dict[str, Floats]) -> None:
    """So no rounding has piled up: it has been round its window hundreds of times, and through prices a million times as high."""
    case, window = CASES[name], FORGETFUL[name]
    rows = rows_of(case.inputs, bars)
    rows = [*(tuple(1e6 * x for x in row) for row in rows[:50]), *rows]
    told = outputs_of(made(case.make()), rows, case.outputs)
    for end in (len(rows) - 3, len(rows)):
        new = outputs_of(made(case.make()), rows[end - window : end], case.outputs)[-1]
        np.testing.assert_allclose(told[end - 1], new, rtol=1e-11, atol=1e-11)


def test_a_volume_that_runs_on_without_end_stays_right_to_the_last_place(bars: dict[str, Floats]) -> None:
    """A bare sum would be off by hundreds of its last places."""
    obv, closes, volumes = kit.Obv(), np.tile(bars["close"], 20).tolist(), np.tile(bars["volume"], 20).tolist()
    signed = [volumes[0], *(v * ((b > a) - (b < a)) for (a, b), v in zip(pairwise(closes), volumes[1:], strict=True))]
    for close, volume in zip(closes, volumes, strict=True):
        obv.update(close, volume)
    assert obv.value() == pytest.approx(math.fsum(signed), rel=2.0**-51)
    assert sum(signed) != pytest.approx(math.fsum(signed), rel=2.0**-51)
