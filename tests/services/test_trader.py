"""The trader in lock step with a guard, and what is left of that when one of the two dies."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from tests.services.strategies import Restless
from tests.services.support import BTC, Place, bars_plan, everything, fills
from traider.cli.plan import PaperPlan
from traider.domain.bus_events import MARKET, SYSTEM
from traider.domain.limits import RiskLimits
from traider.domain.orders import AnyOrderEvent, OrderAccepted, OrderFilled, OrderRejected, OrderSubmitted
from traider.domain.vocabulary import Reason
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.tape import tape_of
from traider.guard.journal import verify
from traider.guard.place import JOURNAL
from traider.kernel.simulation import Fees
from traider.strategies.sma_cross import SmaCross

ROWS = 600


def restless(data_dir: Path, rows: int = ROWS) -> PaperPlan:
    return bars_plan(Restless, data_dir, rows=rows, quantity=0.5, every=2)


async def whole_run(folder: Path, plan: PaperPlan) -> Place:
    """A run that nothing happens to."""
    place = Place(folder)
    await place.start()
    await asyncio.wait_for(place.trader(plan).run(), 60)
    await place.stop()
    return place


def balance(place: Place) -> tuple[Any, ...]:
    """What the guard's account has come to."""
    desk = place.guard.books.desk
    return desk.account["cash"].item(), desk.account["equity"].item(), desk.positions[0].tolist()


async def test_a_replay_fills_as_the_backtest_does(tmp_path: Path, data_dir: Path) -> None:
    for strategy, values in ((Restless, {"quantity": 0.5, "every": 2}), (SmaCross, {"quantity": 1.0, "fast": 3, "slow": 8})):
        plan = bars_plan(strategy, data_dir, rows=ROWS, **values)
        place = await whole_run(tmp_path / strategy.name, plan)
        spec = BacktestSpec(strategy, dict(values), BTC, 1_000_000.0, Fees(maker=0.001, taker=0.001), interpreted=True)
        source = plan.source_of()
        backtest = run_backtest(spec, tape_of(list(source.history(0, ROWS)), {"BTC-USD": 0}))
        told = [(event.ts_ns, float(event.price), float(event.size), float(event.fee)) for event in filled(place)]
        expected = [(int(row["ts_ns"]), float(row["price"]), float(row["size"]), float(row["fee"])) for row in backtest.fills]
        assert told == expected
        assert len(told) > 40
        assert place.guard.books.desk.account["equity"] == backtest.final_equity


def filled(place: Place) -> list[OrderFilled]:
    return [event for event in place.events() if isinstance(event, OrderFilled)]


@pytest.mark.parametrize("after", [False, True])
async def test_a_guard_that_dies_at_any_request_changes_nothing_in_the_end(tmp_path: Path, data_dir: Path, after: bool) -> None:
    plan = restless(data_dir, 100)
    whole = await whole_run(tmp_path / "whole", plan)
    requests = whole.guard.handled
    for dies_at in [*range(1, 9), *random.Random(1).sample(range(9, requests), 12)]:
        place = Place(tmp_path / f"{dies_at}")
        await place.start(dies_at=dies_at, after=after)
        trading = asyncio.create_task(place.trader(plan).run())
        await place.dead(trading)
        await place.stop()
        await place.start()
        await asyncio.wait_for(trading, 60)
        await place.stop()
        assert place.fills() == whole.fills()
        assert balance(place) == balance(whole)
        check(place)


async def test_a_trader_that_dies_at_any_moment_changes_nothing_in_the_end(tmp_path: Path, data_dir: Path) -> None:
    plan = restless(data_dir, 200)
    whole = await whole_run(tmp_path / "whole", plan)
    place = Place(tmp_path / "place")
    await place.start()
    rng = random.Random(2)
    deaths = 0
    while True:
        trading = asyncio.create_task(place.trader(plan).run())
        await place.handled(rng.randint(1, 60), trading)
        if trading.done():
            await trading
            break
        trading.cancel()
        await asyncio.gather(trading, return_exceptions=True)
        deaths += 1
    await place.stop()
    assert deaths > 5
    assert place.fills() == whole.fills()
    assert balance(place) == balance(whole)
    check(place)


async def test_both_may_die_and_the_same_run_comes_of_it(tmp_path: Path, data_dir: Path) -> None:
    plan = restless(data_dir, 200)
    whole = await whole_run(tmp_path / "whole", plan)
    place = Place(tmp_path / "place")
    rng = random.Random(3)
    while True:
        await place.start(dies_at=rng.randint(5, 80), after=rng.random() < 0.5)
        trading = asyncio.create_task(place.trader(plan).run())
        await place.dead(trading)
        ended = trading.done()
        trading.cancel()
        await asyncio.gather(trading, return_exceptions=True)
        await place.stop()
        if ended:
            break
    assert place.fills() == whole.fills()
    assert balance(place) == balance(whole)
    check(place)


