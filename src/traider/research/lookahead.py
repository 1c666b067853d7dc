"""The look-ahead check: the strategy runs over the recorded data and over copies whose future is another.

Up to the point where the copies differ, a strategy that only knows the past asks for the same, bit for bit.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow.parquet as pq

from traider.domain.errors import DataError, StrategyError
from traider.engine.lookahead.cuts import cut_rows
from traider.engine.lookahead.futures import FUTURES, PRICES, Future
from traider.engine.lookahead.memory import DEVIATIONS, deviations
from traider.engine.lookahead.state import Changed, first_changed
from traider.engine.lookahead.traces import Difference, first_difference, same
from traider.kernel.kit import Strategy, Value
from traider.storage.market_file import MarketFile

from .changed_data import write_future
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
_UNREPEATABLE = "two runs over the same data decided differently, so nothing can be said about the future; seed its random numbers"


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """From this row on the future was another one."""

    row: int
    ts_ns: int


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that another future has changed; ``event`` is its row in the data."""

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
    path: Path


def parsed(strategy: type[Strategy], values: Mapping[str, object]) -> dict[str, Value]:
    """Every parameter's value; StrategyError where one is wrong. ``setup`` is left to the processes that are watched."""
    without_setup: Any = type(strategy.__name__, (strategy,), {"setup": lambda self: None, "name": strategy.name})
    checked: Strategy = without_setup(**values)
    return checked.values()


def check_lookahead(
    settings: Settings,
    market: MarketFile,
    running: Witnesses,
    *,
    cuts: int = 5,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> Lookahead:
    """Runs the strategy on the recorded market twice, then on three other futures after each of ``cuts`` points.

    StrategyError if it can't run over the recorded market, DataError for a kind of data whose future can't be changed yet.
    """
    if market.kind not in PRICES:
        raise DataError(f"{market.path}: holds {market.kind}; the look-ahead check is for {' and '.join(PRICES)}: give such data")
    with tempfile.TemporaryDirectory(prefix="traider-lookahead-") as name:
        folder = Path(name)
        table = pq.read_table(settings.data)
        twice = [folder / "recorded.parquet", folder / "recorded-again.parquet"]
        for path in twice:
            pq.write_table(table, path)
        started = time.perf_counter()
        recorded, again = running.run_on_each(settings, twice, time_limit_s=_FIRST_LIMIT_S)
        limit_s = max(_LEAST_LIMIT_S, int(_TIMES_SLOWER * (time.perf_counter() - started)))
        if recorded.trace.stop is not None:
            raise StrategyError(recorded.trace.stop.why)
        progress(2)
        if (unequal := same(recorded.trace, again.trace)) is not None:
            return _unrepeatable(recorded, unequal)
        rows = cut_rows(market.ts_ns, recorded.trace.times(), cuts)
        cases = [_Case(row, future, folder / f"{future}-{row}.parquet") for row in rows for future in FUTURES]
        for case in cases:
            write_future(market, table, case.path, cut=case.cut, future=case.future, seed=seed)
        del table
        answers: list[Answer] = []
        for answer in running.run(settings, [case.path for case in cases], time_limit_s=limit_s):
            answers.append(answer)
            progress(2 + len(answers))
    return _judge(market, recorded, again, cases, answers)


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


def _judge(market: MarketFile, recorded: Answer, again: Answer, cases: list[_Case], answers: list[Answer]) -> Lookahead:
    leaks = [leak for case, answer in zip(cases, answers, strict=True) if (leak := _leak(market, recorded, case, answer)) is not None]
    leaks.sort(key=lambda leak: leak.difference.ts_ns)
    remembered = max((_remembered(market, case, answer) for case, answer in zip(cases, answers, strict=True)), key=abs, default=0.0)
    cuts = [Cut(row=row, ts_ns=int(market.ts_ns[row])) for row in sorted({case.cut for case in cases})]
    tested = int(np.count_nonzero(recorded.trace.times() < cuts[-1].ts_ns)) if cuts else 0
    verdict: Verdict
    if leaks:
        verdict, why = "leak", f"another future changes decisions of the past in {len(leaks)} of {len(cases)} runs"
    elif abs(remembered) >= DEVIATIONS:
        verdict, why = "leak", f"{_REMEMBERS} ({remembered:+.1f} deviations)"
    elif all(answer.opened for answer in [recorded, again, *answers]):
        verdict, why = "unproven", _NATIVE
    elif not tested:
        verdict, why = "unproven", _NOTHING
    else:
        verdict, why = "clean", f"{tested:,} decisions are the same whatever the future"
    return Lookahead(
        verdict=verdict,
        why=why,
        cuts=cuts,
        runs=2 + len(cases),
        decisions=len(recorded.trace.times()),
        leaks=leaks,
        remembered=remembered,
        unrepeatable=None,
        reads=recorded.reads,
    )


def _leak(market: MarketFile, recorded: Answer, case: _Case, answer: Answer) -> Leak | None:
    until_ns = int(market.ts_ns[case.cut])
    difference = first_difference(recorded.trace, answer.trace, until_ns)
    if difference is None:
        return None
    return Leak(
        future=case.future,
        cut=Cut(row=case.cut, ts_ns=until_ns),
        event=int(market.ts_ns.searchsorted(difference.ts_ns)),
        difference=difference,
        state=first_changed(recorded.state, answer.state, case.cut),
    )


def _remembered(market: MarketFile, case: _Case, answer: Answer) -> float:
    if case.future == "truncated":
        return 0.0
    return deviations(answer.trace.held(), market.columns[PRICES[market.kind]], case.cut)
