"""Indicators against their formulas, written out over whole columns, from the first recorded minute on.

For what TA-Lib does not have, or seeds or sums otherwise; ``test_indicators_talib.py`` has the rest.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import traider.kernel.indicators as kit
from tests.kernel.indicator_cases import BAR, BAR_VOLUME, HIGH_LOW, PRICE, Floats, columns_of, made, outputs_of, rows_of

Columns = dict[str, Floats]
NAN = np.array([np.nan])


class Row(NamedTuple):
    make: Callable[[], Any]
    inputs: tuple[str, ...]
    formula: Callable[[Columns], Floats]
    output: str = "value"
    rel: float = 1e-10
    abs: float = 1e-10


def last(values: Floats, window: int, of: Callable[[Floats], float]) -> Floats:
    """The function of the last values at each place."""
    return np.array([of(values[max(0, i + 1 - window) : i + 1]) for i in range(len(values))])


def ema(values: Floats, span: int) -> Floats:
    """As the weighted sum that it is: (1 - alpha)^n on the first value, alpha (1 - alpha)^k on the one k before the newest."""
    alpha = 2.0 / (span + 1.0)
    fading = (1.0 - alpha) ** np.arange(len(values))
    weights = np.convolve(values, alpha * fading)[: len(values)]
    return np.asarray(weights + fading * (1.0 - alpha) * values[0])


def rma(values: Floats, window: int) -> Floats:
    """The mean of the first values, then (mean (window - 1) + value) / window."""
    out = np.cumsum(values) / np.arange(1, len(values) + 1)
    for i in range(window, len(values)):
        out[i] = (out[i - 1] * (window - 1) + values[i]) / window
    return np.asarray(out)


def true_range(bars: Columns) -> Floats:
    before = np.concatenate((bars["close"][:1], bars["close"][:-1]))
    beyond = np.maximum(np.abs(bars["high"] - before), np.abs(bars["low"] - before))
    out = np.maximum(bars["high"] - bars["low"], beyond)
    out[0] = bars["high"][0] - bars["low"][0]
    return np.asarray(out)


def middle(bars: Columns, window: int) -> Floats:
    return np.asarray((last(bars["high"], window, np.max) + last(bars["low"], window, np.min)) / 2.0)


def location(bars: Columns) -> Floats:
    height = bars["high"] - bars["low"]
    inside = 2.0 * bars["close"] - bars["high"] - bars["low"]
    return np.divide(inside, height, out=np.zeros_like(height), where=height > 0.0)


def dema(bars: Columns) -> Floats:
    first = ema(bars["close"], 10)
    return np.asarray(2.0 * first - ema(first, 10))


def tema(bars: Columns) -> Floats:
    first = ema(bars["close"], 10)
    second = ema(first, 10)
    return np.asarray(3.0 * first - 3.0 * second + ema(second, 10))


def t3(bars: Columns) -> Floats:
    """Three times the generalised double average."""
    out = bars["close"]
    for _ in range(3):
        once = ema(out, 5)
        out = np.asarray(1.7 * once - 0.7 * ema(once, 5))
    return out


def trix(bars: Columns) -> Floats:
    third = ema(ema(ema(bars["close"], 9), 9), 9)
    return np.concatenate((NAN, 100.0 * np.diff(third) / third[:-1]))


def macd(bars: Columns) -> Floats:
    return np.asarray(ema(bars["close"], 12) - ema(bars["close"], 26))


def rsi(bars: Columns) -> Floats:
    """100 - 100 / (1 + average rise / average fall)."""
    changes = np.diff(bars["close"])
    up, down = rma(np.maximum(changes, 0.0), 14), rma(np.maximum(-changes, 0.0), 14)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = 100.0 - 100.0 / (1.0 + up / down)
    return np.concatenate((NAN, np.where(up + down > 0.0, value, 50.0)))


def cmo(bars: Columns) -> Floats:
    changes = np.diff(bars["close"])
    net = last(changes, 14, lambda part: float(np.sum(part)))
    way = last(np.abs(changes), 14, lambda part: float(np.sum(part)))
    return np.concatenate((NAN, np.divide(100.0 * net, way, out=np.zeros_like(way), where=way > 0.0)))


def directions(bars: Columns) -> tuple[Floats, Floats]:
    up, down = np.diff(bars["high"]), -np.diff(bars["low"])
    reach = rma(true_range(bars)[1:], 14)
    plus = rma(np.where((up > down) & (up > 0.0), up, 0.0), 14)
    minus = rma(np.where((down > up) & (down > 0.0), down, 0.0), 14)
    return np.asarray(100.0 * plus / reach), np.asarray(100.0 * minus / reach)


def adx(bars: Columns) -> Floats:
    plus, minus = (part[13:] for part in directions(bars))
    index = 100.0 * np.abs(plus - minus) / (plus + minus)
    return np.concatenate((np.full(14, np.nan), rma(index, 14)))


def ewma_variance(bars: Columns) -> Floats:
    squares = np.diff(np.log(bars["close"])) ** 2
    out = squares.copy()
    for i in range(1, len(squares)):
        out[i] = 0.94 * out[i - 1] + 0.06 * squares[i]
    return np.concatenate((NAN, out))


def realized(bars: Columns) -> Floats:
    squares = np.diff(np.log(bars["close"])) ** 2
    return np.concatenate((NAN, np.sqrt(525_600.0 * last(squares, 20, lambda part: float(np.mean(part))))))


def super_trend(bars: Columns) -> Floats:
    """The bands as published: each holds against its trend unless the close before went through it."""
    high, low, close = (bars[name].tolist() for name in BAR)
    atr = rma(true_range(bars), 10).tolist()
    out = [float("nan")] * len(close)
    upper = lower = 0.0
    rising = True
    for i in range(9, len(close)):
        basic_upper, basic_lower = (high[i] + low[i]) / 2 + 3 * atr[i], (high[i] + low[i]) / 2 - 3 * atr[i]
        if i == 9:
            upper, lower = basic_upper, basic_lower
        else:
            upper = basic_upper if close[i - 1] > upper else min(basic_upper, upper)
            lower = basic_lower if close[i - 1] < lower else max(basic_lower, lower)
        rising = close[i] >= lower if rising else close[i] > upper
        out[i] = lower if rising else upper
    return np.array(out)


def vwap(bars: Columns) -> Floats:
    hours = bars["ts_ns"] // 3_600_000_000_000
    out = np.empty(len(hours))
    for i, hour in enumerate(hours.tolist()):
        now = (hours == hour) & (np.arange(len(hours)) <= i)
        out[i] = np.average(bars["close"][now], weights=bars["volume"][now])
    return out


def regression(at: Callable[[Floats, Floats], float]) -> Callable[[Columns], Floats]:
    def of(part: Floats) -> float:
        if len(part) < 2:
            return np.nan
        times = np.arange(len(part), dtype=float)
        return float(at(times, part))

    return lambda bars: last(bars["close"], 14, of)


def line_end(times: Floats, part: Floats) -> float:
    slope, start = np.polyfit(times, part, 1)
    return float(slope * times[-1] + start)


def explained(times: Floats, part: Floats) -> float:
    return float(np.corrcoef(times, part)[0, 1] ** 2) if np.ptp(part) > 0.0 else 1.0


def pairs(of: Callable[[Floats, Floats], float], x: str, y: str) -> Callable[[Columns], Floats]:
    def column(bars: Columns) -> Floats:
        places = range(len(bars[x]))
        return np.array([of(bars[x][max(0, i - 29) : i + 1], bars[y][max(0, i - 29) : i + 1]) if i else np.nan for i in places])

    return column


def wma(values: Floats, window: int) -> Floats:
    return last(values, window, lambda part: float(np.average(part, weights=np.arange(1, len(part) + 1))))


def hma(bars: Columns) -> Floats:
    return wma(np.asarray(2.0 * wma(bars["close"], 8) - wma(bars["close"], 16)), 4)


def keltner(sign: int) -> Callable[[Columns], Floats]:
    return lambda bars: np.asarray(ema(bars["close"], 20) + sign * 2.0 * rma(true_range(bars), 10))


def money_flow(bars: Columns) -> Floats:
    def total(part: Floats) -> float:
        return float(np.sum(part))

    return np.asarray(last(location(bars) * bars["volume"], 20, total) / last(bars["volume"], 20, total))


def z(part: Floats) -> float:
    return float((part[-1] - np.mean(part)) / np.std(part)) if np.ptp(part) > 0.0 else 0.0


def percent(bars: Columns) -> Floats:
    return np.asarray(0.5 + last(bars["close"], 20, z) / 4.0)


def mean_of(bars: Columns, window: int = 20) -> Floats:
    return last(bars["close"], window, lambda part: float(np.mean(part)))


def std_of(bars: Columns, window: int = 20) -> Floats:
    return last(bars["close"], window, lambda part: float(np.std(part)))


def beta_of(market: Floats, asset: Floats) -> float:
    return float(np.polyfit(market, asset, 1)[0]) if np.ptp(market) > 0.0 else 0.0


def alpha_of(market: Floats, asset: Floats) -> float:
    return float(np.polyfit(market, asset, 1)[1]) if np.ptp(market) > 0.0 else float(np.mean(asset))


def force(bars: Columns) -> Floats:
    return np.concatenate((NAN, ema(np.diff(bars["close"]) * bars["volume"][1:], 13)))


def correlation_of(x: Floats, y: Floats) -> float:
    return float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) > 0.0 and np.ptp(y) > 0.0 else 0.0


ROWS: dict[str, Row] = {
    "Adx": Row(lambda: kit.Adx(14), BAR, adx),
    "Adx.plus": Row(lambda: kit.Adx(14), BAR, lambda bars: np.concatenate((NAN, directions(bars)[0])), "plus"),
    "Adx.minus": Row(lambda: kit.Adx(14), BAR, lambda bars: np.concatenate((NAN, directions(bars)[1])), "minus"),
    "Beta": Row(lambda: kit.Beta(30), ("close", "volume"), pairs(beta_of, "volume", "close"), rel=1e-8),
    "Beta.alpha": Row(lambda: kit.Beta(30), ("close", "volume"), pairs(alpha_of, "volume", "close"), "alpha"),
    "Bollinger.upper": Row(lambda: kit.Bollinger(20), PRICE, lambda bars: mean_of(bars) + 2 * std_of(bars), "upper"),
    "Bollinger.lower": Row(lambda: kit.Bollinger(20), PRICE, lambda bars: mean_of(bars) - 2 * std_of(bars), "lower"),
    "Bollinger.percent": Row(lambda: kit.Bollinger(20), PRICE, percent, "percent", abs=1e-8),
    "Bollinger.bandwidth": Row(lambda: kit.Bollinger(20), PRICE, lambda bars: 4 * std_of(bars) / mean_of(bars), "bandwidth"),
    "ChaikinMoneyFlow": Row(kit.ChaikinMoneyFlow, BAR_VOLUME, money_flow),
    "Cmo": Row(lambda: kit.Cmo(14), PRICE, cmo),
    "Correlation": Row(lambda: kit.Correlation(30), ("close", "volume"), pairs(correlation_of, "close", "volume")),
    "Dema": Row(lambda: kit.Dema(10), PRICE, dema),
    "EwmaVolatility": Row(kit.EwmaVolatility, PRICE, lambda bars: np.sqrt(ewma_variance(bars))),
    "EwmaVolatility.variance": Row(kit.EwmaVolatility, PRICE, ewma_variance, "variance", abs=1e-18),
    "ForceIndex": Row(lambda: kit.ForceIndex(13), ("close", "volume"), force),
    "Hma": Row(lambda: kit.Hma(16), PRICE, hma),
    "Ichimoku.conversion": Row(kit.Ichimoku, HIGH_LOW, lambda bars: middle(bars, 9), "conversion"),
    "Ichimoku.base": Row(kit.Ichimoku, HIGH_LOW, lambda bars: middle(bars, 26), "base"),
    "Ichimoku.span_a": Row(kit.Ichimoku, HIGH_LOW, lambda bars: (middle(bars, 9) + middle(bars, 26)) / 2.0, "span_a"),
    "Ichimoku.span_b": Row(kit.Ichimoku, HIGH_LOW, lambda bars: middle(bars, 52), "span_b"),
    "Keltner": Row(kit.Keltner, BAR, lambda bars: ema(bars["close"], 20)),
    "Keltner.upper": Row(kit.Keltner, BAR, keltner(1), "upper"),
    "Keltner.lower": Row(kit.Keltner, BAR, keltner(-1), "lower"),
    "Lag": Row(
        lambda: kit.Lag(7), PRICE, lambda bars: np.concatenate((np.full(7, bars["close"][0]), bars["close"][:-7])), abs=0.0, rel=0.0
    ),
    "LinearRegression": Row(lambda: kit.LinearRegression(14), PRICE, regression(line_end)),
    "LinearRegression.slope": Row(
        lambda: kit.LinearRegression(14), PRICE, regression(lambda times, part: np.polyfit(times, part, 1)[0]), "slope"
    ),
    "LinearRegression.r2": Row(lambda: kit.LinearRegression(14), PRICE, regression(explained), "r2"),
    "LogReturn": Row(kit.LogReturn, PRICE, lambda bars: np.concatenate((NAN, np.diff(np.log(bars["close"])))), abs=1e-14),
    "Macd": Row(kit.Macd, PRICE, macd),
    "Macd.signal": Row(kit.Macd, PRICE, lambda bars: ema(macd(bars), 9), "signal"),
    "Macd.histogram": Row(kit.Macd, PRICE, lambda bars: macd(bars) - ema(macd(bars), 9), "histogram"),
    "Natr": Row(lambda: kit.Natr(14), BAR, lambda bars: 100.0 * rma(true_range(bars), 14) / bars["close"]),
    "Ppo": Row(kit.Ppo, PRICE, lambda bars: 100.0 * macd(bars) / ema(bars["close"], 26)),
    "Quantile": Row(lambda: kit.Quantile(20, 0.3), PRICE, lambda bars: last(bars["close"], 20, lambda part: float(np.quantile(part, 0.3)))),
    "Quantile.rank": Row(
        lambda: kit.Quantile(20), PRICE, lambda bars: last(bars["close"], 20, lambda part: float(np.mean(part <= part[-1]))), "rank"
    ),
    "RealizedVolatility": Row(lambda: kit.RealizedVolatility(20, 525_600), PRICE, realized),
    "Rma": Row(lambda: kit.Rma(14), PRICE, lambda bars: rma(bars["close"], 14)),
    "Rsi": Row(lambda: kit.Rsi(14), PRICE, rsi),
    "SuperTrend": Row(kit.SuperTrend, BAR, super_trend),
    "T3": Row(lambda: kit.T3(5), PRICE, t3),
    "Tema": Row(lambda: kit.Tema(10), PRICE, tema),
    "Trix": Row(lambda: kit.Trix(9), PRICE, trix),
    "Variance": Row(lambda: kit.Variance(20), PRICE, lambda bars: std_of(bars) ** 2),
    "Vwap": Row(lambda: kit.Vwap(3600), ("ts_ns", "close", "volume"), vwap),
    "Wma": Row(lambda: kit.Wma(20), PRICE, lambda bars: wma(bars["close"], 20)),
    "ZScore": Row(lambda: kit.ZScore(20), PRICE, lambda bars: last(bars["close"], 20, z), abs=1e-8),
}


@pytest.fixture(scope="module")
def bars(data_dir: Path) -> Columns:
    return columns_of(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet", 1200)


@pytest.mark.parametrize("name", ROWS)
def test_it_is_its_formula(name: str, bars: Columns) -> None:
    row = ROWS[name]
    ours = outputs_of(made(row.make()), rows_of(row.inputs, bars), (row.output,))[:, 1]
    formula = row.formula(bars)
    begun = np.isfinite(formula)
    assert begun[60:].all()
    np.testing.assert_allclose(ours[begun], formula[begun], rtol=row.rel, atol=row.abs)


def test_supertrend_turns_with_the_price(bars: Columns) -> None:
    told = outputs_of(kit.SuperTrend(), rows_of(BAR, bars), ("rising",))[9:]
    rising = told[:, 1] == 1.0
    assert 5 < np.count_nonzero(np.diff(rising)) < 200
    assert (told[rising, 0] <= bars["close"][9:][rising]).all()
    assert (told[~rising, 0] >= bars["close"][9:][~rising]).all()
