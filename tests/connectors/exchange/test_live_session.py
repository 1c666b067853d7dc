"""From the exchange's socket to a strategy's book: after each message the best prices are those that the exchange really had."""

import asyncio
import random
from collections.abc import AsyncIterator
from decimal import Decimal

import msgspec
import pytest

from tests.connectors.exchange.running import Running, exchange
from tests.connectors.exchange.test_venue import PATIENT
from traider.connectors.coinbase import Addresses, Options, coinbase_feed
from traider.connectors.coinbase.compiled_feed import CompiledMarketFeed
from traider.connectors.coinbase.market_feed import MarketFeed
from traider.connectors.coinbase.messages import BookMessage, read_message
from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import Instrument
from traider.domain.venue import StreamChange, StreamState
from traider.domain.vocabulary import BOOK_END, EventKind
from traider.engine.live import LiveSession
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy
from traider.kernel.order_book import Book

BTC = Instrument(symbol="BTC-USD", base="BTC", quote="USD", price_increment=Decimal(1), size_increment=Decimal("0.001"))
PATIENCE_S = 20.0
TIME = "2031-03-04T05:06:07Z"
EVENTS_OF_REHEARSAL = 5  # two levels and the quote, then two levels that change nothing
Best = tuple[float, float, float, float]  # bid, its size, ask, its size


class Watcher(Strategy):
    """Notes the best prices of each book that it is shown. Runs interpreted."""

    def setup(self) -> None:
        self.books: list[Best] = []

    def on_book(self, book: Book, ctx: Context) -> None:
        self.books.append((book.best_bid(), book.bid_size(0), book.best_ask(), book.ask_size(0)))


class Market:
    """Changes the exchange's book at random and remembers what was best after each change, as the socket's messages tell it."""

    def __init__(self, running: Running) -> None:
        self._exchange = running.simulator.exchange
        self._market = self._exchange.markets["BTC-USD"]
        self._random = random.Random(7)
        self.history: list[Best] = [self.best()]

    def best(self) -> Best:
        bids, asks = self._market.matcher.bids, self._market.matcher.asks
        bid, ask = bids.best(), asks.best()
        return float(bid), bids.shown(bid) / 1000, float(ask), asks.shown(ask) / 1000

    def change(self) -> None:
        """A few levels in one message; neither side is ever left without one, nor are the two crossed."""
        rows = []
        for _ in range(self._random.randint(1, 4)):
            side = self._random.choice((1, -1))
            ticks = self._random.randint(91, 99) if side > 0 else self._random.randint(101, 109)
            rows.append((side, ticks, self._random.choice((0, 0, 250, 1000, 7125))))
        rows += [(1, 90, self._random.randint(1, 9000)), (-1, 110, self._random.randint(1, 9000))]
        for row in rows:
            self._market.matcher.on_level(*row)
        self._exchange.step(self._market, lambda matcher: matcher.uncross())
        self.history.append(self.best())


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange(virtual=False) as running:
        yield running


@pytest.mark.timeout(180)  # the first time on a machine compiles
@pytest.mark.parametrize("make_feed", [MarketFeed, CompiledMarketFeed])
async def test_after_each_message_the_strategys_book_is_the_exchanges(running: Running, make_feed: type[MarketFeed]) -> None:
    await rehearse(make_feed)
    market, strategy = Market(running), Watcher()
    session = session_of(strategy)
    url = running.base.replace("http", "ws")
    options = Options(addresses=Addresses(rest_url=running.base, market_url=url, user_urls=(url,)), socket_timing=PATIENT)
    feed, connection = coinbase_feed([BTC], options, make_feed=make_feed)
    keeping = asyncio.create_task(connection.run())
    losses, quotes = 0, []
    try:
        async with asyncio.timeout(PATIENCE_S):
            stream = feed.events()
            while not strategy.books or not feed.live:
                await step(stream, session)
            for number in range(300):
                if number == 150:  # what is lost from here on is told, and the book begins anew with the exchange's
                    await running.fault(do="ws.skip", count=1)
                market.change()
                wanted = market.history[-1]
                while strategy.books[-1] != wanted:
                    event = await step(stream, session)
                    losses += isinstance(event, StreamChange) and event.state is StreamState.LOST
                    if isinstance(event, MarketEvent) and event.kind is EventKind.QUOTE:
                        quotes.append((event.a, event.b, event.c, event.d))
                    if isinstance(event, MarketEvent) and event.kind is EventKind.DEPTH and event.flags & BOOK_END:
                        assert strategy.books[-1] in market.history[-2:], f"change {number}"
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    assert losses == 1
    assert set(quotes) <= set(market.history)
    assert strategy.books[-1] == market.best()


