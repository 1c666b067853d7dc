"""Straight lines through the last values, and how two series go together."""

import math

import numpy as np

from .base import Indicator, whole
from .moments import Products


class LinearRegression(Indicator):
    """Least squares line through the last ``window`` values over time. TA-Lib: LINEARREG, LINEARREG_SLOPE.

    ``value()`` is the line at the newest value, ``slope()`` its rise for each update, ``r2()`` the share of the variance
    that it explains, from 0 to 1 (1 where all values are equal). Ready from the ``window``-th value; before that through
    those so far (through one value it is flat), nan before the first. Folded as ``Sum`` is, merged as in ``Moments``: of
    the times only their distance matters.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("LinearRegression", window, least=2)
        self.count = 0
        self.slot = 0
        self.mean = self.squares = self.product = math.nan
        self.recent_mean = self.recent_squares = self.recent_product = 0.0
        self.means = np.zeros(self.window)
        self.sums = np.zeros(self.window)
        self.products = np.zeros(self.window)

    def update(self, value: float) -> float:
        slot = self.slot
        distance = value - self.recent_mean
        self.recent_mean += distance / (slot + 1)
        self.recent_squares += distance * (value - self.recent_mean)
        self.recent_product += distance * 0.5 * slot
        self.means[slot] = value
        slot += 1
        if self.count < self.window:
            self.count += 1
        if slot < self.window:
            self.slot = slot
            self.merge()
        else:
            self.fold()
        return self.value()

    def merge(self) -> None:
        slot = self.slot
        older = self.count - slot
        if older == 0:
            self.mean, self.squares, self.product = self.recent_mean, self.recent_squares, self.recent_product
            return
        apart = self.recent_mean - self.means[slot]
        share = slot / self.count
        self.mean = self.means[slot] + apart * share
        self.squares = self.sums[slot] + self.recent_squares + apart * apart * (older * share)
        self.product = self.products[slot] + self.recent_product + apart * (0.5 * older * slot)

    def fold(self) -> None:
        mean = squares = product = 0.0
        for i in range(self.window - 1, -1, -1):
            newer = self.window - 1 - i
            value = self.means[i]
            distance = value - mean
            mean += distance / (newer + 1)
            squares += distance * (value - mean)
            product -= distance * 0.5 * newer
            self.means[i], self.sums[i], self.products[i] = mean, squares, product
        self.mean, self.squares, self.product = mean, squares, product
        self.recent_mean = self.recent_squares = self.recent_product = 0.0
        self.slot = 0

    def time_squares(self) -> float:
        """Sum of squared deviations of the times 0, 1, ... from their mean."""
        n = float(self.count)
        return n * (n * n - 1.0) / 12.0

    def slope(self) -> float:
        if self.count < 2:
            return 0.0 if self.count == 1 else math.nan
        return self.product / self.time_squares()

    def value(self) -> float:
        return self.mean + self.slope() * 0.5 * (self.count - 1)

    def r2(self) -> float:
        if self.count == 0:
            return math.nan
        if self.count < 2 or self.squares <= 0.0:
            return 1.0
        return min(self.product * self.product / (self.time_squares() * self.squares), 1.0)

    def ready(self) -> bool:
        return self.count == self.window


class Correlation(Indicator):
    """Pearson's correlation of the last ``window`` pairs. TA-Lib: CORREL. From -1 to 1; 0 where one of them does not move.

    Ready from the ``window``-th pair; before that of those so far, nan before the first.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Correlation", window, least=2)
        self.products = Products(self.window)

    def update(self, x: float, y: float) -> float:
        self.products.add(x, y)
        return self.value()

    def value(self) -> float:
        if self.products.count == 0:
            return math.nan
        scale = math.sqrt(self.products.xx) * math.sqrt(self.products.yy)
        return max(-1.0, min(1.0, self.products.xy / scale)) if scale > 0.0 else 0.0

    def ready(self) -> bool:
        return self.products.count == self.window


class Beta(Indicator):
    """Slope of the least squares line of the asset's last ``window`` returns over the market's. TA-Lib: BETA, on returns.

    ``update`` takes returns; ``alpha()`` is the line at a market return of 0. A number without unit; 0 where the market
    does not move. Ready from the ``window``-th pair; before that of those so far, nan before the first.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Beta", window, least=2)
        self.products = Products(self.window)

    def update(self, asset: float, market: float) -> float:
        self.products.add(market, asset)
        return self.value()

    def value(self) -> float:
        if self.products.count == 0:
            return math.nan
        return self.products.xy / self.products.xx if self.products.xx > 0.0 else 0.0

    def alpha(self) -> float:
        return self.products.y - self.value() * self.products.x

    def ready(self) -> bool:
        return self.products.count == self.window
