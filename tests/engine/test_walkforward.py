"""Walk-forward: windows that never overlap the future, and tests that are what a fresh run of the chosen parameters earns."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traider.cli import options
from traider.domain.errors import UserError
from traider.engine.backtest import BacktestSpec
from traider.engine.grid import parse_axis, trials_of
from traider.engine.sweep import run_sweep
from traider.engine.tape import Tape
from traider.engine.walkforward import Folds, walk_forward
from traider.kernel.simulation import Fees
from traider.storage.market import read_market_file
from traider.strategies.sma_cross import SmaCross

SETS = trials_of([parse_axis("fast=5,10,20"), parse_axis("slow=40,60")])


@pytest.fixture(scope="module")
def market() -> tuple[BacktestSpec, Tape]:
    file = read_market_file(Path(__file__).parents[1] / "data" / "bars" / "coinbase_btcusd_1m_2018-05.parquet")
    spec = BacktestSpec(
        strategy=SmaCross, parameters={"quantity": 1.0}, instrument=options.instrument_of(file, None), cash=1e6, fees=Fees(taker=0.0002)
    )
    return spec, options.tape_of_file(file)


@given(
    events=st.integers(100, 5000),
    count=st.integers(1, 8),
    ratio=st.integers(1, 5),
    anchored=st.booleans(),
    purge=st.integers(0, 5),
    embargo=st.integers(0, 5),
)
def test_training_ends_before_its_test_and_tests_follow_one_another(
    events: int, count: int, ratio: int, anchored: bool, purge: int, embargo: int
) -> None:
    folds = Folds(count=count, ratio=ratio, anchored=anchored, purge=purge, embargo=embargo)
    windows = folds.windows(events)
    length = events // (ratio + count)
    assert len(windows) == count
    for number, (train, test) in enumerate(windows):
        assert test.start - train.stop == purge + embargo
        assert train.start == (0 if anchored else number * length)
        assert len(train) > 0
        assert len(test) > 0
    assert windows[-1][1].stop == events
    for (_, before), (_, after) in pairwise(windows):
        assert after.start == before.stop + embargo


@pytest.mark.parametrize("folds", [Folds(count=0), Folds(ratio=0), Folds(purge=-1), Folds(count=50), Folds(embargo=20), Folds(purge=40)])
def test_too_few_events_are_told(folds: Folds) -> None:
    with pytest.raises(UserError):
        folds.windows(40)


def test_each_fold_trades_what_was_best_in_its_training(market: tuple[BacktestSpec, Tape]) -> None:
    spec, tape = market
    folds = Folds(count=3, ratio=2, purge=10, embargo=5)
    result = walk_forward(spec, SETS, tape, folds)
    cash = spec.cash
    for (train, test), fold in zip(folds.windows(len(tape)), result.folds, strict=True):
        sweep = run_sweep(replace(spec, cash=cash), SETS, tape.part(train.start, train.stop))
        best = sweep.trials[sweep.best]
        assert fold.parameters == best.parameters
        assert fold.train_return == best.net_profit / cash
        assert (fold.train_to_ns, fold.test_from_ns) == (tape.ts_ns[train.stop - 1], tape.ts_ns[test.start])
        assert fold.final_equity == pytest.approx(cash * (1 + fold.test_return), rel=1e-12)
        cash = fold.final_equity
    assert result.final_equity == cash
    assert result.total_return == pytest.approx(cash / spec.cash - 1)
    assert result.trials == 3 * len(SETS)


def test_nothing_of_the_future_reaches_a_fold(market: tuple[BacktestSpec, Tape]) -> None:
    spec, tape = market
    folds = Folds(count=3, ratio=2)
    (_, first_test), *_ = folds.windows(len(tape))
    changed = Tape(*(column.copy() for column in tape.columns()))
    for column in (changed.a, changed.b, changed.c, changed.d):
        column[first_test.stop :] = np.round(column[first_test.stop :] * 1.7, 2)
    assert walk_forward(spec, SETS, tape, folds).folds[0] == walk_forward(spec, SETS, changed, folds).folds[0]


def test_a_test_trades_from_its_first_event_on_with_averages_that_exist(market: tuple[BacktestSpec, Tape]) -> None:
    spec, tape = market
    sets = trials_of([parse_axis("fast=1"), parse_axis("slow=200")])
    fold = walk_forward(spec, sets, tape.head(1200), Folds(count=1, ratio=3)).folds[0]
    closes = tape.d[:1200]
    above = [closes[i] > closes[i - 199 : i + 1].mean() for i in range(900, 1200)]
    fills = int(above[0]) + sum(a != b for a, b in pairwise(above[:-1]))
    assert fold.test_fills == fills > 0


def test_an_unknown_objective_is_told(market: tuple[BacktestSpec, Tape]) -> None:
    spec, tape = market
    with pytest.raises(UserError, match="final-equity, sharpe"):
        walk_forward(spec, SETS[:1], tape.head(500), Folds(count=1), objective="luck")
