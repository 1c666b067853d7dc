"""Every public indicator as the tests drive it: how it is made, what of a bar it is fed, what it tells, when it is ready."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import traider.kernel.indicators as kit
from tests.kernel.desks import instrument
from traider.engine.tape import Tape, bars_tape
from traider.kernel.indicators import Indicator
from traider.storage.market import read_market_file

Floats = np.ndarray[Any, np.dtype[np.float64]]
Row = tuple[float, ...]

PRICE = ("close",)
HIGH_LOW = ("high", "low")
BAR = ("high", "low", "close")
BAR_VOLUME = ("high", "low", "close", "volume")


class Case(NamedTuple):
    make: Callable[[], Any]
    inputs: tuple[str, ...]
    ready_from: int  # the number of the update
    outputs: tuple[str, ...] = ()  # methods beside value()

    @staticmethod
    def named(name: str) -> "Case":
        """What a strategy asks for its parts: this class's name stays the same from run to run, so its machine code is found again."""
        return CASES[name]


CASES: dict[str, Case] = {
    "AdLine": Case(kit.AdLine, BAR_VOLUME, 1),
    "Adx": Case(lambda: kit.Adx(14), BAR, 28, ("plus", "minus")),
    "Aroon": Case(lambda: kit.Aroon(25), HIGH_LOW, 26, ("up", "down")),
    "Atr": Case(lambda: kit.Atr(20), BAR, 20),
    "Beta": Case(lambda: kit.Beta(30), ("close", "open"), 30, ("alpha",)),
    "Bollinger": Case(lambda: kit.Bollinger(20, 2.0), PRICE, 20, ("middle", "upper", "lower", "percent", "bandwidth")),
    "Cci": Case(lambda: kit.Cci(20), BAR, 20),
    "Chaikin": Case(lambda: kit.Chaikin(3, 10), BAR_VOLUME, 10),
    "ChaikinMoneyFlow": Case(lambda: kit.ChaikinMoneyFlow(20), BAR_VOLUME, 20),
    "Cmo": Case(lambda: kit.Cmo(14), PRICE, 15),
    "Correlation": Case(lambda: kit.Correlation(30), ("close", "volume"), 30),
    "Dema": Case(lambda: kit.Dema(10), PRICE, 19),
    "Donchian": Case(lambda: kit.Donchian(20), HIGH_LOW, 20, ("upper", "middle", "lower")),
    "Ema": Case(lambda: kit.Ema(20), PRICE, 20),
    "EwmaVolatility": Case(lambda: kit.EwmaVolatility(0.94), PRICE, 2 + 75, ("variance",)),  # 0.94^75 is the first below 0.01
    "ForceIndex": Case(lambda: kit.ForceIndex(13), ("close", "volume"), 14),
    "Highest": Case(lambda: kit.Highest(20), ("high",), 20, ("age",)),
    "Hma": Case(lambda: kit.Hma(16), PRICE, 19),
    "Ichimoku": Case(lambda: kit.Ichimoku(9, 26, 52), HIGH_LOW, 52, ("conversion", "base", "span_a", "span_b")),
    "Kama": Case(lambda: kit.Kama(10), PRICE, 11),
    "Keltner": Case(lambda: kit.Keltner(20, 10, 2.0), BAR, 20, ("middle", "upper", "lower")),
    "Lag": Case(lambda: kit.Lag(7), PRICE, 8),
    "LinearRegression": Case(lambda: kit.LinearRegression(14), PRICE, 14, ("slope", "r2")),
    "LogReturn": Case(kit.LogReturn, PRICE, 2),
    "Lowest": Case(lambda: kit.Lowest(20), ("low",), 20, ("age",)),
    "Macd": Case(lambda: kit.Macd(12, 26, 9), PRICE, 34, ("signal", "histogram")),
    "Mfi": Case(lambda: kit.Mfi(14), BAR_VOLUME, 15),
    "Momentum": Case(lambda: kit.Momentum(10), PRICE, 11),
    "Natr": Case(lambda: kit.Natr(14), BAR, 14),
    "Obv": Case(kit.Obv, ("close", "volume"), 2),
    "Ppo": Case(lambda: kit.Ppo(12, 26), PRICE, 26),
    "Quantile": Case(lambda: kit.Quantile(20, 0.3), PRICE, 20, ("rank",)),
    "RealizedVolatility": Case(lambda: kit.RealizedVolatility(20, 525_600), PRICE, 21),
    "Return": Case(kit.Return, PRICE, 2),
    "Rma": Case(lambda: kit.Rma(14), PRICE, 14),
    "Roc": Case(lambda: kit.Roc(10), PRICE, 11),
    "Rsi": Case(lambda: kit.Rsi(14), PRICE, 15),
    "Sar": Case(kit.Sar, HIGH_LOW, 2, ("rising",)),
    "Sma": Case(lambda: kit.Sma(20), PRICE, 20),
    "Std": Case(lambda: kit.Std(20), PRICE, 20),
    "StochRsi": Case(lambda: kit.StochRsi(14, 10, 2, 3), PRICE, 14 + 1 + 10 + 2 + 3 - 3, ("k", "d")),
    "Stochastic": Case(lambda: kit.Stochastic(14, 3, 3), BAR, 18, ("k", "d")),
    "Sum": Case(lambda: kit.Sum(20), ("volume",), 20, ("mean",)),
    "SuperTrend": Case(lambda: kit.SuperTrend(10, 3.0), BAR, 10, ("rising",)),
    "T3": Case(lambda: kit.T3(5), PRICE, 25),
    "Tema": Case(lambda: kit.Tema(10), PRICE, 28),
    "Trima": Case(lambda: kit.Trima(15), PRICE, 15),
    "Trix": Case(lambda: kit.Trix(9), PRICE, 26),
    "TrueRange": Case(kit.TrueRange, BAR, 2),
    "Ultimate": Case(lambda: kit.Ultimate(7, 14, 28), BAR, 29),
    "Variance": Case(lambda: kit.Variance(20), PRICE, 20),
    "Vwap": Case(lambda: kit.Vwap(3600), ("ts_ns", "close", "volume"), 1),
    "Vwma": Case(lambda: kit.Vwma(20), ("close", "volume"), 20),
    "WilliamsR": Case(lambda: kit.WilliamsR(14), BAR, 14),
    "Wma": Case(lambda: kit.Wma(20), PRICE, 20),
    "ZScore": Case(lambda: kit.ZScore(20), PRICE, 20),
}


