"""How far the last values lie from one another."""

import math

import numpy as np

from .base import Indicator, whole
from .moments import Moments


class Std(Indicator):
    """Standard deviation of the last ``window`` values (population: divided by n).

    Sliding update of mean and sum of squared deviations (Welford 1962, with removal); both are computed anew from the
    window each time it has been gone round once, so that rounding can't pile up. TA-Lib: STDDEV. In the values' unit, at
    least 0. Ready from the ``window``-th value; before that of those so far, nan before the first.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Std", window)
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


class Variance(Indicator):
    """Variance of the last ``window`` values (population: divided by n). TA-Lib: VAR. In the values' unit, squared.

    At least 0, and exactly 0 where all are equal. Ready from the ``window``-th value; before that of those so far, nan
    before the first.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Variance", window)
        self.moments = Moments(self.window)

    def update(self, value: float) -> float:
        self.moments.add(value)
        return self.moments.variance()

    def value(self) -> float:
        return self.moments.variance()

    def ready(self) -> bool:
        return self.moments.count == self.window


class ZScore(Indicator):
    """How many standard deviations the newest of the last ``window`` values lies from their mean: (x - mean) / std.

    The population's standard deviation. A number without unit, at most sqrt(window - 1) from 0; 0 where all are equal.
    Ready from the ``window``-th value; before that among those so far, nan before the first.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("ZScore", window)
        self.moments = Moments(self.window)
        self.newest = math.nan

    def update(self, value: float) -> float:
        self.newest = value
        self.moments.add(value)
        return self.value()

    def value(self) -> float:
        if self.moments.count == 0:
            return math.nan
        variance = self.moments.variance()
        return (self.newest - self.moments.mean) / math.sqrt(variance) if variance > 0.0 else 0.0

    def ready(self) -> bool:
        return self.moments.count == self.window
