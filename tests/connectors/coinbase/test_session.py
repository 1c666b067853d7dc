"""The life of a subscription, over real sockets to the scripted Coinbase: deadlines, silence, gaps, and coming back."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.connectors.coinbase.fake_rest import FakeRest
from tests.connectors.coinbase.fake_socket import FakeSocket
from tests.connectors.coinbase.keys import ED_NAME, ed_key
from tests.connectors.coinbase.market_truth import MarketTruth
from tests.connectors.coinbase.running import Exchange, running
from traider.connectors.coinbase import ApiKey, MarketFeed, coinbase_feed, coinbase_venue
from traider.connectors.coinbase.compiled_feed import CompiledMarketFeed
from traider.connectors.coinbase.config import SocketTiming
from traider.connectors.coinbase.session import Session
from traider.connectors.coinbase.socket import OnClosed, OnFrame, PicowsSocket
from traider.connectors.coinbase.user_channel import UserChannel
from traider.domain.instruments import instrument_from_symbol
from traider.domain.venue import OrderHint, StreamChange, StreamState, VenueUnavailableError
from traider.runtime.clock import SystemClock

BTC = instrument_from_symbol("BTC-USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))
ETH = instrument_from_symbol("ETH-USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))
PRIVATE, SECRET = ed_key()


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    async with running(Exchange(FakeRest({ED_NAME: PRIVATE.public_key()}), FakeSocket())) as exchange:
        yield exchange


class Watching:
    """A feed and its session at work, with what it told of its state."""

    def __init__(self, exchange: Exchange, *, make_feed: type[MarketFeed] = MarketFeed, **timing: float) -> None:
        socket_timing = msgspec.structs.replace(exchange.options.socket_timing, **timing)
        options = msgspec.structs.replace(exchange.options, socket_timing=socket_timing)
        self.feed: MarketFeed
        self.session: Session
        depth = make_feed is MarketFeed  # without rows a compiled feed takes its short way
        self.feed, self.session = coinbase_feed([BTC, ETH], options, depth=depth, make_feed=make_feed)
        self.changes: list[StreamChange] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Watching":
        self._tasks = [asyncio.create_task(self.session.run()), asyncio.create_task(self._read())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self) -> None:
        async for event in self.feed.events():
            if isinstance(event, StreamChange):
                self.changes.append(event)

    async def until(self, is_so: Callable[[], bool], *, patience_s: float = 8.0) -> None:
        async with asyncio.timeout(patience_s):
            while not is_so():  # noqa: ASYNC110 (any condition)
                await asyncio.sleep(0.005)

    async def until_true(self, truth: MarketTruth) -> None:
        """Both books are the venue's."""
        await self.until(lambda: self.feed.live and all(truth.equals(symbol, self.feed.keepers[symbol]) for symbol in truth.books))


async def test_it_subscribes_channel_by_channel_and_is_live_when_all_are_confirmed(exchange: Exchange) -> None:
    truth = MarketTruth(exchange.socket)
    async with Watching(exchange) as watching:
        await watching.until_true(truth)
        assert watching.changes == [StreamChange(state=StreamState.LIVE)]
    requests = [(request["type"], request["channel"], request.get("product_ids")) for request in exchange.socket.subscribed]
    products = ["BTC-USD", "ETH-USD"]
    assert requests == [("subscribe", "heartbeats", None), ("subscribe", "level2", products), ("subscribe", "market_trades", products)]
    assert not any("jwt" in request for request in exchange.socket.subscribed), "public data needs no key"


async def test_a_venue_that_says_nothing_is_given_up_within_the_deadline(exchange: Exchange) -> None:
    exchange.socket.deaf = True
    async with Watching(exchange) as watching:
        await watching.until(lambda: exchange.socket.connections >= 3)
        assert watching.changes == [], "it was never live, so nothing is lost"


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 1011])
async def test_whatever_way_it_ends_it_comes_back(exchange: Exchange, code: int | None) -> None:
    truth = MarketTruth(exchange.socket)
    async with Watching(exchange) as watching:
        await watching.until_true(truth)
        exchange.socket.hang_up(1011 if code == 1006 else code)
        await watching.until(lambda: len(watching.changes) == 3)
        truth.change("BTC-USD", 4)
        await watching.until_true(truth)
        assert [change.state for change in watching.changes] == [StreamState.LIVE, StreamState.LOST, StreamState.LIVE]


