"""A sweep is the same trials as so many backtests, whatever the threads; its axes and its draw are checked before anything runs."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from traider.cli import options
from traider.domain.errors import StrategyError
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.grid import parse_axis, trials_of
from traider.engine.sweep import run_sweep
from traider.engine.tape import Tape
from traider.kernel import layout
from traider.kernel.compiler import CompiledStrategy, compile_strategy
from traider.kernel.kit import Strategy
from traider.kernel.loop import Shape
from traider.kernel.simulation import Fees, FillMode
from traider.storage.market import read_market_file
from traider.strategies.sma_cross import SmaCross


@pytest.fixture(scope="module")
def market() -> tuple[BacktestSpec, Tape]:
    file = read_market_file(Path(__file__).parents[1] / "data" / "bars" / "coinbase_btcusd_1m_2018-05.parquet")
    spec = BacktestSpec(
        strategy=SmaCross,
        parameters={"quantity": 1.0},
        instrument=options.instrument_of(file, None),
        cash=1e6,
        fees=Fees(maker=0.001, taker=0.001),
    )
    return spec, options.tape_of_file(file)


SETS = trials_of([parse_axis("fast=5:30:5"), parse_axis("slow=40,60,80")])


def test_each_trial_is_a_backtest(market: tuple[BacktestSpec, Tape]) -> None:
    spec, tape = market
    result = run_sweep(spec, SETS, tape)
    for parameters, trial in zip(SETS, result.trials, strict=True):
        alone = run_backtest(replace(spec, parameters={**spec.parameters, **parameters}), tape)
        assert trial.parameters == alone.parameters
        assert (trial.final_equity, trial.fees, trial.max_drawdown) == (alone.final_equity, alone.fees, alone.max_drawdown)
        assert (trial.fills, trial.sharpe) == (len(alone.fills), alone.sharpe)
    assert result.events == len(SETS) * len(tape)
    assert result.trials[result.best].final_equity == max(trial.final_equity for trial in result.trials)
    assert result.total_fills == sum(trial.fills for trial in result.trials)


def test_threads_change_nothing(market: tuple[BacktestSpec, Tape]) -> None:
    spec, tape = market
    one, many = (run_sweep(spec, SETS, tape, threads=threads) for threads in (1, 4))
    assert one.trials == many.trials
    assert (one.best, one.deflated_sharpe, one.pbo) == (many.best, many.deflated_sharpe, many.pbo)


def test_progress_ends_with_all_trials(market: tuple[BacktestSpec, Tape]) -> None:
    spec, tape = market
    told: list[float] = []
    run_sweep(spec, SETS, tape, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == len(SETS)


def test_an_axis_holds_both_ends_exactly() -> None:
    assert parse_axis("band=0.1:0.3:0.1") == ("band", ("0.1", "0.2", "0.3"))
    assert parse_axis("fast=5:12:5") == ("fast", ("5", "10"))
    assert parse_axis("fast=3, 7") == ("fast", ("3", "7"))


@pytest.mark.parametrize(
    "text", ["fast", "fast=", "=1,2", "fast=1:2", "fast=a:b:c", "fast=1:5:0", "fast=5:1:1", "fast=1:nan:1", "x=0:1e9:1"]
)
def test_a_wrong_axis_is_told(text: str) -> None:
    with pytest.raises(StrategyError, match="--grid"):
        parse_axis(text)


@pytest.mark.parametrize("values", [("9", "3", "9"), ("0.1", "0.10"), (1, 2, 1.0)])
def test_a_value_given_twice_is_told(values: tuple[object, ...]) -> None:
    with pytest.raises(StrategyError, match="is there twice"):
        trials_of([("fast", values)])


def test_an_axis_given_twice_is_told() -> None:
    with pytest.raises(StrategyError, match="twice"):
        trials_of([("a", ("1",)), ("a", ("2",))])


def test_the_last_axis_is_the_fastest() -> None:
    assert trials_of([("a", (1, 2)), ("b", (3, 4))]) == [{"a": 1, "b": 3}, {"a": 1, "b": 4}, {"a": 2, "b": 3}, {"a": 2, "b": 4}]


def test_a_draw_has_no_set_twice_and_hangs_on_the_seed_alone() -> None:
    axes = [("a", tuple(range(50))), ("b", tuple(range(40)))]
    drawn = trials_of(axes, draws=500, seed=7)
    assert drawn == trials_of(axes, draws=500, seed=7)
    assert drawn != trials_of(axes, draws=500, seed=8)
    assert len({tuple(trial.items()) for trial in drawn}) == 500
    assert sorted(trials_of(axes, draws=10_000), key=repr) == sorted(trials_of(axes), key=repr)


def test_a_trial_that_forgets_its_log_counts_every_fill(market: tuple[BacktestSpec, Tape]) -> None:
    spec, tape = market
    (trial,) = run_sweep(replace(spec, fill=FillMode.SAME), [{"fast": 1, "slow": 2}], tape).trials
    alone = run_backtest(replace(spec, fill=FillMode.SAME, parameters={**spec.parameters, "fast": 1, "slow": 2}), tape)
    assert trial.fills == len(alone.fills) > layout.DRAIN_AT
    assert (trial.final_equity, trial.fees, trial.max_drawdown) == (alone.final_equity, alone.fees, alone.max_drawdown)


def test_compiling_is_no_part_of_the_engines_time(market: tuple[BacktestSpec, Tape], monkeypatch: pytest.MonkeyPatch) -> None:
    spec, tape = market
    now = [0.0]

    def slowly(strategy: Strategy, shape: Shape) -> CompiledStrategy:
        now[0] += 100.0
        return compile_strategy(strategy, shape)

    clock = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr("traider.engine.sweep.time", clock)
    monkeypatch.setattr("traider.engine.session.time", clock)
    monkeypatch.setattr("traider.engine.codes.compile_strategy", slowly)
    assert run_sweep(spec, SETS[:3], tape).engine_seconds == 0.0
    assert now == [100.0]
