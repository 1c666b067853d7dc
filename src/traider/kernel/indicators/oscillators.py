"""Indicators that swing between fixed ends. Where there is no movement to divide by they are in the middle."""

import math

import numpy as np

from .averages import Rma
from .base import Indicator, whole
from .changes import Momentum
from .windows import Highest, Lowest, Sum


class Rsi(Indicator):
    """Relative strength index (Wilder 1978): 100 up / (up + down), Wilder's averages of rises and falls. TA-Lib: RSI.

    From 0 to 100; 50 where nothing has moved. Ready from the ``window + 1``-th price; before that from the rises and falls
    so far, nan before the second price.
    """

    def __init__(self, window: int = 14) -> None:
        self.window = whole("Rsi", window)
        self.up = Rma(self.window)
        self.down = Rma(self.window)
        self.price = math.nan
        self.count = 0

    def update(self, price: float) -> float:
        if self.count > 0:
            change = price - self.price
            self.up.update(change if change > 0.0 else 0.0)
            self.down.update(-change if change < 0.0 else 0.0)
        self.price = price
        self.count += 1
        return self.value()

    def value(self) -> float:
        if self.up.count == 0:
            return math.nan
        moved = self.up.mean + self.down.mean
        return 100.0 * self.up.mean / moved if moved > 0.0 else 50.0

    def ready(self) -> bool:
        return self.up.ready()


class Stochastic(Indicator):
    """Lane's stochastic: 100 (close - lowest low) / (highest high - lowest low) of ``window`` bars. TA-Lib: STOCH.

    ``k()`` (which is ``value()``) is its average over ``smooth`` bars, ``d()`` the average of k over ``signal`` bars;
    ``smooth=1`` is the fast form, TA-Lib's STOCHF. From 0 to 100, as long as closes lie within their bars; 50 where the
    range is 0. Ready from bar ``window + smooth + signal - 2``; before that from what there is, nan before the first.
    """

    def __init__(self, window: int = 14, smooth: int = 3, signal: int = 3) -> None:
        self.highest = Highest(whole("Stochastic", window))
        self.lowest = Lowest(self.highest.window)
        self.smoothed = Sum(whole("Stochastic", smooth, "smooth"))
        self.signal = Sum(whole("Stochastic", signal, "signal"))
        self.bars = self.highest.window + self.smoothed.window + self.signal.window - 2

    def update(self, high: float, low: float, close: float) -> float:
        top = self.highest.update(high)
        bottom = self.lowest.update(low)
        self.smoothed.update(100.0 * (close - bottom) / (top - bottom) if top > bottom else 50.0)
        k = self.smoothed.mean()
        self.signal.update(k)
        return k

    def value(self) -> float:
        return self.smoothed.mean()

    def k(self) -> float:
        return self.smoothed.mean()

    def d(self) -> float:
        return self.signal.mean()

    def ready(self) -> bool:
        return self.highest.count >= self.bars


class StochRsi(Indicator):
    """The stochastic of the Rsi (Chande and Kroll 1994): where it lies among its last ``window`` values. TA-Lib: STOCHRSI.

    ``k()`` (which is ``value()``) is averaged over ``smooth`` values (TA-Lib: 1), ``d()`` is the average of k over
    ``signal``. From 0 to 100. It begins with the first ready Rsi, at price ``rsi_window + 1``, nan before; ready after
    ``window + smooth + signal - 2`` of them.
    """

    def __init__(self, rsi_window: int = 14, window: int = 14, smooth: int = 1, signal: int = 3) -> None:
        self.rsi = Rsi(whole("StochRsi", rsi_window, "rsi_window"))
        self.stochastic = Stochastic(whole("StochRsi", window), whole("StochRsi", smooth, "smooth"), whole("StochRsi", signal, "signal"))

    def update(self, price: float) -> float:
        rsi = self.rsi.update(price)
        if self.rsi.ready():
            self.stochastic.update(rsi, rsi, rsi)
        return self.stochastic.value()

    def value(self) -> float:
        return self.stochastic.value()

    def k(self) -> float:
        return self.stochastic.k()

    def d(self) -> float:
        return self.stochastic.d()

    def ready(self) -> bool:
        return self.stochastic.ready()


class WilliamsR(Indicator):
    """Williams's %R (1973): -100 (highest high - close) / (highest high - lowest low) of ``window`` bars. TA-Lib: WILLR.

    From -100 to 0, as long as closes lie within their bars; -50 where the range is 0 (TA-Lib: 0). Ready from the
    ``window``-th bar; before that of those so far, nan before the first.
    """

    def __init__(self, window: int = 14) -> None:
        self.highest = Highest(whole("WilliamsR", window))
        self.lowest = Lowest(self.highest.window)
        self.percent = math.nan

    def update(self, high: float, low: float, close: float) -> float:
        top = self.highest.update(high)
        bottom = self.lowest.update(low)
        self.percent = -100.0 * (top - close) / (top - bottom) if top > bottom else -50.0
        return self.percent

    def value(self) -> float:
        return self.percent

    def ready(self) -> bool:
        return self.highest.ready()


