import asyncio
from decimal import Decimal

import httpx
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.conftest import START_NS, MemoryGuard
from tests.storage.samples import SECOND_NS, account, one_of_each, position, risk
from tests.storage.samples import START_NS as EVENTS_NS
from traider.api.views import order_out
from traider.bus.memory import MemoryBus
from traider.domain.bus_events import ACCOUNT, ORDERS, RISK
from traider.domain.order_state import Order, apply
from traider.domain.orders import AnyOrderEvent, OrderFilled
from traider.domain.state import ClosedGate, UnknownOrder
from traider.storage.engine import writing
from traider.storage.projection import Projection


def folded(events: list[AnyOrderEvent]) -> dict[str, Order]:
    orders: dict[str, Order] = {}
    for event in events:
        orders[event.client_order_id] = apply(orders.get(event.client_order_id), event)
    return orders


async def test_the_portfolio_is_what_the_guard_told_last(viewer: httpx.AsyncClient, bus: MemoryBus) -> None:
    told = account(START_NS, "1234.000000000000000001", position("BTC-USD"), position("ETH-USD", "-0.5", "1E+2"))
    await bus.publish(ACCOUNT, told)
    await until_portfolio(viewer, START_NS // 1_000_000)
    answer = (await viewer.get("/api/portfolio")).json()
    assert answer["equity"] == "1234.000000000000000001"
    assert (answer["currency"], answer["cash"], answer["daily_pnl"], answer["drawdown"]) == ("USD", "898.5", "-12.5", "0.0904")
    assert answer["high_water_mark"] == "1100"
    assert Decimal(answer["gross_exposure"]) == told.gross_exposure
    assert answer["positions"][1] == {
        "symbol": "ETH-USD",
        "size": "-0.5",
        "average_price": "101.5",
        "mark_price": "100",
        "realized_pnl": "3.25",
        "unrealized_pnl": "0.75",
        "fees": "0.3",
        "notional": "-50",
    }


async def until_portfolio(client: httpx.AsyncClient, ts_ms: int) -> None:
    for _ in range(1000):
        answer = await client.get("/api/portfolio")
        if answer.status_code == 200 and answer.json()["ts_ms"] == ts_ms:
            return
    pytest.fail("the portfolio did not change")


async def test_at_the_start_the_guard_is_asked(viewer: httpx.AsyncClient, guard: MemoryGuard) -> None:
    await until_portfolio(viewer, guard.account.ts_ns // 1_000_000)
    assert (await viewer.get("/api/portfolio")).json()["equity"] == str(guard.account.equity)


class TestGuardAway:
    """The guard can't be asked from the start."""

    @pytest.fixture
    def guard(self, bus: MemoryBus) -> MemoryGuard:
        away = MemoryGuard(bus)
        away.connected = False
        return away

    async def test_before_anything_is_known_it_says_so(self, viewer: httpx.AsyncClient) -> None:
        for path in ("/api/portfolio", "/api/risk"):
            answer = await viewer.get(path)
            assert answer.status_code == 503
            assert answer.json()["detail"].startswith("the guard has not told of the ")

    async def test_what_was_stored_is_shown(self, viewer: httpx.AsyncClient, projection: Projection) -> None:
        await projection.apply([], account(START_NS, "77.5", position()), risk(kill_switch=True))
        assert (await viewer.get("/api/portfolio")).json()["equity"] == "77.5"
        assert (await viewer.get("/api/risk")).json()["kill_switch"] is True

    async def test_what_the_bus_tells_goes_before_what_is_stored(
        self, viewer: httpx.AsyncClient, projection: Projection, bus: MemoryBus
    ) -> None:
        await projection.apply([], account(START_NS, "77.5"), risk())
        await bus.publish(ACCOUNT, account(START_NS + SECOND_NS, "78"))
        await bus.publish(RISK, risk(kill_switch=True))
        await until_portfolio(viewer, (START_NS + SECOND_NS) // 1_000_000)
        assert (await viewer.get("/api/portfolio")).json()["equity"] == "78"
        assert (await viewer.get("/api/risk")).json()["kill_by"] == "owner"


async def test_every_limit_is_told_with_its_use_and_head_room(viewer: httpx.AsyncClient) -> None:
    assert (await viewer.get("/api/risk")).json() == {
        "kill_switch": False,
        "kill_reason": "",
        "kill_by": "",
        "kill_ts_ms": None,
        "allowed_markets": ["BTC-USD"],
        "limits": [
            {"name": "max_open_orders", "label": "open orders", "limit": "5", "used": "1", "headroom": "4", "unit": "orders"},
            {"name": "max_daily_loss", "label": "daily loss", "limit": None, "used": "12.5", "headroom": None, "unit": "USD"},
        ],
        "gates": [],
        "unknown_orders": [],
        "reconciled_ts_ms": None,
    }


async def test_closed_gates_and_unknown_orders_are_told_with_everything_that_is_known_of_them(
    viewer: httpx.AsyncClient, bus: MemoryBus
) -> None:
    gate = ClosedGate(gate="market data", symbol="BTC-USD", detail="a gap", since_ns=START_NS, opens="by itself, with the next price")
    order = UnknownOrder(client_order_id="s2-1-0", since_ns=START_NS + SECOND_NS, detail="no answer", doing="the exchange is asked")
    await bus.publish(RISK, msgspec.structs.replace(risk(), closed=(gate,), unresolved=(order,), reconciled_ns=START_NS))

    async with asyncio.timeout(10):
        while not (answer := (await viewer.get("/api/risk")).json())["gates"]:
            pass
    start_ms = START_NS // 1_000_000
    assert answer["gates"] == [
        {"gate": "market data", "symbol": "BTC-USD", "detail": "a gap", "since_ms": start_ms, "opens": "by itself, with the next price"}
    ]
    assert answer["unknown_orders"] == [
        {"client_order_id": "s2-1-0", "since_ms": start_ms + 1000, "detail": "no answer", "doing": "the exchange is asked"}
    ]
    assert answer["reconciled_ts_ms"] == start_ms


async def test_equity_is_told_oldest_first(viewer: httpx.AsyncClient, projection: Projection) -> None:
    for number in range(3):
        await projection.apply([], account(START_NS + number * SECOND_NS, str(1000 + number)), None)
    answer = await viewer.get("/api/portfolio/equity", params={"limit": 2})
    start_ms = START_NS // 1_000_000
    assert answer.json() == [
        {"ts_ms": start_ms + 1000, "equity": "1001", "drawdown": "0.0904"},
        {"ts_ms": start_ms + 2000, "equity": "1002", "drawdown": "0.0904"},
    ]


@pytest.mark.parametrize("stored", [0, 3, 8, 11])
async def test_orders_and_fills_are_complete_wherever_the_store_stands(
    viewer: httpx.AsyncClient, bus: MemoryBus, projection: Projection, stored: int
) -> None:
    events = one_of_each()
    await projection.apply(events[:stored], None, None)
    for event in events:
        await bus.publish(ORDERS, event)
    expected = folded(events)
    newest_first = [order_out(expected[name]).model_dump(mode="json") for name in "dcba"]

    async def told(path: str, **params: str | int) -> list[dict[str, object]]:
        answer: list[dict[str, object]] = (await viewer.get(path, params=params)).json()
        return answer

    for _ in range(1000):
        if await told("/api/orders", status="all") == newest_first:
            break
    assert await told("/api/orders", status="all") == newest_first
    assert await told("/api/orders", status="all", limit=2) == newest_first[:2]
    assert await told("/api/orders") == newest_first[:1]
    fills = [event for event in events if isinstance(event, OrderFilled)][::-1]
    assert [fill["trade_id"] for fill in await told("/api/fills")] == [fill.trade_id for fill in fills]
    assert len(await told("/api/fills", limit=1)) == 1


async def test_an_order_and_a_fill_have_the_shape_of_the_contract(viewer: httpx.AsyncClient, projection: Projection) -> None:
    await projection.apply(one_of_each(), None, None)
    orders = {order["client_order_id"]: order for order in (await viewer.get("/api/orders", params={"status": "all"})).json()}
    events_ms = EVENTS_NS // 1_000_000
    assert orders["b"] == {
        "client_order_id": "b",
        "symbol": "BTC-USD",
        "side": "buy",
        "type": "limit",
        "time_in_force": "gtc",
        "post_only": False,
        "size": "3",
        "limit_price": "100",
        "stop_price": None,
        "status": "cancelled",
        "filled_size": "2",
        "average_price": "99.75",
        "fees": "0.2",
        "reason": "cancelled on request",
        "detail": "",
        "created_ts_ms": events_ms,
        "updated_ts_ms": events_ms,
        "strategy": "sma_cross",
    }
    assert (orders["c"]["status"], orders["c"]["reason"], orders["c"]["average_price"]) == ("rejected", "kill switch is on", None)
    assert (orders["d"]["side"], orders["d"]["status"], orders["d"]["reason"]) == ("sell", "open", None)
    fills = (await viewer.get("/api/fills")).json()
    assert fills[-1] == {
        "trade_id": "t3",
        "client_order_id": "a",
        "symbol": "BTC-USD",
        "side": "buy",
        "price": "101.5",
        "size": "1",
        "fee": "0.1",
        "liquidity": "taker",
        "ts_ms": events_ms,
    }


@pytest.mark.parametrize(
    "path", ["/api/orders?limit=0", "/api/orders?status=some", "/api/fills?limit=many", "/api/portfolio/equity?limit=10001"]
)
async def test_a_parameter_out_of_range_is_told_in_one_sentence(viewer: httpx.AsyncClient, path: str) -> None:
    answer = await viewer.get(path)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(("limit: ", "status: "))


async def test_a_store_that_does_not_answer_is_told(viewer: httpx.AsyncClient, engine: AsyncEngine) -> None:
    async with writing(engine) as connection:
        await connection.execute(text("DROP TABLE trade_executions"))
    answer = await viewer.get("/api/fills")
    assert answer.status_code == 503
    assert "trade_executions" in answer.json()["detail"]
