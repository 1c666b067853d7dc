"""Bars of a second out of a stream of trades, for strategies that want bars from a market that runs for a minute."""

from collections.abc import Iterator

from traider.domain.guard_protocol import MarketEvent
from traider.domain.vocabulary import EventKind

SECOND_NS = 1_000_000_000


class SecondBars:
    """A bar's time is its start; it is told when a trade of a later second comes. Seconds without a trade have none."""

    def __init__(self) -> None:
        self._start_ns = -1
        self._prices: list[float] = []
        self._volume = 0.0

    def take(self, event: MarketEvent) -> Iterator[MarketEvent]:
        """The bar that this trade has ended, if it has ended one."""
        if event.kind is not EventKind.TRADE:
            return
        start_ns = event.ts_ns - event.ts_ns % SECOND_NS
        if self._prices and start_ns > self._start_ns:
            yield MarketEvent(
                index=0,
                kind=EventKind.BAR,
                symbol=event.symbol,
                ts_ns=self._start_ns,
                a=self._prices[0],
                b=max(self._prices),
                c=min(self._prices),
                d=self._prices[-1],
                e=self._volume,
                received_ts_ns=event.received_ts_ns,
            )
            self._prices, self._volume = [], 0.0
        self._start_ns = max(self._start_ns, start_ns)
        self._prices.append(event.a)
        self._volume += event.b
