"""From the exchange's socket to compiled books by the short way: what is told is what the exchange had, before a loss and after it."""

import asyncio
from itertools import pairwise

import pytest

from tests.connectors.exchange.running import exchange
from tests.connectors.exchange.test_live_session import BTC, PATIENCE_S, Best, Market
from tests.connectors.exchange.test_venue import PATIENT
from traider.connectors.coinbase import Addresses, Options, coinbase_feed
from traider.connectors.coinbase.compiled_feed import CompiledMarketFeed
from traider.domain.guard_protocol import MarketEvent
from traider.domain.venue import StreamChange, StreamState
from traider.domain.vocabulary import EventKind

CHANGES = 300


class Counting(CompiledMarketFeed):
    """Counts a book's frames that take the short way, and those that are left to the long one though the book is valid."""

    taken = left = 0

    def take_frame(self, frame: bytes, expected: int, received_ts_ns: int) -> bool:
        taken = super().take_frame(frame, expected, received_ts_ns)
        self.taken += taken
        self.left += b'"l2_data"' in frame and not taken and self.is_whole()
        return taken


@pytest.mark.timeout(180)  # the first time on a machine compiles
async def test_each_quote_is_the_exchanges_and_none_is_left_out() -> None:
    async with exchange(virtual=False) as running:
        market, url = Market(running), running.base.replace("http", "ws")
        options = Options(addresses=Addresses(rest_url=running.base, market_url=url, user_urls=(url,)), socket_timing=PATIENT)
        feed, connection = coinbase_feed([BTC], options, depth=False, make_feed=Counting)
        assert isinstance(feed, Counting)
        keeping = asyncio.create_task(connection.run())
        losses, quotes = 0, list[Best]()
        try:
            async with asyncio.timeout(PATIENCE_S):
                stream = feed.events()
                while not quotes or not feed.live:
                    quotes += quote_of(await anext(stream))
                for number in range(CHANGES):
                    if number == CHANGES // 2:  # what is lost from here on is told, and the book begins anew with the exchange's
                        await running.fault(do="ws.skip", count=1)
                    market.change()
                    while quotes[-1] != market.history[-1]:
                        event = await anext(stream)
                        losses += isinstance(event, StreamChange) and event.state is StreamState.LOST
                        quotes += quote_of(event)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
    assert losses == 1
    # one change was lost; where it was one of the best, the snapshot tells it together with the next one
    changes = [best for before, best in pairwise(market.history) if best != before]
    assert quotes[0] == market.history[0]
    assert len(changes) - 1 <= len(quotes) - 1 <= len(changes)
    assert set(quotes) <= set(market.history)
    assert feed.taken > CHANGES * 9 // 10, "a change of nothing is not told, and between the loss and the snapshot none is taken"
    assert feed.left == 1, "the one that shows the gap"


def quote_of(event: MarketEvent | StreamChange) -> list[Best]:
    if isinstance(event, MarketEvent) and event.kind is EventKind.QUOTE:
        return [(event.a, event.b, event.c, event.d)]
    return []
