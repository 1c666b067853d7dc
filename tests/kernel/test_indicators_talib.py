"""Indicators against TA-Lib, on three thousand recorded minutes.

TA-Lib seeds an exponential average with a simple one, where ours is seeded with the first value, and Wilder's sums with one
value less than Wilder. Those are compared from where the seeds have faded, which each row states; from the first bar on they
are compared with their formulas in ``test_indicators_formulas.py``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import talib

import traider.kernel.indicators as kit
from tests.kernel.indicator_cases import BAR, BAR_VOLUME, HIGH_LOW, PRICE, Floats, columns_of, made, outputs_of, rows_of

FADED = 900  # (1 - 1/20)^900 < 1e-20, and the triple averages with a span of 10 sooner


class Row(NamedTuple):
    """What is compared: ours, TA-Lib's, from which bar on, and how far apart they may be."""

    make: Callable[[], Any]
    inputs: tuple[str, ...]
    theirs: Callable[[dict[str, Floats]], Any]
    first: int
    output: str = "value"
    rel: float = 1e-10
    abs: float = 1e-10


def _close(function: Any, *settings: float) -> Callable[[dict[str, Floats]], Any]:
    return lambda bars: function(bars["close"], *settings)


def _of(function: Any, inputs: tuple[str, ...], *settings: float) -> Callable[[dict[str, Floats]], Any]:
    return lambda bars: function(*(bars[name] for name in inputs), *settings)


def _nth(which: int, function: Callable[[dict[str, Floats]], Any]) -> Callable[[dict[str, Floats]], Any]:
    return lambda bars: function(bars)[which]


def _hull(bars: dict[str, Floats]) -> Any:
    """Hull's average of TA-Lib's weighted ones."""
    return talib.WMA(2.0 * talib.WMA(bars["close"], 8) - talib.WMA(bars["close"], 16), 4)


def _vwma(bars: dict[str, Floats]) -> Any:
    return talib.SUM(bars["close"] * bars["volume"], 20) / talib.SUM(bars["volume"], 20)


def _donchian(bars: dict[str, Floats]) -> Any:
    return (talib.MAX(bars["high"], 20) + talib.MIN(bars["low"], 20)) / 2.0


def _r2(bars: dict[str, Floats]) -> Any:
    """The square of the correlation with time."""
    return talib.CORREL(bars["close"] - float(bars["close"].mean()), np.arange(len(bars["close"]), dtype=np.float64), 14) ** 2


AROON = _of(talib.AROON, HIGH_LOW, 25)
BANDS = _close(talib.BBANDS, 20, 2.0, 2.0)
STOCH = _of(talib.STOCH, BAR, 14, 3, 0, 3, 0)
STOCHF = _of(talib.STOCHF, BAR, 14, 3, 0)
STOCHRSI = _close(talib.STOCHRSI, 14, 10, 3, 0)
MACD = _close(talib.MACD, 12, 26, 9)

