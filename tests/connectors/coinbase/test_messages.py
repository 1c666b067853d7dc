"""Every channel, read from what Coinbase really sent."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.coinbase.recorded import frames
from traider.connectors.coinbase.messages import (
    BookMessage,
    BookUpdate,
    BrokenMessageError,
    CandlePart,
    CandlesMessage,
    FuturesBalanceMessage,
    HeartbeatsMessage,
    OtherMessage,
    StatusMessage,
    SubscriptionsMessage,
    TickerBatchMessage,
    TickerMessage,
    TickerPart,
    TradePart,
    TradesMessage,
    UserMessage,
    VenueComplaint,
    read_message,
)

FRAMES = frames()


def test_every_recorded_message_is_known_and_numbered_without_a_gap() -> None:
    messages = [read_message(frame) for frame in FRAMES]
    assert not [message for message in messages if isinstance(message, OtherMessage | VenueComplaint)]
    assert [message.sequence_num for message in messages if not isinstance(message, VenueComplaint)] == list(range(331))


def test_trades() -> None:
    message = read_message(FRAMES[9])
    assert isinstance(message, TradesMessage)
    assert (message.timestamp, message.sequence_num, message.events[0].type) == ("2026-08-09T21:05:48.251397169Z", 9, "update")
    assert message.events[0].trades == [
        TradePart(
            product_id="BTC-USD",
            trade_id="1068572091",
            price="65083.67",
            size="0.01034361",
            time="2026-08-09T21:05:48.167634Z",
            side="SELL",
        )
    ]


def test_ticker() -> None:
    message = read_message(FRAMES[7])
    assert isinstance(message, TickerMessage)
    assert message.events[0].type == "snapshot"
    assert message.events[0].tickers == [
        TickerPart(
            product_id="ETH-USD",
            price="1919.41",
            best_bid="1919.42",
            best_bid_quantity="1.512673",
            best_ask="1919.49",
            best_ask_quantity="0.07814824",
            volume_24_h="19975.95927439",
        )
    ]


def test_candles() -> None:
    message = read_message(FRAMES[309])
    assert isinstance(message, CandlesMessage)
    assert message.events[0].candles == [
        CandlePart(
            product_id="BTC-USD", start="1786309500", open="65091", high="65091", low="65083.56", close="65083.67", volume="1.0555351"
        )
    ]


def test_book() -> None:
    snapshot, update = read_message(FRAMES[13]), read_message(FRAMES[16])
    assert isinstance(snapshot, BookMessage)
    assert isinstance(update, BookMessage)
    assert (snapshot.events[0].type, snapshot.events[0].product_id, len(snapshot.events[0].updates)) == ("snapshot", "BTC-USD", 120)
    assert snapshot.events[0].updates[0] == BookUpdate(side="bid", price_level="65083.66", new_quantity="0.20371215")
    assert (update.events[0].type, update.events[0].product_id) == ("update", "BTC-USD")
    assert update.events[0].updates == [BookUpdate(side="offer", price_level="65083.71", new_quantity="0.06")]


def test_heartbeats_in_both_ways_of_writing() -> None:
    recorded = read_message(FRAMES[316])
    assert isinstance(recorded, HeartbeatsMessage)
    assert recorded.events[0].heartbeat_counter == 41698
    documented = read_message(_frame("heartbeats", [{"current_time": "whatever", "heartbeat_counter": "3049"}]))
    assert isinstance(documented, HeartbeatsMessage)
    assert documented.events[0].heartbeat_counter == "3049"


def test_subscriptions() -> None:
    message = read_message(FRAMES[26])
    assert isinstance(message, SubscriptionsMessage)
    assert message.events[0].subscriptions == {
        "candles": ["ETH-USD", "BTC-USD"],
        "heartbeats": ["heartbeats"],
        "level2": ["BTC-USD", "ETH-USD"],
        "market_trades": ["BTC-USD", "ETH-USD"],
        "ticker": ["BTC-USD", "ETH-USD"],
    }


def test_channels_that_were_not_recorded() -> None:
    """In the shapes that the documentation gives, with values made up."""
    ticker = {"type": "ticker", "product_id": "BTC-USD", "price": "100"}
    batch = read_message(_frame("ticker_batch", [{"type": "update", "tickers": [ticker]}]))
    assert isinstance(batch, TickerBatchMessage)
    assert batch.events[0].tickers == [TickerPart(product_id="BTC-USD", price="100")]
    product = {"product_type": "SPOT", "id": "BTC-USD", "status": "online", "status_message": "", "min_market_funds": "1"}
    status = read_message(_frame("status", [{"type": "snapshot", "products": [product]}]))
    assert isinstance(status, StatusMessage)
    assert (status.events[0].products[0].id, status.events[0].products[0].status) == ("BTC-USD", "online")
    assert isinstance(
        read_message(_frame("futures_balance_summary", [{"type": "snapshot", "fcm_balance_summary": {}}])), FuturesBalanceMessage
    )
    user = read_message(_frame("user", [{"type": "snapshot", "orders": None, "positions": {}}]))
    assert isinstance(user, UserMessage)
    assert user.events[0].orders is None


def test_what_is_new_is_passed_over_and_still_counted() -> None:
    raw = json.loads(FRAMES[9])
    raw["new"] = {"deep": [1, {"er": None}]}
    raw["events"][0]["trades"][0]["new"] = 1
    assert read_message(json.dumps(raw).encode()) == read_message(FRAMES[9])
    assert read_message(_frame("channel_of_tomorrow", [{"x": 1}])) == OtherMessage(channel="channel_of_tomorrow", sequence_num=7)


def test_a_complaint_stands_outside_of_the_sequence() -> None:
    assert read_message(b'{"type":"error","message":"authentication failure"}') == VenueComplaint(message="authentication failure")


@pytest.mark.parametrize(
    ("index", "path"),
    [
        (9, ("events", 0, "trades", 0, "side")),
        (9, ("events", 0, "trades", 0, "trade_id")),
        (16, ("events", 0, "product_id")),
        (16, ("events", 0, "updates", 0, "new_quantity")),
        (16, ("events", 0, "updates")),
        (7, ("events", 0, "tickers", 0, "price")),
        (309, ("events", 0, "candles", 0, "start")),
        (316, ("events", 0, "heartbeat_counter")),
        (26, ("events", 0, "subscriptions")),
        (9, ("timestamp",)),
        (9, ("events",)),
    ],
)
def test_what_is_missing_or_null_is_a_typed_error_with_its_number(index: int, path: tuple[Any, ...]) -> None:
    for damage in ("missing", "null"):
        raw: Any = json.loads(FRAMES[index])
        inner = raw
        for step in path[:-1]:
            inner = inner[step]
        if damage == "missing":
            del inner[path[-1]]
        else:
            inner[path[-1]] = None
        with pytest.raises(BrokenMessageError) as caught:
            read_message(json.dumps(raw).encode())
        assert caught.value.sequence_num == index


@pytest.mark.parametrize("frame", [b"", b"[]", b"null", b"\xff\xfe", b"{", b'{"sequence_num":3}', b'{"channel":5}'])
def test_what_is_no_message_is_a_typed_error(frame: bytes) -> None:
    with pytest.raises(BrokenMessageError):
        read_message(frame)


@given(st.sampled_from(FRAMES), st.data())
def test_a_damaged_frame_is_read_or_refused_and_nothing_else(frame: bytes, data: st.DataObject) -> None:
    frame = frame[:4000]
    place = data.draw(st.integers(0, len(frame) - 1))
    damaged = data.draw(st.sampled_from([frame[:place], frame[:place] + b"\x00" + frame[place:], frame[:place] + frame[place + 1 :]]))
    with contextlib.suppress(BrokenMessageError):
        read_message(damaged)


def _frame(channel: str, events: list[Any]) -> bytes:
    return msgspec.json.encode(
        {"channel": channel, "client_id": "", "timestamp": "2031-03-04T05:06:07Z", "sequence_num": 7, "events": events}
    )
