"""Incremental indicators: one ``update`` a value, constant time, the same compiled and interpreted.

``update`` returns the new value and ``value()`` gives it again; further outputs are methods of their own. Before
``ready()`` it is what the formula gives for the inputs so far, where it gives something, and nan before the first one.
Inputs are finite numbers. ``docs/indicators.md`` has them all in one table.
"""

from .averages import T3, Dema, Ema, Rma, Sma, Tema
from .base import Indicator
from .changes import LogReturn, Momentum, Return, Roc
from .channels import Bollinger, Donchian, Ichimoku, Keltner
from .convergence import Macd, Ppo, Trix
from .dispersion import Std, Variance, ZScore
from .oscillators import Cci, Cmo, Rsi, Stochastic, StochRsi, Ultimate, WilliamsR
from .ranks import Quantile
from .regression import Beta, Correlation, LinearRegression
from .stops import Sar, SuperTrend
from .trend import Adx, Aroon
from .volatility import Atr, EwmaVolatility, Natr, RealizedVolatility, TrueRange
from .volume import AdLine, Chaikin, ChaikinMoneyFlow, ForceIndex, Mfi, Obv
from .volume_averages import Vwap, Vwma
from .weighted import Hma, Kama, Trima, Wma
from .windows import Highest, Lag, Lowest, Sum

__all__ = [
    "T3",
    "AdLine",
    "Adx",
    "Aroon",
    "Atr",
    "Beta",
    "Bollinger",
    "Cci",
    "Chaikin",
    "ChaikinMoneyFlow",
    "Cmo",
    "Correlation",
    "Dema",
    "Donchian",
    "Ema",
    "EwmaVolatility",
    "ForceIndex",
    "Highest",
    "Hma",
    "Ichimoku",
    "Indicator",
    "Kama",
    "Keltner",
    "Lag",
    "LinearRegression",
    "LogReturn",
    "Lowest",
    "Macd",
    "Mfi",
    "Momentum",
    "Natr",
    "Obv",
    "Ppo",
    "Quantile",
    "RealizedVolatility",
    "Return",
    "Rma",
    "Roc",
    "Rsi",
    "Sar",
    "Sma",
    "Std",
    "StochRsi",
    "Stochastic",
    "Sum",
    "SuperTrend",
    "Tema",
    "Trima",
    "Trix",
    "TrueRange",
    "Ultimate",
    "Variance",
    "Vwap",
    "Vwma",
    "WilliamsR",
    "Wma",
    "ZScore",
]
