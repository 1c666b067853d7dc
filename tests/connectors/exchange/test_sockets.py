"""What subscribers are told, channel by channel."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.connectors.exchange.running import Running, exchange
from traider.connectors.sim.exchange import events, server
from traider.connectors.sim.exchange.messages import Message
from traider.connectors.sim.exchange.products import listed


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange() as running:
        yield running


async def level(running: Running, side: str, price: str, size: str) -> None:
    body = {"product_id": "BTC-USD", "levels": [{"side": side, "price": price, "size": size}]}
    assert (await running.control("POST", "/levels", body)).status == 200


async def trade(running: Running, side: str, price: str, size: str) -> None:
    body = {"product_id": "BTC-USD", "side": side, "price": price, "size": size}
    assert (await running.control("POST", "/trades", body)).status == 200


def rows(message: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["side"], row["price_level"], row["new_quantity"]) for row in message["events"][0]["updates"]]


async def test_every_message_has_the_envelope_and_the_connections_next_number(running: Running) -> None:
    socket = await running.socket()
    messages = await socket.subscribe("level2", "BTC-USD")
    messages += await socket.subscribe("ticker", "BTC-USD")
    messages += await socket.subscribe("heartbeats")
    await running.advance(3)
    messages += [await socket.next() for _ in range(3)]
    assert [message["sequence_num"] for message in messages] == list(range(len(messages)))
    assert all(message.keys() == {"channel", "client_id", "timestamp", "sequence_num", "events"} for message in messages)
    assert messages[0]["timestamp"] == "2026-01-01T00:00:00.000000000Z"


async def test_each_connection_has_its_own_numbers(running: Running) -> None:
    first, second = await running.socket(), await running.socket()
    await first.subscribe("level2", "BTC-USD")
    assert (await second.subscribe("level2", "BTC-USD"))[0]["sequence_num"] == 0


async def test_level2_is_a_snapshot_and_then_new_sizes(running: Running) -> None:
    socket = await running.socket()
    snapshot, _ = await socket.subscribe("level2", "BTC-USD")
    assert (snapshot["channel"], snapshot["events"][0]["type"], snapshot["events"][0]["product_id"]) == ("l2_data", "snapshot", "BTC-USD")
    assert rows(snapshot) == [("bid", "99", "1"), ("bid", "98", "2"), ("offer", "101", "1"), ("offer", "102", "2")]
    assert {row["event_time"] for row in snapshot["events"][0]["updates"]} == {"1970-01-01T00:00:00Z"}
    await level(running, "BUY", "99", "0")
    assert rows(await socket.next()) == [("bid", "99", "0")]
    order_id = await running.place("BUY", "98", "0.5")
    assert rows(await socket.next()) == [("bid", "98", "2.5")]
    await running.call("POST", "/orders/batch_cancel", {"order_ids": [order_id]})
    assert rows(await socket.next()) == [("bid", "98", "2")]
    await running.place("BUY", "101", "0.4")
    assert rows(await socket.next()) == [("offer", "101", "0.6")]


async def test_trades_come_in_batches_of_250_ms_with_the_makers_side(running: Running) -> None:
    socket = await running.socket()
    snapshot, _ = await socket.subscribe("market_trades", "BTC-USD")
    assert [(t["price"], t["side"]) for t in snapshot["events"][0]["trades"]] == [("100", "SELL")]
    await trade(running, "BUY", "101", "0.1")
    await running.advance(0.2)
    await trade(running, "SELL", "99", "0.2")
    assert await socket.nothing()
    await running.advance(0.05)
    batch = (await socket.next())["events"][0]
    assert (batch["type"], [(t["price"], t["size"], t["side"]) for t in batch["trades"]]) == (
        "update",
        [("99", "0.2", "BUY"), ("101", "0.1", "SELL")],
    )


async def test_ticker_follows_each_trade(running: Running) -> None:
    socket = await running.socket()
    await socket.subscribe("ticker", "BTC-USD")
    await trade(running, "BUY", "101", "0.5")
    ticker = (await socket.next())["events"][0]["tickers"][0]
    assert [ticker[name] for name in ("price", "best_bid", "best_bid_quantity", "best_ask", "best_ask_quantity")] == [
        "101", "99", "1", "101", "1",
    ]  # fmt: skip


async def test_ticker_batch_comes_every_5_s_where_something_changed(running: Running) -> None:
    socket = await running.socket()
    await socket.subscribe("ticker_batch", "BTC-USD")
    await running.advance(5)
    await socket.next()
    await running.advance(20)
    assert await socket.nothing()
    await trade(running, "BUY", "103", "0.5")
    await running.advance(5)
    assert (await socket.next())["events"][0]["tickers"][0]["price"] == "103"


async def test_candles_are_of_5_minutes_and_told_each_second(running: Running) -> None:
    socket = await running.socket()
    snapshot, _ = await socket.subscribe("candles", "BTC-USD")
    candle = {"start": "1767225600", "low": "100", "high": "100", "open": "100", "close": "100", "volume": "1", "product_id": "BTC-USD"}
    assert snapshot["events"][0] == {"type": "snapshot", "candles": [candle]}
    await running.advance(1)
    await socket.next()
    await trade(running, "BUY", "104", "2")
    await running.advance(1)
    assert (await socket.next())["events"][0]["candles"] == [candle | {"high": "104", "close": "104", "volume": "3"}]


async def test_heartbeats_count_up_each_second(running: Running) -> None:
    socket = await running.socket()
    await socket.subscribe("heartbeats")
    await running.advance(3)
    beats = [await socket.next() for _ in range(3)]
    assert [beat["events"][0]["heartbeat_counter"] for beat in beats] == [1, 2, 3]
    assert beats[0]["events"][0]["current_time"] == "2026-01-01 00:00:01.000000000 +0000 UTC m=+1.000000000"


async def test_status_tells_products_and_their_changes(running: Running) -> None:
    socket = await running.socket()
    message, _ = await socket.subscribe("status", "BTC-USD")
    assert [(p["id"], p["status"]) for p in message["events"][0]["products"]] == [("BTC-USD", "online")]
    await running.fault(do="product", product_id="BTC-USD", status="offline")
    assert (await socket.next())["events"][0]["products"][0]["status"] == "offline"


def test_status_writes_increments_as_plain_numbers() -> None:
    (event,) = json.loads(events.status(listed("BTC-EUR")))
    assert (event["products"][0]["base_increment"], event["products"][0]["quote_increment"]) == ("0.00000001", "0.01")


async def test_the_user_channel_tells_open_orders_and_then_what_becomes_of_them(running: Running) -> None:
    order_id = await running.place("BUY", "99", "1")
    socket = await running.socket()
    snapshot, confirmed = await socket.subscribe("user", key=running.key)
    event = snapshot["events"][0]
    assert ([o["order_id"] for o in event["orders"]], event["positions"].keys()) == (
        [order_id],
        {"perpetual_futures_positions", "expiring_futures_positions"},
    )
    assert confirmed["events"][0]["subscriptions"] == {"user": [running.account.user_id]}
    await trade(running, "SELL", "98", "0.4")
    order = (await socket.next())["events"][0]["orders"][0]
    assert [order[n] for n in ("status", "cumulative_quantity", "leaves_quantity", "avg_price", "total_fees", "number_of_fills")] == [
        "OPEN", "0.4", "0.6", "99", "0.1584", "1",
    ]  # fmt: skip
    await running.call("POST", "/orders/batch_cancel", {"order_ids": [order_id]})
    order = (await socket.next())["events"][0]["orders"][0]
    assert (order["status"], order["leaves_quantity"], order["cumulative_quantity"]) == ("CANCELLED", "0", "0.4")


async def test_several_fills_of_one_step_are_one_update(running: Running) -> None:
    socket = await running.socket()
    await socket.subscribe("user", key=running.key)
    await running.place("BUY", "102", "3")
    order = (await socket.next())["events"][0]["orders"][0]
    assert (order["number_of_fills"], order["cumulative_quantity"], order["status"]) == ("2", "3", "FILLED")
    assert await socket.nothing()


@pytest.mark.parametrize(("orders", "batches"), [(0, [0]), (49, [49]), (50, [50, 0]), (130, [50, 50, 30])])
async def test_the_first_batch_that_is_not_full_ends_the_snapshot(running: Running, orders: int, batches: list[int]) -> None:
    for number in range(orders):
        body = running.order_body("BUY", "1", "1", f"n-{number}")
        running.simulator.entry.create(running.account, body)
    messages = await (await running.socket()).subscribe("user", key=running.key)
    assert [len(message["events"][0]["orders"]) for message in messages[:-1]] == batches


async def test_an_alias_delivers_its_market_and_only_user_tells_them_apart(running: Running) -> None:
    socket = await running.socket()
    snapshot, confirmed = await socket.subscribe("level2", "BTC-USDC")
    assert (snapshot["events"][0]["product_id"], confirmed["events"][0]["subscriptions"]) == ("BTC-USD", {"level2": ["BTC-USD"]})
    await socket.subscribe("user", key=running.key)
    running.simulator.bench.account("alice").wallets["USDC"].available = 10**30
    await running.call("POST", "/orders", running.order_body() | {"product_id": "BTC-USDC"})
    found = [await socket.next() for _ in range(2)]
    assert [m["events"][0]["orders"][0]["product_id"] for m in found if m["channel"] == "user"] == ["BTC-USDC"]


async def test_unsubscribing_ends_a_product_or_the_whole_channel(running: Running) -> None:
    socket = await running.socket()
    await socket.subscribe("level2", "BTC-USD")
    await socket.subscribe("heartbeats")
    await socket.ask("unsubscribe", "level2", "BTC-USD")
    assert (await socket.next())["events"][0]["subscriptions"].keys() == {"heartbeats"}
    await level(running, "BUY", "97", "1")
    await socket.ask("unsubscribe", "heartbeats")
    assert (await socket.next())["events"][0]["subscriptions"] == {}
    await running.advance(5)
    assert await socket.nothing()


async def test_private_channels_need_a_token_and_a_bad_one_is_refused_anywhere(running: Running) -> None:
    socket = await running.socket()
    await socket.ask("subscribe", "user")
    assert await socket.next() == {"type": "error", "message": "authentication failure"}
    await socket.ask("subscribe", "level2", "BTC-USD", key=running.key | {"name": "stranger"})
    assert await socket.next() == {"type": "error", "message": "authentication failure"}


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "[]", '{"type":"hello"}', '{"type":"subscribe","channel":"full"}', '{"type":"subscribe","channel":["level2"]}',
        '{"type":"subscribe","channel":{}}', '{"type":"subscribe","channel":"level2"}', '{"type":["subscribe"],"channel":"level2"}',
        '{"type":"subscribe","channel":"level2","product_ids":[["BTC-USD"],{}]}',
        '{"type":"unsubscribe","channel":"user","product_ids":{"a":1}}',
    ],
)  # fmt: skip
async def test_what_is_not_understood_is_an_error_and_the_connection_stays(running: Running, text: str) -> None:
    socket = await running.socket()
    await socket.ws.send_str(text)
    assert (await socket.next())["type"] == "error"
    assert len(await socket.subscribe("heartbeats")) == 1


async def test_asking_for_no_product_changes_nothing_of_what_is_held(running: Running) -> None:
    socket = await running.socket()
    await socket.subscribe("ticker", "BTC-USD")
    await socket.ask("subscribe", "ticker")
    assert await socket.next() == {"type": "error", "message": "product_ids is missing"}
    (status, confirmed) = await socket.subscribe("status")
    assert (status["channel"], confirmed["events"][0]["subscriptions"].keys()) == ("status", {"ticker", "status"})


async def test_all_products_stay_all(running: Running) -> None:
    socket = await running.socket()
    await socket.subscribe("user", key=running.key)
    await socket.subscribe("user", "BTC-USDC", key=running.key)
    await running.place()
    assert (await socket.next())["events"][0]["orders"][0]["product_id"] == "BTC-USD"


async def test_the_user_host_has_no_market_channels(running: Running) -> None:
    socket = await running.socket(Host="advanced-trade-ws-user.coinbase.com")
    await socket.ask("subscribe", "level2", "BTC-USD")
    assert (await socket.next())["type"] == "error"
    assert len(await socket.subscribe("heartbeats")) == 1


async def test_who_does_not_subscribe_in_5_s_is_closed(running: Running) -> None:
    silent, subscribed = await running.socket(), await running.socket()
    await subscribed.subscribe("heartbeats")
    await running.get("/time", public=True)
    await running.advance(5)
    assert await silent.closed() == 1008
    assert (await subscribed.next())["channel"] == "heartbeats"


async def test_an_idle_connection_is_closed_and_heartbeats_keep_it(running: Running) -> None:
    idle, kept = await running.socket(), await running.socket()
    await idle.subscribe("level2", "BTC-USD")
    await kept.subscribe("level2", "BTC-USD")
    await kept.subscribe("heartbeats")
    await running.advance(89)
    assert await idle.nothing()
    await running.advance(1)
    assert await idle.closed() == 1001
    assert not kept.ws.closed


async def test_a_consumer_that_does_not_read_is_disconnected() -> None:
    async with exchange(slow_consumer_bytes=1) as running:
        socket = await running.socket()
        session = next(iter(running.simulator.truth.sessions.values()))
        session.wire.waiting = lambda: 2  # type: ignore[method-assign]  # a peer that takes nothing
        await socket.ask("subscribe", "level2", "BTC-USD")
        assert await socket.closed() == 1008


async def test_a_connection_that_takes_nothing_any_more_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CLOSING_S", 0.2)
    async with exchange(slow_consumer_bytes=100_000) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.serving.port, limit=1024)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        (session,) = running.simulator.truth.sessions.values()
        for _ in range(200):  # more than the system's buffers hold
            session.send_text(b"x" * 100_000)
        assert session.wire.waiting() > 100_000
        session.send(Message("ticker", b"", b""))
        await asyncio.sleep(0.5)
        assert session.wire.waiting() == 0
        assert not running.simulator.truth.sessions
        writer.close()


async def test_unauthenticated_messages_are_counted_and_signed_ones_are_not() -> None:
    async with exchange(limits=True, messages_per_s=2) as running:
        socket = await running.socket()
        for _ in range(3):
            await socket.ask("subscribe", "heartbeats")
        await socket.ask("subscribe", "heartbeats")
        assert [(await socket.next()).get("type") for _ in range(4)] == [None, None, None, "error"]
        assert len(await socket.subscribe("status", key=running.key)) == 2


class TestSwitches:
    async def test_the_sequence_may_be_by_product(self) -> None:
        async with exchange(sequence="product") as running:
            socket = await running.socket()
            messages = await socket.subscribe("level2", "BTC-USD")
            await level(running, "BUY", "97", "1")
            messages.append(await socket.next())
            assert [message["sequence_num"] for message in messages] == [0, 0, 1]

    async def test_the_client_id_may_be_missing_the_counter_a_text_and_the_snapshot_have_a_time(self) -> None:
        async with exchange(client_id=False, heartbeat_counter="string", snapshot_time="now") as running:
            socket = await running.socket()
            snapshot, confirmed = await socket.subscribe("level2", "BTC-USD")
            assert "client_id" not in confirmed
            assert snapshot["events"][0]["updates"][0]["event_time"] == "2026-01-01T00:00:00.000000Z"
            await socket.subscribe("heartbeats")
            await running.advance(1)
            assert (await socket.next())["events"][0]["heartbeat_counter"] == "1"

    async def test_messages_may_be_compressed(self) -> None:
        async with exchange(compression=True) as running:
            ws = await running.http.ws_connect(running.base.replace("http", "ws"), compress=15)
            assert ws.compress
            await ws.send_json({"type": "subscribe", "channel": "level2", "product_ids": ["BTC-USD"]})
            assert (await ws.receive_json(timeout=5))["channel"] == "l2_data"
            await ws.close()


async def test_pings_are_answered(running: Running) -> None:
    socket = await running.socket()
    await socket.ws.ping(b"there?")
    message = await socket.ws.receive(timeout=5)
    assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"there?")
