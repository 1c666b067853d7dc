"""Averages of one series: simple, exponential, Wilder's, and those made of exponential ones."""

import math
from fractions import Fraction

import numpy as np

from ...domain.instruments import Instrument
from ..machine import nearest, product_above
from ..structs import Slot
from .base import Indicator, between, whole


class Sma(Indicator):
    """Simple moving average of prices, kept as an exact sum of whole price increments.

    So that a tie is a tie: two averages are compared without any rounding by ``above``. A price between two increments
    counts as the nearer one. The price increment is the instrument's. TA-Lib: SMA. Ready from the ``window``-th price;
    before that the average of those so far, nan before the first.
    """

    slot: Slot

    def __init__(self, window: int) -> None:
        self.window = whole("Sma", window)
        self.count = 0
        self.total = 0
        self.slot = 0
        self.increments_per_unit = 1e8
        self.ticks = np.zeros(self.window, np.int64)

    def __bind__(self, instrument: Instrument) -> None:
        self.increments_per_unit = float(1 / Fraction(instrument.price_increment))

    def update(self, price: float) -> float:
        """Takes the next price; the average of the last ``window`` ones, or of all where there are fewer."""
        tick = nearest(price * self.increments_per_unit)
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
    """Exponential moving average: alpha = 2 / (span + 1), seeded with the first value. A price.

    TA-Lib: EMA, once its seed, the mean of the first ``span`` prices, has faded. Ready from the ``span``-th price; nan before
    the first.
    """

    def __init__(self, span: int) -> None:
        self.span = whole("Ema", span)
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


class Rma(Indicator):
    """Wilder's moving average (1978): the mean of the first ``window`` values, then smoothed by 1 / window.

    In the values' unit. Ready from the ``window``-th value; before that the mean so far, nan before the first.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Rma", window)
        self.count = 0
        self.mean = math.nan

    def update(self, value: float) -> float:
        if self.count < self.window:
            self.count += 1
        if self.count == 1:
            self.mean = value
        else:  # smoothed by 1 / count it is the mean
            self.mean += (value - self.mean) / self.count
        return self.mean

    def value(self) -> float:
        return self.mean

    def ready(self) -> bool:
        return self.count == self.window


class Dema(Indicator):
    """Double exponential moving average (Mulloy 1994): 2 e1 - e2, where e1 = Ema(price), e2 = Ema(e1). TA-Lib: DEMA.

    A price. Each Ema is seeded with its first value, where TA-Lib lets the second begin later: the two agree once the seed
    has faded. Ready from the ``2 span - 1``-th price; nan before the first.
    """

    def __init__(self, span: int) -> None:
        self.span = whole("Dema", span)
        self.first = Ema(span)
        self.second = Ema(span)

    def update(self, price: float) -> float:
        self.second.update(self.first.update(price))
        return self.value()

    def value(self) -> float:
        return 2.0 * self.first.mean - self.second.mean

    def ready(self) -> bool:
        return self.first.count >= 2 * self.span - 1


class Tema(Indicator):
    """Triple exponential moving average (Mulloy 1994): 3 e1 - 3 e2 + e3, each the Ema of the one before. TA-Lib: TEMA.

    A price. Seeded as ``Dema`` is. Ready from the ``3 span - 2``-th price; nan before the first.
    """

    def __init__(self, span: int) -> None:
        self.span = whole("Tema", span)
        self.first = Ema(span)
        self.second = Ema(span)
        self.third = Ema(span)

    def update(self, price: float) -> float:
        self.third.update(self.second.update(self.first.update(price)))
        return self.value()

    def value(self) -> float:
        return 3.0 * self.first.mean - 3.0 * self.second.mean + self.third.mean

    def ready(self) -> bool:
        return self.first.count >= 3 * self.span - 2


class T3(Indicator):
    """Tillson's T3 (1998): the generalised Dema, (1 + v) Ema - v Ema(Ema), three times over. TA-Lib: T3.

    A price. ``volume_factor`` v from 0 (an Ema) to 1 (a Dema). Seeded as ``Dema`` is. Ready from the ``6 span - 5``-th
    price; nan before the first.
    """

    def __init__(self, span: int, volume_factor: float = 0.7) -> None:
        self.span = whole("T3", span)
        self.factor = between("T3", volume_factor, "volume_factor", 0.0, 1.0)
        self.e1, self.e2, self.e3 = Ema(span), Ema(span), Ema(span)
        self.e4, self.e5, self.e6 = Ema(span), Ema(span), Ema(span)

    def update(self, price: float) -> float:
        third = self.e3.update(self.e2.update(self.e1.update(price)))
        self.e6.update(self.e5.update(self.e4.update(third)))
        return self.value()

    def value(self) -> float:
        v = self.factor
        c3 = (1.0 + v) * (1.0 + v) * (1.0 + v)
        c4 = -3.0 * v * (1.0 + v) * (1.0 + v)
        c5 = 3.0 * v * v * (1.0 + v)
        return c3 * self.e3.mean + c4 * self.e4.mean + c5 * self.e5.mean - v * v * v * self.e6.mean

    def ready(self) -> bool:
        return self.e1.count >= 6 * self.span - 5
