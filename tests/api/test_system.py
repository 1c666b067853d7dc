import httpx
import msgspec
import pytest
from fastapi import FastAPI

from tests.api.conftest import START_NS, ManualClock, MemoryGuard
from tests.api.waiting import until
from traider.bus.memory import MemoryBus
from traider.domain.bus_events import MARKET, RISK, SYSTEM, SystemEvent
from traider.domain.guard_protocol import MarketEvent
from traider.domain.vocabulary import BAR_MADE, EventKind

SECOND_NS = 1_000_000_000
# The market's own time has nothing to do with the clock: this is a replay.
TAPE_NS = 1_500_000_000 * SECOND_NS


def trade(index: int, price: float, *, size: float = 1.0, ts_ns: int = TAPE_NS, symbol: str = "BTC-USD") -> MarketEvent:
    return MarketEvent(index=index, kind=EventKind.TRADE, symbol=symbol, ts_ns=ts_ns, a=price, b=size, c=1.0)


def bar(index: int, prices: tuple[float, float, float, float], volume: float, minute: int) -> MarketEvent:
    opened, high, low, close = prices
    start_ns = TAPE_NS + minute * 60 * SECOND_NS
    return MarketEvent(index=index, kind=EventKind.BAR, symbol="BTC-USD", ts_ns=start_ns, a=opened, b=high, c=low, d=close, e=volume)


async def told(app: FastAPI, bus: MemoryBus, *events: MarketEvent) -> None:
    """Returns when the app has seen the events."""
    for event in events:
        await bus.publish(MARKET, event)
    last_ms = events[-1].ts_ns // 1_000_000
    live = app.state.api.live
    await until(lambda: any(market.ts_ms == last_ms for market in live.markets()))


async def test_the_process_is_alive(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_it_is_ready_when_the_market_has_come(anyone: httpx.AsyncClient, app: FastAPI, bus: MemoryBus, clock: ManualClock) -> None:
    answer = await anyone.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "reasons": ["no market data yet"]})
    await told(app, bus, trade(0, 100.0))
    answer = await anyone.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})
    clock.advance(30.5)
    answer = await anyone.get("/readyz")
    assert answer.json() == {"ready": False, "reasons": ["market data is stale: the last event came 30.5 s ago"]}


async def test_it_is_not_ready_while_a_part_is_not_well(anyone: httpx.AsyncClient, app: FastAPI, bus: MemoryBus) -> None:
    closed = SystemEvent(ts_ns=START_NS, component="trader", state="degraded", detail="the guard refuses: the gate is closed")
    await bus.publish(SYSTEM, closed)
    await told(app, bus, trade(0, 100.0))
    answer = await anyone.get("/readyz")
    assert answer.json() == {"ready": False, "reasons": ["trader is degraded: the guard refuses: the gate is closed"]}
    await bus.publish(SYSTEM, SystemEvent(ts_ns=START_NS, component="trader", state="up", detail="connected to the guard"))
    await told(app, bus, trade(1, 100.0, ts_ns=TAPE_NS + SECOND_NS))
    assert (await anyone.get("/readyz")).status_code == 200


async def test_it_is_not_ready_without_guard_store_and_live_view(app: FastAPI, anyone: httpx.AsyncClient, guard: MemoryGuard) -> None:
    guard.connected = False
    app.state.api.pump.running = False
    await app.state.api.deps.access.user("owner")
    reasons = (await anyone.get("/readyz")).json()["reasons"]
    assert [reason.split(":")[0] for reason in reasons] == ["the guard is not connected", "no market data yet", "the live view has stopped"]


async def test_the_system_tells_what_runs_and_how_its_parts_are(
    viewer: httpx.AsyncClient, app: FastAPI, bus: MemoryBus, clock: ManualClock
) -> None:
    for state, detail in (("up", ""), ("degraded", "two events behind")):
        await bus.publish(SYSTEM, SystemEvent(ts_ns=START_NS, component="trader", state=state, detail=detail))
    await told(app, bus, trade(0, 100.0))
    clock.advance(1.5)
    start_ms = START_NS // 1_000_000
    assert (await viewer.get("/api/system")).json() == {
        "version": "1.2.3",
        "mode": "paper",
        "venue": "paper venue",
        "strategy": "sma_cross",
        "params": {"fast": 20, "slow": 50},
        "symbol": "BTC-USD",
        "source": "replay of a file",
        "started_ts_ms": start_ms,
        "guard_connected": True,
        "market_age_ms": 1500,
        "market_stale": False,
        "components": [{"component": "trader", "state": "degraded", "detail": "two events behind", "ts_ms": start_ms}],
    }