class Cci(Indicator):
    """Commodity channel index (Lambert 1980): (typical - mean) / (0.015 mean absolute deviation). TA-Lib: CCI.

    Of the typical prices (high + low + close) / 3 of the last ``window`` bars. A number without unit, most of the time
    from -100 to 100; 0 where all are equal. Ready from the ``window``-th bar; before that of those so far, nan before the
    first. The deviations from a new mean have to be added up anew: an update costs as much as the window is long.
    """

    def __init__(self, window: int = 20) -> None:
        self.window = whole("Cci", window)
        self.count = 0
        self.slot = 0
        self.index = math.nan
        self.prices = np.zeros(self.window)

    def update(self, high: float, low: float, close: float) -> float:
        typical = (high + low + close) / 3.0
        self.prices[self.slot] = typical
        self.slot = self.slot + 1 if self.slot + 1 < self.window else 0
        if self.count < self.window:
            self.count += 1
        self.index = 0.0
        highest = lowest = typical
        total = 0.0
        for i in range(self.count):
            total += self.prices[i]
            highest = max(highest, self.prices[i])
            lowest = min(lowest, self.prices[i])
        mean = total / self.count
        deviation = 0.0
        for i in range(self.count):
            deviation += abs(self.prices[i] - mean)
        if highest > lowest:  # the mean of equal numbers may be off by a rounding
            self.index = (typical - mean) / (0.015 * deviation / self.count)
        return self.index

    def value(self) -> float:
        return self.index

    def ready(self) -> bool:
        return self.count == self.window


class Cmo(Indicator):
    """Chande's momentum oscillator (1994): 100 (up - down) / (up + down), sums of the last ``window`` rises and falls.

    As Chande has it; TA-Lib's CMO smooths as Wilder does, which is 2 Rsi - 100. From -100 to 100; 0 where nothing has moved.
    Ready from the ``window + 1``-th price; before that from the changes so far, nan before the second price.
    """

    def __init__(self, window: int = 14) -> None:
        self.up = Sum(whole("Cmo", window))
        self.down = Sum(self.up.window)
        self.change = Momentum(1)

    def update(self, price: float) -> float:
        change = self.change.update(price)
        if self.change.ready():
            self.up.update(change if change > 0.0 else 0.0)
            self.down.update(-change if change < 0.0 else 0.0)
        return self.value()

    def value(self) -> float:
        if self.up.count == 0:
            return math.nan
        moved = self.up.total + self.down.total
        return 100.0 * (self.up.total - self.down.total) / moved if moved > 0.0 else 0.0

    def ready(self) -> bool:
        return self.up.ready()


class Ultimate(Indicator):
    """Williams's ultimate oscillator (1985): buying pressure over true range in three windows. TA-Lib: ULTOSC.

    100 (4 a + 2 b + c) / 7, where a, b, c are the sums of close - min(low, previous close) divided by those of the true
    range over the last ``fast``, ``medium``, ``slow`` bars. From 0 to 100; a window without range counts as a half. Ready
    from bar ``slow + 1``; before that from the bars so far, nan before the second.
    """

    def __init__(self, fast: int = 7, medium: int = 14, slow: int = 28) -> None:
        self.fast_pressure, self.fast_range = Sum(whole("Ultimate", fast, "fast")), Sum(fast)
        self.medium_pressure, self.medium_range = Sum(whole("Ultimate", medium, "medium")), Sum(medium)
        self.slow_pressure, self.slow_range = Sum(whole("Ultimate", slow, "slow")), Sum(slow)
        self.close = math.nan
        self.begun = False

    def update(self, high: float, low: float, close: float) -> float:
        if self.begun:
            bottom = min(low, self.close)
            pressure = close - bottom
            true_range = max(high, self.close) - bottom
            self.fast_pressure.update(pressure)
            self.medium_pressure.update(pressure)
            self.slow_pressure.update(pressure)
            self.fast_range.update(true_range)
            self.medium_range.update(true_range)
            self.slow_range.update(true_range)
        self.close = close
        self.begun = True
        return self.value()

    def value(self) -> float:
        if self.slow_range.count == 0:
            return math.nan
        fast = self.fast_pressure.total / self.fast_range.total if self.fast_range.total > 0.0 else 0.5
        medium = self.medium_pressure.total / self.medium_range.total if self.medium_range.total > 0.0 else 0.5
        slow = self.slow_pressure.total / self.slow_range.total if self.slow_range.total > 0.0 else 0.5
        return 100.0 * (4.0 * fast + 2.0 * medium + slow) / 7.0

    def ready(self) -> bool:
        return self.fast_range.ready() and self.medium_range.ready() and self.slow_range.ready()
