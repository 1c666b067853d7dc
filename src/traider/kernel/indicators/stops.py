"""Stops that follow the price and turn over when it meets them."""

import math

from .base import Indicator, between, whole
from .volatility import Atr


class Sar(Indicator):
    """Parabolic stop and reverse (Wilder 1978), as TA-Lib's SAR has it. A price.

    The stop moves to the extreme of its trend by a factor that begins at ``acceleration`` and grows by it at each new
    extreme, to ``maximum`` at most; it never enters the last two bars. A bar that touches it turns it over to the old
    extreme. ``value()`` is the stop that held for the newest bar, ``rising()`` whether it is below the price. The first
    trend is down if the second bar's low is farther below the first's than its high is above, else up. Ready from the
    second bar, nan before.
    """

    def __init__(self, acceleration: float = 0.02, maximum: float = 0.2) -> None:
        self.acceleration = between("Sar", acceleration, "acceleration", 0.0, 1.0)
        self.maximum = between("Sar", maximum, "maximum", self.acceleration, 1.0)
        self.count = 0
        self.up = True
        self.factor = self.acceleration
        self.extreme = self.next = self.stop = math.nan
        self.high = self.low = math.nan

    def update(self, high: float, low: float) -> float:
        if self.count == 1:
            self.begin(high, low)
        if self.count > 0:
            if self.up:
                self.follow_up(high, low)
            else:
                self.follow_down(high, low)
        self.high, self.low = high, low
        self.count += 1
        return self.stop

    def begin(self, high: float, low: float) -> None:
        fall = self.low - low
        self.up = not (fall > 0.0 and fall > high - self.high)
        self.extreme = high if self.up else low
        self.next = self.low if self.up else self.high
        self.high, self.low = high, low  # so has TA-Lib: the first step looks at the second bar alone

    def follow_up(self, high: float, low: float) -> None:
        if low <= self.next:
            self.up = False
            self.stop = max(self.extreme, self.high, high)
            self.factor = self.acceleration
            self.extreme = low
            self.next = max(self.stop + self.factor * (low - self.stop), self.high, high)
            return
        self.stop = self.next
        if high > self.extreme:
            self.extreme = high
            self.factor = min(self.factor + self.acceleration, self.maximum)
        self.next = min(self.stop + self.factor * (self.extreme - self.stop), self.low, low)

    def follow_down(self, high: float, low: float) -> None:
        if high >= self.next:
            self.up = True
            self.stop = min(self.extreme, self.low, low)
            self.factor = self.acceleration
            self.extreme = high
            self.next = min(self.stop + self.factor * (high - self.stop), self.low, low)
            return
        self.stop = self.next
        if low < self.extreme:
            self.extreme = low
            self.factor = min(self.factor + self.acceleration, self.maximum)
        self.next = max(self.stop + self.factor * (self.extreme - self.stop), self.high, high)

    def value(self) -> float:
        return self.stop

    def rising(self) -> bool:
        return self.up

    def ready(self) -> bool:
        return self.count > 1


class SuperTrend(Indicator):
    """Seban's SuperTrend: a stop ``width`` Atr from the middle of the bar that only moves with its trend. A price.

    Bands are (high + low) / 2 +- width Atr. The upper one falls, or rises when the close before was above it; the lower one
    likewise. The trend turns up when the close is above the upper band, down when it is below the lower one. ``value()`` is
    the lower band in a rising trend, else the upper; ``rising()`` says which. It begins rising with the first ready Atr, at
    the ``window``-th bar, when it is ready; nan before.
    """

    def __init__(self, window: int = 10, width: float = 3.0) -> None:
        self.atr = Atr(whole("SuperTrend", window))
        self.width = between("SuperTrend", width, "width", 0.0, 1000.0)
        self.begun = False
        self.up = True
        self.close = self.upper = self.lower = math.nan

    def update(self, high: float, low: float, close: float) -> float:
        distance = self.width * self.atr.update(high, low, close)
        if self.atr.ready():
            upper = 0.5 * (high + low) + distance
            lower = 0.5 * (high + low) - distance
            if not self.begun or upper < self.upper or self.close > self.upper:
                self.upper = upper
            if not self.begun or lower > self.lower or self.close < self.lower:
                self.lower = lower
            if self.up and close < self.lower:
                self.up = False
            elif not self.up and close > self.upper:
                self.up = True
            self.begun = True
        self.close = close
        return self.value()

    def value(self) -> float:
        return self.lower if self.up else self.upper

    def rising(self) -> bool:
        return self.up

    def ready(self) -> bool:
        return self.begun
