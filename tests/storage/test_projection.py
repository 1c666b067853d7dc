from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.storage.samples import (
    SECOND_NS,
    START_NS,
    SYMBOL,
    accepted,
    account,
    filled,
    one_of_each,
    position,
    request,
    risk,
    submitted,
)
from traider.domain.errors import StoreError
from traider.domain.order_state import Order, apply
from traider.domain.orders import AnyOrderEvent, OrderFilled, OrderUnknown
from traider.domain.vocabulary import OrderStatus
from traider.storage.engine import reading
from traider.storage.models import PROJECTED, AuditRow, DailyPnl, EquityPoint, Exposure, TradeExecution
from traider.storage.projection import FINE_MINUTES, Projection
from traider.storage.repository import NumberedOrder, Repository


@pytest.fixture
async def projection(url: str) -> AsyncIterator[Projection]:
    made = Projection(url)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def repository(engine: AsyncEngine) -> Repository:
    return Repository(engine)


async def contents(engine: AsyncEngine) -> dict[str, list[Any]]:
    """Every projected row of the store."""
    async with reading(engine) as connection:
        return {
            model.__tablename__: [
                tuple(row) for row in await connection.execute(select(model.__table__).order_by(*model.__table__.primary_key))
            ]
            for model in PROJECTED
        }


def folded(events: list[AnyOrderEvent]) -> dict[str, Order]:
    orders: dict[str, Order] = {}
    for event in events:
        orders[event.client_order_id] = apply(orders.get(event.client_order_id), event)
    return orders


async def test_an_empty_store_contains_nothing_of_the_journal(projection: Projection, repository: Repository) -> None:
    assert await projection.last_n() == 0
    assert await repository.account() is None
    assert await repository.risk() is None
    assert await repository.orders(open_only=False, limit=10) == []


async def test_orders_and_fills_are_what_their_events_say(projection: Projection, repository: Repository) -> None:
    events = one_of_each()
    await projection.apply(events, None, None)
    assert await projection.last_n() == len(events)
    expected = folded(events)
    first_n = {"a": 1, "b": 4, "c": 9, "d": 10}
    newest_first = [NumberedOrder(first_n=first_n[name], order=expected[name]) for name in "dcba"]
    assert await repository.orders(open_only=False, limit=10) == newest_first
    assert await repository.orders(open_only=True, limit=10) == newest_first[:1]
    assert await repository.orders(open_only=False, limit=2) == newest_first[:2]
    fills = [event for event in events if isinstance(event, OrderFilled)]
    assert await repository.fills(10) == fills[::-1]
    assert await repository.fills(1) == fills[-1:]
    assert await repository.order("b") == newest_first[2]
    assert await repository.order("unheard of") is None


async def test_one_by_one_gives_what_all_at_once_gives(projection: Projection, engine: AsyncEngine) -> None:
    events = one_of_each()
    await projection.apply(events, None, None)
    at_once = await contents(engine)
    await projection.reset()
    for event in events:
        await projection.apply([event], None, None)
    assert await contents(engine) == at_once


async def test_applying_twice_is_applying_once(projection: Projection, engine: AsyncEngine) -> None:
    events = one_of_each()
    states = account(START_NS, "1000.5", position()), risk()
    await projection.apply(events, *states)
    once = await contents(engine)
    await projection.apply(events, *states)
    await projection.apply(events[4:], None, None)
    assert await contents(engine) == once


async def test_a_batch_that_overlaps_what_is_stored_adds_the_rest(projection: Projection, engine: AsyncEngine) -> None:
    events = one_of_each()
    await projection.apply(events, None, None)
    whole = await contents(engine)
    await projection.reset()
    await projection.apply(events[:7], None, None)
    await projection.apply(events[3:], None, None)
    assert await contents(engine) == whole


