"""One strategy with many parameter sets over the same data: read once, compiled once, on all cores.

The trials run in threads, for the compiled loop holds no interpreter lock. Each thread takes a handful of trials through
one piece of the tape after the other, so that the piece stays in its cache.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from ..kernel import layout
from ..kernel.desk import Desk
from ..kernel.kit import Value
from .backtest import BacktestSpec
from .overfitting import deflated_sharpe_ratio, probability_of_overfitting
from .session import Session
from .statistics import sharpe_ratio
from .tape import Tape

PERIODS = 512  # returns a trial, of equal numbers of events, for the overfitting figures
_TOGETHER = 8  # trials that one thread steps side by side
_PIECE = 16_384  # events of one step


@dataclass(frozen=True)
class Trial:
    parameters: dict[str, Value]
    final_equity: float
    net_profit: float
    fills: int
    fees: float
    max_drawdown: float
    sharpe: float | None
    refusals: int


@dataclass(frozen=True)
class SweepResult:
    """``trials`` in the order of the grid; ``best`` is the first with the highest final equity."""

    trials: list[Trial]
    best: int
    events: int
    engine_seconds: float
    deflated_sharpe: float | None
    pbo: float | None

    @property
    def total_fills(self) -> int:
        return sum(trial.fills for trial in self.trials)


def run_sweep(
    spec: BacktestSpec,
    parameter_sets: Sequence[dict[str, object]],
    tape: Tape,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> SweepResult:
    """Runs every parameter set (on top of ``spec.parameters``); ``progress`` is told how many trials are done.

    A wrong parameter is told before anything runs. The result doesn't depend on the number of threads.
    """
    merged = [{**spec.parameters, **parameters} for parameters in parameter_sets]
    strategies = [spec.strategy(**parameters) for parameters in merged]
    if not spec.interpreted and strategies:
        Session(strategies[0], _desk(spec)).prepare(tape.shape)  # compiles before the threads want it
    trials: list[Trial | None] = [None] * len(merged)
    returns = np.zeros((PERIODS, len(merged)))
    started = time.perf_counter()
    done = 0
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        pieces = iter(range(0, len(merged), _TOGETHER))
        running: set[Future[int]] = set()

        def work(first: int) -> int:
            group = merged[first : first + _TOGETHER]
            for number, (trial, growth) in enumerate(_run_group(spec, group, tape), start=first):
                trials[number], returns[:, number] = trial, growth
            return len(group)

        for first in islice(pieces, 2 * (threads or os.cpu_count() or 1)):
            running.add(pool.submit(work, first))
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                done += future.result()
                for first in islice(pieces, 1):
                    running.add(pool.submit(work, first))
            if progress is not None:
                progress(done)
    seconds = time.perf_counter() - started
    complete = [trial for trial in trials if trial is not None]
    best = max(range(len(complete)), key=lambda number: complete[number].final_equity)
    return SweepResult(
        trials=complete,
        best=best,
        events=len(tape) * len(complete),
        engine_seconds=seconds,
        deflated_sharpe=deflated_sharpe_ratio(returns, best),
        pbo=probability_of_overfitting(returns),
    )


def _desk(spec: BacktestSpec) -> Desk:
    return Desk([spec.instrument], cash=spec.cash, limits=spec.limits, fees=spec.fees, fill=spec.fill, trips=True)


class _Runner:
    """One trial on its way through the tape."""

    def __init__(self, spec: BacktestSpec, parameters: dict[str, object], events: int) -> None:
        self._cash = spec.cash
        self._session = Session(spec.strategy(**parameters), _desk(spec), interpreted=spec.interpreted)
        stride = max(1, -(-events // PERIODS))
        account = self._session.desk.account
        account["curve_stride"] = account["curve_left"] = stride
        self._curve = np.zeros(events // stride + 1, layout.CURVE)
        self._daily = [spec.cash]

    def advance(self, tape: Tape, start: int, stop: int) -> None:
        desk = self._session.desk
        while start < stop:
            start = self._session.step(tape, start, stop, self._curve)
            desk.take_executions()
            if desk.account["days"]:
                self._daily += [equity for _, equity in desk.drain_day_ends()]

    def result(self) -> tuple[Trial, np.ndarray[Any, np.dtype[np.float64]]]:
        account = self._session.desk.account
        equity = float(account["equity"])
        trial = Trial(
            parameters=self._session.strategy.values(),
            final_equity=equity,
            net_profit=equity - self._cash,
            fills=int(account["fills"]),
            fees=float(account["fees"]),
            max_drawdown=float(account["max_drawdown"]),
            sharpe=sharpe_ratio([*self._daily, equity]),
            refusals=int(account["refusals"]),
        )
        points = self._curve["equity"][: account["curve_points"]]
        growth = np.zeros(PERIODS)
        curve = np.concatenate(([self._cash], points))
        growth[: len(points)] = np.diff(curve) / np.where(curve[:-1] > 0, curve[:-1], np.inf)
        return trial, growth


def _run_group(
    spec: BacktestSpec, group: Sequence[dict[str, object]], tape: Tape
) -> Iterator[tuple[Trial, np.ndarray[Any, np.dtype[np.float64]]]]:
    runners = [_Runner(replace(spec, parameters=parameters), parameters, len(tape)) for parameters in group]
    for start in range(0, len(tape), _PIECE):
        stop = min(start + _PIECE, len(tape))
        for runner in runners:
            runner.advance(tape, start, stop)
    for runner in runners:
        yield runner.result()
