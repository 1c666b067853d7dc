"""One strategy with many parameter sets over the same data: read once, compiled once, on all cores.

The trials run in threads, for the compiled loop holds no interpreter lock. The sets come from a ``Search``, batch by batch;
what a batch holds never depends on the number of threads, and so the result doesn't either.
"""

import math
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np

from ..domain.errors import UserError
from .backtest import BacktestSpec
from .codes import Codes
from .overfitting import Moments, deflated_sharpe_ratio, probability_of_overfitting
from .session import Session
from .tape import Tape
from .trial import TOGETHER, Outcome, Trial, desk_of, run_group

Parameters = dict[str, object]
_LOOK_S = 0.2  # between two looks at the progress

OBJECTIVES: dict[str, Callable[[Trial], float]] = {
    "final-equity": lambda trial: trial.final_equity,
    "sharpe": lambda trial: -math.inf if trial.sharpe is None else trial.sharpe,
}


class Search(Protocol):
    """Where parameter sets come from."""

    def ask(self) -> Sequence[Parameters]:
        """The next sets to try; none when the search is over."""
        ...

    def tell(self, trials: Sequence[Trial]) -> None:
        """What came of the sets that were asked for last, in their order."""
        ...


class Record(Protocol):
    """What a sweep has found out already, by the trial's number, and where it notes what it finds."""

    def known(self, number: int) -> Outcome | None: ...

    def note(self, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """Outcomes with the numbers of their trials; when it returns they are kept."""
        ...


class Listed:
    """A search through sets that are known from the start: a grid, or a draw from one."""

    def __init__(self, sets: Sequence[Parameters]) -> None:
        self._left = sets

    def ask(self) -> Sequence[Parameters]:
        asked, self._left = self._left, ()
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        """Nothing follows from it."""


@dataclass(frozen=True)
class SweepResult:
    """``trials`` in the order in which they were asked for; ``best`` is the first with the highest value of the objective."""

    trials: list[Trial]
    best: int
    objective: str
    events: int
    engine_seconds: float
    deflated_sharpe: float | None
    pbo: float | None

    @property
    def total_fills(self) -> int:
        return sum(trial.fills for trial in self.trials)


def run_sweep(
    spec: BacktestSpec,
    search: Search | Sequence[Parameters],
    tape: Tape,
    *,
    objective: str = "final-equity",
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    record: Record | None = None,
) -> SweepResult:
    """Runs every parameter set (on top of ``spec.parameters``); ``progress`` is told how many trials' events are done.

    A wrong parameter is told before anything of its batch runs. What the record knows is not run again.
    """
    best_of = best_by(objective)
    codes = Codes()
    started = time.perf_counter()
    outcomes = run_trials(spec, search, tape, threads=threads, progress=progress, record=record, codes=codes)
    seconds = time.perf_counter() - started - codes.compile_seconds
    trials = [outcome.trial for outcome in outcomes]
    best = best_of(trials)
    moments: Moments = np.concatenate([outcome.moments for outcome in outcomes])
    return SweepResult(
        trials=trials,
        best=best,
        objective=objective,
        events=len(tape) * len(trials),
        engine_seconds=seconds,
        deflated_sharpe=deflated_sharpe_ratio(moments, best),
        pbo=probability_of_overfitting(moments),
    )


def run_trials(
    spec: BacktestSpec,
    search: Search | Sequence[Parameters],
    tape: Tape,
    *,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    record: Record | None = None,
    codes: Codes | None = None,
) -> list[Outcome]:
    """The sweep's trials without its judgement of them, at least one."""
    source: Search = Listed(search) if isinstance(search, Sequence) else search
    outcomes: list[Outcome] = []
    workers = threads or os.cpu_count() or 1
    codes = codes or Codes()
    with ThreadPoolExecutor(workers) as pool:
        while asked := source.ask():
            sets = [{**spec.parameters, **parameters} for parameters in asked]
            outcomes += _Batch(spec, sets, tape, codes, first=len(outcomes), record=record).run(pool, workers, progress)
            source.tell([outcome.trial for outcome in outcomes[len(outcomes) - len(asked) :]])
    if not outcomes:
        raise UserError("a sweep needs at least one parameter set")
    return outcomes


def best_by(objective: str) -> Callable[[Sequence[Trial]], int]:
    """Finds the first trial with the highest value of this objective, by its place."""
    measure = objective_of(objective)
    return lambda trials: max(range(len(trials)), key=lambda number: measure(trials[number]))


def objective_of(name: str) -> Callable[[Trial], float]:
    """What this objective makes of a trial; the highest is best."""
    if name not in OBJECTIVES:
        raise UserError(f"there is no objective {name!r}; give one of {', '.join(OBJECTIVES)}")
    return OBJECTIVES[name]


class _Batch:
    """The sets that were asked for together, in groups that one thread takes through the tape side by side."""

    def __init__(
        self, spec: BacktestSpec, sets: Sequence[Parameters], tape: Tape, codes: Codes, *, first: int, record: Record | None
    ) -> None:
        self._spec, self._sets, self._tape, self._codes = spec, sets, tape, codes
        self._first, self._record = first, record
        self._outcomes = [None if record is None else record.known(first + number) for number in range(len(sets))]
        self._stepped: list[int] = []  # events, as the threads are done with them; appending to a list is atomic

    def run(self, pool: ThreadPoolExecutor, workers: int, progress: Callable[[float], None] | None) -> list[Outcome]:
        """The outcomes, in the sets' order."""
        open_ = [number for number, outcome in enumerate(self._outcomes) if outcome is None]
        for number in open_:
            self._spec.strategy(**self._sets[number])  # a wrong parameter is told before anything runs
        if open_ and not self._spec.interpreted:
            # compiles before the threads want it
            session = Session(self._spec.strategy(**self._sets[open_[0]]), desk_of(self._spec), compiler=self._codes.of)
            session.prepare(self._tape.shape)
            self._codes.compile_seconds += session.compile_seconds
        size = max(1, min(TOGETHER, -(-len(open_) // workers)))
        groups = iter([open_[at : at + size] for at in range(0, len(open_), size)])
        running = {pool.submit(self._work, group) for group in islice(groups, 2 * workers)}
        events, told = 0, len(self._sets) - len(open_)
        try:
            while running:
                finished, running = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._take(future)
                    running |= {pool.submit(self._work, group) for group in islice(groups, 1)}
                events += sum(self._stepped.pop() for _ in range(len(self._stepped)))
                if progress is not None:
                    progress(self._first + told + events / len(self._tape))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        if progress is not None:
            progress(self._first + len(self._sets))
        return [outcome for outcome in self._outcomes if outcome is not None]

    def _work(self, group: list[int]) -> tuple[list[int], list[Outcome]]:
        sets = [self._sets[number] for number in group]
        return group, list(run_group(self._spec, sets, self._tape, codes=self._codes, stepped=self._stepped.append))

    def _take(self, future: Future[tuple[list[int], list[Outcome]]]) -> None:
        group, outcomes = future.result()
        for number, outcome in zip(group, outcomes, strict=True):
            self._outcomes[number] = outcome
        if self._record is not None:
            self._record.note([(self._first + number, outcome) for number, outcome in zip(group, outcomes, strict=True)])
