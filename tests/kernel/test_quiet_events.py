"""An event that nothing waits for asks little: what it leaves out would have changed nothing."""

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from tests.kernel.desks import BUY, MINUTE_NS, START_NS, Pit, instrument
from traider.domain.limits import RiskLimits
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.tape import Tape, bars_tape
from traider.kernel.desk import Desk
from traider.kernel.events import Bar, Fill, Timer
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy
from traider.kernel.simulation import Fees, FeeTier, FillMode, Simulation, latency_rows

LIMITS = [
    RiskLimits(max_daily_loss=Decimal(5)),
    RiskLimits(max_drawdown=Decimal("0.0005")),
    RiskLimits(max_daily_loss=Decimal(7), max_drawdown=Decimal("0.0007")),
    RiskLimits(max_order_notional=Decimal(10**9)),
]


class Asking(Pit):
    """A pit that asks for the loss limits at every event."""

    def trade(self, price: float, size: float = 1.0, *, side: int = 0, inst: int = 0) -> list[object]:  # type: ignore[override]
        self.desk.account["ask_below"] = math.inf
        return list(super().trade(price, size, side=side, inst=inst))


@pytest.mark.parametrize("limits", LIMITS, ids=["loss", "drawdown", "both", "neither"])
def test_a_loss_limit_trips_at_the_same_event_as_if_it_were_asked_at_each(limits: RiskLimits) -> None:
    tripped = [_trips(limits, seed) for seed in range(12)]
    assert any(tripped) is (limits.max_order_notional is None)


def _trips(limits: RiskLimits, seed: int) -> bool:
    """Whether a random walk in whole cents, so that a limit is met exactly too, trips both; they are compared at each step."""
    rng = np.random.default_rng(seed)
    asking, quiet = (kind(instrument(shortable=True), cash=10_000.0, limits=limits) for kind in (Asking, Pit))
    for pit in (asking, quiet):
        pit.step_ns = 5 * MINUTE_NS  # two days in 600 events
        pit.desk.account["trips"] = int(limits.max_order_notional is None)
        pit.hold(1.0 if seed % 2 else -1.0, 100.0)
    price = 100.0
    for step in rng.integers(-50, 51, 600) / 100.0:
        price = round(max(price + float(step), 80.0), 2)
        asking.trade(price)
        quiet.trade(price)
        for name in ("killed", "trips", "equity", "high_water_mark", "max_drawdown", "day_start_equity"):
            assert asking.desk.account[name] == quiet.desk.account[name]
    return bool(quiet.desk.account["killed"])


def test_a_limit_that_is_lowered_is_asked_at_the_next_event() -> None:
    pit = Pit(limits=RiskLimits(max_daily_loss=Decimal(100)), marks=[100.0])
    pit.desk.account["trips"] = 1
    pit.hold(1.0, 100.0)
    pit.trade(95.0)
    pit.desk.set_limits(RiskLimits(max_daily_loss=Decimal(5)))
    pit.trade(95.0)
    assert pit.desk.account["killed"] == 1


class Waiting(Strategy):
    """Market orders, a limit order that rests for a while, a timer, and a count of what it is told of."""

    def setup(self) -> None:
        self.bars = 0
        self.told = 0
        self.timers = 0
        self.order = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.bars += 1
        if self.bars % 7 == 0:
            ctx.target(1.0 if self.bars % 14 == 0 else 0.0)
        if self.bars % 50 == 3:
            self.order = ctx.buy_limit(0.5, bar.close - 1.0)
        if self.bars % 50 == 33:
            ctx.cancel(self.order)
        if self.bars % 90 == 1:
            ctx.set_timer(1, bar.ts_ns + 5 * MINUTE_NS + 1)

    def on_timer(self, timer: Timer, ctx: Context) -> None:
        self.timers += 1
        ctx.buy(0.25)

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        self.told += 1
        if self.told % 3 == 0:
            ctx.sell(0.125)


class Deaf(Waiting):
    """The same without being told of fills."""

    on_fill = None  # type: ignore[assignment]


def bars(count: int, seed: int = 3) -> Tape:
    rng = np.random.default_rng(seed)
    close = np.round(100.0 + np.cumsum(rng.integers(-30, 31, count) / 100.0), 2)
    opens = np.concatenate(([close[0]], close[:-1]))
    high, low = np.maximum(opens, close) + 0.1, np.minimum(opens, close) - 0.1
    return bars_tape(START_NS + MINUTE_NS * np.arange(count, dtype=np.int64), opens, high, low, close, np.full(count, 5.0))


@pytest.mark.parametrize("strategy", [Waiting, Deaf])
@pytest.mark.parametrize("fill", [FillMode.SAME, FillMode.NEXT_OPEN, FillMode.NEXT_CLOSE])
@pytest.mark.parametrize("latency_ns", [0, 90_000_000_000])
def test_what_waits_for_an_event_meets_it_compiled_as_interpreted(strategy: type[Strategy], fill: FillMode, latency_ns: int) -> None:
    if latency_ns and fill is FillMode.SAME:
        fill = FillMode.NEXT_OPEN
    simulation = Simulation(latency=latency_rows([(0, latency_ns, latency_ns)])) if latency_ns else Simulation()
    spec = BacktestSpec(
        strategy, {}, instrument(shortable=True), 1e6, Fees(maker=0.001, taker=0.002), fill, RiskLimits(), simulation=simulation
    )
    compiled, interpreted = (run_backtest(replace(spec, interpreted=way), bars(3000)) for way in (False, True))
    assert len(compiled.fills) > 300
    assert compiled.fills_sha256 == interpreted.fills_sha256
    assert (compiled.final_equity, compiled.max_drawdown) == (interpreted.final_equity, interpreted.max_drawdown)
    assert compiled.day_ends == interpreted.day_ends
    assert np.array_equal(compiled.curve, interpreted.curve)


def test_a_twin_is_what_the_same_settings_make() -> None:
    first = Desk(
        (instrument(), instrument("ETH-USD", initial_margin="0.1", maintenance_margin="0.05", taker_fee="0.003")),
        cash=5000.0,
        limits=RiskLimits(
            max_daily_loss=Decimal(5),
            volatility_mult=Decimal(3),
            volatility_window=20,
            max_orders_per_second=7,
            allowed_markets=("ETH-USD",),
        ),
        fees=Fees(maker=0.001, taker=0.002, tiers=(FeeTier(1e6, 0.0005, 0.001),)),
        fill=FillMode.NEXT_CLOSE,
        simulation=Simulation(participation=0.1, liquidation_fee=0.01, seed=7),
        trips=True,
    )
    twin = first.twin()
    assert twin.records.tobytes() == first.records.tobytes()
    assert twin.address != first.address
    before = first.records.tobytes()
    twin.on_market(3, 1, START_NS, 100.0, 101.0, 99.0, 100.0, 1.0)
    twin.set_limits(RiskLimits(max_open_orders=3, max_orders_per_second=2))
    twin.submit(inst=1, side=BUY, type=1, size=1.0)
    assert first.records.tobytes() == before
