"""The look-ahead check: the strategy runs over the recorded data and over copies whose future is another.

Up to the point where the copies differ, a strategy that only knows the past asks for the same, bit for bit.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from traider.domain.errors import StrategyError
from traider.domain.vocabulary import KIND_BITS, EventKind
from traider.engine.lookahead.cuts import cut_rows
from traider.engine.lookahead.futures import FUTURES, Future
from traider.engine.lookahead.markets import only_kind, prices_of
from traider.engine.lookahead.memory import DEVIATIONS, deviations
from traider.engine.lookahead.state import Changed, first_changed
from traider.engine.lookahead.traces import Difference, first_difference, same
from traider.engine.session import acts_on
from traider.kernel.kit import Strategy, Value
from traider.strategies.registry import find_strategy

from .changed_data import write_future, write_recorded
from .market import MarketData
from .recorded import Recorded
from .recorded import recorded as recorded_of
from .redirect import Read
from .witness import Answer, Settings
from .witnesses import Witnesses

Verdict = Literal["clean", "leak", "unrepeatable", "unproven"]
_FIRST_LIMIT_S = 3_600
_LEAST_LIMIT_S = 60
_TIMES_SLOWER = 20

_REMEMBERS = "on a market of another future it trades the recorded one: its positions fit moves that it was not shown"
_NATIVE = (
    "it opens the market data file in native code, where it can't be given another future; read it with open, pyarrow, pandas or polars"
)
_NOTHING = "it asked for nothing before the last cut, so there was nothing to compare; give other data or parameters"
_OTHER_FILES = (
    "it reads other files, and on an order book nothing tells whether those know the future; give files of market data with --data too"
)
_UNREPEATABLE = "two runs over the same data decided differently, so nothing can be said about the future; seed its random numbers"


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """From this row on the future was another one; of several files it is a row of their stream."""

    row: int
    ts_ns: int


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that another future has changed; ``event`` is its row in the data, of several files in their stream."""

    future: Future
    cut: Cut
    event: int
    difference: Difference
    state: Changed | None


class Lookahead(msgspec.Struct, frozen=True, kw_only=True):
    """What the check found.

    ``leaks`` are the differing decisions, the earliest event first. ``remembered`` is how many deviations the positions on
    another market are from having nothing to do with the recorded one (``engine.lookahead.memory``).
    """

    verdict: Verdict
    why: str
    cuts: list[Cut]
    runs: int
    decisions: int
    leaks: list[Leak]
    remembered: float
    unrepeatable: Difference | None
    reads: list[Read]


@dataclass(frozen=True)
class _Case:
    cut: int
    future: Future
    folder: Path


def parsed(strategy: type[Strategy], values: Mapping[str, object]) -> dict[str, Value]:
    """Every parameter's value; StrategyError where one is wrong. ``setup`` is left to the processes that are watched."""
    without_setup: Any = type(strategy.__name__, (strategy,), {"setup": lambda self: None, "name": strategy.name})
    checked: Strategy = without_setup(**values)
    return checked.values()


