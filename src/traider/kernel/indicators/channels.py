"""Bands around a price: highest and lowest, a mean and its deviation, a mean and the range of bars."""

import math

from .averages import Ema
from .base import Indicator, between, whole
from .moments import Moments
from .volatility import Atr
from .windows import Highest, Lowest


class Donchian(Indicator):
    """Donchian's channel: ``upper()`` the highest high, ``lower()`` the lowest low of the last ``window`` bars. Prices.

    ``value()`` is ``middle()``, half way between. The newest bar is in it: compare with the channel before you update to
    trade a breakout. Ready from the ``window``-th bar; before that of those so far, nan before the first.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Donchian", window)
        self.highest = Highest(self.window)
        self.lowest = Lowest(self.window)

    def update(self, high: float, low: float) -> float:
        return 0.5 * (self.highest.update(high) + self.lowest.update(low))

    def value(self) -> float:
        return 0.5 * (self.highest.value() + self.lowest.value())

    def middle(self) -> float:
        return self.value()

    def upper(self) -> float:
        return self.highest.value()

    def lower(self) -> float:
        return self.lowest.value()

    def ready(self) -> bool:
        return self.highest.ready()


class Bollinger(Indicator):
    """Bollinger's bands (1983): mean of the last ``window`` prices, and ``width`` standard deviations to either side.

    TA-Lib: BBANDS with a simple average. ``value()`` is ``middle()``; ``percent()`` is where the newest price lies, 0 at the
    lower band and 1 at the upper (0.5 where they meet); ``bandwidth()`` is (upper - lower) / middle. The deviation is the
    population's. Prices, but for the last two. Ready from the ``window``-th price; before that of those so far, nan before
    the first.
    """

    def __init__(self, window: int = 20, width: float = 2.0) -> None:
        self.window = whole("Bollinger", window)
        self.width = between("Bollinger", width, "width", 0.0, 1000.0)
        self.moments = Moments(self.window)
        self.newest = math.nan

    def update(self, price: float) -> float:
        self.newest = price
        self.moments.add(price)
        return self.moments.mean

    def value(self) -> float:
        return self.moments.mean

    def middle(self) -> float:
        return self.moments.mean

    def upper(self) -> float:
        return self.moments.mean + self.width * math.sqrt(self.moments.variance())

    def lower(self) -> float:
        return self.moments.mean - self.width * math.sqrt(self.moments.variance())

    def percent(self) -> float:
        distance = self.upper() - self.lower()
        return 0.5 if distance == 0.0 else (self.newest - self.lower()) / distance

    def bandwidth(self) -> float:
        return (self.upper() - self.lower()) / self.moments.mean if self.moments.mean != 0.0 else 0.0

    def ready(self) -> bool:
        return self.moments.count == self.window


class Keltner(Indicator):
    """Keltner's channel in Raschke's form: Ema of the closes, and ``width`` Atr to either side. Prices.

    ``value()`` is ``middle()``. Keltner's own (1960) was a simple average of typical prices and of daily ranges. Ready when
    Ema and Atr are; before that from what they are so far, nan before the first bar.
    """

    def __init__(self, span: int = 20, window: int = 10, width: float = 2.0) -> None:
        self.mean = Ema(whole("Keltner", span, "span"))
        self.atr = Atr(whole("Keltner", window))
        self.width = between("Keltner", width, "width", 0.0, 1000.0)

    def update(self, high: float, low: float, close: float) -> float:
        self.atr.update(high, low, close)
        return self.mean.update(close)

    def value(self) -> float:
        return self.mean.mean

    def middle(self) -> float:
        return self.mean.mean

    def upper(self) -> float:
        return self.mean.mean + self.width * self.atr.mean

    def lower(self) -> float:
        return self.mean.mean - self.width * self.atr.mean

    def ready(self) -> bool:
        return self.mean.ready() and self.atr.ready()


class Ichimoku(Indicator):
    """Hosoda's Ichimoku lines (1969): middles of the last ``fast``, ``medium`` and ``slow`` bars' highest and lowest.

    ``conversion()`` (which is ``value()``) of ``fast``, ``base()`` of ``medium``, ``span_a()`` half way between these two,
    ``span_b()`` of ``slow``. Prices. Nothing is displaced. A chart draws the spans ``medium`` bars ahead: what it shows
    over a bar is the span of ``medium`` bars ago, which a ``Lag`` gives. And it draws the close ``medium`` bars back, where
    it was not known yet: a strategy that reads it there looks ahead. Ready from the ``slow``-th bar; before that of those
    so far, nan before the first.
    """

    def __init__(self, fast: int = 9, medium: int = 26, slow: int = 52) -> None:
        self.fast = Donchian(whole("Ichimoku", fast, "fast"))
        self.medium = Donchian(whole("Ichimoku", medium, "medium"))
        self.slow = Donchian(whole("Ichimoku", slow, "slow"))

    def update(self, high: float, low: float) -> float:
        self.medium.update(high, low)
        self.slow.update(high, low)
        return self.fast.update(high, low)

    def value(self) -> float:
        return self.fast.value()

    def conversion(self) -> float:
        return self.fast.value()

    def base(self) -> float:
        return self.medium.value()

    def span_a(self) -> float:
        return 0.5 * (self.fast.value() + self.medium.value())

    def span_b(self) -> float:
        return self.slow.value()

    def ready(self) -> bool:
        return self.fast.ready() and self.medium.ready() and self.slow.ready()