async def test_a_stall_without_a_close_is_noticed_by_its_heartbeats(exchange: Exchange) -> None:
    truth = MarketTruth(exchange.socket)
    async with Watching(exchange) as watching:
        await watching.until_true(truth)
        exchange.socket.deaf = True
        await watching.until(lambda: len(watching.changes) == 2)
        assert watching.changes[1].detail == "no heartbeat for 1 s"
        exchange.socket.deaf = False
        await watching.until_true(truth)


async def test_a_silent_book_with_a_beating_heart_is_noticed(exchange: Exchange) -> None:
    truth = MarketTruth(exchange.socket)
    async with Watching(exchange, silence_timeout_s=0.3) as watching:
        await watching.until_true(truth)
        await watching.until(lambda: len(watching.changes) >= 2)
        assert watching.changes[1].detail == "l2_data silent for 0.3 s"


async def test_a_book_without_its_snapshot_is_not_waited_for(exchange: Exchange) -> None:
    truth = MarketTruth(exchange.socket, products=("BTC-USD",))
    async with Watching(exchange, snapshot_timeout_s=0.2) as watching:
        await watching.until(lambda: exchange.socket.connections >= 2)
        assert any("no snapshot" in change.detail for change in watching.changes)
        assert watching.feed.top("ETH-USD") is None
        truth.add("ETH-USD")
        await watching.until_true(truth)


async def test_a_gap_renews_the_subscriptions_on_the_same_connection(exchange: Exchange) -> None:
    truth = MarketTruth(exchange.socket)
    async with Watching(exchange) as watching:
        await watching.until_true(truth)
        exchange.socket.subscribed.clear()
        for peer in exchange.socket.peers:
            peer.number += 1
        truth.change("BTC-USD", 1)
        await watching.until(lambda: len(watching.changes) >= 2)
        assert "missing before number" in watching.changes[1].detail
        await watching.until_true(truth)
        assert exchange.socket.connections == 1
        kinds = [(request["type"], request["channel"]) for request in exchange.socket.subscribed]
        assert kinds == [
            ("unsubscribe", "level2"),
            ("unsubscribe", "market_trades"),
            ("subscribe", "level2"),
            ("subscribe", "market_trades"),
        ]


async def test_a_gap_in_a_channel_that_nobody_reads_counts(exchange: Exchange) -> None:
    """The number is the connection's: what is missing before a message of another channel may have been of a book."""
    truth = MarketTruth(exchange.socket)
    async with Watching(exchange) as watching:
        await watching.until_true(truth)
        (peer,) = exchange.socket.peers
        peer.held["channel_of_tomorrow"] = []
        exchange.socket.push("channel_of_tomorrow", [{"x": 1}])
        exchange.socket.push("channel_of_tomorrow", [{"x": 1}])
        truth.change("BTC-USD", 1)
        await watching.until_true(truth)
        assert len(watching.changes) == 1, "unknown messages count, and no gap is made up"
        peer.number += 1
        exchange.socket.push("channel_of_tomorrow", [{"x": 1}])
        await watching.until(lambda: len(watching.changes) == 3)


async def test_missed_heartbeats_are_a_gap_though_no_number_is_missing(exchange: Exchange) -> None:
    truth = MarketTruth(exchange.socket)
    async with Watching(exchange) as watching:
        await watching.until_true(truth)
        await asyncio.sleep(0.12)
        exchange.socket.peers[0].beats += 2
        await watching.until(lambda: len(watching.changes) >= 2)
        assert "heartbeats" in watching.changes[1].detail
        await watching.until_true(truth)


async def test_a_message_that_can_not_be_read_is_a_gap(exchange: Exchange) -> None:
    truth = MarketTruth(exchange.socket)
    async with Watching(exchange) as watching:
        await watching.until_true(truth)
        exchange.socket.push("level2", [{"type": "update", "product_id": "BTC-USD", "updates": [{"side": "bid"}]}])
        await watching.until(lambda: len(watching.changes) == 3)
        exchange.socket.push("level2", [truth.event("BTC-USD", "update", [("bid", 1.234567, 1)])])
        await watching.until(lambda: len(watching.changes) == 5)
        assert "between two ticks" in watching.changes[3].detail
        await watching.until_true(truth)
        assert exchange.socket.connections == 1


