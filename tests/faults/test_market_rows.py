"""Group D of the fault matrix: the market's books, over the exchange's socket. That a closed book holds orders back is the guard's part."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from traider.connectors.coinbase.config import SocketTiming
from traider.connectors.coinbase.market_feed import MarketFeed
from traider.connectors.coinbase.session import Session
from traider.domain.venue import StreamChange, StreamState
from traider.research.chaos.exchange import INSTRUMENT, SYMBOL, ChaosExchange
from traider.research.chaos.fate import Fate
from traider.research.chaos.overheard import overheard
from traider.research.chaos.wires import HOST, MemorySocket, Network
from traider.runtime.virtual_time import play


@dataclass
class Watching:
    exchange: ChaosExchange
    network: Network
    feed: MarketFeed
    states: list[StreamState]

    def is_the_exchanges(self) -> bool:
        """Whether best bid and ask here are those there."""
        top, matcher = self.feed.top(SYMBOL), self.exchange.simulator.exchange.market_of(self.exchange.product).matcher
        return top is not None and (top.bid_tick, top.ask_tick) == (matcher.bids.best(), matcher.asks.best())

    async def until(self, condition: Callable[[], bool], *, within_s: float) -> float:
        """The seconds that it took."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while not condition():
            assert loop.time() < began_s + within_s, f"not within {within_s} s"
            await asyncio.sleep(0.01)
        return loop.time() - began_s

    def has_book(self) -> bool:
        return self.feed.top(SYMBOL) is not None


@asynccontextmanager
async def watching() -> AsyncIterator[Watching]:
    exchange = ChaosExchange(3)
    network = Network(exchange.simulator, random.Random(1))
    feed = MarketFeed((INSTRUMENT,))
    session = Session(
        urls=(f"wss://{HOST}",),
        subscriptions=feed.subscriptions(),
        handler=feed,
        make_socket=lambda: MemorySocket(network, None, Fate()),
        timing=SocketTiming(),
        randomness=random.Random(2),
    )
    states: list[StreamState] = []

    async def listen() -> None:
        async for event in feed.events():
            states.extend([event.state] if isinstance(event, StreamChange) else [])

    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(task) for task in (exchange.simulator.agenda.run(), session.run(), listen())]
    try:
        watched = Watching(exchange, network, feed, states)
        await watched.until(watched.is_the_exchanges, within_s=3.0)
        yield watched
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def story(told: Callable[[Watching], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with watching() as watched:
            await told(watched)

    with overheard():
        play(whole)


def test_d1_a_gap_in_the_books_numbers_takes_the_book_away_at_once_until_a_new_snapshot() -> None:
    async def told(watched: Watching) -> None:
        sockets = watched.network.sessions
        watched.exchange.simulator.faults.add({"do": "ws.skip", "channel": "level2", "count": 1})
        await watched.until(lambda: not watched.has_book(), within_s=1.5)
        assert watched.states[-1] is StreamState.LOST
        await watched.until(watched.is_the_exchanges, within_s=3.0)
        await asyncio.sleep(5)
        assert watched.states == [StreamState.LIVE, StreamState.LOST, StreamState.LIVE]
        assert watched.network.sessions == sockets, "on the same connection"
        await watched.until(watched.is_the_exchanges, within_s=0.5)

    story(told)


def test_d4_a_book_that_stands_still_while_the_heart_beats_is_not_believed_for_ever() -> None:
    async def told(watched: Watching) -> None:
        sockets = watched.network.sessions
        watched.exchange.simulator.faults.add({"do": "ws.stall", "channels": ["level2"]})
        await asyncio.sleep(20)
        assert watched.has_book()
        assert not watched.is_the_exchanges(), "by then the market has moved"
        await watched.until(lambda: not watched.has_book(), within_s=SocketTiming().silence_timeout_s)
        await watched.until(watched.is_the_exchanges, within_s=5.0)
        assert watched.network.sessions == sockets + 1

    story(told)
