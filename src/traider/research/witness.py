"""The process in which a strategy runs for the look-ahead check: ``python -P -m traider.research.witness``.

Each run is a fork of this process, so that the strategy's module is loaded anew for each market, as in a process of its
own, and the engine is not. A run is asked for with a line on stdin, the path of a job; its answer goes to the file that the
job names, and a line on stdout says that the run has ended. Forks need one thread, so libraries are kept to one.
"""

import ast
import os
import random
import signal
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import msgspec
import numpy as np
import pyarrow.parquet  # noqa: F401 - most strategies that read a file read it with this: loaded once, and not after each fork

from traider.domain.errors import TraiderError
from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.domain.limits import RiskLimits
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.lookahead.state import Held, values_of
from traider.engine.lookahead.traces import Stop, Trace
from traider.engine.lookahead.watch import Log, watched
from traider.engine.tape import Tape, bars_tape
from traider.kernel import author
from traider.kernel.events import Bar, Fill
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, Value
from traider.kernel.simulation import Fees
from traider.strategies.registry import find_strategy

from . import amounts
from .opened import Opened
from .redirect import Read, Redirect


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What every run of one check has in common."""

    strategy: str
    parameters: dict[str, Value]
    instruments: tuple[Instrument, ...]
    cash: float
    maker_fee: float
    taker_fee: float
    fill: str
    limits: RiskLimits
    data: tuple[str, ...]  # the user's files, which are only ever named
    kinds: int  # of events that their stream may hold: a bit mask, 1 << kind


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run: over the tape, and the copies are what the strategy finds where it looks for ``data``."""

    settings: Settings
    tape: str
    copies: list[str]
    answer: str
    time_limit_s: int
    sys_path: list[str]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """``opened``: something opened one of the user's files in a way that could not be led to its copy."""

    trace: Trace
    reads: list[Read]
    state: list[Held]
    opened: bool


class _EveryMethod(Strategy):
    """Calls what most strategies call, so that the machine code behind it is loaded before the first fork and not after each."""

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.cancel(ctx.buy_limit(1.0, 1.0))
        ctx.target(ctx.position() + ctx.pending())
        ctx.cancel_all()


class _EveryMethodAndFills(_EveryMethod):
    def on_fill(self, fill: Fill, ctx: Context) -> None:
        pass


def _warm_up() -> None:
    instrument = instrument_from_symbol("BTC-USD", price_increment=Decimal(1), size_increment=Decimal(1))
    ones = np.ones(2)
    tape = bars_tape(np.arange(2), ones, ones, ones, ones, ones)
    for strategy in (_EveryMethod, _EveryMethodAndFills):
        run_backtest(BacktestSpec(strategy, {}, instrument, 100.0, interpreted=True), tape)


def serve() -> None:
    """Runs jobs until there are no more."""
    _warm_up()
    for line in sys.stdin:
        job = msgspec.json.decode(Path(line.strip()).read_bytes(), type=Job)
        child = os.fork()
        if child == 0:
            _run_and_exit(job)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run_and_exit(job: Job) -> NoReturn:
    """The fork's whole life. It ends without cleaning up what belongs to its parent."""
    status = 1
    try:
        signal.alarm(job.time_limit_s)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1):
            os.dup2(nowhere, stream)
        # A fork has its parent's random numbers: each run draws its own, as a process that is started does.
        random.seed()
        np.random.seed()
        sys.path[:] = job.sys_path
        write = os.open(job.answer, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(write, "wb") as file:
            file.write(msgspec.msgpack.encode(run(job)))
        status = 0
    except BaseException as error:  # noqa: BLE001 - whatever happens, this process must not go on as a second server
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(status)


def run(job: Job) -> Answer:
    """Runs the strategy as ordinary Python over the job's tape. After this the process is good for nothing else."""
    settings = job.settings
    log, state = Log(), list[Held]()
    tape = _tape(Path(job.tape), settings)
    redirect = Redirect({Path(file): Path(copy) for file, copy in zip(settings.data, job.copies, strict=True)})
    redirect.install()
    opened = [Opened(Path(file)) for file in settings.data]
    during = "loading"
    stop = None
    try:
        strategy = find_strategy(settings.strategy)
        during = "setup"

        def made(instance: Strategy) -> None:
            nonlocal during
            state.extend(_state_of(strategy, instance))
            during = "run"

        spec = BacktestSpec(
            strategy=watched(strategy, log, made),
            parameters=dict(settings.parameters),
            instrument=settings.instruments[0],
            others=settings.instruments[1:],
            cash=settings.cash,
            fees=Fees(maker=settings.maker_fee, taker=settings.taker_fee),
            fill=amounts.fill_mode(settings.fill),
            limits=settings.limits,
            interpreted=True,
        )
        run_backtest(spec, tape)
    except TraiderError as error:
        stop = Stop(during=during, why=str(error), ts_ns=log.now_ns)
    except SystemExit as error:
        stop = Stop(during=during, why=f"strategy {settings.strategy} ended the process itself: exit status {error.code}", ts_ns=log.now_ns)
    return Answer(trace=log.trace(stop), reads=redirect.reads, state=state, opened=any(file.seen() for file in opened))


def _tape(path: Path, settings: Settings) -> Tape:
    with np.load(path) as columns:
        return Tape(*(columns[name] for name in columns.files), kinds=settings.kinds, instruments=len(settings.instruments))


def _state_of(strategy: type[Strategy], instance: Strategy) -> list[Held]:
    """What the strategy holds after ``setup``: the globals of its module, then its attributes."""
    module = sys.modules[strategy.__module__]
    globals_ = {name: value for name, value in vars(module).items() if not isinstance(value, type | ModuleType) and not callable(value)}
    return values_of(globals_, "", lambda name: _global_place(module, name)) + values_of(
        vars(instance), "self.", lambda name: str(author.assignment(strategy, name, in_setup=True) or "")
    )


def _global_place(module: ModuleType, name: str) -> str:
    """Where the module gives the name its value."""
    try:
        tree = ast.parse(Path(module.__file__ or "").read_bytes())
    except (OSError, SyntaxError):
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return f"{module.__file__}:{node.lineno}"
    return ""


if __name__ == "__main__":
    serve()
