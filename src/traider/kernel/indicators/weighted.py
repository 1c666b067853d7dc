"""Averages whose weights depend on age, on movement or on both."""

import math

import numpy as np

from .base import Indicator, whole
from .windows import Lag, Sum


class Wma(Indicator):
    """Linearly weighted moving average: weights 1, 2, ... ``window``, the newest the most. TA-Lib: WMA. A price.

    Ready from the ``window``-th price; before that the weights are those of as many prices as there are, nan before the
    first. Folded as ``Sum`` is.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Wma", window)
        self.count = 0
        self.slot = 0
        self.mean = math.nan
        self.recent = 0.0
        self.recent_weighted = 0.0
        self.sums = np.zeros(self.window)  # before the slot prices, from it on their sums to the end of the ring
        self.weighted = np.zeros(self.window)  # the same with weights 1, 2, ...

    def update(self, price: float) -> float:
        slot = self.slot
        self.sums[slot] = price
        slot += 1
        self.recent += price
        self.recent_weighted += slot * price
        if self.count < self.window:
            self.count += 1
        if slot < self.window:
            self.slot = slot
            older = self.count - slot
            weighted = self.weighted[slot] + self.recent_weighted + older * self.recent if older > 0 else self.recent_weighted
        else:
            weighted = self.fold()
        self.mean = weighted / (0.5 * self.count * (self.count + 1))
        return self.mean

    def value(self) -> float:
        return self.mean

    def ready(self) -> bool:
        return self.count == self.window

    def fold(self) -> float:
        """The full ring as sums from each slot to the end; the weighted sum of all."""
        total = weighted = 0.0
        for i in range(self.window - 1, -1, -1):
            total += self.sums[i]
            weighted += total
            self.sums[i] = total
            self.weighted[i] = weighted
        self.recent = 0.0
        self.recent_weighted = 0.0
        self.slot = 0
        return weighted


class Hma(Indicator):
    """Hull's moving average (2005): Wma(2 Wma(price, window / 2) - Wma(price, window), sqrt(window)). A price.

    Half and root are cut to whole numbers. Ready when the three averages are, the last from the ready outputs of the first
    two on: at the ``window + floor(sqrt(window)) - 1``-th price. Before that from what there is, nan before the first.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Hma", window, least=2)
        self.half = Wma(self.window // 2)
        self.whole = Wma(self.window)
        self.smooth = Wma(math.isqrt(self.window))
        self.count = 0

    def update(self, price: float) -> float:
        self.count += 1
        return self.smooth.update(2.0 * self.half.update(price) - self.whole.update(price))

    def value(self) -> float:
        return self.smooth.mean

    def ready(self) -> bool:
        return self.count >= self.window + self.smooth.window - 1


class Trima(Indicator):
    """Triangular moving average: the simple average of a simple average, so that the middle weighs most. TA-Lib: TRIMA.

    A price. The two windows are (window + 1) / 2 each, or window / 2 and window / 2 + 1 where it is even. Ready from the
    ``window``-th price; before that from what there is, nan before the first.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Trima", window)
        self.inner = Sum((self.window + 1) // 2)
        self.outer = Sum(self.window // 2 + 1)
        self.count = 0

    def update(self, price: float) -> float:
        self.count += 1
        self.inner.update(price)
        self.outer.update(self.inner.mean())
        return self.outer.mean()

    def value(self) -> float:
        return self.outer.mean()

    def ready(self) -> bool:
        return self.count >= self.window


class Kama(Indicator):
    """Kaufman's adaptive moving average (1995). TA-Lib: KAMA, which it equals from the first ready value on. A price.

    Smoothed by (e (2/3 - 2/31) + 2/31)^2, where e, the efficiency, is the distance gone over ``window`` updates divided by
    the way gone. Seeded with the ``window``-th price, ready from the next; before that the newest price, nan before it.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Kama", window)
        self.lag = Lag(self.window)
        self.way = Sum(self.window)
        self.newest = math.nan
        self.mean = math.nan

    def update(self, price: float) -> float:
        before = self.newest
        self.newest = price
        lagged = self.lag.update(price)
        if self.lag.count > 1:
            self.way.update(abs(price - before))
        if not self.lag.ready():
            self.mean = price
            return price
        distance = abs(price - lagged)
        way = self.way.total
        efficiency = distance / way if way > distance else 1.0
        smoothing = efficiency * (2.0 / 3.0 - 2.0 / 31.0) + 2.0 / 31.0
        self.mean += smoothing * smoothing * (price - self.mean)
        return self.mean

    def value(self) -> float:
        return self.mean

    def ready(self) -> bool:
        return self.lag.ready()