ROWS: dict[str, Row] = {
    "AD": Row(kit.AdLine, BAR_VOLUME, _of(talib.AD, BAR_VOLUME), 0),
    "ADOSC": Row(lambda: kit.Chaikin(3, 10), BAR_VOLUME, _of(talib.ADOSC, BAR_VOLUME, 3, 10), 9, abs=1e-8),
    "ADX": Row(lambda: kit.Adx(14), BAR, _of(talib.ADX, BAR, 14), FADED),
    "AROON down": Row(lambda: kit.Aroon(25), HIGH_LOW, _nth(0, AROON), 25, "down"),
    "AROON up": Row(lambda: kit.Aroon(25), HIGH_LOW, _nth(1, AROON), 25, "up"),
    "AROONOSC": Row(lambda: kit.Aroon(25), HIGH_LOW, _of(talib.AROONOSC, HIGH_LOW, 25), 25),
    "ATR": Row(lambda: kit.Atr(20), BAR, _of(talib.ATR, BAR, 20), FADED),
    "BBANDS lower": Row(lambda: kit.Bollinger(20, 2.0), PRICE, _nth(2, BANDS), 19, "lower", rel=1e-8),
    "BBANDS middle": Row(lambda: kit.Bollinger(20, 2.0), PRICE, _nth(1, BANDS), 19, "middle"),
    "BBANDS upper": Row(lambda: kit.Bollinger(20, 2.0), PRICE, _nth(0, BANDS), 19, "upper", rel=1e-8),
    "CCI": Row(lambda: kit.Cci(20), BAR, _of(talib.CCI, BAR, 20), 19, rel=1e-6, abs=1e-6),
    "CMO, which is Wilder's": Row(lambda: kit.Rsi(14), PRICE, lambda bars: 50.0 + talib.CMO(bars["close"], 14) / 2.0, FADED),
    "CORREL": Row(lambda: kit.Correlation(30), ("close", "volume"), _of(talib.CORREL, ("close", "volume"), 30), 29, rel=1e-6, abs=1e-6),
    "DEMA": Row(lambda: kit.Dema(10), PRICE, _close(talib.DEMA, 10), FADED),
    "Donchian": Row(lambda: kit.Donchian(20), HIGH_LOW, _donchian, 19),
    "EMA": Row(lambda: kit.Ema(20), PRICE, _close(talib.EMA, 20), FADED),
    "KAMA": Row(lambda: kit.Kama(10), PRICE, _close(talib.KAMA, 10), 10),
    "LINEARREG": Row(lambda: kit.LinearRegression(14), PRICE, _close(talib.LINEARREG, 14), 13),
    "LINEARREG_SLOPE": Row(lambda: kit.LinearRegression(14), PRICE, _close(talib.LINEARREG_SLOPE, 14), 13, "slope", abs=1e-8),
    "MACD": Row(lambda: kit.Macd(12, 26, 9), PRICE, _nth(0, MACD), FADED, abs=1e-9),
    "MACD signal": Row(lambda: kit.Macd(12, 26, 9), PRICE, _nth(1, MACD), FADED, "signal", abs=1e-9),
    "MACD histogram": Row(lambda: kit.Macd(12, 26, 9), PRICE, _nth(2, MACD), FADED, "histogram", abs=1e-9),
    "MAX": Row(lambda: kit.Highest(20), ("high",), lambda bars: talib.MAX(bars["high"], 20), 19, rel=0.0, abs=0.0),
    "MFI": Row(lambda: kit.Mfi(14), BAR_VOLUME, _of(talib.MFI, BAR_VOLUME, 14), 14, abs=1e-8),
    "MIN": Row(lambda: kit.Lowest(20), ("low",), lambda bars: talib.MIN(bars["low"], 20), 19, rel=0.0, abs=0.0),
    "MINUS_DI": Row(lambda: kit.Adx(14), BAR, _of(talib.MINUS_DI, BAR, 14), FADED, "minus"),
    "MOM": Row(lambda: kit.Momentum(10), PRICE, _close(talib.MOM, 10), 10, rel=0.0, abs=0.0),
    "NATR": Row(lambda: kit.Natr(14), BAR, _of(talib.NATR, BAR, 14), FADED),
    "OBV": Row(kit.Obv, ("close", "volume"), _of(talib.OBV, ("close", "volume")), 0, abs=1e-8),
    "PLUS_DI": Row(lambda: kit.Adx(14), BAR, _of(talib.PLUS_DI, BAR, 14), FADED, "plus"),
    "PPO": Row(lambda: kit.Ppo(12, 26), PRICE, _close(talib.PPO, 12, 26, 1), FADED),
    "ROC": Row(lambda: kit.Roc(10), PRICE, _close(talib.ROC, 10), 10),
    "ROCP": Row(kit.Return, PRICE, _close(talib.ROCP, 1), 1, abs=1e-15),
    "RSI": Row(lambda: kit.Rsi(14), PRICE, _close(talib.RSI, 14), FADED),
    "SAR": Row(kit.Sar, HIGH_LOW, _of(talib.SAR, HIGH_LOW, 0.02, 0.2), 1),
    "SMA": Row(lambda: kit.Sma(20), PRICE, _close(talib.SMA, 20), 19),
    "STDDEV": Row(lambda: kit.Std(20), PRICE, _close(talib.STDDEV, 20), 19, rel=1e-5),
    "STOCH d": Row(lambda: kit.Stochastic(14, 3, 3), BAR, _nth(1, STOCH), 17, "d", abs=1e-8),
    "STOCH k": Row(lambda: kit.Stochastic(14, 3, 3), BAR, _nth(0, STOCH), 17, "k", abs=1e-8),
    "STOCHF d": Row(lambda: kit.Stochastic(14, 1, 3), BAR, _nth(1, STOCHF), 15, "d", abs=1e-8),
    "STOCHF k": Row(lambda: kit.Stochastic(14, 1, 3), BAR, _nth(0, STOCHF), 15, "k", abs=1e-8),
    "STOCHRSI d": Row(lambda: kit.StochRsi(14, 10), PRICE, _nth(1, STOCHRSI), FADED, "d", abs=1e-8),
    "STOCHRSI k": Row(lambda: kit.StochRsi(14, 10), PRICE, _nth(0, STOCHRSI), FADED, "k", abs=1e-8),
    "SUM": Row(lambda: kit.Sum(20), ("volume",), lambda bars: talib.SUM(bars["volume"], 20), 19),
    "T3": Row(lambda: kit.T3(5, 0.7), PRICE, _close(talib.T3, 5, 0.7), FADED),
    "TEMA": Row(lambda: kit.Tema(10), PRICE, _close(talib.TEMA, 10), FADED),
    "TRANGE": Row(kit.TrueRange, BAR, _of(talib.TRANGE, BAR), 1, rel=0.0, abs=0.0),
    "TRIMA of an even window": Row(lambda: kit.Trima(20), PRICE, _close(talib.TRIMA, 20), 19),
    "TRIMA of an odd window": Row(lambda: kit.Trima(15), PRICE, _close(talib.TRIMA, 15), 14),
    "TRIX": Row(lambda: kit.Trix(9), PRICE, _close(talib.TRIX, 9), FADED, abs=1e-9),
    "ULTOSC": Row(lambda: kit.Ultimate(7, 14, 28), BAR, _of(talib.ULTOSC, BAR, 7, 14, 28), 28, abs=1e-8),
    "VAR": Row(lambda: kit.Variance(20), PRICE, _close(talib.VAR, 20), 19, rel=1e-5, abs=1e-5),
    "WILLR": Row(lambda: kit.WilliamsR(14), BAR, _of(talib.WILLR, BAR, 14), 13, abs=1e-8),
    "WMA": Row(lambda: kit.Wma(20), PRICE, _close(talib.WMA, 20), 19),
    "WMA three times, Hull's": Row(lambda: kit.Hma(16), PRICE, _hull, 18),
    "SUM over SUM, weighted by volume": Row(lambda: kit.Vwma(20), ("close", "volume"), _vwma, 19),
    "CORREL with time, squared": Row(lambda: kit.LinearRegression(14), PRICE, _r2, 13, "r2", rel=1e-4, abs=1e-4),
}


