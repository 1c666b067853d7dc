"""A strategy over recorded market data: fills, fees, equity, and what can be said of them."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..domain.instruments import Instrument
from ..domain.limits import RiskLimits
from ..domain.vocabulary import Reason
from ..kernel import layout
from ..kernel.desk import Desk
from ..kernel.kit import Strategy, Value
from ..kernel.simulation import Fees, FillMode
from .fills import Fills, Outcomes, fills_sha256
from .session import Session
from .statistics import sharpe_ratio
from .tape import Tape

CURVE_POINTS = 4000
_BATCH = 262_144  # events between two looks at the progress


@dataclass(frozen=True)
class BacktestSpec:
    """Everything that decides a run beside the market data."""

    strategy: type[Strategy]
    parameters: dict[str, object]
    instrument: Instrument
    cash: float
    fees: Fees = field(default_factory=Fees)
    fill: FillMode = FillMode.NEXT_OPEN
    limits: RiskLimits = field(default_factory=RiskLimits)
    interpreted: bool = False


@dataclass(frozen=True)
class BacktestResult:
    """``curve`` holds at most 4,000 points (``kernel.layout.CURVE``); ``refusals`` counts refused orders by reason."""

    strategy: str
    parameters: dict[str, Value]
    instrument: str
    mode: str
    events: int
    fills: Fills
    fees: float
    cash: float
    final_equity: float
    max_drawdown: float
    sharpe: float | None
    fills_sha256: str
    refusals: dict[Reason, int]
    cancels: dict[Reason, int]
    curve: np.ndarray[Any, np.dtype[np.void]]
    day_ends: list[tuple[int, float]]
    engine_seconds: float
    compile_seconds: float

    @property
    def net_profit(self) -> float:
        return self.final_equity - self.cash

    @property
    def events_per_second(self) -> float:
        return self.events / self.engine_seconds if self.engine_seconds > 0 else math.inf


def run_backtest(spec: BacktestSpec, tape: Tape, *, progress: Callable[[int], None] | None = None) -> BacktestResult:
    """Runs the strategy over the tape; ``progress`` is told how many events are done, now and then."""
    strategy = spec.strategy(**spec.parameters)
    desk = Desk([spec.instrument], cash=spec.cash, limits=spec.limits, fees=spec.fees, fill=spec.fill, trips=True)
    session = Session(strategy, desk, interpreted=spec.interpreted)
    curve = _curve_for(desk, len(tape))
    outcomes = Outcomes()
    day_ends: list[tuple[int, float]] = []
    seconds = 0.0
    done = 0
    while done < len(tape):
        started = time.perf_counter()
        done = session.step(tape, done, min(done + _BATCH, len(tape)), curve)
        seconds += time.perf_counter() - started
        outcomes.add(desk.take_executions())
        day_ends += desk.drain_day_ends()
        if progress is not None:
            progress(done)
    return _result(spec, session, outcomes, curve, day_ends, len(tape), seconds)


def _curve_for(desk: Desk, events: int) -> np.ndarray[Any, np.dtype[np.void]]:
    stride = max(1, -(-events // CURVE_POINTS))
    desk.account["curve_stride"] = desk.account["curve_left"] = stride
    return np.zeros(events // stride + 1, layout.CURVE)


def _result(
    spec: BacktestSpec,
    session: Session,
    outcomes: Outcomes,
    curve: np.ndarray[Any, np.dtype[np.void]],
    day_ends: list[tuple[int, float]],
    events: int,
    seconds: float,
) -> BacktestResult:
    account = session.desk.account
    fills = outcomes.fills()
    refusals = outcomes.refusals()
    if unheard := int(account["unheard"]):
        refusals[Reason.TOO_MANY_REQUESTS] = unheard
    final_equity = float(account["equity"])
    points = curve[: account["curve_points"]]
    today = int(account["day_end_ns"]) // layout.DAY_NS - 1
    daily = [spec.cash, *(equity for _, equity in day_ends), final_equity]
    return BacktestResult(
        strategy=spec.strategy.name,
        parameters=session.strategy.values(),
        instrument=spec.instrument.symbol,
        mode=session.mode,
        events=events,
        fills=fills,
        fees=float(account["fees"]),
        cash=spec.cash,
        final_equity=final_equity,
        max_drawdown=float(account["max_drawdown"]),
        sharpe=sharpe_ratio(daily),
        fills_sha256=fills_sha256(fills),
        refusals=refusals,
        cancels=outcomes.cancels(),
        curve=points,
        day_ends=[*day_ends, (today, final_equity)],
        engine_seconds=seconds,
        compile_seconds=session.compile_seconds,
    )