def check_lookahead(
    settings: Settings,
    market: MarketData,
    running: Witnesses,
    *,
    cuts: int = 5,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> Lookahead:
    """Runs the strategy on the recorded market twice, then on three other futures after each of ``cuts`` points.

    StrategyError if it can't run over the recorded market, DataError for data that can't be cut at one moment.
    """
    data = recorded_of(market)
    with tempfile.TemporaryDirectory(prefix="traider-lookahead-") as name:
        folder = Path(name)
        twice = [write_recorded(data, folder / name) for name in ("recorded", "recorded-again")]
        started = time.perf_counter()
        first, again = running.run_on_each(settings, twice, time_limit_s=_FIRST_LIMIT_S)
        limit_s = max(_LEAST_LIMIT_S, int(_TIMES_SLOWER * (time.perf_counter() - started)))
        if first.trace.stop is not None:
            raise StrategyError(first.trace.stop.why)
        progress(2)
        if (unequal := same(first.trace, again.trace)) is not None:
            return _unrepeatable(first, unequal)
        rows = cut_rows(data.tape.ts_ns, first.trace.times(), cuts, data.breaks)
        cases = [_Case(row, future, folder / f"{future}-{row}") for row in rows for future in FUTURES]
        for case in cases:
            write_future(data, case.folder, cut=case.cut, future=case.future, seed=seed)
        answers: list[Answer] = []
        for answer in running.run(settings, [case.folder for case in cases], time_limit_s=limit_s):
            answers.append(answer)
            progress(2 + len(answers))
    return _judge(settings, data, [first, again], cases, answers)


def _unrepeatable(recorded: Answer, unequal: Difference) -> Lookahead:
    return Lookahead(
        verdict="unrepeatable",
        why=_UNREPEATABLE,
        cuts=[],
        runs=2,
        decisions=len(recorded.trace.times()),
        leaks=[],
        remembered=0.0,
        unrepeatable=unequal,
        reads=recorded.reads,
    )


def _judge(settings: Settings, data: Recorded, recorded: list[Answer], cases: list[_Case], answers: list[Answer]) -> Lookahead:
    first = recorded[0]
    found = list(zip(cases, answers, strict=True))
    leaks = [leak for case, answer in found if (leak := _leak(data, first, case, answer)) is not None]
    leaks.sort(key=lambda leak: leak.difference.ts_ns)
    handled = list(acts_on(find_strategy(settings.strategy)).values())
    remembered = max((_remembered(data, handled, case, answer) for case, answer in found), key=abs, default=0.0)
    cuts = [Cut(row=row, ts_ns=int(data.tape.ts_ns[row])) for row in sorted({case.cut for case in cases})]
    tested = int(np.count_nonzero(first.trace.times() < cuts[-1].ts_ns)) if cuts else 0
    verdict: Verdict
    if leaks:
        verdict, why = "leak", f"another future changes decisions of the past in {len(leaks)} of {len(cases)} runs"
    elif abs(remembered) >= DEVIATIONS:
        verdict, why = "leak", f"{_REMEMBERS} ({remembered:+.1f} deviations)"
    elif all(answer.opened for answer in [*recorded, *answers]):
        verdict, why = "unproven", _NATIVE
    elif not _is_memory_told(data, handled) and any(not read.market for read in first.reads):
        verdict, why = "unproven", _OTHER_FILES
    elif not tested:
        verdict, why = "unproven", _NOTHING
    else:
        verdict, why = "clean", f"{tested:,} decisions are the same whatever the future"
    return Lookahead(
        verdict=verdict,
        why=why,
        cuts=cuts,
        runs=2 + len(cases),
        decisions=len(first.trace.times()),
        leaks=leaks,
        remembered=remembered,
        unrepeatable=None,
        reads=first.reads,
    )


def _leak(data: Recorded, recorded: Answer, case: _Case, answer: Answer) -> Leak | None:
    """Up to the last event of the past: a timer that is due between it and the cut needs an event of the future to be told."""
    times = data.tape.ts_ns
    difference = first_difference(recorded.trace, answer.trace, int(times[case.cut - 1]) + 1)
    if difference is None:
        return None
    return Leak(
        future=case.future,
        cut=Cut(row=case.cut, ts_ns=int(times[case.cut])),
        event=int(times.searchsorted(difference.ts_ns)),
        difference=difference,
        state=first_changed(recorded.state, answer.state, case.cut),
    )


def _is_memory_told(data: Recorded, handled: Sequence[int]) -> bool:
    """Whether positions tell something: a future that was moved as a whole has the recorded moves, so there they don't."""
    tape = data.tape
    kinds = [only_kind(tape.kind[tape.inst == number]) for number in range(tape.instruments)]
    return EventKind.DEPTH not in handled and any(kind in handled for kind in kinds)


def _remembered(data: Recorded, handled: Sequence[int], case: _Case, answer: Answer) -> float:
    """The largest of the instruments'."""
    if case.future == "truncated" or not _is_memory_told(data, handled):
        return 0.0
    tape = data.tape
    seen = np.flatnonzero(np.isin(tape.kind & np.uint8(KIND_BITS), handled))
    held = answer.trace.held()
    found = [0.0]
    for number in range(tape.instruments):
        kind = only_kind(tape.kind[tape.inst == number])
        mine = np.flatnonzero(tape.inst[seen] == number)
        if kind in handled and len(mine):
            positions = held[mine[mine < len(held)]]
            found.append(deviations(positions, prices_of(tape, seen[mine], kind), int(np.searchsorted(seen[mine], case.cut))))
    return max(found, key=abs)
