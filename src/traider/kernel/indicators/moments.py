"""Means, squares and products of deviations over a sliding window, without a difference of large numbers.

What ``Sum`` does for sums: the window is what came since the ring was last full and the rest of the ring, and the two are
put together by the rule for merging samples (Chan, Golub and LeVeque 1979). Equal values give exactly zero squares.
"""

import math

import numpy as np

from ..structs import Stateful


class Moments(Stateful):
    """``mean`` and ``squares`` (the sum of squared deviations from it) of the last ``window`` values."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.count = 0
        self.slot = 0
        self.mean = math.nan
        self.squares = math.nan
        self.recent_mean = 0.0
        self.recent_squares = 0.0
        self.means = np.zeros(window)  # before the slot values, from it on means to the end of the ring
        self.sums = np.zeros(window)

    def add(self, value: float) -> None:
        slot = self.slot
        distance = value - self.recent_mean
        self.recent_mean += distance / (slot + 1)
        self.recent_squares += distance * (value - self.recent_mean)
        self.means[slot] = value
        slot += 1
        if self.count < self.window:
            self.count += 1
        if slot == self.window:
            self.fold()
            return
        self.slot = slot
        older = self.count - slot
        if older == 0:
            self.mean = self.recent_mean
            self.squares = self.recent_squares
        else:
            apart = self.recent_mean - self.means[slot]
            share = slot / self.count
            self.mean = self.means[slot] + apart * share
            self.squares = self.sums[slot] + self.recent_squares + apart * apart * (older * share)

    def fold(self) -> None:
        mean = squares = 0.0
        for i in range(self.window - 1, -1, -1):
            value = self.means[i]
            distance = value - mean
            mean += distance / (self.window - i)
            squares += distance * (value - mean)
            self.means[i] = mean
            self.sums[i] = squares
        self.mean = mean
        self.squares = squares
        self.recent_mean = 0.0
        self.recent_squares = 0.0
        self.slot = 0

    def variance(self) -> float:
        """Of the population: divided by n."""
        return self.squares / self.count if self.count > 0 else math.nan


class Products(Stateful):
    """Means, squares and products of deviations of the last ``window`` pairs: ``xx``, ``yy``, ``xy``."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.count = 0
        self.slot = 0
        self.x = self.y = self.xx = self.yy = self.xy = math.nan
        self.recent_x = self.recent_y = self.recent_xx = self.recent_yy = self.recent_xy = 0.0
        self.x_means = np.zeros(window)
        self.y_means = np.zeros(window)
        self.xx_sums = np.zeros(window)
        self.yy_sums = np.zeros(window)
        self.xy_sums = np.zeros(window)

    def add(self, x: float, y: float) -> None:
        slot = self.slot
        from_x = x - self.recent_x
        from_y = y - self.recent_y
        self.recent_x += from_x / (slot + 1)
        self.recent_y += from_y / (slot + 1)
        self.recent_xx += from_x * (x - self.recent_x)
        self.recent_yy += from_y * (y - self.recent_y)
        self.recent_xy += from_x * (y - self.recent_y)
        self.x_means[slot] = x
        self.y_means[slot] = y
        slot += 1
        if self.count < self.window:
            self.count += 1
        if slot == self.window:
            self.fold()
        else:
            self.slot = slot
            self.merge()

    def merge(self) -> None:
        slot = self.slot
        older = self.count - slot
        share = slot / self.count
        weight = older * share
        from_x = self.recent_x - self.x_means[slot] if older > 0 else 0.0
        from_y = self.recent_y - self.y_means[slot] if older > 0 else 0.0
        self.x = self.x_means[slot] + from_x * share if older > 0 else self.recent_x
        self.y = self.y_means[slot] + from_y * share if older > 0 else self.recent_y
        self.xx = self.xx_sums[slot] + self.recent_xx + from_x * from_x * weight
        self.yy = self.yy_sums[slot] + self.recent_yy + from_y * from_y * weight
        self.xy = self.xy_sums[slot] + self.recent_xy + from_x * from_y * weight

    def fold(self) -> None:
        mean_x = mean_y = xx = yy = xy = 0.0
        for i in range(self.window - 1, -1, -1):
            x = self.x_means[i]
            y = self.y_means[i]
            from_x = x - mean_x
            from_y = y - mean_y
            mean_x += from_x / (self.window - i)
            mean_y += from_y / (self.window - i)
            xx += from_x * (x - mean_x)
            yy += from_y * (y - mean_y)
            xy += from_x * (y - mean_y)
            self.x_means[i] = mean_x
            self.y_means[i] = mean_y
            self.xx_sums[i] = xx
            self.yy_sums[i] = yy
            self.xy_sums[i] = xy
        self.x, self.y, self.xx, self.yy, self.xy = mean_x, mean_y, xx, yy, xy
        self.recent_x = self.recent_y = self.recent_xx = self.recent_yy = self.recent_xy = 0.0
        self.slot = 0
