"""A strategy over recorded market data: fills, fees, equity, and what can be said of them.

The data are a stream: one tape, or chunks of which only the current one is in memory. Where the chunks begin changes nothing.
"""

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
from ..kernel.simulation import Fees, FillMode, Simulation
from .fills import Fills, Outcomes, fills_sha256
from .session import Session
from .statistics import sharpe_ratio
from .stream import Stream, shape_of
from .tape import Tape

CURVE_POINTS = 4000
_BATCH = 262_144  # events between two looks at the progress


@dataclass(frozen=True)
class BacktestSpec:
    """Everything that decides a run beside the market data. ``instrument`` is number 0 of the data, ``others`` are those after it."""

    strategy: type[Strategy]
    parameters: dict[str, object]
    instrument: Instrument
    cash: float
    fees: Fees = field(default_factory=Fees)
    fill: FillMode = FillMode.NEXT_OPEN
    limits: RiskLimits = field(default_factory=RiskLimits)
    interpreted: bool = False
    others: tuple[Instrument, ...] = ()
    simulation: Simulation = field(default_factory=Simulation)

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """All of them, by number."""
        return (self.instrument, *self.others)


@dataclass(frozen=True)
class Holding:
    """What one instrument came to: the position at the end, and profit and fees in quote currency."""

    symbol: str
    position: float
    average_price: float
    realized: float  # without fees
    unrealized: float
    last_price: float  # what the position is marked at
    fees: float
    fills: int


@dataclass(frozen=True)
class BacktestResult:
    """``curve`` holds at most 4,000 points (``kernel.layout.CURVE``); ``refusals`` counts refused orders by reason.

    ``holdings`` are by instrument's number, ``instrument`` names the first.
    """

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
    holdings: tuple[Holding, ...] = ()
    liquidations: int = 0  # how often the venue closed what was held on margin

    @property
    def net_profit(self) -> float:
        return self.final_equity - self.cash

    @property
    def events_per_second(self) -> float:
        return self.events / self.engine_seconds if self.engine_seconds > 0 else math.inf


def run_backtest(spec: BacktestSpec, stream: Stream, *, progress: Callable[[int], None] | None = None) -> BacktestResult:
    """Runs the strategy over the stream; ``progress`` is told how many events are done, now and then."""
    strategy = spec.strategy(**spec.parameters)
    desk = Desk(
        spec.instruments, cash=spec.cash, limits=spec.limits, fees=spec.fees, fill=spec.fill, simulation=spec.simulation, trips=True
    )
    session = Session(strategy, desk, interpreted=spec.interpreted)
    session.prepare(shape_of(stream))  # compiles, so that the engine's time is the engine's
    run = _Run(session, _curve_for(desk, stream.rows), progress)
    for chunk in stream.chunks():
        run.over(chunk)
    run.finish()
    return _result(spec, run)


class _Run:
    """A session on its way through the stream, and what it has come to."""

    def __init__(self, session: Session, curve: np.ndarray[Any, np.dtype[np.void]], progress: Callable[[int], None] | None) -> None:
        self.session = session
        self.curve = curve
        self.outcomes = Outcomes()
        self.day_ends: list[tuple[int, float]] = []
        self.seconds = 0.0
        self.events = 0
        self._progress = progress

    def over(self, chunk: Tape) -> None:
        desk, done = self.session.desk, 0
        while done < len(chunk):
            started = time.perf_counter()
            reached = self.session.step(chunk, done, min(done + _BATCH, len(chunk)), self.curve)
            self.seconds += time.perf_counter() - started
            self.events += reached - done
            done = reached
            self.outcomes.add(desk.take_executions())
            self.day_ends += desk.drain_day_ends()
            if self._progress is not None:
                self._progress(self.events)

    def finish(self) -> None:
        """What is still on its way back after the last event has happened too."""
        self.session.desk.finish()
        self.outcomes.add(self.session.desk.take_executions())


def _curve_for(desk: Desk, events: int) -> np.ndarray[Any, np.dtype[np.void]]:
    stride = max(1, -(-events // CURVE_POINTS))
    desk.account["curve_stride"] = desk.account["curve_left"] = stride
    return np.zeros(events // stride + 1, layout.CURVE)


def _result(spec: BacktestSpec, run: _Run) -> BacktestResult:
    session, desk, outcomes = run.session, run.session.desk, run.outcomes
    account = desk.account
    fills = outcomes.fills()
    refusals = outcomes.refusals()
    if unheard := int(account["unheard"]):
        refusals[Reason.TOO_MANY_REQUESTS] = unheard
    final_equity = float(account["equity"])
    today = int(account["day_end_ns"]) // layout.DAY_NS - 1
    daily = [spec.cash, *(equity for _, equity in run.day_ends), final_equity]
    return BacktestResult(
        strategy=spec.strategy.name,
        parameters=session.strategy.values(),
        instrument=spec.instrument.symbol,
        mode=session.mode,
        events=run.events,
        fills=fills,
        fees=float(account["fees"]),
        cash=spec.cash,
        final_equity=final_equity,
        max_drawdown=float(account["max_drawdown"]),
        sharpe=sharpe_ratio(daily),
        fills_sha256=fills_sha256(fills),
        refusals=refusals,
        cancels=outcomes.cancels(),
        curve=run.curve[: account["curve_points"]],
        day_ends=[*run.day_ends, (today, final_equity)],
        engine_seconds=run.seconds,
        compile_seconds=session.compile_seconds,
        liquidations=int(account["liquidations"]),
        holdings=tuple(_holding(desk, number, fills) for number in range(len(spec.instruments))),
    )


def _holding(desk: Desk, number: int, fills: Fills) -> Holding:
    row = desk.positions[number]
    size, average_price = float(row["size"]), float(row["average_price"])
    return Holding(
        symbol=desk.instruments[number].symbol,
        position=size,
        average_price=average_price,
        realized=float(row["realized_pnl"]),
        unrealized=size * (float(row["mark_price"]) - average_price) if size else 0.0,
        last_price=float(row["mark_price"]),
        fees=float(row["fees"]),
        fills=int(np.count_nonzero(fills["inst"] == number)),
    )
