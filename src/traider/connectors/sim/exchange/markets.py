"""One market: its book, what traded last, candles and the figures of a day."""

from collections import deque
from dataclasses import dataclass, field

from .matching import Matcher
from .orders import Order
from .settings import Bounds

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Print:
    """A trade as everybody sees it. ``taker_side`` is +1 where the taker bought."""

    trade_id: int
    ticks: int
    lots: int
    taker_side: int
    ts_ns: int


@dataclass(slots=True)
class Candle:
    start_s: int
    open: int
    high: int
    low: int
    close: int
    lots: int

    def add(self, ticks: int, lots: int) -> None:
        self.high = max(self.high, ticks)
        self.low = min(self.low, ticks)
        self.close = ticks
        self.lots += lots

    def extend(self, later: "Candle") -> None:
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.lots += later.lots


class Candles:
    """Minutes and hours, a bounded number of each; other lengths are made of them."""

    def __init__(self, bounds: Bounds) -> None:
        self._minutes: deque[Candle] = deque(maxlen=bounds.minutes)
        self._hours: deque[Candle] = deque(maxlen=bounds.hours)

    def add(self, ts_ns: int, ticks: int, lots: int) -> None:
        second = ts_ns // SECOND_NS
        for candles, length in ((self._minutes, MINUTE_S), (self._hours, HOUR_S)):
            start = second - second % length
            if candles and candles[-1].start_s >= start:
                candles[-1].add(ticks, lots)
            else:
                candles.append(Candle(start, ticks, ticks, ticks, ticks, lots))

    def newest(self) -> Candle | None:
        """The minute that is not over yet."""
        return self._minutes[-1] if self._minutes else None

    def minutes(self) -> list[Candle]:
        """Every minute that is remembered, oldest first."""
        return list(self._minutes)

    def restore(self, minutes: list[Candle]) -> None:
        """Goes on after these minutes; hours are made of them."""
        for minute in minutes:
            self._minutes.append(minute)
            start = minute.start_s - minute.start_s % HOUR_S
            if self._hours and self._hours[-1].start_s == start:
                self._hours[-1].extend(minute)
            else:
                self._hours.append(Candle(start, minute.open, minute.high, minute.low, minute.close, minute.lots))

    def of(self, length_s: int, first_s: int, last_s: int) -> list[Candle]:
        """The candles that start from ``first_s`` to ``last_s``, oldest first; without those in which nothing traded."""
        made: list[Candle] = []
        for part in self._minutes if length_s < HOUR_S else self._hours:
            start = part.start_s - part.start_s % length_s
            if not first_s <= start <= last_s:
                continue
            if made and made[-1].start_s == start:
                made[-1].extend(part)
            else:
                made.append(Candle(start, part.open, part.high, part.low, part.close, part.lots))
        return made


@dataclass(slots=True)
class Day:
    """What a day's trading looked like. Prices in ticks, 0 where nothing traded."""

    open: int = 0
    high: int = 0
    low: int = 0
    lots: int = 0


@dataclass(slots=True)
class Market:
    """What belongs to one book. ``stops`` are orders that wait for the last price to reach them."""

    market_id: str
    matcher: Matcher
    candles: Candles
    trades: deque[Print]
    last: int = 0
    trade_count: int = 0
    stops: list[Order] = field(default_factory=list)
    _day: Day = field(default_factory=Day)
    _day_second: int = -1

    def price(self) -> int:
        """What the market stands at in ticks: the last trade, else the middle of the book; 0 where there is neither."""
        return self.last or self.matcher.mid_twice() // 2

    def day(self, now_ns: int) -> Day:
        """The last 24 hours, as of this second."""
        second = now_ns // SECOND_NS
        if second != self._day_second:
            self._day_second = second
            candles = self.candles.of(HOUR_S, second - DAY_S, second)
            self._day = (
                Day(candles[0].open, max(c.high for c in candles), min(c.low for c in candles), sum(c.lots for c in candles))
                if candles
                else Day()
            )
        return self._day
