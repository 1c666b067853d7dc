"""Where values lie among the last ones. The cost of an update grows with the window: the values are kept in order."""

import math

import numpy as np

from .base import Indicator, between, whole


class Quantile(Indicator):
    """The quantile of the last ``window`` values: 0 the lowest, 0.5 the median, 1 the highest. In the values' unit.

    Between two values it is interpolated (Hyndman and Fan 1996, type 7, numpy's default). ``rank()`` is the share of the
    window that is not above the newest value, from 0 (excluded) to 1. Ready from the ``window``-th value; before that of
    those so far, nan before the first. An update moves ``window / 2`` values on average.
    """

    def __init__(self, window: int, share: float = 0.5) -> None:
        self.window = whole("Quantile", window)
        self.share = between("Quantile", share, "share", 0.0, 1.0)
        self.count = 0
        self.slot = 0
        self.newest = math.nan
        self.values = np.zeros(self.window)
        self.ordered = np.zeros(self.window)

    def update(self, value: float) -> float:
        if self.count == self.window:
            self.remove(self.values[self.slot])
        else:
            self.count += 1
        self.values[self.slot] = value
        self.newest = value
        self.slot = self.slot + 1 if self.slot + 1 < self.window else 0
        ordered = self.ordered
        i = self.count - 1
        while i > 0 and ordered[i - 1] > value:
            ordered[i] = ordered[i - 1]
            i -= 1
        ordered[i] = value
        return self.value()

    def remove(self, value: float) -> None:
        ordered = self.ordered
        for i in range(self.not_above(value) - 1, self.window - 1):
            ordered[i] = ordered[i + 1]

    def not_above(self, value: float) -> int:
        """How many of the ordered values are not above it."""
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            if self.ordered[middle] <= value:
                low = middle + 1
            else:
                high = middle
        return low

    def value(self) -> float:
        if self.count == 0:
            return math.nan
        place = self.share * (self.count - 1)
        below = int(place)
        above = below + 1 if below + 1 < self.count else below
        return self.ordered[below] + (place - below) * (self.ordered[above] - self.ordered[below])  # type: ignore[no-any-return]  # a float

    def rank(self) -> float:
        return self.not_above(self.newest) / self.count if self.count > 0 else math.nan

    def ready(self) -> bool:
        return self.count == self.window