@pytest.fixture(scope="module")
def bars(data_dir: Path) -> dict[str, Floats]:
    return columns_of(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet", 3000)


@pytest.mark.parametrize("name", ROWS)
def test_it_agrees_with_talib(name: str, bars: dict[str, Floats]) -> None:
    row = ROWS[name]
    ours = outputs_of(made(row.make()), rows_of(row.inputs, bars), (row.output,))[:, 1]
    theirs = row.theirs(bars)
    assert np.isfinite(theirs[row.first :]).all()
    assert row.first == FADED or np.isnan(theirs[: row.first]).all(), "it is compared from where TA-Lib begins"
    np.testing.assert_allclose(ours[row.first :], theirs[row.first :], rtol=row.rel, atol=row.abs)


def test_beta_is_that_of_talib_whose_inputs_are_prices(bars: dict[str, Floats]) -> None:
    """TA-Lib makes the returns itself, and names the market first."""
    close, opens = bars["close"], bars["open"]
    returns = {"asset": close[1:] / close[:-1] - 1.0, "market": opens[1:] / opens[:-1] - 1.0}
    ours = outputs_of(kit.Beta(30), rows_of(("asset", "market"), returns))[:, 0]
    np.testing.assert_allclose(ours[29:], talib.BETA(opens, close, 30)[30:], rtol=1e-8, atol=1e-8)
