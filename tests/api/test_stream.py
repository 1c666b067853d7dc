"""The stream over a real connection: the server, a client that reads, real events on the bus."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.conftest import START_NS, ManualClock, MemoryGuard, log_in
from tests.api.test_system import TAPE_NS, trade
from tests.api.waiting import until
from tests.storage.samples import SECOND_NS, account, one_of_each, position, risk
from traider.api.app import create_app
from traider.api.deps import ApiDeps
from traider.api.server import ApiServer
from traider.api.sessions import LIFE_S
from traider.api.sse import MAX_CLIENTS, MAX_WAITING, Hub
from traider.api.views import fill_out, order_out, portfolio_out, risk_out
from traider.bus.memory import MemoryBus, Policy, WhenFull
from traider.domain.bus_events import ACCOUNT, MARKET, ORDERS, RISK, SYSTEM, SystemEvent
from traider.domain.order_state import apply
from traider.domain.orders import OrderFilled
from traider.storage.engine import writing

Event = tuple[str, dict[str, Any]]


@pytest.fixture
async def served(deps: ApiDeps) -> AsyncIterator[tuple[FastAPI, str]]:
    """The app on a port of its own, and its address."""
    app = create_app(deps)
    server = ApiServer(app, deps.settings)
    serving = asyncio.create_task(server.serve())
    yield app, f"http://127.0.0.1:{server.port}"
    server.stop()
    await serving


class Reader:
    """Reads a stream event by event."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self) -> Event:
        name = ""
        async for line in self._lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))
        raise StopAsyncIteration

    async def next_of(self, *names: str) -> Event:
        """The next event of one of these names."""
        while True:
            event = await self.next()
            if event[0] in names:
                return event

    async def to_the_end(self) -> None:
        async for _ in self._lines:
            pass

    async def comment(self) -> str:
        """The next comment."""
        async for line in self._lines:
            if line.startswith(":"):
                return line
        raise StopAsyncIteration


@asynccontextmanager
async def streaming(url: str, username: str = "viewer") -> AsyncIterator[tuple[Reader, httpx.AsyncClient]]:
    async with (
        asyncio.timeout(30),
        httpx.AsyncClient(base_url=url, headers={"X-Requested-With": "traider"}, timeout=30) as client,
    ):
        await log_in(client, username)
        async with client.stream("GET", "/api/streams/sse") as response:
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers["cache-control"] == "no-store"
            yield Reader(response), client


def as_json(model: Any) -> dict[str, Any]:
    dumped: dict[str, Any] = model.model_dump(mode="json")
    return dumped


async def test_how_things_stand_comes_first(served: tuple[FastAPI, str], bus: MemoryBus, guard: MemoryGuard) -> None:
    app, url = served
    await until(lambda: app.state.api.live.account is not None)
    await bus.publish(MARKET, trade(0, 100.5, size=2.0))
    await until(lambda: bool(app.state.api.live.markets()))
    async with streaming(url) as (reader, client):
        first = [await reader.next() for _ in range(4)]
        assert [name for name, _ in first] == ["system", "account", "risk", "market"]
        told = dict(first)
        assert told["system"] == (await client.get("/api/system")).json()
        assert told["account"] == as_json(portfolio_out(guard.account))
        assert told["risk"] == as_json(risk_out(guard.risk))
        tape_ms = TAPE_NS // 1_000_000
        candle = {"ts_ms": tape_ms, "open": 100.5, "high": 100.5, "low": 100.5, "close": 100.5, "volume": 2.0}
        assert told["market"] == {"symbol": "BTC-USD", "ts_ms": tape_ms, "price": 100.5, "candle": candle}


async def test_every_order_event_and_fill_comes_in_its_order(served: tuple[FastAPI, str], bus: MemoryBus) -> None:
    _, url = served
    events = one_of_each()
    orders: dict[str, Any] = {}
    expected: list[Event] = []
    for event in events:
        orders[event.client_order_id] = apply(orders.get(event.client_order_id), event)
        expected.append(("order", as_json(order_out(orders[event.client_order_id]))))
        if isinstance(event, OrderFilled):
            expected.append(("fill", as_json(fill_out(event))))
    async with streaming(url) as (reader, _):
        await reader.next_of("system")
        for event in [*events, *events[3:5]]:
            await bus.publish(ORDERS, event)
        assert [await reader.next_of("order", "fill") for _ in expected] == expected
        # What the guard pushes a second time is not told a second time.
        after = one_of_each()[0]
        await bus.publish(ORDERS, after)
        await bus.publish(ACCOUNT, account(START_NS + SECOND_NS, "7"))
        assert (await reader.next_of("order", "fill", "account"))[0] == "account"


