"""Amendments, orders that hang together and timers through a trader and a guard that die: in the end nothing has changed."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.guard.tied import TiedOnBars, Timed
from tests.services.support import BTC, Place, bars_plan
from tests.services.test_trader import balance, check, filled, whole_run
from traider.cli.plan import PaperPlan, RecordingPlan
from traider.domain.orders import OrderAmended
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.tape import tape_of
from traider.kernel.events import Bar
from traider.kernel.interpreter import Context
from traider.kernel.simulation import Fees

ROWS = 100


class Both(TiedOnBars):
    """Ties orders and amends them at bars, and does so at timers too."""

    setup_ties = TiedOnBars.setup
    setup_timers = Timed.setup
    begin = Timed.begin
    on_timer = Timed.on_timer
    span_ns: int = 40_000_000_000

    def setup(self) -> None:
        self.setup_timers()  # type: ignore[misc]  # the same attributes
        self.setup_ties()

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.begin(bar.ts_ns, ctx)  # type: ignore[misc]
        self.act(bar.close, 1.0, ctx)


def plan_of(data_dir: Path, rows: int = ROWS) -> PaperPlan:
    return bars_plan(Both, data_dir, rows=rows, quantity=0.5)


async def test_a_replay_fills_as_the_backtest_does(tmp_path: Path, data_dir: Path) -> None:
    plan = plan_of(data_dir, 600)
    place = await whole_run(tmp_path, plan)
    spec = BacktestSpec(Both, {"quantity": 0.5}, BTC, 1_000_000.0, Fees(maker=0.001, taker=0.001), interpreted=True)
    backtest = run_backtest(spec, tape_of(list(plan.source_of().history(0, 600)), {"BTC-USD": 0}))
    told = [(event.ts_ns, float(event.price), float(event.size), float(event.fee)) for event in filled(place)]
    assert told == [(int(row["ts_ns"]), float(row["price"]), float(row["size"]), float(row["fee"])) for row in backtest.fills]
    assert len(told) > 40
    assert any(isinstance(event, OrderAmended) and event.amend_id for event in place.events())
    assert any("t1-" in event.client_order_id for event in filled(place)), "of a timer"


@pytest.mark.parametrize("after", [False, True])
async def test_a_guard_that_dies_at_any_request_changes_nothing_in_the_end(tmp_path: Path, data_dir: Path, after: bool) -> None:
    plan = plan_of(data_dir)
    whole = await whole_run(tmp_path / "whole", plan)
    requests = whole.guard.handled
    for dies_at in random.Random(1).sample(range(5, requests), 10):
        place = Place(tmp_path / f"{dies_at}")
        await place.start(dies_at=dies_at, after=after)
        trading = asyncio.create_task(place.trader(plan).run())
        await place.dead(trading)
        await place.stop()
        await place.start()
        await asyncio.wait_for(trading, 60)
        await place.stop()
        assert place.fills() == whole.fills(), dies_at
        assert balance(place) == balance(whole)
        check(place)


@pytest.mark.parametrize("recorded", [False, True])
async def test_a_trader_that_dies_at_any_moment_changes_nothing_in_the_end(tmp_path: Path, data_dir: Path, recorded: bool) -> None:
    whole = await whole_run(tmp_path / "whole", plan_of(data_dir, 80))
    place = Place(tmp_path / "place")
    await place.start()
    rng = random.Random(2)
    deaths = 0
    while True:
        plain = plan_of(data_dir, 80)
        plan = RecordingPlan(plain, place.state_dir, "tests/services/test_trader_tied.py:Both") if recorded else plain
        trading = asyncio.create_task(place.trader(plan).run())  # type: ignore[arg-type]  # both are plans
        await place.handled(rng.randint(10, 90), trading)
        ended = trading.done()
        if ended:
            await trading
        trading.cancel()
        await asyncio.gather(trading, return_exceptions=True)
        if isinstance(plan, RecordingPlan):
            plan.close()
        if ended:
            break
        deaths += 1
        assert deaths < 100, "it gets nowhere"
    await place.stop()
    assert deaths > 5
    assert place.fills() == whole.fills()
    assert balance(place) == balance(whole)
    check(place)
