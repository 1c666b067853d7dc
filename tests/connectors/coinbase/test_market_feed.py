"""The recorded messages as the kernel's events, with values; and the stream's promises."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal

import msgspec
import pytest

from tests.connectors.coinbase.recorded import frames
from traider.connectors.coinbase.market_feed import MarketFeed
from traider.connectors.coinbase.messages import AnyMessage, read_message
from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.domain.venue import StreamChange, StreamState
from traider.domain.vocabulary import BOOK_CLEAR, BOOK_END, EventKind

SECOND_NS = 10**9
TRADE = {"product_id": "BTC-USD", "size": "1", "time": "2031-03-04T05:06:07Z", "side": "BUY"}


def market(symbol: str) -> Instrument:
    return instrument_from_symbol(symbol, price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))


BTC, ETH = market("BTC-USD"), market("ETH-USD")


async def fed(feed: MarketFeed, raw: Iterable[bytes | dict[str, object]]) -> list[MarketEvent | StreamChange]:
    """What the feed makes of these messages."""
    for number, frame in enumerate(raw):
        message = read_message(frame if isinstance(frame, bytes) else msgspec.json.encode(frame))
        assert isinstance(message, AnyMessage)
        feed.on_message(message, 1000 + number)
    return await drained(feed)


async def drained(feed: MarketFeed) -> list[MarketEvent | StreamChange]:
    events: list[MarketEvent | StreamChange] = []
    stream = feed.events()
    while feed._waiting:
        events.append(await anext(stream))
    return events


def of(events: list[MarketEvent | StreamChange], kind: EventKind, symbol: str = "BTC-USD") -> list[MarketEvent]:
    return [event for event in events if isinstance(event, MarketEvent) and event.kind is kind and event.symbol == symbol]


async def test_recorded_trades_have_the_takers_side() -> None:
    events = await fed(MarketFeed([BTC, ETH], channels=["market_trades"]), frames())
    first = of(events, EventKind.TRADE)[0]
    # the venue said SELL: a seller rested at 65083.67, and a buyer came
    assert (first.ts_ns, first.a, first.b, first.c) == (1786309548_167634000, 65083.67, 0.01034361, 1.0)
    assert first.received_ts_ns == 1009, "received with the tenth message"
    assert first.index == 0, "the snapshot's trades were before this stream"
    assert [event.a for event in of(events, EventKind.TRADE, "ETH-USD")][-1] == 1919.48


async def test_recorded_trades_lie_where_the_taker_would_trade() -> None:
    """Of what a taker's buy is told, the price is nearer to the ask: the sides are not mistaken."""
    feed = MarketFeed([BTC, ETH], depth=False)
    right = wrong = 0
    for frame in frames():
        message = read_message(frame)
        assert isinstance(message, AnyMessage)
        top = feed.top("BTC-USD")
        feed.on_message(message, 0)
        for trade in of(await drained(feed), EventKind.TRADE):
            if top is not None:
                middle = (top.bid_tick + top.ask_tick) / 200
                right += (trade.a > middle) == (trade.c > 0)
                wrong += (trade.a > middle) != (trade.c > 0)
    assert right >= 9 * max(1, wrong)
    assert right >= 10


async def test_recorded_book_rows_and_quotes() -> None:
    events = await fed(MarketFeed([BTC], channels=["level2"]), frames())
    rows = of(events, EventKind.DEPTH)
    assert (rows[0].a, rows[0].b, rows[0].c, rows[0].flags) == (65083.66, 0.20371215, 1.0, BOOK_CLEAR)
    assert rows[0].ts_ns == 1786309548_483587501
    assert [row.flags for row in rows[1:119]] == [0] * 118
    assert rows[119].flags == BOOK_END
    assert sum(bool(row.flags & BOOK_CLEAR) for row in rows) == 1
    single = next(row for row in rows[120:] if row.a == 65083.71)
    assert (single.b, single.c, single.flags) == (0.06, -1.0, BOOK_END)
    quotes = of(events, EventKind.QUOTE)
    assert (quotes[0].a, quotes[0].b, quotes[0].c) == (65083.66, 0.20371215, 65083.67)
    assert all(quote.a < quote.c and quote.b > 0 and quote.d > 0 for quote in quotes)
    assert len({(quote.a, quote.b, quote.c, quote.d) for quote in quotes}) > 1
    assert all(before[1:] != after[1:] for before, after in zip(map(_values, quotes), map(_values, quotes[1:]), strict=False))
    assert of(events, EventKind.DEPTH, "ETH-USD") == [], "not subscribed"