async def test_states_are_told_when_they_change(served: tuple[FastAPI, str], bus: MemoryBus) -> None:
    _, url = served
    async with streaming(url) as (reader, _):
        await reader.next_of("risk")
        changed = account(START_NS + SECOND_NS, "1001", position())
        await bus.publish(ACCOUNT, changed)
        assert await reader.next_of("account") == ("account", as_json(portfolio_out(changed)))
        await bus.publish(RISK, risk(kill_switch=True))
        assert await reader.next_of("risk") == ("risk", as_json(risk_out(risk(kill_switch=True))))
        await bus.publish(SYSTEM, SystemEvent(ts_ns=START_NS, component="trader", state="down", detail="stopped"))
        _, system = await reader.next_of("system")
        assert system["components"] == [{"component": "trader", "state": "down", "detail": "stopped", "ts_ms": START_NS // 1_000_000}]


async def test_the_market_is_told_at_its_own_pace_whatever_comes(served: tuple[FastAPI, str], bus: MemoryBus) -> None:
    _, url = served
    async with streaming(url) as (reader, _):
        await reader.next_of("system")
        for index in range(500):
            await bus.publish(MARKET, trade(index, 100.0 + index, ts_ns=TAPE_NS + index))
        told = 0
        while True:
            _, market = await reader.next_of("market")
            told += 1
            if market["price"] == 599.0:
                break
        assert told <= 2
        assert (market["candle"]["open"], market["candle"]["volume"]) == (100.0, 500.0)


async def test_a_guard_that_is_lost_is_told(served: tuple[FastAPI, str], guard: MemoryGuard) -> None:
    _, url = served
    async with streaming(url) as (reader, _):
        assert (await reader.next_of("system"))[1]["guard_connected"] is True
        guard.connected = False
        assert (await reader.next_of("system"))[1]["guard_connected"] is False


async def test_a_quiet_stream_beats(served: tuple[FastAPI, str]) -> None:
    _, url = served
    async with streaming(url) as (reader, _):
        assert [await reader.comment() for _ in range(2)] == [": heartbeat"] * 2


@pytest.mark.parametrize("how", ["logout", "expiry"])
async def test_the_stream_ends_with_its_session(served: tuple[FastAPI, str], clock: ManualClock, how: str) -> None:
    app, url = served
    async with streaming(url) as (reader, client):
        await reader.next_of("system")
        if how == "logout":
            await client.post("/api/auth/logout")
        else:
            clock.advance(LIFE_S)
        await reader.to_the_end()
    await until(lambda: app.state.api.hub.clients == 0)


async def test_a_session_that_cannot_be_asked_for_counts_as_ended(served: tuple[FastAPI, str], engine: AsyncEngine) -> None:
    app, url = served
    async with streaming(url) as (reader, _):
        await reader.next_of("system")
        async with writing(engine) as connection:
            await connection.execute(text("DROP TABLE revoked_sessions"))
        await reader.to_the_end()
    await until(lambda: app.state.api.hub.clients == 0)


async def test_a_client_that_leaves_is_forgotten(served: tuple[FastAPI, str]) -> None:
    app, url = served
    async with streaming(url) as (reader, _):
        await reader.next_of("system")
        assert app.state.api.hub.clients == 1
    await until(lambda: app.state.api.hub.clients == 0)


async def test_without_a_session_there_is_no_stream(served: tuple[FastAPI, str]) -> None:
    _, url = served
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/api/streams/sse")).status_code == 401


class TestFallingBehind:
    """The app's own subscription is too short for what comes at once."""

    @pytest.fixture
    def bus(self) -> MemoryBus:
        short = {topic: Policy(4, WhenFull.END) for topic in (MARKET, ORDERS, ACCOUNT, RISK, SYSTEM)}
        return MemoryBus(short)

    async def test_clients_must_connect_again_and_the_guard_is_asked_again(
        self, served: tuple[FastAPI, str], bus: MemoryBus, guard: MemoryGuard
    ) -> None:
        app, url = served
        async with streaming(url) as (reader, _):
            await reader.next_of("risk")
            guard.account = account(START_NS + SECOND_NS, "4711")
            for event in one_of_each():
                await bus.publish(ORDERS, event)
            await reader.to_the_end()
        await until(lambda: app.state.api.live.account == guard.account)
        assert app.state.api.pump.running


async def test_a_client_that_does_not_read_is_let_go(served: tuple[FastAPI, str]) -> None:
    app, url = served
    hub: Hub = app.state.api.hub
    order = as_json_order()
    async with streaming(url) as (reader, _):
        await reader.next_of("system")
        # No await in between: the client's task has no chance to read, as one whose connection is stuck has none.
        for _ in range(MAX_WAITING + 1):
            hub.tell("order", order)
        await reader.to_the_end()
    await until(lambda: hub.clients == 0)


def as_json_order() -> Any:
    return order_out(apply(None, one_of_each()[0]))


async def test_there_are_only_so_many_streams(app: FastAPI, viewer: httpx.AsyncClient) -> None:
    hub: Hub = app.state.api.hub
    session = await app.state.api.sessions.login("viewer", "correct horse", client="test")
    streams = [hub.stream(session[0]) for _ in range(MAX_CLIENTS)]
    for stream in streams:
        await anext(stream)
    answer = await viewer.get("/api/streams/sse")
    assert (answer.status_code, answer.json()) == (503, {"detail": f"there are {MAX_CLIENTS} streams already"})
    hub.close()
    assert (await viewer.get("/api/streams/sse")).json() == {"detail": "the stream is closing"}
    for stream in streams:
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    assert hub.clients == 0