@pytest.mark.parametrize("make_feed", [MarketFeed, CompiledMarketFeed])
@pytest.mark.parametrize("seed", range(6))
async def test_the_book_is_the_venues_after_any_mix_of_drops_duplicates_reorderings_and_breaks(
    exchange: Exchange, seed: int, make_feed: type[MarketFeed]
) -> None:
    """While it is said to be valid it is so at every moment, and when the faults end it is valid again."""
    randomness = random.Random(seed)
    truth = MarketTruth(exchange.socket)
    faulty = True
    held: list[dict[str, Any]] = []

    def mangle(message: dict[str, Any]) -> list[dict[str, Any]]:
        if not faulty:
            released, held[:] = held[:], []
            return [*released, message] if released else [message]
        fate = randomness.random()
        if fate < 0.04:
            return []
        if fate < 0.10:
            return [message, message]
        if fate < 0.14:
            held.append(message)  # comes after the next one
            return []
        released, held[:] = held[:], []
        return [message, *released]

    async with Watching(exchange, make_feed=make_feed) as watching:
        await watching.until_true(truth)
        exchange.socket.mangle = mangle
        for step in range(150):
            truth.change(randomness.choice(("BTC-USD", "ETH-USD")), randomness.randint(1, 4))
            if randomness.random() < 0.02:
                exchange.socket.hang_up(randomness.choice((None, 1000, 1011)))
            if step % 3 == 0:
                await asyncio.sleep(0.002)
                truth.check_history(watching.feed)
        faulty = False
        truth.change("BTC-USD", 1)
        await watching.until_true(truth)
        assert exchange.socket.connections >= 1


async def test_authentication_failure_ends_the_connection_and_is_tried_again_with_a_new_token(exchange: Exchange) -> None:
    public = exchange.rest.public_keys.pop(ED_NAME)
    venue = coinbase_venue(ApiKey(ED_NAME, SECRET), SystemClock(), exchange.options)
    await venue.start()
    async with asyncio.timeout(5):
        while sum(request["channel"] == "user" for request in exchange.socket.subscribed) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    exchange.rest.public_keys[ED_NAME] = public
    events = venue.events()
    async with asyncio.timeout(5):
        assert await anext(events) == StreamChange(state=StreamState.LIVE)
    tokens = [request["jwt"] for request in exchange.socket.subscribed]
    assert len(set(tokens)) == len(tokens), "a token is used for one request"
    await venue.stop()


async def test_more_orders_than_a_page_of_the_snapshot_are_all_hinted_at(exchange: Exchange) -> None:
    venue = coinbase_venue(ApiKey(ED_NAME, SECRET), SystemClock(), exchange.options)
    for number in range(130):
        exchange.rest.rest_order(f"c-{number}")
    await venue.start()
    hinted: set[str] = set()
    async with asyncio.timeout(5):
        async for event in venue.events():
            if isinstance(event, OrderHint):
                hinted.add(event.order.client_order_id)
            if len(hinted) == 130:
                break
    await venue.stop()


async def test_the_addresses_are_tried_in_turn() -> None:
    opened: list[str] = []

    class Refusing(PicowsSocket):
        async def open(self, url: str, on_frame: OnFrame, on_closed: OnClosed) -> None:
            opened.append(url)
            raise VenueUnavailableError("refused")

    timing = SocketTiming(first_backoff_s=0.001, most_backoff_s=0.002)
    session = Session(
        urls=("ws://user", "ws://market"),
        subscriptions=(),
        handler=UserChannel(),
        make_socket=lambda: Refusing(None, connect_timeout_s=1.0),
        timing=timing,
    )
    task = asyncio.create_task(session.run())
    async with asyncio.timeout(5):
        while len(opened) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert opened[:4] == ["ws://user", "ws://market", "ws://user", "ws://market"]
