"""A market of a live exchange as a trader's source, against the simulated exchange: what was before, what comes, and what is missed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from tests.connectors.exchange.floor import START_NS
from tests.connectors.exchange.running import Running, exchange
from traider.connectors.coinbase.build import Options
from traider.connectors.coinbase.config import Addresses, SocketTiming
from traider.connectors.coinbase.live_market import LiveMarket, instrument_at, kinds_of
from traider.connectors.coinbase.trade_bars import Maker
from traider.domain.errors import UserError
from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import Instrument
from traider.domain.venue import StreamChange, StreamState
from traider.domain.vocabulary import BAR_MADE, BOOK_END, EventKind
from traider.kernel.aggregators import TimeBars, VolumeBars
from traider.runtime.clock import SystemClock

BTC = Instrument(symbol="BTC-USD", base="BTC", quote="USD", price_increment=Decimal(1), size_increment=Decimal("0.001"))
SECOND_NS = 10**9


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange(batch_ms=10) as running:
        yield running


def options(running: Running) -> Options:
    url = running.base.replace("http", "ws")
    timing = SocketTiming(first_backoff_s=0.05, resubscribe_every_s=0.05)
    return Options(addresses=Addresses(rest_url=running.base, market_url=url, user_urls=(url,)), socket_timing=timing)


def market(running: Running, *wants: str, bars: Maker | None = None, feeds_past: bool = True) -> LiveMarket:
    return LiveMarket(BTC, options(running), SystemClock(), kinds=kinds_of(wants), bars=bars, feeds_past=feeds_past)


def trade(running: Running, price: int, lots: int = 1000) -> None:
    floor = running.simulator.exchange
    floor.step(floor.markets["BTC-USD"], lambda matcher: matcher.on_trade(1, price, lots))


class Reader:
    """Takes events one by one, with the exchange's virtual time going on until they come."""

    def __init__(self, running: Running, source: LiveMarket, start: int = 0) -> None:
        self._running = running
        self._events = source.events(start)

    async def next(self, count: int = 1) -> list[MarketEvent]:
        found = []
        for _ in range(count):
            coming = asyncio.ensure_future(anext(self._events))
            async with asyncio.timeout(10):
                while not coming.done():
                    await self._running.advance(0.01)
            found.append(coming.result())
        return found


@asynccontextmanager
async def reading(running: Running, source: LiveMarket, *, last_index: int = -1, last_ns: int = 0) -> AsyncIterator[Reader]:
    changes: list[StreamChange] = []

    async def note(change: StreamChange) -> None:
        changes.append(change)

    source.on_change = note
    async with source.open():
        source.continue_after(last_index, last_ns)
        yield Reader(running, source, source.untraded)


def values(events: list[MarketEvent]) -> list[tuple[EventKind, float]]:
    return [(event.kind, event.d if event.kind is EventKind.BAR else event.a) for event in events]


async def test_the_past_stands_before_what_comes_each_trade_once(running: Running) -> None:
    trade(running, 103)
    source = market(running, "trades")
    async with reading(running, source) as reader:
        past = list(source.history(0, source.untraded))
        assert [event.a for event in past] == [100.0, 103.0]
        trade(running, 104)  # before the stream has begun: it comes with the snapshot
        trade(running, 105)
        coming = await reader.next(2)
        assert values(coming) == [(EventKind.TRADE, 104.0), (EventKind.TRADE, 105.0)]
        assert [event.index for event in past + coming] == [0, 1, 2, 3]


async def test_a_session_that_goes_on_is_shown_what_came_after_it_was_left(running: Running) -> None:
    await running.advance(5)
    trade(running, 103)
    source = market(running, "trades")
    async with reading(running, source, last_index=7, last_ns=START_NS + SECOND_NS) as reader:
        (missed,) = source.history(0, source.untraded)
        assert (missed.index, missed.a, source.history_start(7)) == (8, 103.0, 8)
        trade(running, 104)
        (event,) = await reader.next()
        assert (event.index, event.a) == (9, 104.0)


async def test_on_an_exchange_the_past_is_the_strategys_alone(running: Running) -> None:
    trade(running, 103)
    source = market(running, "trades", feeds_past=False)
    async with reading(running, source) as reader:
        assert [event.a for event in source.unfed] == [100.0, 103.0]
        assert (list(source.history(0, 10)), source.untraded) == ([], 0)
        trade(running, 104)
        assert [event.index for event in await reader.next()] == [0]


async def test_no_event_is_older_than_the_one_that_the_session_was_left_with(running: Running) -> None:
    source = market(running, "trades")
    later = START_NS + 3600 * SECOND_NS
    async with reading(running, source, last_index=0, last_ns=later) as reader:
        trade(running, 104)
        (event,) = await reader.next()
        assert event.ts_ns == later


