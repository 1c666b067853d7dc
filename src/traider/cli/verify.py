"""``traider verify``: the platform's promises, tried on a strategy and data of yours."""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Collection, Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import pyarrow as pa
import typer

from traider.bus.memory import MemoryBus
from traider.connectors.sim.generator import Generator
from traider.connectors.sim.replay import Replay
from traider.domain.errors import DataError, SettingsError
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderFilled
from traider.domain.vocabulary import EventKind
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.fills import Fills, facts_of, fills_from_events, fills_sha256
from traider.engine.session import acts_on, symbols
from traider.engine.tape import Tape
from traider.guard import journal as guard_journal
from traider.guard.place import JOURNAL
from traider.kernel.kit import Strategy
from traider.research.market import MarketData, checked_file, together
from traider.runtime.clock import SystemClock
from traider.runtime.logging import configure_logging
from traider.runtime.loop import run
from traider.runtime.settings import LogSettings
from traider.services.trader import Trader
from traider.services.up import GuardProcess
from traider.storage.market import BAR_COLUMNS
from traider.strategies.registry import find_strategy

from . import options
from .evidence import keep
from .instruments import format_instrument
from .plan import PaperPlan, replayed
from .session_parity import compare_session
from .sessions import names_session

MADE_UP_BARS = 5_000
LIMIT_VARIABLES = {name: name.upper() for name in RiskLimits.__struct_fields__}  # what the guard's process reads


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way of running the strategy, and what came of it."""

    way: str
    fills: int
    fills_sha256: str
    seconds: float


def parity(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="STRATEGY|SESSION",
            help="A strategy: built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS. Or a recorded session: its file, or its id such as s2.",
        ),
    ] = "sma_cross",
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Parquet file of market data, a folder or a pattern; as often as needed. [default: 5,000 made-up bars]"),
    ] = None,
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed.")] = None,
    quantity: Annotated[float | None, typer.Option(help="Size of one entry, in base currency.")] = None,
    cash: Annotated[float, typer.Option(help="Starting cash, in quote currency.")] = 100_000.0,
    fee_taker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fee_maker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fill: Annotated[str, typer.Option(help="Where market orders fill: next-open, next-close, close, same.")] = "next-open",
    limit: Annotated[list[str] | None, typer.Option(help="Risk limit NAME=VALUE.")] = None,
    symbol: Annotated[str | None, typer.Option(help="The instrument, where the file's name doesn't tell.")] = None,
    price_increment: Annotated[str | None, typer.Option(help="Where the prices don't tell.")] = None,
    size_increment: Annotated[str | None, typer.Option(help="Default 0.00000001.")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Of a session: where it was kept. [default: TRAIDER_STATE_DIR]")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> int:
    """Prove that a replay through the guard fills as the backtest does; or compare a recorded session's fills with it.

    Of a STRATEGY: runs it compiled, interpreted, and through a guard process over its authenticated connection, and compares
    the fills bit for bit. Of a SESSION, on paper or live: itemises its fills against the backtest's over the market events that
    it saw. Exit status 1 when they differ.
    """
    configure_logging(LogSettings(level="ERROR"))
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = [name for name, source in sources.items() if source is not None and source.name != "DEFAULT"]
    if names_session(what):
        _refuse(given, _OF_BOTH | {"state_dir"}, what, "a recorded session, which brings its own market, account and settings")
        return compare_session(what, state_dir, as_json=json_)
    _refuse(
        given, context.params.keys() - {"state_dir"}, what, "a strategy; the session of a state directory is named by its id, such as s2"
    )
    strategy = what
    cls = find_strategy(strategy)
    values = options.parameters(param or [], quantity=quantity)
    options.check_cash(cash)
    fees, mode, limits = options.fees(fee_maker, fee_taker), options.fill_mode(fill), options.limits(limit or [])
    increments = options.increment("--price-increment", price_increment), options.increment("--size-increment", size_increment)
    checked = cls(**values)
    if not data:
        market = _made_up(cls, symbol or "BTC-USD")
    else:
        market = options.market_file(data, strategy=cls, symbol=symbol, price_increment=increments[0])
    _check_replayable(market)
    instruments = options.instruments_of(market, increments[1], cls.market)
    options.check_quantity(checked.quantity, instruments[0])
    spec = BacktestSpec(
        strategy=cls,
        parameters=values,
        instrument=instruments[0],
        others=instruments[1:],
        cash=cash,
        fees=fees,
        fill=mode,
        limits=limits,
    )
    tape = options.tape_of_file(market)
    fills: dict[str, tuple[Fills, float]] = {}
    for way, interpreted in (("backtest, compiled", False), ("backtest, interpreted", True)):
        result = run_backtest(replace(spec, interpreted=interpreted), tape)
        fills[way] = result.fills, result.engine_seconds
    fills["replay through the guard"] = _through_guard(spec, tape, market.sha256, fill)
    ways = [Way(way=way, fills=len(some), fills_sha256=fills_sha256(some), seconds=seconds) for way, (some, seconds) in fills.items()]
    equal = len({way.fills_sha256 for way in ways}) == 1
    difference = None if equal else _first_difference(fills)
    evidence = keep(
        "parity",
        strategy=strategy,
        cls=cls,
        parameters=checked.values(),
        data_sha256=market.sha256,
        settings={"fill": fill, "ways": [way.way for way in ways], "fills": ways[0].fills, "fills_sha256": ways[0].fills_sha256},
        passed=equal,
        verdict="equal" if equal else "different",
        finding=difference or f"{ways[0].fills:,} fills are the same bit for bit",
    )
    if json_:
        report = {
            "parity": equal,
            "ways": msgspec.to_builtins(ways),
            "events": len(tape),
            "difference": difference,
            "evidence": None if evidence is None else str(evidence),
        }
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        _print(ways, difference, evidence)
    return 0 if equal else 1


_OF_BOTH = {"what", "json_"}


def _refuse(given: Iterable[str], known: Collection[str], what: str, kind: str) -> None:
    """SettingsError for an option that belongs to the command's other form."""
    other = [f"--{name.replace('_', '-')}" for name in given if name not in known]
    if other:
        raise SettingsError(f"{what} is {kind}: leave out {', '.join(other)}")