async def test_trades_become_candles_of_one_second(viewer: httpx.AsyncClient, app: FastAPI, bus: MemoryBus) -> None:
    half_ns = SECOND_NS // 2
    await told(
        app,
        bus,
        trade(0, 100.0, size=1.0, ts_ns=TAPE_NS + half_ns),
        trade(1, 102.0, size=2.0, ts_ns=TAPE_NS + half_ns),
        trade(2, 99.0, size=0.5, ts_ns=TAPE_NS + half_ns + 1),
        trade(3, 101.0, size=4.0, ts_ns=TAPE_NS + 3 * SECOND_NS),
    )
    tape_ms = TAPE_NS // 1_000_000
    candles = [
        {"ts_ms": tape_ms, "open": 100.0, "high": 102.0, "low": 99.0, "close": 99.0, "volume": 3.5},
        {"ts_ms": tape_ms + 3000, "open": 101.0, "high": 101.0, "low": 101.0, "close": 101.0, "volume": 4.0},
    ]
    assert (await viewer.get("/api/market/candles")).json() == candles
    assert (await viewer.get("/api/market/candles", params={"symbol": "BTC-USD", "limit": 1})).json() == candles[1:]
    assert (await viewer.get("/api/market/candles", params={"symbol": "ETH-USD"})).json() == []


async def test_bars_are_their_own_candles(viewer: httpx.AsyncClient, app: FastAPI, bus: MemoryBus) -> None:
    first, second = (10.0, 12.0, 9.0, 11.0), (11.0, 11.5, 10.5, 10.75)
    await told(app, bus, bar(0, first, 5.0, minute=0), bar(1, second, 6.0, minute=1))
    tape_ms = TAPE_NS // 1_000_000
    assert (await viewer.get("/api/market/candles")).json() == [
        {"ts_ms": tape_ms, "open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 5.0},
        {"ts_ms": tape_ms + 60_000, "open": 11.0, "high": 11.5, "low": 10.5, "close": 10.75, "volume": 6.0},
    ]


@pytest.mark.parametrize("path", ["/api/nothing", "/api/", "/api/orders/7"])
async def test_an_unknown_path_of_the_api_is_told_as_json(viewer: httpx.AsyncClient, path: str) -> None:
    answer = await viewer.get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "there is no such path in this API"})


async def test_a_wrong_method_is_told_as_json(viewer: httpx.AsyncClient) -> None:
    answer = await viewer.post("/api/orders")
    assert answer.status_code == 405
    assert "detail" in answer.json()


async def test_a_closed_gate_of_the_guard_is_why_it_is_not_ready(
    anyone: httpx.AsyncClient, app: FastAPI, bus: MemoryBus, guard: MemoryGuard
) -> None:
    guard.risk = msgspec.structs.replace(guard.risk, gates=("start: the exchange was not asked yet",))
    await bus.publish(RISK, guard.risk)
    await told(app, bus, trade(0, 100.0))
    reasons = (await anyone.get("/readyz")).json()["reasons"]
    assert reasons == ["the guard's gate is closed: start: the exchange was not asked yet"]


async def test_a_made_bar_and_the_rows_of_a_book_say_nothing_that_the_trades_do_not(
    viewer: httpx.AsyncClient, app: FastAPI, bus: MemoryBus
) -> None:
    made = msgspec.structs.replace(bar(1, (1.0, 1.0, 1.0, 1.0), 9.0, 0), flags=BAR_MADE)
    row = MarketEvent(index=2, kind=EventKind.DEPTH, symbol="BTC-USD", ts_ns=TAPE_NS, a=5.0, b=1.0, c=1.0)
    quote = MarketEvent(index=3, kind=EventKind.QUOTE, symbol="BTC-USD", ts_ns=TAPE_NS, a=6.0, b=1.0, c=8.0, d=1.0)
    await told(app, bus, trade(0, 100.0), made, row, quote, trade(4, 101.0, ts_ns=TAPE_NS + SECOND_NS // 2))
    (candle,) = (await viewer.get("/api/market/candles")).json()
    assert (candle["low"], candle["close"], candle["volume"]) == (100.0, 101.0, 2.0)


async def test_where_there_are_no_trades_the_middle_of_the_quotes_is_the_price(
    viewer: httpx.AsyncClient, app: FastAPI, bus: MemoryBus
) -> None:
    quote = MarketEvent(index=0, kind=EventKind.QUOTE, symbol="BTC-USD", ts_ns=TAPE_NS, a=6.0, b=1.0, c=8.0, d=2.0)
    await told(app, bus, quote)
    (candle,) = (await viewer.get("/api/market/candles")).json()
    assert (candle["close"], candle["volume"]) == (7.0, 0.0)