async def test_what_was_taken_and_the_session_has_not_comes_again(running: Running) -> None:
    """The guard died with the events under way: whatever it had of them, none is lost and none is shown twice."""
    source = market(running, "trades")
    async with reading(running, source) as reader:
        for price in (104, 105, 106):
            trade(running, price)
        first = await reader.next(3)
        source.continue_after(first[0].index, first[0].ts_ns)
        assert list(source.history(first[0].index + 1, first[2].index + 1)) == first[1:]
        again = Reader(running, source, first[1].index)
        trade(running, 107)
        coming = await again.next(3)
        assert coming[:2] == first[1:]
        assert (coming[2].index, coming[2].a) == (first[2].index + 1, 107.0)


async def test_bars_stand_before_the_first_trade_that_is_not_in_them(running: Running) -> None:
    """The trade at 100 is in the first second that is told, whose beginning was not seen: it makes no bar."""
    await running.advance(0.5)
    trade(running, 101)
    source = market(running, "bars", bars=TimeBars(1))
    async with reading(running, source) as reader:
        await running.advance(0.7)  # 1.2 s: another second
        trade(running, 104)
        trade(running, 106)
        await running.advance(1.0)
        trade(running, 105)
        coming = await reader.next(4)
        assert values(coming) == [(EventKind.TRADE, 104.0), (EventKind.TRADE, 106.0), (EventKind.BAR, 106.0), (EventKind.TRADE, 105.0)]
        bar = coming[2]
        assert (bar.a, bar.b, bar.c, bar.e, bar.flags) == (104.0, 106.0, 104.0, 2.0, BAR_MADE)
        assert bar.ts_ns == START_NS + SECOND_NS


async def test_bars_by_volume_stand_behind_the_trade_that_fills_them(running: Running) -> None:
    source = market(running, "bars", bars=VolumeBars(3.0))
    async with reading(running, source) as reader:  # the trade of 1 that was is in the first one
        trade(running, 104, 1500)
        trade(running, 106, 500)
        coming = await reader.next(3)
        assert values(coming) == [(EventKind.TRADE, 104.0), (EventKind.TRADE, 106.0), (EventKind.BAR, 106.0)]
        assert coming[2].e == 3.0


async def test_a_bar_in_which_trades_may_be_missing_is_not_handed_on(running: Running) -> None:
    source = market(running, "bars", bars=TimeBars(1))
    async with reading(running, source) as reader:
        await running.advance(1.1)
        trade(running, 104)
        assert values(await reader.next()) == [(EventKind.TRADE, 104.0)]
        await running.fault(match={"path": "/time"}, do="ws.drop")
        await running.get("/time", public=True)
        trade(running, 105)
        assert values(await reader.next()) == [(EventKind.TRADE, 105.0)]
        await running.advance(1.1)
        trade(running, 107)
        trade(running, 108)
        assert values(await reader.next(2)) == [(EventKind.TRADE, 107.0), (EventKind.TRADE, 108.0)]
        await running.advance(2.1)
        trade(running, 109)
        await running.advance(1.1)
        trade(running, 110)
        assert (EventKind.BAR, 109.0) in values(await reader.next(3))


async def test_quotes_and_rows_of_the_book_come_to_those_who_act_on_them_alone(running: Running) -> None:
    for wants, kinds in (("quotes", {EventKind.QUOTE}), ("book", {EventKind.DEPTH})):
        source = market(running, wants)
        async with reading(running, source) as reader:
            events = await reader.next(1 if wants == "quotes" else 4)
            assert {event.kind for event in events} == kinds
            if wants == "book":
                assert [bool(event.flags & BOOK_END) for event in events] == [False, False, False, True]
            else:
                assert (events[0].a, events[0].c) == (99.0, 101.0)


async def test_that_the_stream_is_there_or_lost_is_told(running: Running) -> None:
    source = market(running, "trades")
    told: list[StreamState] = []

    async def note(change: StreamChange) -> None:
        told.append(change.state)

    async with reading(running, source) as reader:
        source.on_change = note
        trade(running, 104)
        await reader.next()
        await running.fault(match={"path": "/time"}, do="ws.drop")
        await running.get("/time", public=True)
        await running.advance(0.1)
        trade(running, 105)
        await reader.next()
        assert told[:2] == [StreamState.LIVE, StreamState.LOST]


async def test_a_markets_increments_are_the_venues(running: Running) -> None:
    found = await instrument_at("BTC-USD", options(running))
    assert (found.price_increment, found.size_increment, found.min_notional) == (Decimal(1), Decimal("0.001"), Decimal(1))
    with pytest.raises(UserError, match="has no market DOGE-USD"):
        await instrument_at("DOGE-USD", options(running))