def check(place: Place) -> None:
    """What must hold whatever happened."""
    events = place.events()
    placed = [event.client_order_id for event in events if isinstance(event, OrderAccepted)]
    assert len(placed) == len(set(placed)), "an order was placed twice"
    ended = {event.client_order_id for event in events if isinstance(event, OrderAccepted | OrderRejected)}
    assert {event.client_order_id for event in events if isinstance(event, OrderSubmitted)} <= ended, "an intent was left open"
    size = sum((event.size * event.side for event in events if isinstance(event, OrderFilled)), start=0)
    assert float(size) == place.guard.books.desk.positions[0]["size"]
    assert verify(place.state_dir / JOURNAL).entries == place.journal.n


async def test_what_was_told_is_in_the_journal(tmp_path: Path, data_dir: Path) -> None:
    told: list[AnyOrderEvent] = []
    plan = restless(data_dir, 100)
    strategy = plan.strategy

    class Listening:
        def strategy(self, snapshot: Any) -> Any:
            session = strategy(snapshot)
            apply = session.on_order_event
            session.on_order_event = lambda event: (told.append(event), apply(event))  # type: ignore[method-assign,assignment,func-returns-value]
            return session

        def __getattr__(self, name: str) -> Any:
            return getattr(plan, name)

    place = Place(tmp_path)
    await place.start()
    listening: Any = Listening()
    await asyncio.wait_for(place.trader(listening).run(), 30)
    await place.stop()
    assert told == place.events()
    assert len(fills(told)) > 5


async def test_every_answer_to_orders_is_timed(tmp_path: Path, data_dir: Path) -> None:
    place = Place(tmp_path)
    await place.start()
    trader = place.trader(restless(data_dir, rows=100))
    answers_s: list[float] = []
    trader.on_answer = answers_s.append
    await asyncio.wait_for(trader.run(), 60)
    await place.stop()
    asked = {event.ts_ns for event in place.events() if isinstance(event, OrderSubmitted | OrderRejected)}
    assert len(answers_s) >= len(asked) > 10
    assert min(answers_s) > 0


async def test_a_finished_replay_is_not_run_again(tmp_path: Path, data_dir: Path) -> None:
    plan = restless(data_dir, 100)
    place = await whole_run(tmp_path, plan)
    before = place.journal.n
    await place.start()
    await asyncio.wait_for(place.trader(plan).run(), 30)
    await place.stop()
    assert place.journal.n <= before + 1


async def test_another_strategy_begins_a_session_of_its_own_on_the_same_account(tmp_path: Path, data_dir: Path) -> None:
    place = await whole_run(tmp_path, restless(data_dir, 100))
    cash = float(place.guard.books.desk.account["cash"])
    await place.start()
    plan = bars_plan(SmaCross, data_dir, rows=60, fast=2, slow=5, quantity=1.0)
    await asyncio.wait_for(place.trader(plan).run(), 30)
    await place.stop()
    sessions = {event.client_order_id.partition("-")[0] for event in place.events()}
    assert len(sessions) == 2
    first = [event for event in filled(place) if event.client_order_id.startswith(min(sessions, key=lambda name: int(name[1:])))]
    assert float(1_000_000 - sum(event.price * event.size * event.side + event.fee for event in first)) == pytest.approx(cash)
    assert place.guard.books.index == 59


async def test_the_bus_is_told_of_every_market_event_once_and_of_the_past_after_a_restart(tmp_path: Path, data_dir: Path) -> None:
    place = Place(tmp_path)
    await place.start()
    plan = restless(data_dir, 1010)
    first = everything(place.bus)
    await asyncio.wait_for(place.trader(plan).run(), 30)
    seen = [payload async for topic, payload in drained(first) if topic == MARKET]
    assert [event.index for event in seen] == list(range(1010))
    second = everything(place.bus)
    await asyncio.wait_for(place.trader(plan).run(), 30)
    again = [payload async for topic, payload in drained(second) if topic == MARKET]
    assert [event.index for event in again] == list(range(10, 1010))
    await place.stop()


async def test_a_gate_that_is_closed_is_told_and_tried_again(tmp_path: Path, data_dir: Path) -> None:
    place = Place(tmp_path)
    await place.start()
    place.journal.failure = "the journal can't be written: No space left on device"
    heard = everything(place.bus)
    trading = asyncio.create_task(place.trader(restless(data_dir, 50)).run())
    while True:
        topic, told = await asyncio.wait_for(anext(heard), 10)
        if topic == SYSTEM and "No space left" in told.detail:
            break
    assert told.state == "degraded"
    place.journal.failure = None
    await asyncio.wait_for(trading, 30)
    assert place.guard.books.index == 49
    await place.stop()


async def test_limits_hold_and_the_strategy_goes_on(tmp_path: Path, data_dir: Path) -> None:
    place = Place(tmp_path, limits=RiskLimits(max_position_size=BTC.size_increment * 50_000_000))
    await place.start()
    await asyncio.wait_for(place.trader(restless(data_dir, 200)).run(), 30)
    await place.stop()
    refused = [event for event in place.events() if isinstance(event, OrderRejected) and event.reason is Reason.POSITION_SIZE]
    assert refused
    assert all("MAX_POSITION_SIZE is 0.5 BTC" in event.detail for event in refused)
    assert place.guard.books.index == 199


async def drained(subscription: Any) -> Any:
    """What is queued."""
    await subscription.aclose()
    async for message in subscription:
        yield message