async def test_rebuilding_leaves_the_audit_log_alone(projection: Projection, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(insert(AuditRow), [{"ts_ns": 1, "who": "owner", "action": "login", "detail": ""}])
    await projection.apply(one_of_each(), account(START_NS, "1", position()), risk())
    await projection.reset()
    assert await projection.last_n() == 0
    assert set(map(len, (await contents(engine)).values())) == {0}
    async with reading(engine) as connection:
        assert await connection.scalar(select(func.count()).select_from(AuditRow)) == 1


async def test_an_event_without_a_number_is_not_of_the_journal(projection: Projection, repository: Repository) -> None:
    order = request("a")
    await projection.apply([submitted(0, order)], None, None)
    assert await projection.last_n() == 0
    assert await repository.order("a") is None


async def test_an_event_that_cannot_be_is_told_and_nothing_of_its_batch_is_stored(projection: Projection, engine: AsyncEngine) -> None:
    before = await contents(engine)
    with pytest.raises(StoreError, match=r"rebuild it: order b"):
        await projection.apply([submitted(1, request("a")), accepted(2, request("b"))], account(), risk())
    assert await contents(engine) == before


async def test_an_unknown_order_stays_open(projection: Projection, repository: Repository) -> None:
    order = request("a")
    lost = OrderUnknown(n=2, ts_ns=START_NS, client_order_id="a", detail="no answer")
    await projection.apply([submitted(1, order), lost], None, None)
    (stored,) = await repository.orders(open_only=True, limit=10)
    assert (stored.order.status, stored.order.detail) == (OrderStatus.UNKNOWN, "no answer")


async def test_eighteen_digits_on_both_sides_of_the_point_stay_exact(projection: Projection, repository: Repository) -> None:
    size, price = "123456789012345678.123456789012345678", "987654321098765432.000000000000000001"
    order = request("a", size)
    await projection.apply([submitted(1, order), accepted(2, order), filled(3, order, price, size, "0.000000000000000001")], None, None)
    found = await repository.order("a")
    assert found is not None
    stored = found.order
    digits = int(size.replace(".", "")) * int(price.replace(".", ""))
    assert stored.notional == Decimal(f"{digits}E-36")
    assert (stored.filled_size, stored.request.size, stored.fees) == (Decimal(size), Decimal(size), Decimal("0.000000000000000001"))
    (fill,) = await repository.fills(1)
    assert (fill.price, fill.size) == (Decimal(price), Decimal(size))


async def test_a_long_batch_is_stored_whole(projection: Projection, repository: Repository) -> None:
    orders = [request(f"order-{number:05}") for number in range(1200)]
    events: list[AnyOrderEvent] = []
    for order in orders:
        n = len(events)
        events += [submitted(n + 1, order), accepted(n + 2, order), filled(n + 3, order, "100", "1")]
    await projection.apply(events, None, None)
    assert [found.order for found in await repository.orders(open_only=False, limit=5000)] == [*reversed(folded(events).values())]
    assert len(await repository.fills(5000)) == len(orders)


async def test_the_account_is_read_as_it_was_stored(projection: Projection, repository: Repository, engine: AsyncEngine) -> None:
    first = account(START_NS, "1000.5", position("BTC-USD"), position("ETH-USD", "-2"))
    await projection.apply([], first, None)
    assert await repository.account() == first
    second = account(START_NS + SECOND_NS, "990", position("BTC-USD", "3"))
    await projection.apply([], second, None)
    assert await repository.account() == second
    async with reading(engine) as connection:
        exposures = {row.scope: (row.net, row.gross) for row in await connection.execute(select(Exposure.__table__))}
    notional = Decimal(102 * 3)
    assert exposures == {"BTC-USD": (notional, notional), "TOTAL": (notional, notional)}


async def test_before_the_first_market_event_the_account_has_no_history(projection: Projection, repository: Repository) -> None:
    await projection.apply([], account(0, "1000"), None)
    assert await repository.equity(10) == []
    assert await repository.account() is None


async def test_daily_pnl_has_a_row_for_each_utc_day(projection: Projection, engine: AsyncEngine) -> None:
    midnight = 1_700_006_400 * SECOND_NS  # 2023-11-15T00:00:00Z
    for ts_ns in (midnight - SECOND_NS, midnight - 1, midnight):
        await projection.apply([], account(ts_ns), None)
    async with reading(engine) as connection:
        days = (await connection.execute(select(DailyPnl.day, DailyPnl.ts_ns).order_by(DailyPnl.day))).all()
    assert [tuple(day) for day in days] == [("2023-11-14", midnight - 1), ("2023-11-15", midnight)]


async def test_risk_is_read_as_it_was_stored(projection: Projection, repository: Repository) -> None:
    for state in (risk(), risk(kill_switch=True, open_orders=3)):
        await projection.apply([], None, state)
        assert await repository.risk() == state


async def test_old_seconds_of_the_equity_are_thinned_to_minutes(projection: Projection, engine: AsyncEngine) -> None:
    start_s = START_NS // SECOND_NS
    minutes = FINE_MINUTES + 3
    step_s = 20
    seconds = range(start_s, start_s + minutes * 60, step_s)
    for second in seconds:
        await projection.apply([], account(second * SECOND_NS), None)
    fine_from = start_s + (minutes - 1 - FINE_MINUTES) * 60
    expected = [second for second in seconds if second >= fine_from or second % 60 == 60 - step_s]
    async with reading(engine) as connection:
        stored = [row.second for row in await connection.execute(select(EquityPoint.second).order_by(EquityPoint.second))]
    assert stored == expected


async def test_equity_is_read_newest_points_oldest_first(projection: Projection, repository: Repository) -> None:
    for number in range(3):
        await projection.apply([], account(START_NS + number * SECOND_NS, str(1000 + number)), None)
    # The same second again: the later state stands.
    await projection.apply([], account(START_NS + 2 * SECOND_NS + 7, "1009"), None)
    points = await repository.equity(2)
    assert [(point.ts_ns, point.equity) for point in points] == [
        (START_NS + SECOND_NS, Decimal(1001)),
        (START_NS + 2 * SECOND_NS + 7, Decimal(1009)),
    ]


async def test_fills_belong_to_orders(projection: Projection, engine: AsyncEngine) -> None:
    await projection.apply(one_of_each(), None, None)
    async with reading(engine) as connection:
        rows = await connection.execute(select(TradeExecution.symbol, TradeExecution.client_order_id).order_by(TradeExecution.n))
    assert [tuple(row) for row in rows] == [(SYMBOL, "a"), (SYMBOL, "b"), (SYMBOL, "b")]


async def test_a_store_that_was_never_migrated_is_told(store_url: str) -> None:
    projection = Projection(store_url)
    with pytest.raises(StoreError, match="journal_position"):
        await projection.open()
    await projection.close()
