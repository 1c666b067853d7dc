"""Bars made of trades or of shorter bars, while they come in: by time, by volume, by worth.

``update_trade`` and ``update_bar`` return True when a bar has just been completed; the fields ``open`` ... ``trades`` are
then those of that bar and stay so until the next one is complete. What has happened since is not shown: a bar that is not
complete can't be looked at, so nothing can look ahead.
"""

import math

from ..domain.errors import StrategyError
from .structs import Stateful

NS_PER_S = 1_000_000_000
NEARLY = 1.0 - 1e-9  # ten times 0.1 is 0.9999999999999999, and reaches 1


class BarMaker(Stateful):
    """The last complete bar in ``ts_ns``, ``open``, ``high``, ``low``, ``close``, ``volume`` and ``trades``; nan and 0 before it.

    ``ts_ns`` is the bar's start, ``volume`` in base currency, ``trades`` how many trades it is made of (of bars: how many
    bars).
    """

    def __init__(self) -> None:
        self.ts_ns = 0
        self.open = self.high = self.low = self.close = math.nan
        self.volume = 0.0
        self.trades = 0
        self.next_ts_ns = 0  # the bar that is being made
        self.next_open = self.next_high = self.next_low = self.next_close = math.nan
        self.next_volume = 0.0
        self.next_trades = 0

    def take(self, ts_ns: int, open: float, high: float, low: float, close: float, volume: float) -> None:
        """Adds a trade or a bar to the bar that is being made; the first one opens it at ``ts_ns``."""
        if self.next_trades == 0:
            self.next_ts_ns = ts_ns
            self.next_open, self.next_high, self.next_low = open, high, low
            self.next_volume = 0.0
        self.next_high = max(self.next_high, high)
        self.next_low = min(self.next_low, low)
        self.next_close = close
        self.next_volume += volume
        self.next_trades += 1

    def complete(self) -> None:
        """Shows the bar that was being made; the next one begins with what is taken next."""
        self.ts_ns = self.next_ts_ns
        self.open, self.high, self.low, self.close = self.next_open, self.next_high, self.next_low, self.next_close
        self.volume = self.next_volume
        self.trades = self.next_trades
        self.next_trades = 0


class TimeBars(BarMaker):
    """Bars of ``seconds``, which begin at whole multiples of it since 1970, UTC.

    A bar is complete when the first event at or after its end arrives, so it is known one event late. A span in which
    nothing happens makes no bar. ``update_trade`` takes trades, ``update_bar`` bars that are complete, by their start:
    they are to be as long as a bar of these or a whole part of it, so that none lies in two. ``until()`` is the end of the
    last complete bar.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__()
        if seconds < 1 or int(seconds) != seconds:
            raise StrategyError(f"TimeBars: seconds is {seconds}; give a whole number of at least 1")
        self.span_ns = int(seconds) * NS_PER_S

    def update_trade(self, ts_ns: int, price: float, size: float) -> bool:
        """Takes the next trade; whether one before it has been completed by it."""
        return self.update_bar(ts_ns, price, price, price, price, size)

    def update_bar(self, ts_ns: int, open: float, high: float, low: float, close: float, volume: float) -> bool:
        """Takes the next complete bar, by its start; whether one before it has been completed by it."""
        start = ts_ns // self.span_ns * self.span_ns
        done = self.next_trades > 0 and start > self.next_ts_ns
        if done:
            self.complete()
        self.take(start, open, high, low, close, volume)
        return done

    def until(self) -> int:
        return self.ts_ns + self.span_ns


class VolumeBars(BarMaker):
    """Bars of at least ``size`` in base currency, to a billionth of it. A bar begins at its first trade's time.

    The trade that reaches the size closes the bar at once and belongs to it whole: nothing of it is carried into the next
    one. So each trade is in one bar, each bar's prices are those of its trades, and a large trade makes one large bar
    rather than several with nothing between them.
    """

    def __init__(self, size: float) -> None:
        super().__init__()
        self.size = _positive("VolumeBars", "size", size)

    def update_trade(self, ts_ns: int, price: float, size: float) -> bool:
        """Takes the next trade; whether it has completed the bar that it is in."""
        self.take(ts_ns, price, price, price, price, size)
        if self.next_volume < self.size * NEARLY:
            return False
        self.complete()
        return True


class DollarBars(BarMaker):
    """Bars of at least ``notional`` in quote currency, the sum of price times size. Begun and closed as ``VolumeBars`` are.

    ``worth`` is the last complete bar's notional.
    """

    def __init__(self, notional: float) -> None:
        super().__init__()
        self.notional = _positive("DollarBars", "notional", notional)
        self.worth = 0.0
        self.next_worth = 0.0

    def update_trade(self, ts_ns: int, price: float, size: float) -> bool:
        """Takes the next trade; whether it has completed the bar that it is in."""
        self.take(ts_ns, price, price, price, price, size)
        self.next_worth += price * size
        if self.next_worth < self.notional * NEARLY:
            return False
        self.complete()
        self.worth = self.next_worth
        self.next_worth = 0.0
        return True


def _positive(maker: str, name: str, value: float) -> float:
    if not 0.0 < value < math.inf:
        raise StrategyError(f"{maker}: {name} is {value}; give a number above 0")
    return float(value)
