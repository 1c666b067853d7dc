"""The guard's process, the Coinbase client and the simulated exchange: over real sockets, with faults, against the exchange's truth."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.exchange.running import Running, exchange
from tests.services.support import until
from tests.services.test_live_guard import Ear
from traider.connectors.coinbase.build import Options, coinbase_venue
from traider.connectors.coinbase.config import Addresses
from traider.connectors.coinbase.credentials import read_key_file
from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderFilled, OrderRequest
from traider.domain.vocabulary import EventKind, OrderType, Side
from traider.guard.books import GuardConfig
from traider.guard.client import GuardClient
from traider.guard.journal import entries, verify
from traider.guard.place import JOURNAL, find_guard
from traider.runtime.clock import SystemClock
from traider.services.guard import GuardOptions, run_guard

BTC = Instrument(symbol="BTC-USD", base="BTC", quote="USD", price_increment=Decimal(1), size_increment=Decimal("0.001"))


@asynccontextmanager
async def guarding(folder: Path, running: Running) -> AsyncIterator[tuple[GuardClient, Ear]]:
    """A trader at a guard whose gates are open."""
    key_file = await asyncio.to_thread(_prepared, folder, running.key)
    base = running.base
    socket = base.replace("http", "ws")
    options = Options(addresses=Addresses(rest_url=base, market_url=socket, user_urls=(socket,)))
    guard = GuardOptions(
        state_dir=folder,
        store_url=f"sqlite:///{folder / 'store.sqlite3'}",
        config=GuardConfig(instruments=(BTC,), limits=RiskLimits(max_gross_exposure=Decimal(10_000_000)), cash=0.0),
    )
    key = read_key_file(key_file)
    process = asyncio.create_task(run_guard(guard, SystemClock(), lambda: coinbase_venue(key, SystemClock(), options)))
    await until(lambda: process.done() or (folder / "guard.endpoint").exists())
    ear = Ear()
    client = await GuardClient.connect(*find_guard(folder), ear, role="trader", client="t", session="s")
    index = (await client.snapshot()).last_index + 1
    await client.feed([MarketEvent(index=index, kind=EventKind.TRADE, symbol="BTC-USD", ts_ns=SystemClock().now_ns(), a=100.0, b=1.0)])
    await until(lambda: ear.gates == ())
    try:
        yield client, ear
    finally:
        client.close()
        (folder / "guard.endpoint").unlink()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(process, 20)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange(virtual=False) as running:
        yield running


def _prepared(folder: Path, key: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "key.json"
    path.write_text(json.dumps(key))
    return path


def order(identifier: str, price: int | None = None, size: str = "0.5", side: Side = Side.BUY) -> OrderRequest:
    return OrderRequest(
        client_order_id=identifier,
        symbol="BTC-USD",
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        size=Decimal(size),
        limit_price=None if price is None else Decimal(price),
    )


async def check(folder: Path, running: Running) -> None:
    """I1 and I2 against what the exchange says really happened; I4 is what the balance gate of the guard checks."""
    truth = (await running.control("GET", "/truth?account=alice")).json()
    booked = [entry.record for entry in entries(folder / JOURNAL) if isinstance(entry.record, OrderFilled)]
    assert sorted((fill.trade_id, fill.price, fill.size, fill.fee) for fill in booked) == sorted(
        (fill["trade_id"], Decimal(fill["price"]), Decimal(fill["size"]), Decimal(fill["commission"])) for fill in truth["fills"]
    ), "I1"
    ids = [made["client_order_id"] for made in truth["orders"]]
    assert len(ids) == len(set(ids)), "I2"
    sent = [request for request in truth["requests"] if request["method"] == "POST" and request["path"].endswith("/orders")]
    assert len({request["body"] for request in sent}) == len(sent), "I2: nothing is sent twice"
    assert verify(folder / JOURNAL).end_proven


async def position(client: GuardClient) -> Decimal:
    return sum((held.size for held in (await client.snapshot()).account.positions), Decimal(0))


async def test_an_order_from_intent_to_fill_amendment_and_cancel(tmp_path: Path, running: Running) -> None:
    async with guarding(tmp_path / "state", running) as (client, ear):
        before = await position(client)
        await client.submit([order("a", 90), order("m")])
        await until(lambda: "m filled" in ear.events and "a accepted" in ear.events)
        assert await position(client) - before == Decimal("0.5")
        await client.amend("a", size=Decimal("0.7"), limit_price=Decimal(91))
        await until(lambda: "a amended" in ear.events)
        await client.cancel(["a"])
        await until(lambda: "a cancelled" in ear.events)
        await check(tmp_path / "state", running)


async def test_an_answer_that_is_lost_is_found_and_a_socket_that_is_closed_opens_the_gates_again(tmp_path: Path, running: Running) -> None:
    async with guarding(tmp_path / "state", running) as (client, ear):
        await running.fault(match={"method": "POST", "path": "/orders"}, do="drop_reply", when="after_apply")
        await client.submit([order("a", 90)])
        await until(lambda: "a accepted" in ear.events)
        assert ear.events[:2] == ["a submitted", "a unknown"]
        await running.fault(do="ws.close", code=1000)
        await until(lambda: any("stream" in gate for gate in ear.gates))
        await until(lambda: ear.gates == ())
        await check(tmp_path / "state", running)


async def test_the_guard_starts_again_and_finds_what_happened_meanwhile(tmp_path: Path, running: Running) -> None:
    state_dir = tmp_path / "state"
    async with guarding(state_dir, running) as (client, ear):
        await client.submit([order("a", 99)])
        await until(lambda: "a accepted" in ear.events)
        before = await position(client)
    elsewhere: dict[str, Any] = running.order_body("SELL", "98", "4") | {"account": "bob"}
    running.add_account("bob")
    assert (await running.control("POST", "/orders", elsewhere)).status == 200
    async with guarding(state_dir, running) as (client, ear):
        assert await position(client) - before == Decimal("0.5")
        assert (await client.snapshot()).open_orders == ()
        await check(state_dir, running)


async def test_the_kill_switch_reads_back_an_empty_list(tmp_path: Path, running: Running) -> None:
    async with guarding(tmp_path / "state", running) as (client, ear):
        await client.submit([order(f"o{i}", 80 + i) for i in range(5)])
        await until(lambda: sum(event.endswith("accepted") for event in ear.events) == 5)
        await running.place("BUY", "70", "0.1")
        await client.set_kill_switch(on=True, reason="enough", by="owner")
        await until(lambda: sum(event.endswith("cancelled") for event in ear.events) == 6)
        assert (await running.get("/orders/historical/batch?order_status=OPEN"))["orders"] == []
        await check(tmp_path / "state", running)
