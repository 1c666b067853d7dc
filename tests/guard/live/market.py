"""A scripted stream of best prices: it tells, stands still, breaks and begins anew where a test says so."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from traider.domain.guard_protocol import MarketEvent
from traider.domain.venue import BestPrices, MarketStatus, StreamChange, StreamState
from traider.domain.vocabulary import EventKind, Side
from traider.runtime.virtual_time import VirtualClock


@dataclass
class Market:
    """Implements ``VenueMarket``."""

    begun_again: list[str] = field(default_factory=list)
    live: bool = False
    deaf: bool = False
    depth: float = 1e9  # at the best prices
    behind: list[tuple[float, float]] = field(default_factory=list)  # of either side: price and size
    _best: dict[str, BestPrices] = field(default_factory=dict)
    _told: "asyncio.Queue[MarketEvent | StreamChange]" = field(default_factory=asyncio.Queue)
    _statuses: "asyncio.Queue[MarketStatus]" = field(default_factory=asyncio.Queue)
    _clock: VirtualClock = field(default_factory=VirtualClock)

    # -- what a test does to it

    def tell(self, bid: float, ask: float, symbol: str = "BTC-USD", *, age_s: float = 0.0) -> None:
        """Best prices that are others than before, as the exchange had them so long ago."""
        self._best[symbol] = BestPrices(bid=bid, ask=ask)
        ts_ns = self._clock.now_ns() - round(age_s * 1e9)
        self._told.put_nowait(MarketEvent(index=0, kind=EventKind.QUOTE, symbol=symbol, ts_ns=ts_ns, a=bid, b=1.0, c=ask, d=1.0))

    def come(self, bid: float = 99.0, ask: float = 101.0) -> None:
        """Connected, subscribed, with a snapshot."""
        self.live = True
        self._told.put_nowait(StreamChange(state=StreamState.LIVE))
        self.tell(bid, ask)

    def say(self, status: MarketStatus) -> None:
        """Of a market, on the channel for that."""
        self._statuses.put_nowait(status)

    def lose(self, why: str) -> None:
        self.live = False
        self._best.clear()
        self._told.put_nowait(StreamChange(state=StreamState.LOST, detail=why))

    # -- the port

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def events(self) -> AsyncIterator[MarketEvent | StreamChange]:
        while True:
            yield await self._told.get()

    def reach(self, symbol: str, side: Side, size: float) -> float | None:
        best = self.best(symbol)
        if best is None:
            return None
        levels = [(best.ask if side is Side.BUY else best.bid, self.depth), *self.behind]
        for price, there in levels:
            size -= there
            if size <= 0.0:
                return price
        return None

    async def statuses(self) -> AsyncIterator[MarketStatus]:
        while True:
            yield await self._statuses.get()

    def best(self, symbol: str) -> BestPrices | None:
        return self._best.get(symbol) if self.live else None

    def begin_again(self, why: str) -> None:
        self.begun_again.append(why)
        if not self.deaf:
            self.lose(why)
