"""The last values of a series: their sum, the highest, the lowest, the one from some updates ago.

A sliding sum that adds the newest value and takes off the oldest keeps the rounding of every value that it has ever
seen, and where a large value has left a window of zeros it leaves dust that is divided by. Here nothing is taken off:
the window is what came since the ring was last full, summed as it comes, and the rest of the ring, whose sums from each
slot to its end were made when it was full (ADR 25). Each value is added twice, whatever the window.
"""

import math

import numpy as np

from .base import Indicator, whole


class Sum(Indicator):
    """Sum of the last ``window`` values, or of all where there are fewer. TA-Lib: SUM. In the values' unit.

    Ready from the ``window``-th value; nan before the first. Values of one sign give a sum of that sign, zeros a zero.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Sum", window)
        self.count = 0
        self.slot = 0
        self.recent = 0.0
        self.total = math.nan
        self.values = np.zeros(self.window)  # before the slot values, from it on their sums to the end of the ring

    def update(self, value: float) -> float:
        values = self.values
        slot = self.slot
        values[slot] = value
        self.recent += value
        slot += 1
        if self.count < self.window:
            self.count += 1
        if slot < self.window:
            self.slot = slot
            self.total = self.recent + values[slot]
        else:
            self.fold()
        return self.total

    def value(self) -> float:
        return self.total

    def mean(self) -> float:
        """The sum divided by how many values there are; nan before the first."""
        return self.total / self.count if self.count > 0 else math.nan

    def ready(self) -> bool:
        return self.count == self.window

    def fold(self) -> None:
        """The full ring as sums from each slot to the end."""
        total = 0.0
        for i in range(self.window - 1, -1, -1):
            total += self.values[i]
            self.values[i] = total
        self.total = total
        self.recent = 0.0
        self.slot = 0


class Lag(Indicator):
    """The value from ``window`` updates ago. In the values' unit.

    Ready from the ``window + 1``-th value; before that the first value of all, and nan before that.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Lag", window)
        self.count = 0
        self.slot = 0
        self.lagged = math.nan
        self.values = np.zeros(self.window)

    def update(self, value: float) -> float:
        slot = self.slot
        if self.count == 0:
            self.lagged = value
        elif self.count >= self.window:
            self.lagged = self.values[slot]
        self.values[slot] = value
        self.slot = slot + 1 if slot + 1 < self.window else 0
        if self.count <= self.window:
            self.count += 1
        return self.lagged

    def value(self) -> float:
        return self.lagged

    def ready(self) -> bool:
        return self.count > self.window


class _Extreme(Indicator):
    """The highest of the last values and its age, from a queue of those that can still become the highest.

    The queue falls from its first to its last value (Lemire 2006): a new value takes all from its end that are not above
    it. Of equal ones the latest stays.
    """

    def __init__(self, window: int) -> None:
        self.window = whole(type(self).__name__, window)
        self.count = 0
        self.first = 0
        self.length = 0
        self.values = np.zeros(self.window)
        self.times = np.zeros(self.window, np.int64)

    def push(self, value: float) -> None:
        first, length, window = self.first, self.length, self.window
        values, times = self.values, self.times
        if length > 0 and times[first] <= self.count - window:
            first = first + 1 if first + 1 < window else 0
            length -= 1
        while length > 0:
            last = first + length - 1
            if last >= window:
                last -= window
            if values[last] > value:
                break
            length -= 1
        slot = first + length
        if slot >= window:
            slot -= window
        values[slot] = value
        times[slot] = self.count
        self.first = first
        self.length = length + 1
        self.count += 1

    def age(self) -> int:
        """How many updates ago it came; 0 for the newest value. Of equal ones the latest."""
        return self.count - 1 - self.times[self.first] if self.count > 0 else 0

    def ready(self) -> bool:
        return self.count >= self.window


class Highest(_Extreme):
    """The highest of the last ``window`` values, or of all where there are fewer. TA-Lib: MAX. In the values' unit.

    Ready from the ``window``-th value; nan before the first.
    """

    def update(self, value: float) -> float:
        self.push(value)
        return self.values[self.first]  # type: ignore[no-any-return]  # a float of the array

    def value(self) -> float:
        return self.values[self.first] if self.count > 0 else math.nan


class Lowest(_Extreme):
    """The lowest of the last ``window`` values, or of all where there are fewer. TA-Lib: MIN. In the values' unit.

    Ready from the ``window``-th value; nan before the first.
    """

    def update(self, value: float) -> float:
        self.push(-value)
        return -self.values[self.first]  # type: ignore[no-any-return]  # a float of the array

    def value(self) -> float:
        return -self.values[self.first] if self.count > 0 else math.nan