def public_indicators() -> list[str]:
    """The names of all classes that the kit offers as indicators."""
    found = [name for name in kit.__all__ if issubclass(getattr(kit, name), Indicator)]
    return [name for name in found if name != "Indicator"]


def made(indicator: Any) -> Any:
    """The indicator as a strategy gets it: bound to an instrument whose prices are in cents."""
    indicator.__bind__(instrument(price="0.01"))
    return indicator


def columns_of(path: Path, rows: int) -> dict[str, Any]:
    """The first bars of a recording, with their times."""
    file = read_market_file(path)
    return {"ts_ns": file.ts_ns[:rows], **{name: values[:rows] for name, values in file.columns.items()}}


def tape_of(columns: dict[str, Any]) -> Tape:
    return bars_tape(columns["ts_ns"], *(columns[name] for name in ("open", "high", "low", "close", "volume")))


def rows_of(inputs: tuple[str, ...], columns: dict[str, Floats]) -> list[Row]:
    return list(zip(*(columns[name].tolist() for name in inputs), strict=True))


def outputs_of(indicator: Any, rows: list[Row], outputs: tuple[str, ...] = ()) -> Floats:
    """What it tells after each row: value(), then the other outputs."""
    told = np.empty((len(rows), 1 + len(outputs)))
    methods = [getattr(indicator, name) for name in ("value", *outputs)]
    for i, row in enumerate(rows):
        indicator.update(*row)
        for j, method in enumerate(methods):
            told[i, j] = method()
    return told
