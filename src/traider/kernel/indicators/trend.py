"""Whether there is a trend, and which way it goes."""

import math

from .averages import Rma
from .base import Indicator, whole
from .windows import Highest, Lowest


class Aroon(Indicator):
    """Chande's Aroon (1995): ``up()`` 100 (window - bars since the highest high) / window, ``down()`` of the lowest low.

    Over the last ``window + 1`` bars; of equal ones the latest counts. ``value()`` is the oscillator, up - down, from -100
    to 100; up and down are from 0 to 100. TA-Lib: AROON, AROONOSC. Ready from the ``window + 1``-th bar; before that of
    those so far, nan before the first.
    """

    def __init__(self, window: int = 25) -> None:
        self.window = whole("Aroon", window)
        self.highest = Highest(self.window + 1)
        self.lowest = Lowest(self.window + 1)

    def update(self, high: float, low: float) -> float:
        self.highest.update(high)
        self.lowest.update(low)
        return self.value()

    def value(self) -> float:
        return self.up() - self.down()

    def up(self) -> float:
        return 100.0 * (self.window - self.highest.age()) / self.window if self.highest.count > 0 else math.nan

    def down(self) -> float:
        return 100.0 * (self.window - self.lowest.age()) / self.window if self.lowest.count > 0 else math.nan

    def ready(self) -> bool:
        return self.highest.ready()


class Adx(Indicator):
    """Average directional index (Wilder 1978). TA-Lib: ADX, PLUS_DI, MINUS_DI, once the seeds, which differ, have faded.

    ``plus()`` and ``minus()`` are 100 Rma(directional movement) / Rma(true range), where a bar's movement goes to the side
    whose new extreme lies farther beyond the last bar's. ``value()`` is the Rma of 100 |plus - minus| / (plus + minus),
    over the bars from which both are ready. All from 0 to 100; 0 where nothing has moved. ``plus`` and ``minus`` begin with
    the second bar, ``value`` with bar ``window + 1``, nan before; ready from bar ``2 window``.
    """

    def __init__(self, window: int = 14) -> None:
        self.window = whole("Adx", window)
        self.up = Rma(self.window)
        self.down = Rma(self.window)
        self.range = Rma(self.window)
        self.index = Rma(self.window)
        self.high = self.low = self.close = math.nan
        self.begun = False

    def update(self, high: float, low: float, close: float) -> float:
        if self.begun:
            up = high - self.high
            down = self.low - low
            self.up.update(up if up > down and up > 0.0 else 0.0)
            self.down.update(down if down > up and down > 0.0 else 0.0)
            self.range.update(max(high - low, abs(high - self.close), abs(low - self.close)))
            if self.range.ready():
                moved = self.up.mean + self.down.mean
                self.index.update(100.0 * abs(self.up.mean - self.down.mean) / moved if moved > 0.0 else 0.0)
        self.high, self.low, self.close = high, low, close
        self.begun = True
        return self.index.mean

    def value(self) -> float:
        return self.index.mean

    def plus(self) -> float:
        if self.range.count == 0:
            return math.nan
        return 100.0 * self.up.mean / self.range.mean if self.range.mean > 0.0 else 0.0

    def minus(self) -> float:
        if self.range.count == 0:
            return math.nan
        return 100.0 * self.down.mean / self.range.mean if self.range.mean > 0.0 else 0.0

    def ready(self) -> bool:
        return self.index.ready()
