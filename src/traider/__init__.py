"""traider: one strategy class, backtested at machine-code speed, on paper and live.

What a strategy's author needs is here, and ``backtest``, ``sweep`` and ``walkforward``, which run one from Python. Each is
loaded when it is first asked for, so that ``import traider`` costs next to nothing. The rooms of the house are
described in ``docs/architecture.md``.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .kernel.aggregators import DollarBars as DollarBars
    from .kernel.aggregators import TimeBars as TimeBars
    from .kernel.aggregators import VolumeBars as VolumeBars
    from .kernel.events import Bar as Bar
    from .kernel.events import Fill as Fill
    from .kernel.events import Quote as Quote
    from .kernel.events import Timer as Timer
    from .kernel.events import Trade as Trade
    from .kernel.indicators import T3 as T3
    from .kernel.indicators import AdLine as AdLine
    from .kernel.indicators import Adx as Adx
    from .kernel.indicators import Aroon as Aroon
    from .kernel.indicators import Atr as Atr
    from .kernel.indicators import Beta as Beta
    from .kernel.indicators import Bollinger as Bollinger
    from .kernel.indicators import Cci as Cci
    from .kernel.indicators import Chaikin as Chaikin
    from .kernel.indicators import ChaikinMoneyFlow as ChaikinMoneyFlow
    from .kernel.indicators import Cmo as Cmo
    from .kernel.indicators import Correlation as Correlation
    from .kernel.indicators import Dema as Dema
    from .kernel.indicators import Donchian as Donchian
    from .kernel.indicators import Ema as Ema
    from .kernel.indicators import EwmaVolatility as EwmaVolatility
    from .kernel.indicators import ForceIndex as ForceIndex
    from .kernel.indicators import Highest as Highest
    from .kernel.indicators import Hma as Hma
    from .kernel.indicators import Ichimoku as Ichimoku
    from .kernel.indicators import Indicator as Indicator
    from .kernel.indicators import Kama as Kama
    from .kernel.indicators import Keltner as Keltner
    from .kernel.indicators import Lag as Lag
    from .kernel.indicators import LinearRegression as LinearRegression
    from .kernel.indicators import LogReturn as LogReturn
    from .kernel.indicators import Lowest as Lowest
    from .kernel.indicators import Macd as Macd
    from .kernel.indicators import Mfi as Mfi
    from .kernel.indicators import Momentum as Momentum
    from .kernel.indicators import Natr as Natr
    from .kernel.indicators import Obv as Obv
    from .kernel.indicators import Ppo as Ppo
    from .kernel.indicators import Quantile as Quantile
    from .kernel.indicators import RealizedVolatility as RealizedVolatility
    from .kernel.indicators import Return as Return
    from .kernel.indicators import Rma as Rma
    from .kernel.indicators import Roc as Roc
    from .kernel.indicators import Rsi as Rsi
    from .kernel.indicators import Sar as Sar
    from .kernel.indicators import Sma as Sma
    from .kernel.indicators import Std as Std
    from .kernel.indicators import Stochastic as Stochastic
    from .kernel.indicators import StochRsi as StochRsi
    from .kernel.indicators import Sum as Sum
    from .kernel.indicators import SuperTrend as SuperTrend
    from .kernel.indicators import Tema as Tema
    from .kernel.indicators import Trima as Trima
    from .kernel.indicators import Trix as Trix
    from .kernel.indicators import TrueRange as TrueRange
    from .kernel.indicators import Ultimate as Ultimate
    from .kernel.indicators import Variance as Variance
    from .kernel.indicators import Vwap as Vwap
    from .kernel.indicators import Vwma as Vwma
    from .kernel.indicators import WilliamsR as WilliamsR
    from .kernel.indicators import Wma as Wma
    from .kernel.indicators import ZScore as ZScore
    from .kernel.interpreter import Context as Context
    from .kernel.kit import Strategy as Strategy
    from .kernel.kit import param as param
    from .kernel.order_book import Book as Book
    from .kernel.structs import Stateful as Stateful
    from .research.notebook import Backtest as Backtest
    from .research.notebook import backtest as backtest
    from .research.notebook_sweeps import SweepRun as SweepRun
    from .research.notebook_sweeps import WalkForwardRun as WalkForwardRun
    from .research.notebook_sweeps import sweep as sweep
    from .research.notebook_sweeps import walkforward as walkforward

__version__ = "0.1.0"

_HOMES = {
    "AdLine": "kernel.indicators",
    "Adx": "kernel.indicators",
    "Aroon": "kernel.indicators",
    "Atr": "kernel.indicators",
    "Backtest": "research.notebook",
    "Bar": "kernel.events",
    "Beta": "kernel.indicators",
    "Bollinger": "kernel.indicators",
    "Book": "kernel.order_book",
    "Cci": "kernel.indicators",
    "Chaikin": "kernel.indicators",
    "ChaikinMoneyFlow": "kernel.indicators",
    "Cmo": "kernel.indicators",
    "Context": "kernel.interpreter",
    "Correlation": "kernel.indicators",
    "Dema": "kernel.indicators",
    "DollarBars": "kernel.aggregators",
    "Donchian": "kernel.indicators",
    "Ema": "kernel.indicators",
    "EwmaVolatility": "kernel.indicators",
    "Fill": "kernel.events",
    "ForceIndex": "kernel.indicators",
    "Highest": "kernel.indicators",
    "Hma": "kernel.indicators",
    "Ichimoku": "kernel.indicators",
    "Indicator": "kernel.indicators",
    "Kama": "kernel.indicators",
    "Keltner": "kernel.indicators",
    "Lag": "kernel.indicators",
    "LinearRegression": "kernel.indicators",
    "LogReturn": "kernel.indicators",
    "Lowest": "kernel.indicators",
    "Macd": "kernel.indicators",
    "Mfi": "kernel.indicators",
    "Momentum": "kernel.indicators",
    "Natr": "kernel.indicators",
    "Obv": "kernel.indicators",
    "Ppo": "kernel.indicators",
    "Quantile": "kernel.indicators",
    "Quote": "kernel.events",
    "RealizedVolatility": "kernel.indicators",
    "Return": "kernel.indicators",
    "Rma": "kernel.indicators",
    "Roc": "kernel.indicators",
    "Rsi": "kernel.indicators",
    "Sar": "kernel.indicators",
    "Sma": "kernel.indicators",
    "Stateful": "kernel.structs",
    "Std": "kernel.indicators",
    "StochRsi": "kernel.indicators",
    "Stochastic": "kernel.indicators",
    "Strategy": "kernel.kit",
    "Sum": "kernel.indicators",
    "SuperTrend": "kernel.indicators",
    "SweepRun": "research.notebook_sweeps",
    "T3": "kernel.indicators",
    "Tema": "kernel.indicators",
    "TimeBars": "kernel.aggregators",
    "Timer": "kernel.events",
    "Trade": "kernel.events",
    "Trima": "kernel.indicators",
    "Trix": "kernel.indicators",
    "TrueRange": "kernel.indicators",
    "Ultimate": "kernel.indicators",
    "Variance": "kernel.indicators",
    "VolumeBars": "kernel.aggregators",
    "Vwap": "kernel.indicators",
    "Vwma": "kernel.indicators",
    "WalkForwardRun": "research.notebook_sweeps",
    "WilliamsR": "kernel.indicators",
    "Wma": "kernel.indicators",
    "ZScore": "kernel.indicators",
    "backtest": "research.notebook",
    "param": "kernel.kit",
    "sweep": "research.notebook_sweeps",
    "walkforward": "research.notebook_sweeps",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'traider' has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