def _check_replayable(market: MarketData) -> None:
    """DataError for what the guard, which takes market events in the order of their time, can't be fed with."""
    bars = 1 << EventKind.BAR
    if market.kinds & bars and market.kinds != bars:
        raise DataError(f"{market.path}: holds bars, and there are {market.kind}: a bar's time is its start; give bars alone, or no bars")
    if market.kinds & 1 << EventKind.FUNDING:
        raise DataError(f"{market.path}: there are {market.kind}, and the guard does not book funding yet; leave the funding rates out")


def _made_up(strategy: type[Strategy], symbol: str) -> MarketData:
    """Bars of a made-up market, as if they had been read from a file."""
    if "bars" not in acts_on(strategy):
        kinds = " and ".join(acts_on(strategy))
        raise DataError(f"strategy {strategy.name} acts on {kinds}: give --data FILE, a Parquet file of such data")
    generator = Generator(symbol=symbol, seed=1, clock=SystemClock(), anchor=Decimal(60_000))
    events = generator.history(0, MADE_UP_BARS)
    columns = {name: np.array([getattr(event, column) for event in events]) for name, column in zip(BAR_COLUMNS, "abcde", strict=True)}
    frame = pa.table({"ts": np.array([event.ts_ns for event in events], np.int64), **columns})
    return together([checked_file(frame, symbol=symbol, price_increment=generator.instrument.price_increment)])


def _through_guard(spec: BacktestSpec, tape: Tape, sha256: str, fill: str) -> tuple[Fills, float]:
    """The fills in the journal of a guard of its own, and how long the session took."""
    with tempfile.TemporaryDirectory(prefix="traider-parity-") as folder:
        state_dir = Path(folder)
        clock = SystemClock()
        replay = Replay(tape, [instrument.symbol for instrument in spec.instruments], sha256=sha256)
        source_of, description = replayed(replay)
        plan = PaperPlan(
            strategy_class=spec.strategy,
            values=spec.parameters,
            instrument=spec.instrument,
            description=description,
            source_of=source_of,
            others=spec.others,
            kinds=replay.kinds,
        )
        guard = GuardProcess(_guard_arguments(spec, state_dir, fill), state_dir=state_dir, environment=_environment(spec.limits))
        trader = Trader(plan, bus=MemoryBus(), clock=clock, state_dir=state_dir)
        started = time.perf_counter()
        run(_session(guard, trader))
        seconds = time.perf_counter() - started
        journal = state_dir / JOURNAL
        guard_journal.verify(journal)
        events = [entry.record for entry in guard_journal.entries(journal) if isinstance(entry.record, OrderFilled)]
        return fills_from_events(events, symbols(spec.instruments)), seconds


async def _session(guard: GuardProcess, trader: Trader) -> None:
    """The replay from its first event to its last, with a guard that is started again should it die."""
    await guard.start()
    try:
        tasks = {asyncio.create_task(trader.run()), asyncio.create_task(guard.look_after())}
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()
    finally:
        await guard.stop()


def _guard_arguments(spec: BacktestSpec, state_dir: Path, fill: str) -> list[str]:
    return [
        *("--state-dir", str(state_dir)),
        *(word for instrument in spec.instruments for word in ("--instrument", format_instrument(instrument))),
        *("--cash", repr(spec.cash)),
        *("--fee-maker", repr(spec.fees.maker)),
        *("--fee-taker", repr(spec.fees.taker)),
        *("--fill", fill),
    ]


def _environment(limits: RiskLimits) -> dict[str, str]:
    """This process's environment with the run's limits and no others, and a store beside the journal."""
    environment = {name: value for name, value in os.environ.items() if name not in (*LIMIT_VARIABLES.values(), "STATE_STORE_URI")}
    for name, variable in LIMIT_VARIABLES.items():
        value = getattr(limits, name)
        if value is not None:
            environment[variable] = ",".join(value) if isinstance(value, tuple) else str(value)
    return {**environment, "LOG_LEVEL": "ERROR"}


def _first_difference(fills: dict[str, tuple[Fills, float]]) -> str:
    (first_way, (first, _)), *others = fills.items()
    for way, (other, _) in others:
        for number, (one, two) in enumerate(zip(facts_of(first).tolist(), facts_of(other).tolist(), strict=False)):
            if one != two:
                return f"fill {number + 1}: {first_way} {one}, {way} {two}"
        if len(first) != len(other):
            return f"{first_way} has {len(first)} fills, {way} {len(other)}"
    return "only in their bits"  # not a number, or minus zero


def _print(ways: list[Way], difference: str | None, evidence: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("way", "fills", "SHA-256 of the fills", "seconds"):
        table.add_column(name, justify="right" if name in ("fills", "seconds") else "left")
    for way in ways:
        table.add_row(way.way, f"{way.fills:,}", f"{way.fills_sha256[:32]}…", f"{way.seconds:,.3f}")
    console.print(table)
    if difference is None:
        console.print("\n[green]equal, bit for bit[/green]")
    else:
        console.print(f"\n[red]they differ[/red]: {difference}", highlight=False)
    if evidence is not None:
        console.print(f"[dim]evidence {evidence}[/dim]", highlight=False, soft_wrap=True)