@pytest.mark.timeout(180)  # the first time on a machine compiles
@pytest.mark.parametrize("make_feed", [MarketFeed, CompiledMarketFeed])
async def test_without_the_books_rows_every_best_price_is_told_once_and_in_order(running: Running, make_feed: type[MarketFeed]) -> None:
    """The short way of the compiled feed, from the socket's bytes to a quote; and the long way, to the same quotes."""
    await rehearse(make_feed, depth=False)
    market = Market(running)
    url = running.base.replace("http", "ws")
    options = Options(addresses=Addresses(rest_url=running.base, market_url=url, user_urls=(url,)), socket_timing=PATIENT)
    feed, connection = coinbase_feed([BTC], options, channels=("level2",), depth=False, make_feed=make_feed)
    short, take_frame = 0, feed.take_frame

    def counted(frame: bytes, expected: int, received_ts_ns: int) -> bool:
        nonlocal short
        taken = take_frame(frame, expected, received_ts_ns)
        short += taken
        return taken

    feed.take_frame = counted  # type: ignore[method-assign]  # to see which way was taken
    keeping = asyncio.create_task(connection.run())
    quotes: list[Best] = []
    losses, before_the_gap = 0, 0
    try:
        async with asyncio.timeout(PATIENCE_S):
            stream = feed.events()
            for number in range(300):
                if number == 150:
                    before_the_gap = len(quotes)
                    await running.fault(do="ws.skip", count=1)
                if number:
                    market.change()
                while not quotes or quotes[-1] != market.best() or not feed.live:
                    event = await anext(stream)
                    losses += isinstance(event, StreamChange) and event.state is StreamState.LOST
                    if isinstance(event, MarketEvent):
                        assert event.kind is EventKind.QUOTE
                        quotes.append((event.a, event.b, event.c, event.d))
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    moves = [best for place, best in enumerate(market.history[:150]) if place == 0 or best != market.history[place - 1]]
    assert quotes[:before_the_gap] == moves
    assert losses == 1
    assert set(quotes) <= set(market.history)
    assert short == 0 if make_feed is MarketFeed else short > 250, "nearly every message of the book takes the short way"


async def step(stream: AsyncIterator[MarketEvent | StreamChange], session: LiveSession) -> MarketEvent | StreamChange:
    """The next event, once the session has seen it."""
    event = await anext(stream)
    if isinstance(event, MarketEvent):
        assert session.on_market(event) == []
    return event


def session_of(strategy: Strategy) -> LiveSession:
    return LiveSession(strategy, [BTC], session_id="s", cash=Decimal(1000), interpreted=True)


async def rehearse(make_feed: type[MarketFeed], *, depth: bool = True) -> None:
    """Has everything compiled, so that no connection waits for it: books of the feed, and those of the kernel."""
    feed, session = make_feed([BTC], depth=depth), session_of(Watcher())
    rows = [
        {"side": side, "event_time": TIME, "price_level": price, "new_quantity": "1"} for side, price in (("bid", "99"), ("offer", "101"))
    ]
    for number, kind in enumerate(("snapshot", "update")):
        event = {"type": kind, "product_id": "BTC-USD", "updates": rows}
        frame = msgspec.json.encode({"channel": "l2_data", "client_id": "", "timestamp": TIME, "sequence_num": number, "events": [event]})
        if kind == "update" and feed.take_frame(frame, number, 0):
            return
        message = read_message(frame)
        assert isinstance(message, BookMessage)
        feed.on_message(message, 0)
    stream = feed.events()
    for _ in range(EVENTS_OF_REHEARSAL if depth else 1):
        await asyncio.wait_for(step(stream, session), PATIENCE_S * 5)
