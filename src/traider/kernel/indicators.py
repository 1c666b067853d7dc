"""Incremental indicators: one ``update`` a value, constant time, the same compiled and interpreted.

``update`` returns the new value and ``value()`` gives it again; before ``ready()`` it is what the formula gives for the
inputs so far, and nan before the first one.
"""

import math
from fractions import Fraction

import numpy as np

from ..domain.errors import StrategyError
from ..domain.instruments import Instrument
from .machine import product_above
from .structs import Stateful


class Indicator(Stateful):
    """Base of indicators. ``bind`` is called once, before the first update, with the strategy's instrument."""

    def __bind__(self, instrument: Instrument) -> None:
        """What an indicator needs to know of its instrument; most need nothing."""


def _window(name: str, window: int) -> int:
    if window < 1:
        raise StrategyError(f"{name}: window is {window}; give a whole number of at least 1")
    return int(window)


class Sma(Indicator):
    """Simple moving average of prices, kept as an exact sum of whole price increments.

    So that a tie is a tie: two averages are compared without any rounding by ``above``. A price between two increments
    counts as the nearer one. The price increment is the instrument's.
    """

    def __init__(self, window: int) -> None:
        self.window = _window("Sma", window)
        self.count = 0
        self.total = 0
        self.slot = 0
        self.increments_per_unit = 1e8
        self.ticks = np.zeros(self.window, np.int64)

    def __bind__(self, instrument: Instrument) -> None:
        self.increments_per_unit = float(1 / Fraction(instrument.price_increment))

    def update(self, price: float) -> float:
        """Takes the next price; the average of the last ``window`` ones, or of all where there are fewer."""
        tick = int(round(price * self.increments_per_unit))
        ticks = self.ticks
        slot = self.slot
        self.total += tick - int(ticks[slot])  # 0 where nothing has been yet
        ticks[slot] = tick
        self.slot = slot + 1 if slot + 1 < self.window else 0
        if self.count < self.window:
            self.count += 1
        return self.value()

    def value(self) -> float:
        return self.total / (self.count * self.increments_per_unit) if self.count > 0 else math.nan

    def ready(self) -> bool:
        return self.count == self.window

    def above(self, other: "Sma") -> bool:
        """Whether this average is greater than the other one, exactly; equal is not above, nor is one without prices."""
        return product_above(self.total, other.count, other.total, self.count)


class Ema(Indicator):
    """Exponential moving average: alpha = 2 / (span + 1), seeded with the first value; ready from the ``span``-th on."""

    def __init__(self, span: int) -> None:
        self.span = _window("Ema", span)
        self.alpha = 2.0 / (self.span + 1.0)
        self.count = 0
        self.mean = math.nan

    def update(self, price: float) -> float:
        if self.count == 0:
            self.mean = price
        else:
            self.mean += self.alpha * (price - self.mean)
        self.count += 1
        return self.mean

    def value(self) -> float:
        return self.mean

    def ready(self) -> bool:
        return self.count >= self.span


class Std(Indicator):
    """Standard deviation of the last ``window`` values (population: divided by n).

    Sliding update of mean and sum of squared deviations (Welford 1962, with removal); both are computed anew from the
    window each time it has been gone round once, so that rounding can't pile up.
    """

    def __init__(self, window: int) -> None:
        self.window = _window("Std", window)
        self.count = 0
        self.slot = 0
        self.mean = 0.0
        self.squares = 0.0
        self.values = np.zeros(self.window)

    def update(self, price: float) -> float:
        if self.count < self.window:
            self.count += 1
            distance = price - self.mean
            self.mean += distance / self.count
            self.squares += distance * (price - self.mean)
        else:
            oldest = self.values[self.slot]
            mean = self.mean
            self.mean += (price - oldest) / self.window
            self.squares += (price - oldest) * (price - self.mean + oldest - mean)
        self.values[self.slot] = price
        self.slot += 1
        if self.slot == self.window:
            self.slot = 0
            self.refresh()
        return self.value()

    def value(self) -> float:
        return math.sqrt(max(self.squares, 0.0) / self.count) if self.count > 0 else math.nan

    def ready(self) -> bool:
        return self.count == self.window

    def refresh(self) -> None:
        """Mean and squares from the whole window, in the order in which the values lie."""
        total = 0.0
        for i in range(self.window):
            total += self.values[i]
        self.mean = total / self.window
        squares = 0.0
        for i in range(self.window):
            squares += (self.values[i] - self.mean) * (self.values[i] - self.mean)
        self.squares = squares


class Atr(Indicator):
    """Average true range (Wilder 1978): the mean of the first ``window`` true ranges, then smoothed by 1 / window.

    The true range of a bar is the largest of high - low, |high - previous close| and |low - previous close|; of the first
    bar it is high - low.
    """

    def __init__(self, window: int) -> None:
        self.window = _window("Atr", window)
        self.count = 0
        self.close = 0.0
        self.mean = math.nan

    def update(self, high: float, low: float, close: float) -> float:
        true_range = high - low
        if self.count > 0:
            true_range = max(true_range, abs(high - self.close), abs(low - self.close))
        self.close = close
        if self.count == 0:
            self.mean = true_range
        elif self.count < self.window:
            self.mean += (true_range - self.mean) / (self.count + 1)
        else:
            self.mean += (true_range - self.mean) / self.window
        if self.count < self.window:
            self.count += 1
        return self.mean

    def value(self) -> float:
        return self.mean

    def ready(self) -> bool:
        return self.count == self.window
