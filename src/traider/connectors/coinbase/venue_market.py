"""Coinbase's prices for a guard: the books of its markets, kept here, and of each the best bid and ask.

``level2`` and not ``ticker``: a ticker speaks when something trades, so in a calm market its silence says nothing, and between two
trades its best prices are old. The book's channel tells every change, and begins with a snapshot after whatever went wrong.

``status`` besides, for markets that stop being traded. It tells that much and not more: which kinds of order a market takes has to be
asked for, so whatever it says is a reason to ask.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable

from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import Instrument
from traider.domain.venue import BestPrices, MarketStatus, StreamChange
from traider.domain.vocabulary import Side

from .build import Options, coinbase_feed
from .compiled_feed import CompiledMarketFeed
from .market_feed import MarketFeed
from .messages import StatusPart
from .session import Session

ONLINE = ("online", "")


class CoinbaseMarket:
    """A ``traider.domain.venue.VenueMarket`` over a feed and the session that keeps it."""

    def __init__(self, feed: MarketFeed, session: Session) -> None:
        self._feed = feed
        self._session = session
        self._statuses: asyncio.Queue[MarketStatus] = asyncio.Queue()
        feed.on_status = self._on_status

    async def run(self) -> None:
        await self._session.run()

    def events(self) -> AsyncIterator[MarketEvent | StreamChange]:
        return self._feed.events()

    def best(self, symbol: str) -> BestPrices | None:
        """Best bid and ask; None while the channel or the book is not whole, or the book has one side only."""
        top = self._feed.top(symbol) if self._feed.live else None
        if top is None or not (top.bid_size and top.ask_size):
            return None
        grid = self._feed.keepers[symbol].grid
        return BestPrices(bid=grid.price(top.bid_tick), ask=grid.price(top.ask_tick))

    def reach(self, symbol: str, side: Side, size: float) -> float | None:
        """The worst price at which a market order of this size trades now; None where the book has less, or is not whole."""
        if self.best(symbol) is None:
            return None
        keeper = self._feed.keepers[symbol]
        tick = keeper.book.reach(-int(side), size)
        return None if tick is None else keeper.grid.price(tick)

    async def statuses(self) -> AsyncIterator[MarketStatus]:
        """Without end."""
        while True:
            yield await self._statuses.get()

    def _on_status(self, part: StatusPart) -> None:
        tradable = part.status.lower() in ONLINE
        detail = part.status_message or ("" if tradable else part.status)
        self._statuses.put_nowait(MarketStatus(symbol=part.id, tradable=tradable, detail=detail))

    def begin_again(self, why: str) -> None:
        self._session.resubscribe(why)


def coinbase_market(instruments: Iterable[Instrument], options: Options | None = None) -> CoinbaseMarket:
    """The prices of these markets, without a key. What reads the frames is compiled here, so that no frame waits for it."""
    instruments = tuple(instruments)
    # What is quoted in USDC trades on the book in USD, and is told under that name.
    aliases = {one.symbol: f"{one.base}-USD" for one in instruments if one.quote == "USDC"}
    feed, session = coinbase_feed(
        instruments, options, channels=("level2", "status"), aliases=aliases, depth=False, make_feed=CompiledMarketFeed
    )
    for keeper in feed.keepers.values():
        keeper.book.reach(int(Side.BUY), 0.0)  # its machine code is there before an order waits for it
    return CoinbaseMarket(feed, session)
