"""The first four against their formulas in fractions, on recorded bars, and settings that are none."""

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import traider.kernel.indicators as kit
from tests.kernel.indicator_cases import BAR, Floats, columns_of, made, rows_of
from traider.domain.errors import StrategyError
from traider.kernel.indicators import Atr, Ema, Sma, Std

WINDOW = 20


@pytest.fixture(scope="module")
def bars(data_dir: Path) -> dict[str, Floats]:
    """Three thousand minutes of Bitcoin, prices in cents."""
    return columns_of(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet", 3000)


def test_sma_is_the_mean_of_the_last_prices(bars: dict[str, Floats]) -> None:
    sma, cents = made(Sma(WINDOW)), [round(price * 100) for price in bars["close"].tolist()]
    for i, price in enumerate(bars["close"].tolist()):
        last = cents[max(0, i - WINDOW + 1) : i + 1]
        assert sma.update(price) == float(Fraction(sum(last), 100 * len(last))) == sma.value()
        assert sma.ready() == (i + 1 >= WINDOW)


def test_ema_is_seeded_with_the_first_price_and_smoothed_by_two_over_span_plus_one(bars: dict[str, Floats]) -> None:
    ema, alpha = made(Ema(WINDOW)), Fraction(2, WINDOW + 1)
    exact = Fraction(0)
    for i, price in enumerate(bars["close"].tolist()[:400]):
        exact = Fraction(price) if i == 0 else exact + alpha * (Fraction(price) - exact)
        assert ema.update(price) == pytest.approx(float(exact), rel=1e-14)
        assert ema.value() == ema.mean
        assert ema.ready() == (i + 1 >= WINDOW)


@pytest.mark.parametrize("window", [2, WINDOW, 500])
def test_std_is_the_population_standard_deviation_of_the_last_prices(bars: dict[str, Floats], window: int) -> None:
    std, close = made(Std(window)), bars["close"]
    exact = [Fraction(price) for price in close.tolist()]
    for i, price in enumerate(close.tolist()):
        value = std.update(price)
        last = exact[max(0, i - window + 1) : i + 1]
        if i % 37 == 0 or i < 2 * window < 100:
            mean = sum(last) / len(last)
            variance = sum((x - mean) ** 2 for x in last) / len(last)
            assert value == pytest.approx(math.sqrt(variance), rel=1e-9, abs=1e-9 * price)
        assert std.ready() == (i + 1 >= window)


def test_std_of_equal_prices_is_nothing_even_after_wild_ones() -> None:
    std = made(Std(4))
    for price in (1e9, 1e-3, 5e8, 3.0, 7.0, 7.0, 7.0, 7.0):
        std.update(price)
    assert std.value() == 0.0


def test_rounding_does_not_pile_up_in_std(bars: dict[str, Floats]) -> None:
    std = made(Std(WINDOW))
    prices = np.tile(bars["close"], 100)
    for price in prices.tolist():
        std.update(price)
    assert std.value() == pytest.approx(float(np.std(prices[-WINDOW:])), rel=1e-9)


def test_atr_is_wilders(bars: dict[str, Floats]) -> None:
    atr, exact, before = made(Atr(WINDOW)), Fraction(0), Fraction(0)
    ranges: list[Fraction] = []
    for i, row in enumerate(rows_of(BAR, bars)[:400]):
        high, low, close = (Fraction(x) for x in row)
        ranges.append(high - low if i == 0 else max(high - low, abs(high - before), abs(low - before)))
        before = close
        exact = sum(ranges, Fraction(0)) / len(ranges) if i < WINDOW else exact + (ranges[-1] - exact) / WINDOW
        assert atr.update(*row) == pytest.approx(float(exact), rel=1e-12)
        assert atr.value() == atr.mean
        assert atr.ready() == (i + 1 >= WINDOW)


@pytest.mark.parametrize("kind", [Sma, Ema, Std, Atr])
def test_a_window_is_at_least_one(kind: type[Any]) -> None:
    assert kind(1).update(*([5.0] * (3 if kind is Atr else 1))) == (5.0 if kind in (Sma, Ema) else 0.0)
    with pytest.raises(StrategyError, match=f"{kind.__name__}: window is 0; give a whole number of at least 1"):
        kind(0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: kit.Macd(slow=0), "Macd: slow is 0; give a whole number of at least 1"),
        (lambda: kit.Hma(1), "Hma: window is 1; give a whole number of at least 2"),
        (lambda: kit.LinearRegression(1), "LinearRegression: window is 1; give a whole number of at least 2"),
        (lambda: kit.Highest(0), "Highest: window is 0; give a whole number of at least 1"),
        (lambda: kit.T3(5, 1.5), "T3: volume_factor is 1.5; give a number from 0 to 1"),
        (lambda: kit.Sar(0.3, 0.2), "Sar: maximum is 0.2; give a number from 0.3 to 1"),
        (lambda: kit.Quantile(5, float("nan")), "Quantile: share is nan; give a number from 0 to 1"),
        (lambda: kit.Vwap(3600, 3600), "Vwap: offset_s is 3600; give a whole number from 0 to 3599, below session_s"),
    ],
)
def test_a_setting_that_is_none_is_told_with_what_to_give(make: Any, words: str) -> None:
    with pytest.raises(StrategyError) as refusal:
        make()
    assert str(refusal.value) == words


def test_money_flow_takes_equal_typical_prices_for_equal() -> None:
    """(9375.99 + 9375.97 + 9375.97) and (9375.98 + 9375.97 + 9375.98) are both 28127.93, and not the same floats."""
    mfi = made(kit.Mfi(2))
    mfi.update(9375.99, 9375.97, 9375.97, 4.0)
    assert mfi.update(9375.98, 9375.97, 9375.98, 5.0) == 50.0


def test_vwap_begins_anew_with_each_session() -> None:
    hour = 3_600_000_000_000
    vwap = kit.Vwap(3600, 600)
    times = [hour // 6 - 1, hour // 6, 7 * hour // 6 - 1, 7 * hour // 6]
    assert [vwap.update(ts_ns, price, 1.0) for ts_ns, price in zip(times, (1.0, 2.0, 4.0, 8.0), strict=True)] == [1.0, 2.0, 3.0, 8.0]
