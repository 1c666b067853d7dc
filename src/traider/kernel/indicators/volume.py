"""Whether the volume goes with the price."""

import math
from fractions import Fraction

from ...domain.instruments import Instrument
from .averages import Ema
from .base import Indicator, whole
from .running import RunningSum
from .windows import Sum


class _Located(Indicator):
    """Where the close lies in its bar."""

    def location(self, high: float, low: float, close: float) -> float:
        """-1 at the low, 1 at the high; 0 for a bar without range."""
        return ((close - low) - (high - close)) / (high - low) if high > low else 0.0


class Obv(Indicator):
    """On-balance volume (Granville 1963): volume added when the close rises, taken off when it falls. TA-Lib: OBV.

    In the volume's unit, without end to either side. It begins with the first bar's volume; only its changes mean
    something. Ready from the second bar; nan before the first.
    """

    def __init__(self) -> None:
        self.count = 0
        self.close = math.nan
        self.sum = RunningSum()

    def update(self, close: float, volume: float) -> float:
        if self.count == 0 or close > self.close:
            self.sum.add(volume)
        elif close < self.close:
            self.sum.add(-volume)
        self.close = close
        self.count += 1
        return self.sum.sum()

    def value(self) -> float:
        return self.sum.sum() if self.count > 0 else math.nan

    def ready(self) -> bool:
        return self.count > 1


class AdLine(_Located):
    """Chaikin's accumulation/distribution line: sum of volume times the close's location in its bar. TA-Lib: AD.

    The location is ((close - low) - (high - close)) / (high - low), 0 for a bar without range. In the volume's unit,
    without end to either side; only its changes mean something. Ready from the first bar; nan before.
    """

    def __init__(self) -> None:
        self.count = 0
        self.sum = RunningSum()

    def update(self, high: float, low: float, close: float, volume: float) -> float:
        self.sum.add(self.location(high, low, close) * volume)
        self.count += 1
        return self.sum.sum()

    def value(self) -> float:
        return self.sum.sum() if self.count > 0 else math.nan

    def ready(self) -> bool:
        return self.count > 0


class Chaikin(Indicator):
    """Chaikin's oscillator: Ema(fast) - Ema(slow) of the accumulation/distribution line. TA-Lib: ADOSC.

    In the volume's unit. Ready from the ``slow``-th bar; nan before the first.
    """

    def __init__(self, fast: int = 3, slow: int = 10) -> None:
        self.line = AdLine()
        self.fast = Ema(whole("Chaikin", fast, "fast"))
        self.slow = Ema(whole("Chaikin", slow, "slow"))

    def update(self, high: float, low: float, close: float, volume: float) -> float:
        line = self.line.update(high, low, close, volume)
        return self.fast.update(line) - self.slow.update(line)

    def value(self) -> float:
        return self.fast.mean - self.slow.mean

    def ready(self) -> bool:
        return self.fast.ready() and self.slow.ready()


class ChaikinMoneyFlow(_Located):
    """Sum of volume times the close's location in its bar, divided by the volume, of the last ``window`` bars (Chaikin).

    The location is that of ``AdLine``. From -1 to 1, as long as closes lie within their bars; 0 without volume. Ready from
    the ``window``-th bar; before that of those so far, nan before the first.
    """

    def __init__(self, window: int = 20) -> None:
        self.flow = Sum(whole("ChaikinMoneyFlow", window))
        self.volume = Sum(self.flow.window)

    def update(self, high: float, low: float, close: float, volume: float) -> float:
        self.flow.update(self.location(high, low, close) * volume)
        self.volume.update(volume)
        return self.value()

    def value(self) -> float:
        if self.volume.count == 0:
            return math.nan
        return self.flow.total / self.volume.total if self.volume.total > 0.0 else 0.0

    def ready(self) -> bool:
        return self.flow.ready()


class ForceIndex(Indicator):
    """Elder's force index (1993): Ema of (close - previous close) volume. In price times volume.

    Ready from the ``span + 1``-th bar; nan before the second.
    """

    def __init__(self, span: int = 13) -> None:
        self.smooth = Ema(whole("ForceIndex", span, "span"))
        self.close = math.nan
        self.begun = False

    def update(self, close: float, volume: float) -> float:
        if self.begun:
            self.smooth.update((close - self.close) * volume)
        self.close = close
        self.begun = True
        return self.smooth.mean

    def value(self) -> float:
        return self.smooth.mean

    def ready(self) -> bool:
        return self.smooth.ready()


class Mfi(Indicator):
    """Money flow index (Quong and Soudack 1989): 100 up / (up + down), flows of the last ``window`` bars. TA-Lib: MFI.

    A bar's flow is its typical price (high + low + close) / 3 times its volume, up where the typical price has risen, down
    where it has fallen, by whole price increments, so that a tie is a tie. From 0 to 100; 50 without flow (TA-Lib: 0, and
    below a flow of 1 too). Ready from the ``window + 1``-th bar; before that from the flows so far, nan before the second.
    """

    def __init__(self, window: int = 14) -> None:
        self.up = Sum(whole("Mfi", window))
        self.down = Sum(self.up.window)
        self.increments_per_unit = 1e8
        self.ticks = 0
        self.begun = False

    def __bind__(self, instrument: Instrument) -> None:
        self.increments_per_unit = float(1 / Fraction(instrument.price_increment))

    def update(self, high: float, low: float, close: float, volume: float) -> float:
        unit = self.increments_per_unit
        ticks = int(round(high * unit)) + int(round(low * unit)) + int(round(close * unit))
        if self.begun:
            flow = (high + low + close) / 3.0 * volume
            self.up.update(flow if ticks > self.ticks else 0.0)
            self.down.update(flow if ticks < self.ticks else 0.0)
        self.ticks = ticks
        self.begun = True
        return self.value()

    def value(self) -> float:
        if self.up.count == 0:
            return math.nan
        flow = self.up.total + self.down.total
        return 100.0 * self.up.total / flow if flow > 0.0 else 50.0

    def ready(self) -> bool:
        return self.up.ready()
