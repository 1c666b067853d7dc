"""Compiled and interpreted, in one piece or in many: the same fills and the same state, bit for bit."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from tests.kernel.desks import instrument
from tests.kernel.samples import Everything, Quoter
from tests.kernel.test_structs import values_of
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import Reason
from traider.engine import backtest
from traider.engine.backtest import BacktestResult, BacktestSpec, run_backtest
from traider.engine.session import Session, acts_on
from traider.engine.stream import whole
from traider.engine.tape import Tape, bars_tape, trades_tape
from traider.kernel import layout
from traider.kernel.desk import Desk
from traider.kernel.kit import Strategy
from traider.kernel.simulation import Fees, FillMode, Latency, QueueModel, Simulation
from traider.kernel.structs import describe, read_back
from traider.research.market import checked_file, together
from traider.storage.market import read_market_file
from traider.strategies.ema_band import EmaBand
from traider.strategies.momentum import Momentum
from traider.strategies.registry import BUILT_IN
from traider.strategies.sma_cross import SmaCross
from traider.strategies.touch_maker import TouchMaker

FEES = Fees(maker=0.001, taker=0.002)
BTC = instrument(price="0.01", size="0.00000001")
MARGIN = instrument(price="0.01", size="0.001", shortable=True)
LIMITS = RiskLimits(max_position_size=Decimal(9), max_order_notional=Decimal(60_000), max_open_orders=5, max_orders_per_minute=300)


@pytest.fixture(scope="module")
def bars(data_dir: Path) -> Tape:
    columns = read_market_file(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet")
    return bars_tape(columns.ts_ns, *columns.columns.values())


@pytest.fixture(scope="module")
def trades(data_dir: Path) -> Tape:
    columns = read_market_file(data_dir / "trades" / "binance_spot_btcusdt_trades_2024-08-08_first5000.parquet")
    return trades_tape(columns.ts_ns, *columns.columns.values())


def both(spec: BacktestSpec, tape: Tape) -> list[BacktestResult]:
    return [run_backtest(replaced(spec, interpreted=how), tape) for how in (False, True)]


def replaced(spec: BacktestSpec, **changes: Any) -> BacktestSpec:
    return BacktestSpec(**{**vars(spec), **changes})


def figures(result: BacktestResult) -> dict[str, Any]:
    """All that may not depend on how it was run."""
    timing = ("engine_seconds", "compile_seconds", "mode")
    return {name: value.tobytes() if isinstance(value, np.ndarray) else value for name, value in vars(result).items() if name not in timing}


BUILT_IN_RUNS: list[tuple[type[Strategy], dict[str, object]]] = [
    (SmaCross, {}),
    (SmaCross, {"fast": 1, "slow": 2, "quantity": 0.3}),
    (SmaCross, {"fast": 50, "slow": 20}),
    (Momentum, {}),
    (Momentum, {"window": 1, "threshold": -0.0005}),
    (EmaBand, {"span": 50, "band": 0.00001}),
    (EmaBand, {"span": 1, "band": 0.0}),
]


@pytest.fixture(scope="module")
def book(data_dir: Path) -> Tape:
    """A recorded order book with its trades."""
    files = [data_dir / kind / f"binance_usdm_btcusdt_{kind}_2024-08-08_first.parquet" for kind in ("l2", "trades")]
    return whole(together([checked_file(file) for file in files]))


def test_every_built_in_strategy_is_run() -> None:
    assert {strategy for strategy, _ in BUILT_IN_RUNS} | {TouchMaker} == set(BUILT_IN.values())


@pytest.mark.parametrize(
    "simulation", [Simulation(), Simulation(queue=QueueModel.POWER, partial_fills=True, latency=Latency(out_ns=10**7))]
)
def test_the_market_maker_fills_the_same_compiled_and_interpreted(simulation: Simulation, book: Tape) -> None:
    on_margin = replace(MARGIN, price_increment=Decimal("0.1"), initial_margin=Decimal("0.1"), maintenance_margin=Decimal("0.05"))
    spec = BacktestSpec(TouchMaker, {"quantity": 0.01}, on_margin, 1e6, FEES, simulation=simulation)
    compiled, interpreted = both(spec, book)
    assert len(compiled.fills) >= 5
    assert figures(compiled) == figures(interpreted)


@pytest.mark.parametrize(("strategy", "parameters"), BUILT_IN_RUNS)
@pytest.mark.parametrize("fill", FillMode)
def test_each_built_in_strategy_fills_the_same_compiled_and_interpreted(
    strategy: type[Strategy], parameters: dict[str, object], fill: FillMode, bars: Tape, trades: Tape
) -> None:
    tape = bars if "bars" in acts_on(strategy) else trades
    compiled, interpreted = both(BacktestSpec(strategy, parameters, BTC, 1e6, FEES, fill), tape)
    assert (len(compiled.fills) > 20) != (parameters == {"span": 1, "band": 0.0})
    assert (compiled.mode, interpreted.mode) == ("compiled", "interpreted")
    assert figures(compiled) == figures(interpreted)


@pytest.mark.parametrize("fill", FillMode)
def test_every_method_and_kind_of_state_is_the_same_compiled_and_interpreted(fill: FillMode, bars: Tape) -> None:
    spec = BacktestSpec(Everything, {"width": 3.0, "quantity": 1.5}, MARGIN, 1e6, FEES, fill, LIMITS)
    compiled, interpreted = both(spec, bars)
    assert figures(compiled) == figures(interpreted)
    assert len(compiled.fills) > 1000
    assert {Reason.REQUESTED, Reason.POST_ONLY, Reason.IOC_UNFILLED} <= set(compiled.cancels)
    assert {Reason.POSITION_SIZE, Reason.OPEN_ORDERS, Reason.TOO_MANY_REQUESTS} <= set(compiled.refusals)


CONTROLS = RiskLimits(
    max_gross_exposure=Decimal(40_000),
    max_price_deviation=Decimal("0.01"),
    max_market_data_age_s=Decimal(3600),
    max_orders_per_second=4,
    duplicate_window_s=Decimal(1800),
    max_rejections_in_a_row=1000,
    max_executions_per_minute=1000,
    volatility_window=20,
    volatility_mult=Decimal(3),
    prevent_self_match=True,
    max_order_size=Decimal(4),
    max_open_orders_per_market=3,
    max_rejections_per_minute=1000,
)


def test_the_controls_refuse_the_same_compiled_and_interpreted(bars: Tape) -> None:
    spec = BacktestSpec(Everything, {"width": 3.0, "quantity": 1.5}, MARGIN, 1e6, FEES, limits=CONTROLS)
    compiled, interpreted = both(spec, bars)
    assert figures(compiled) == figures(interpreted)
    assert final_state(spec, bars) == final_state(replaced(spec, interpreted=True), bars)
    assert {Reason.GROSS_EXPOSURE, Reason.PRICE_BAND, Reason.DUPLICATE_ORDER, Reason.SELF_MATCH} <= set(compiled.refusals)
    assert len(compiled.fills) > 100


@pytest.mark.parametrize(
    ("limits", "fills"),
    [
        ({"max_rejections_in_a_row": 3, "max_order_notional": Decimal(1)}, 0),
        ({"max_rejections_per_minute": 1, "max_order_size": Decimal(1)}, 0),
        ({"max_executions_per_minute": 1}, 2),
    ],
)
def test_a_halt_ends_all_trading_compiled_and_interpreted(limits: dict[str, Any], fills: int, bars: Tape) -> None:
    spec = BacktestSpec(Everything, {"width": 3.0, "quantity": 1.5}, MARGIN, 1e6, FEES, limits=RiskLimits(**limits))
    compiled, interpreted = both(spec, bars)
    assert figures(compiled) == figures(interpreted)
    assert Reason.KILL_SWITCH in compiled.refusals
    assert len(compiled.fills) >= fills
    assert len(compiled.fills) < 100


def test_controls_of_trades_refuse_the_same_compiled_and_interpreted(trades: Tape) -> None:
    limits = RiskLimits(max_price_deviation=Decimal("0.00001"), duplicate_window_s=Decimal(60))
    compiled, interpreted = both(BacktestSpec(Quoter, {"quantity": 0.01, "gap": 0.5}, MARGIN, 1e6, FEES, limits=limits), trades)
    assert figures(compiled) == figures(interpreted)
    assert {Reason.PRICE_COLLAR, Reason.DUPLICATE_ORDER} & set(compiled.refusals)


def test_a_strategy_on_trades_with_on_fill_and_limit_orders_is_the_same_compiled_and_interpreted(trades: Tape) -> None:
    compiled, interpreted = both(BacktestSpec(Quoter, {"quantity": 0.01, "gap": 0.5}, MARGIN, 1e6, FEES), trades)
    assert figures(compiled) == figures(interpreted)
    assert set(compiled.fills["maker"].tolist()) == {0, 1}
    assert len(compiled.fills) > 100


def final_state(spec: BacktestSpec, tape: Tape) -> tuple[bytes, Any]:
    """The engine's record and the strategy's attributes after the last event."""
    strategy = spec.strategy(**spec.parameters)
    desk = Desk([spec.instrument], cash=spec.cash, fees=spec.fees, fill=spec.fill, limits=spec.limits)
    session = Session(strategy, desk, interpreted=spec.interpreted)
    done = 0
    while done < len(tape):
        done = session.step(tape, done, len(tape))
        desk.take_executions()
        desk.drain_day_ends()
    if not spec.interpreted:
        read_back(strategy, describe(strategy), session.block)
    for log in ("executions", "day_ends", "requests"):  # beyond what is counted lies what was there before
        desk.record[log] = np.zeros_like(desk.record[log])
    return desk.records.tobytes(), values_of(strategy)


@pytest.mark.parametrize("fill", FillMode)
def test_what_is_left_at_the_end_is_the_same_compiled_and_interpreted(fill: FillMode, bars: Tape) -> None:
    spec = BacktestSpec(Everything, {"width": 3.0, "quantity": 1.5}, MARGIN, 1e6, FEES, fill, LIMITS)
    assert final_state(spec, bars) == final_state(replaced(spec, interpreted=True), bars)


@pytest.mark.parametrize("batch", [1, 7, 1000])
@pytest.mark.parametrize("interpreted", [False, True], ids=["compiled", "interpreted"])
@pytest.mark.parametrize("fill", FillMode)
def test_it_is_the_same_in_one_piece_or_in_many(
    batch: int, interpreted: bool, fill: FillMode, bars: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = BacktestSpec(Everything, {"width": 3.0, "quantity": 1.5}, MARGIN, 1e6, FEES, fill, LIMITS, interpreted=interpreted)
    tape = bars.head(3000)
    whole = run_backtest(spec, tape)
    monkeypatch.setattr(backtest, "_BATCH", batch)
    told: list[int] = []
    parts = run_backtest(spec, tape, progress=told.append)
    assert figures(parts) == figures(whole)
    assert told[-1] == len(tape)
    assert len(told) >= len(tape) // batch


def flat_bars(count: int, step_ns: int) -> Tape:
    """Bars that go up and down by one, so that a strategy with window 1 trades at each."""
    close = np.where(np.arange(count) % 2 == 0, 100.0, 101.0)
    return bars_tape(np.arange(count) * step_ns, close, close, close, close, np.ones(count))


@pytest.mark.parametrize("interpreted", [False, True], ids=["compiled", "interpreted"])
def test_more_executions_than_the_log_holds_are_all_told(interpreted: bool) -> None:
    tape = flat_bars(3 * layout.MAX_EXECUTIONS, 60_000_000_000)
    result = run_backtest(BacktestSpec(Momentum, {"window": 1}, BTC, 1e6, interpreted=interpreted), tape)
    assert len(result.fills) == len(tape) - 2 > layout.DRAIN_AT
    assert result.fills["ts_ns"].tolist() == tape.ts_ns[2:].tolist()
    assert result.fills["side"].tolist() == [1, -1] * ((len(tape) - 2) // 2)
    assert result.fills["price"].tolist() == tape.a[2:].tolist()


@pytest.mark.parametrize("interpreted", [False, True], ids=["compiled", "interpreted"])
def test_more_fills_on_the_spot_than_the_log_holds_are_all_told(interpreted: bool) -> None:
    tape = flat_bars(3 * layout.MAX_EXECUTIONS, 60_000_000_000)
    spec = BacktestSpec(Momentum, {"window": 1}, BTC, 1e6, fill=FillMode.SAME, interpreted=interpreted)
    result = run_backtest(spec, tape)
    assert result.fills["ts_ns"].tolist() == tape.ts_ns[1:].tolist()
    assert result.fills["price"].tolist() == tape.d[1:].tolist()


@pytest.mark.parametrize("interpreted", [False, True], ids=["compiled", "interpreted"])
def test_more_refusals_than_the_log_holds_are_all_counted(interpreted: bool) -> None:
    tape = flat_bars(3 * layout.MAX_EXECUTIONS, 60_000_000_000)
    spec = BacktestSpec(Momentum, {"window": 1, "quantity": 10_000}, BTC, 1e5, interpreted=interpreted)
    result = run_backtest(spec, tape)
    assert len(result.fills) == 0
    assert result.refusals == {Reason.INSUFFICIENT_BALANCE: (len(tape) - 1 + 1) // 2}


@pytest.mark.parametrize("interpreted", [False, True], ids=["compiled", "interpreted"])
def test_more_days_than_the_log_holds_are_all_told(interpreted: bool) -> None:
    days = 2 * layout.MAX_DAYS + 100
    result = run_backtest(
        BacktestSpec(SmaCross, {"fast": 1, "slow": 10**5}, BTC, 1e6, interpreted=interpreted), flat_bars(days, layout.DAY_NS)
    )
    assert [day for day, _ in result.day_ends] == list(range(days))
    assert {equity for _, equity in result.day_ends} == {1e6}
