"""One parameter set over the tape: what came of it, and a handful of them side by side."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..kernel import layout
from ..kernel.desk import Desk
from ..kernel.kit import Value
from .backtest import BacktestSpec
from .codes import Codes
from .overfitting import Moments, moments_of
from .session import Session
from .statistics import sharpe_ratio
from .tape import Tape

PERIODS = 512  # returns a trial, of equal numbers of events, for the overfitting figures
TOGETHER = 8  # trials that one thread steps side by side
_PIECE = 131_072  # events of one step: what a strategy reads of them comes from a cache, and few steps are few calls


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


class Outcome(NamedTuple):
    """A trial, and the moments of its returns (``overfitting.MOMENTS``, one record)."""

    trial: Trial
    moments: Moments


def desk_of(spec: BacktestSpec) -> Desk:
    """A fresh account as the spec has it."""
    return Desk(
        spec.instruments, cash=spec.cash, limits=spec.limits, fees=spec.fees, fill=spec.fill, simulation=spec.simulation, trips=True
    )


def run_group(
    spec: BacktestSpec,
    group: Sequence[dict[str, object]],
    tape: Tape,
    *,
    codes: Codes | None = None,
    stepped: Callable[[int], None] | None = None,
) -> Iterator[Outcome]:
    """The outcomes of a few whole parameter sets, in their order. They go through one piece of the tape after the other, so
    that the piece stays in the processor's cache; ``stepped`` is told of the events as they are done."""
    codes = codes or Codes()
    desk = desk_of(spec)
    runners = [_Runner(spec, parameters, desk.twin(), len(tape), codes) for parameters in group]
    for start in range(0, len(tape), _PIECE):
        stop = min(start + _PIECE, len(tape))
        for runner in runners:
            runner.advance(tape, start, stop)
            if stepped is not None:
                stepped(stop - start)
    for runner in runners:
        yield runner.outcome()


class _Runner:
    """One trial on its way through the tape."""

    def __init__(self, spec: BacktestSpec, parameters: dict[str, object], desk: Desk, events: int, codes: Codes) -> None:
        self._cash = spec.cash
        self._session = Session(spec.strategy(**parameters), desk, interpreted=spec.interpreted, compiler=codes.of)
        stride = max(1, -(-events // PERIODS))
        account = self._session.desk.account
        account["curve_stride"] = account["curve_left"] = stride
        account["forgets"] = int(not self._session.tells_fills)
        self._curve = np.zeros(events // stride + 1, layout.CURVE)
        self._daily = [spec.cash]

    def advance(self, tape: Tape, start: int, stop: int) -> None:
        desk = self._session.desk
        while start < stop:
            start = self._session.step(tape, start, stop, self._curve)
            _forget_executions(desk)
            if desk.account["days"]:
                self._daily += desk.record["day_ends"]["equity"][: desk.account["days"]].tolist()
                desk.account["days"] = 0

    def outcome(self) -> Outcome:
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
        return Outcome(trial, moments_of(self._returns()))

    def _returns(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Of each whole period, from the cash at the start on; 0 where there was nothing to be a fraction of."""
        points = self._curve["equity"][: self._session.desk.account["curve_points"]]
        curve = np.concatenate(([self._cash], points))
        return np.diff(curve) / np.where(curve[:-1] > 0, curve[:-1], np.inf)


def _forget_executions(desk: Desk) -> None:
    """Empties the log, which a trial has no use for: an emptied one stays in the cache, and copying it out takes time."""
    account = desk.account
    if account["told"] == account["executions"]:
        account["executions"] = account["told"] = account["taken"] = 0
    else:
        desk.take_executions()  # keeps what the strategy has still to be told
