"""Walk-forward: choose parameters on the past, trade them on what comes next, again and again.

    anchored   |------ train ------|~|- test -|          |~| is left out: purge at the end of training,
               |----------- train -----------|~|- test -|       embargo at the beginning of the test
    rolling    |------ train ------|~|- test -|
                          |------ train ------|~|- test -|

What the tests earn is what the way of choosing earned: nothing in them was seen by the choice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..domain.errors import UserError
from ..kernel.desk import Desk
from ..kernel.kit import Value
from .backtest import BacktestSpec
from .session import Session
from .sweep import best_by, run_trials
from .tape import Tape
from .trial import Trial, desk_of


@dataclass(frozen=True)
class Folds:
    """``count`` tests of equal length, each after ``ratio`` times as much training; purge and embargo are numbers of events."""

    count: int = 5
    ratio: int = 3
    anchored: bool = False
    purge: int = 0
    embargo: int = 0

    def windows(self, events: int) -> list[tuple[range, range]]:
        """The events of training and of testing, fold by fold; UserError when there are too few."""
        if self.count < 1 or self.ratio < 1 or self.purge < 0 or self.embargo < 0:
            raise UserError("folds and ratio are at least 1, purge and embargo at least 0")
        length = events // (self.ratio + self.count)
        if length - self.embargo < 1 or self.ratio * length - self.purge < 1:
            raise UserError(f"{events:,} events are too few for {self.count} folds: take fewer folds, or less purge and embargo")
        windows = []
        for fold in range(self.count):
            split = (self.ratio + fold) * length
            stop = events if fold == self.count - 1 else split + length
            first = 0 if self.anchored else fold * length
            windows.append((range(first, split - self.purge), range(split + self.embargo, stop)))
        return windows


@dataclass(frozen=True)
class Fold:
    """Times are of the first and last event. Returns are fractions of the equity that the part began with."""

    parameters: dict[str, Value]
    train_from_ns: int
    train_to_ns: int
    train_events: int
    train_return: float
    test_from_ns: int
    test_to_ns: int
    test_events: int
    test_return: float
    test_max_drawdown: float
    test_fills: int
    test_fees: float
    final_equity: float


@dataclass(frozen=True)
class WalkForward:
    """``trials`` were run in all. ``efficiency`` is the tests' return an event over the trainings', None where those earned nothing."""

    folds: list[Fold]
    trials: int
    final_equity: float
    total_return: float
    efficiency: float | None


def walk_forward(
    spec: BacktestSpec,
    parameter_sets: Sequence[dict[str, object]],
    tape: Tape,
    folds: Folds,
    *,
    objective: str = "final-equity",
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> WalkForward:
    """Runs every fold; the equity of one test is the cash that the next fold begins with.

    A position that is open at a test's end is taken to be closed at the last price, without a fee.
    """
    best_of = best_by(objective)
    done: list[Fold] = []
    cash = spec.cash
    for train, test in folds.windows(len(tape)):
        part = replace(spec, cash=cash)
        trials = [outcome.trial for outcome in run_trials(part, parameter_sets, tape.part(train.start, train.stop), threads=threads)]
        best = best_of(trials)
        done.append(_test(part, parameter_sets[best], trials[best], tape, train, test))
        cash = done[-1].final_equity
        if progress is not None:
            progress(len(done))
    return WalkForward(
        folds=done,
        trials=len(done) * len(parameter_sets),
        final_equity=cash,
        total_return=cash / spec.cash - 1.0,
        efficiency=_efficiency(done),
    )


def _test(spec: BacktestSpec, parameters: dict[str, object], trained: Trial, tape: Tape, train: range, test: range) -> Fold:
    """The chosen parameters on the test. The strategy has seen all events since its training began, without trading."""
    desk = desk_of(spec)
    session = Session(spec.strategy(**{**spec.parameters, **parameters}), desk, interpreted=spec.interpreted)
    desk.set_kill(True)
    _run(session, desk, tape, train.start, test.start)
    desk.set_kill(False)
    _run(session, desk, tape, test.start, test.stop)
    account = desk.account
    equity = float(account["equity"])
    return Fold(
        parameters=session.strategy.values(),
        train_from_ns=int(tape.ts_ns[train.start]),
        train_to_ns=int(tape.ts_ns[train.stop - 1]),
        train_events=len(train),
        train_return=trained.net_profit / spec.cash,
        test_from_ns=int(tape.ts_ns[test.start]),
        test_to_ns=int(tape.ts_ns[test.stop - 1]),
        test_events=len(test),
        test_return=equity / spec.cash - 1.0,
        test_max_drawdown=float(account["max_drawdown"]),
        test_fills=int(account["fills"]),
        test_fees=float(account["fees"]),
        final_equity=equity,
    )


def _run(session: Session, desk: Desk, tape: Tape, start: int, stop: int) -> None:
    while start < stop:
        start = session.step(tape, start, stop)
        desk.take_executions()
        desk.drain_day_ends()


def _efficiency(folds: Sequence[Fold]) -> float | None:
    trained = float(np.mean([fold.train_return / fold.train_events for fold in folds]))
    tested = float(np.mean([fold.test_return / fold.test_events for fold in folds]))
    return tested / trained if trained > 0 else None