async def test_recorded_tickers_are_quotes_where_there_is_no_book() -> None:
    quotes = of(await fed(MarketFeed([ETH], channels=["ticker"]), frames()), EventKind.QUOTE, "ETH-USD")
    assert (quotes[0].a, quotes[0].b, quotes[0].c, quotes[0].d) == (1919.42, 1.512673, 1919.49, 0.07814824)
    assert quotes[0].ts_ns == 1786309548_229217756
    both = await fed(MarketFeed([ETH], channels=["ticker", "level2"], depth=False), frames()[:8])
    assert both == [], "with a book the book's own quotes count"


async def test_a_candle_is_a_bar_once_the_next_one_has_begun() -> None:
    def candle(start: int, close: str, type: str = "update") -> dict[str, object]:
        row = {"product_id": "BTC-USD", "start": str(start), "open": "10", "high": "20", "low": "5", "close": close, "volume": "1.5"}
        return _message("candles", {"type": type, "candles": [row]})

    feed = MarketFeed([BTC], channels=["candles"])
    assert await fed(feed, [candle(300, "11", "snapshot"), candle(300, "12")]) == []
    (bar,) = of(await fed(feed, [candle(600, "13")]), EventKind.BAR)
    assert (bar.ts_ns, bar.a, bar.b, bar.c, bar.d, bar.e) == (300 * SECOND_NS, 10.0, 20.0, 5.0, 12.0, 1.5)
    assert await fed(feed, [candle(300, "14"), candle(600, "15")]) == [], "what was handed on does not change"


