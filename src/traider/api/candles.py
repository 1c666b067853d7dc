"""Recent candles of each market, in memory: the source's own bars, or candles of one second of its trades or, where it has none, quotes."""

from collections import deque

import msgspec

from traider.domain.guard_protocol import MarketEvent
from traider.domain.vocabulary import EventKind

RING_SIZE = 5000
_SECOND_NS = 1_000_000_000


class Candle(msgspec.Struct, kw_only=True):
    """``ts_ns`` is its start. The newest one changes while its time lasts."""

    ts_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Candles:
    """A bounded ring for each market."""

    def __init__(self, ring_size: int = RING_SIZE) -> None:
        self._ring_size = ring_size
        self._rings: dict[str, deque[Candle]] = {}

    def observe(self, event: MarketEvent, price: float) -> None:
        """Takes a market event, and the price that it tells, into account; one older than the newest candle is passed over."""
        ring = self._rings.setdefault(event.symbol, deque(maxlen=self._ring_size))
        newest = ring[-1] if ring else None
        if event.kind is EventKind.BAR:
            candle = Candle(ts_ns=event.ts_ns, open=event.a, high=event.b, low=event.c, close=event.d, volume=event.e)
            if newest is None or candle.ts_ns > newest.ts_ns:
                ring.append(candle)
            elif candle.ts_ns == newest.ts_ns:
                ring[-1] = candle
            return
        start_ns = event.ts_ns - event.ts_ns % _SECOND_NS
        size = event.b if event.kind is EventKind.TRADE else 0.0
        if newest is None or start_ns > newest.ts_ns:
            ring.append(Candle(ts_ns=start_ns, open=price, high=price, low=price, close=price, volume=size))
        elif start_ns == newest.ts_ns:
            newest.high = max(newest.high, price)
            newest.low = min(newest.low, price)
            newest.close = price
            newest.volume += size

    def newest(self, symbol: str) -> Candle | None:
        ring = self._rings.get(symbol)
        return ring[-1] if ring else None

    def last(self, symbol: str, limit: int) -> list[Candle]:
        """The newest ``limit`` candles, oldest first."""
        return list(self._rings.get(symbol, ()))[-limit:]
