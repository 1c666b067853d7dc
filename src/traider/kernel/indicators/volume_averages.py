"""Average prices weighted by volume."""

import math

from ...domain.errors import StrategyError
from .base import Indicator, whole
from .running import RunningSum
from .windows import Sum

NS_PER_S = 1_000_000_000


class Vwma(Indicator):
    """Volume-weighted moving average: sum of price times volume divided by the volume, of the last ``window`` values.

    A price; where there was no volume, the newest price. Ready from the ``window``-th value; before that of those so far,
    nan before the first.
    """

    def __init__(self, window: int) -> None:
        self.worth = Sum(whole("Vwma", window))
        self.volume = Sum(self.worth.window)
        self.newest = math.nan

    def update(self, price: float, volume: float) -> float:
        self.newest = price
        self.worth.update(price * volume)
        self.volume.update(volume)
        return self.value()

    def value(self) -> float:
        return self.worth.total / self.volume.total if self.volume.total > 0.0 else self.newest

    def ready(self) -> bool:
        return self.volume.ready()


class Vwap(Indicator):
    """Volume-weighted average price since the session began: sum of price times volume divided by the volume. A price.

    Sessions are ``session_s`` long and begin at ``offset_s`` after midnight UTC of 1970 and every ``session_s`` from there:
    by default a day of UTC. Give it trades, or bars by their typical price. Until the session has volume, the newest
    price. Ready from the first value; nan before.
    """

    def __init__(self, session_s: int = 86_400, offset_s: int = 0) -> None:
        self.session_ns = whole("Vwap", session_s, "session_s") * NS_PER_S
        if not 0 <= offset_s < session_s:
            raise StrategyError(f"Vwap: offset_s is {offset_s}; give a whole number from 0 to {session_s - 1}, below session_s")
        self.offset_ns = int(offset_s) * NS_PER_S
        self.session = -1
        self.worth = RunningSum()
        self.volume = RunningSum()
        self.newest = math.nan

    def update(self, ts_ns: int, price: float, volume: float) -> float:
        session = (ts_ns - self.offset_ns) // self.session_ns
        if session != self.session:
            self.session = session
            self.worth.clear()
            self.volume.clear()
        self.newest = price
        self.worth.add(price * volume)
        self.volume.add(volume)
        return self.value()

    def value(self) -> float:
        volume = self.volume.sum()
        return self.worth.sum() / volume if volume > 0.0 else self.newest

    def ready(self) -> bool:
        return not math.isnan(self.newest)