async def test_candles_that_ended_in_an_outage_come_with_the_next_snapshot() -> None:
    rows = [
        {"product_id": "BTC-USD", "start": str(start), "open": "10", "high": "20", "low": "5", "close": str(start), "volume": "1"}
        for start in (1500, 1200, 900, 600, 300)
    ]
    feed = MarketFeed([BTC], channels=["candles"])
    await fed(feed, [_message("candles", {"type": "snapshot", "candles": rows[3:]})])
    bars = of(await fed(feed, [_message("candles", {"type": "snapshot", "candles": rows})]), EventKind.BAR)
    assert [(bar.ts_ns // SECOND_NS, bar.d) for bar in bars] == [(600, 600.0), (900, 900.0), (1200, 1200.0)]


async def test_trades_missed_in_an_outage_come_with_the_next_snapshot_and_none_twice() -> None:
    def trades(type: str, *numbers: int) -> dict[str, object]:
        rows = [
            {
                "product_id": "BTC-USD",
                "trade_id": str(number),
                "price": str(number),
                "size": "1",
                "time": "2031-03-04T05:06:07Z",
                "side": "BUY",
            }
            for number in numbers
        ]
        return _message("market_trades", {"type": type, "trades": rows})

    feed = MarketFeed([BTC], channels=["market_trades"])
    live = await fed(feed, [trades("snapshot", 99, 98), trades("update", 101, 100), trades("update", 101)])
    after = await fed(feed, [trades("snapshot", 104, 103, 102, 101, 100), trades("update", 104, 105)])
    assert [trade.a for trade in of(live, EventKind.TRADE)] == [100.0, 101.0]
    assert [trade.a for trade in of(after, EventKind.TRADE)] == [102.0, 103.0, 104.0, 105.0]
    assert {trade.c for trade in of(live, EventKind.TRADE)} == {-1.0}


async def test_places_count_on_and_time_never_steps_back() -> None:
    events = [event for event in await fed(MarketFeed([BTC, ETH]), frames()) if isinstance(event, MarketEvent)]
    assert [event.index for event in events] == list(range(len(events)))
    times = [event.ts_ns for event in events]
    assert times == sorted(times)


async def test_a_product_by_another_name_is_the_one_that_was_subscribed() -> None:
    usdc = market("BTC-USDC")
    feed = MarketFeed([usdc, ETH], aliases={"BTC-USDC": "BTC-USD"})
    events = await fed(feed, frames())
    assert feed.is_whole()
    assert of(events, EventKind.TRADE) == []
    assert of(events, EventKind.TRADE, "BTC-USDC")[0].a == 65083.67
    assert feed.top("BTC-USDC") is not None
    both = MarketFeed([BTC, usdc], aliases={"BTC-USDC": "BTC-USD"})
    await fed(both, frames())
    assert both.top("BTC-USD") == both.top("BTC-USDC")


async def test_an_empty_book_is_told() -> None:
    events = await fed(MarketFeed([BTC]), [_message("l2_data", {"type": "snapshot", "product_id": "BTC-USD", "updates": []})])
    (row,) = of(events, EventKind.DEPTH)
    assert (row.b, row.flags) == (0.0, BOOK_CLEAR | BOOK_END)


async def test_a_gap_takes_every_book_away_until_its_snapshot() -> None:
    feed = MarketFeed([BTC, ETH])
    await fed(feed, frames())
    feed.on_live()
    feed.on_gap("number 331 is missing")
    assert (feed.top("BTC-USD"), feed.top("ETH-USD"), feed.is_whole()) == (None, None, False)
    feed.on_gap("and another")
    feed.on_live()
    assert [event.state for event in await drained(feed) if isinstance(event, StreamChange)] == [
        StreamState.LIVE,
        StreamState.LOST,
        StreamState.LIVE,
    ]
    await fed(feed, frames()[13:14])
    assert feed.top("BTC-USD") is not None
    assert feed.top("ETH-USD") is None


async def test_who_does_not_keep_up_loses_the_place_and_is_told() -> None:
    asked: list[str] = []
    feed = MarketFeed([BTC], channels=["market_trades"], most_waiting=5)
    feed.on_overflow = asked.append
    feed.on_live()
    for number, frame in enumerate(frames()):
        message = read_message(frame)
        assert isinstance(message, AnyMessage)
        feed.on_message(message, number)
        if asked:
            break
    events = await drained(feed)
    assert isinstance(events[0], StreamChange)
    assert (events[0].state, len(asked)) == (StreamState.LOST, 1)
    assert "5 events were not taken" in events[0].detail


async def test_an_unknown_channel_is_refused() -> None:
    with pytest.raises(ValueError, match="level3"):
        MarketFeed([BTC], channels=["level3"])


async def test_reading_waits_for_events() -> None:
    feed = MarketFeed([BTC])
    waiting = asyncio.ensure_future(anext(feed.events()))
    await asyncio.sleep(0)
    assert not waiting.done()
    feed.on_live()
    assert (await waiting) == StreamChange(state=StreamState.LIVE)


def _values(event: MarketEvent) -> tuple[int, float, float, float, float]:
    return (event.index, event.a, event.b, event.c, event.d)


def _message(channel: str, event: dict[str, object]) -> dict[str, object]:
    return {"channel": channel, "timestamp": "2031-03-04T05:06:07Z", "sequence_num": 0, "events": [event]}


async def test_the_status_of_the_subscribed_markets_is_told_and_makes_no_event() -> None:
    def status(*products: tuple[str, str]) -> dict[str, object]:
        rows = [{"id": name, "status": word, "status_message": ""} for name, word in products]
        return {
            "channel": "status",
            "timestamp": "2031-03-04T05:06:07Z",
            "sequence_num": 0,
            "events": [{"type": "snapshot", "products": rows}],
        }

    feed = MarketFeed((BTC,), channels=("level2", "status"))
    told: list[tuple[str, str]] = []
    feed.on_status = lambda part: told.append((part.id, part.status))
    assert await fed(feed, [status(("BTC-USD", "online"), ("ETH-USD", "online")), status(("BTC-USD", "delisted"))]) == []
    assert told == [("BTC-USD", "online"), ("BTC-USD", "delisted")]
    assert [part.channel for part in feed.subscriptions() if part.optional] == ["status"], "the books are good without it"
