"""Each indicator against its formula in fractions, on recorded bars, compiled and interpreted."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from tests.kernel.desks import instrument
from traider.domain.errors import StrategyError
from traider.kernel.indicators import Atr, Ema, Indicator, Sma, Std
from traider.kernel.structs import allocate, describe, view_of
from traider.storage.market_file import read_market_file

Floats = np.ndarray[Any, np.dtype[np.float64]]
WINDOW = 20


@pytest.fixture(scope="module")
def bars(data_dir: Path) -> dict[str, Floats]:
    """Three thousand minutes of Bitcoin, prices in cents."""
    columns = read_market_file(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet").columns
    return {name: values[:3000] for name, values in columns.items()}


def made(indicator: Indicator) -> Any:
    """The indicator as a strategy gets it: bound to an instrument whose prices are in cents."""
    indicator.__bind__(instrument(price="0.01"))
    return indicator


MAKERS: dict[str, Callable[[], Any]] = {
    "sma": lambda: made(Sma(WINDOW)),
    "ema": lambda: made(Ema(WINDOW)),
    "std": lambda: made(Std(WINDOW)),
    "atr": lambda: made(Atr(WINDOW)),
}


def inputs(name: str, bars: dict[str, Floats]) -> list[tuple[float, ...]]:
    columns = ("high", "low", "close") if name == "atr" else ("close",)
    return list(zip(*(bars[column].tolist() for column in columns), strict=True))


def outputs(indicator: Any, rows: list[tuple[float, ...]]) -> list[float]:
    return [indicator.update(*row) for row in rows]


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
    for i, row in enumerate(inputs("atr", bars)[:400]):
        high, low, close = (Fraction(x) for x in row)
        ranges.append(high - low if i == 0 else max(high - low, abs(high - before), abs(low - before)))
        before = close
        exact = sum(ranges, Fraction(0)) / len(ranges) if i < WINDOW else exact + (ranges[-1] - exact) / WINDOW
        assert atr.update(*row) == pytest.approx(float(exact), rel=1e-12)
        assert atr.value() == atr.mean
        assert atr.ready() == (i + 1 >= WINDOW)


@pytest.mark.parametrize("name", MAKERS)
def test_there_is_no_value_before_the_first_price(name: str) -> None:
    indicator = MAKERS[name]()
    assert math.isnan(indicator.value())
    assert not indicator.ready()


@pytest.mark.parametrize("kind", [Sma, Ema, Std, Atr])
def test_a_window_is_at_least_one(kind: type[Any]) -> None:
    assert kind(1).update(*([5.0] * (3 if kind is Atr else 1))) == (5.0 if kind in (Sma, Ema) else 0.0)
    with pytest.raises(StrategyError, match=f"{kind.__name__}: window is 0; give a whole number of at least 1"):
        kind(0)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("length", [1, WINDOW, 3 * WINDOW + 1])
def test_no_indicator_looks_ahead(name: str, length: int, bars: dict[str, Floats]) -> None:
    """With the last input changed, every output before it is the same bit for bit."""
    rows = inputs(name, bars)[:length]
    changed = [*rows[:-1], tuple(3 * x for x in rows[-1])]
    first, second = outputs(MAKERS[name](), rows), outputs(MAKERS[name](), changed)
    assert first[:-1] == second[:-1]
    assert length == 1 or first[-1] != second[-1] or name == "std"


@pytest.mark.parametrize("name", MAKERS)
def test_compiled_and_interpreted_indicators_are_equal_bit_for_bit(name: str, bars: dict[str, Floats]) -> None:
    rows = inputs(name, bars)
    indicator = MAKERS[name]()
    struct = describe(indicator)
    view, three = view_of(struct), name == "atr"

    if three:

        def run(block: Any, rows: Any, out: Any) -> None:
            state = view(block)
            for i in range(len(rows)):
                out[i] = state.update(rows[i, 0], rows[i, 1], rows[i, 2])
    else:

        def run(block: Any, rows: Any, out: Any) -> None:
            state = view(block)
            for i in range(len(rows)):
                out[i] = state.update(rows[i, 0])

    out = np.empty(len(rows))
    numba.njit(run)(allocate(indicator, struct), np.array(rows), out)
    assert out.tobytes() == np.array(outputs(indicator, rows)).tobytes()
