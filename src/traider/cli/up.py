"""``traider up``: the whole platform on this machine, in paper mode, until Ctrl-C."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from traider import __version__
from traider.bus.memory import MemoryBus
from traider.connectors.sim.replay import Replay
from traider.domain.errors import SettingsError
from traider.domain.instruments import Instrument
from traider.domain.vocabulary import EventKind
from traider.engine.session import acts_on
from traider.guard.books import DEFAULT_CASH
from traider.kernel.kit import Strategy
from traider.runtime.clock import SystemClock
from traider.runtime.logging import configure_logging
from traider.runtime.loop import run
from traider.runtime.settings import Settings, load_settings
from traider.services.trader import Trader
from traider.services.up import GuardProcess, Part, holding, run_up
from traider.services.watch import GuardWatch
from traider.strategies.registry import find_strategy

from . import options
from .instruments import format_instrument
from .plan import PaperPlan, RecordingPlan, generated, replayed

# Limits of a paper account where none are set: wide enough for a strategy at work, narrow enough to stop one that has gone mad.
PAPER_OPEN_ORDERS = 100
PAPER_ORDERS_PER_MINUTE = 120
PAPER_DAILY_LOSS = Decimal("0.1")  # of the cash that the account is opened with
PAPER_DRAWDOWN = Decimal("0.25")
REPLAY_SPEED = 60.0
GENERATOR_SPEED = 1.0


def up(
    strategy: Annotated[str, typer.Option(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS.")] = "sma_cross",
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed.")] = None,
    quantity: Annotated[float | None, typer.Option(help="Size of one entry, in base currency.")] = None,
    cash: Annotated[float | None, typer.Option(help="What a new account is opened with. [default: 100000]")] = None,
    fee_maker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fee_taker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fill: Annotated[str, typer.Option(help="Where market orders fill: next-open, next-close.")] = "next-open",
    replay: Annotated[Path | None, typer.Option(help="Parquet file of bars or trades. Without it the market is made up.")] = None,
    speed: Annotated[float | None, typer.Option(help="Times as fast as it happened; 0: unlimited. [default: 1, of a replay 60]")] = None,
    symbol: Annotated[str | None, typer.Option(help="The market. [default: the file's, or BTC-USD]")] = None,
    seed: Annotated[int, typer.Option(help="Of the made-up market.", min=0)] = 1,
    price_increment: Annotated[str | None, typer.Option(help="Of a replay, where the prices don't tell.")] = None,
    size_increment: Annotated[str | None, typer.Option(help="Of a replay; default 0.00000001.")] = None,
    host: Annotated[str | None, typer.Option(help="[default: API_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="[default: API_PORT]")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Where everything is kept. [default: TRAIDER_STATE_DIR]")] = None,
    no_api: Annotated[bool, typer.Option("--no-api", help="Without API, dashboard and metrics.")] = False,
    exit_at_end: Annotated[bool, typer.Option("--exit-at-end", help="Stop when the replay has ended.")] = False,
    interpreted: Annotated[bool, typer.Option("--interpreted", help="Run the strategy as ordinary Python.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Keep what the strategy saw and asked for; see: traider replay.")] = False,
) -> int:
    """Start the platform in paper mode: guard, trader, API and dashboard. Ctrl-C stops it.

    What was going on in the state directory goes on. Another strategy, parameter or market begins a new session on the same account.
    """
    environment = _environment(host=host, port=port, state_dir=state_dir)
    settings = load_settings(environment)
    configure_logging(settings.log)
    if cash is not None:
        options.check_cash(cash)
    fees = options.fees(fee_maker, fee_taker)
    if fill not in ("next-open", "next-close"):
        raise SettingsError(f"--fill is {fill!r}; live, an order fills after it was decided on: give next-open or next-close")
    if speed is not None and not 0 <= speed <= 1e9:
        raise SettingsError(f"--speed is {speed:g}; give 0 for as fast as it goes, or how many times as fast as it happened")
    plan, source = _plan(
        find_strategy(strategy),
        options.parameters(_with_window(strategy, param or [], settings), quantity=quantity),
        replay=replay,
        speed=speed,
        symbol=symbol,
        seed=seed,
        increments=(options.increment("--price-increment", price_increment), options.increment("--size-increment", size_increment)),
        interpreted=interpreted,
    )
    guard_arguments = [
        *("--instrument", format_instrument(plan.instrument), "--fill", fill),
        *("--fee-maker", repr(fees.maker), "--fee-taker", repr(fees.taker)),
        *(() if cash is None else ("--cash", repr(cash))),
    ]
    platform = _Platform(
        settings=settings,
        plan=plan,
        source=source,
        guard=GuardProcess(
            guard_arguments, state_dir=settings.state.directory, environment=environment | _paper_limits(settings, cash or DEFAULT_CASH)
        ),
        until="trader" if exit_at_end else None,
        record_as=strategy if record else None,
    )
    with holding(settings.state.directory):
        run(platform.run(with_api=not no_api))
    return 0


@dataclass
class _Platform:
    settings: Settings
    plan: PaperPlan
    source: str
    guard: GuardProcess
    until: str | None
    record_as: str | None  # the strategy's name in its recording, where there is to be one

    def __post_init__(self) -> None:
        self._clock = SystemClock()
        self._bus = MemoryBus()
        state_dir = self.settings.state.directory
        self._watch = GuardWatch(bus=self._bus, clock=self._clock, state_dir=state_dir)
        plan = self.plan if self.record_as is None else RecordingPlan(self.plan, state_dir, self.record_as)
        self._trader = Trader(plan, bus=self._bus, clock=self._clock, state_dir=state_dir)
        self._lines = [f"paper trading {self.plan.instrument.symbol} with {self.plan.strategy_class.name}; market: {self.source}"]

    async def run(self, *, with_api: bool) -> None:
        prepared = self._with_api() if with_api else self._alone()
        await run_up(self.guard, prepared, state_dir=self.settings.state.directory, until=self.until, ready=self._tell)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[Mapping[str, Part]]:
        yield {"watch": self._watch.run, "trader": self._trade}

    @asynccontextmanager
    async def _with_api(self) -> AsyncIterator[Mapping[str, Part]]:
        # A second of imports, while the guard's process starts on another core; --no-api does without.
        from traider.api.launch import launch
        from traider.api.live import SessionInfo
        from traider.runtime.metrics import Metrics, start_exporter

        session = SessionInfo(
            version=__version__,
            strategy=self.plan.strategy_class.name,
            params=self.plan.strategy_class(**self.plan.values).values(),
            symbol=self.plan.instrument.symbol,
            source=self.source,
            started_ts_ns=self._clock.now_ns(),
        )
        metrics = Metrics(clock=self._clock, guard_connected=lambda: self._watch.connected)
        self._trader.on_answer = metrics.answered
        async with launch(self.settings, guard=self._watch, bus=self._bus, clock=self._clock, session=session) as launched:
            self._lines += self._address(launched.server.port, launched.new_password)
            exporter = start_exporter(metrics, self.settings.metrics.port)
            try:
                yield {
                    "watch": self._watch.run,
                    "metrics": lambda: metrics.follow(self._bus),
                    "api": launched.server.serve,
                    "trader": self._trade,
                }
            finally:
                if exporter is not None:
                    exporter.close()

    async def _trade(self) -> None:
        await self._trader.run()
        if self._watch.connected:
            account = (await self._watch.snapshot()).account
            outcome = f"equity {account.equity:.2f} {account.currency}, {account.drawdown:.2%} below its peak"
            again = "" if self._trader.events else "; it had ended before: to run it again, choose another --state-dir"
            print(f"the recording has ended: {outcome}{again}", flush=True)

    def _tell(self) -> None:
        print("\n".join(self._lines), flush=True)

    def _address(self, port: int, new_password: str | None) -> list[str]:
        api = self.settings.api
        host = f"[{api.host}]" if ":" in api.host else api.host
        if new_password is not None:
            login = f"password {new_password} (shown this once; set DASHBOARD_PASSWORD to choose another)"
        elif api.dashboard_password is not None:
            login = "the password of DASHBOARD_PASSWORD"
        else:
            login = "the password that was shown at the first start (set DASHBOARD_PASSWORD to choose another)"
        return [f"dashboard  http://{host}:{port}", f"login      owner, {login}", "Ctrl-C stops it"]


def _environment(*, host: str | None, port: int | None, state_dir: Path | None) -> dict[str, str]:
    """The process's variables, with what the command line says instead."""
    environment = dict(os.environ)
    for name, value in (("API_HOST", host), ("API_PORT", port), ("TRAIDER_STATE_DIR", state_dir)):
        if value is not None:
            environment[name] = str(value)
    return environment


def _with_window(strategy: str, assignments: list[str], settings: Settings) -> list[str]:
    """SMA_WINDOW trades the price against its average, unless the command line says something else."""
    window = settings.strategy.sma_window
    if strategy != "sma_cross" or window is None or any(one.partition("=")[0].strip() in ("fast", "slow") for one in assignments):
        return assignments
    return [*assignments, "fast=1", f"slow={window}"]


def _paper_limits(settings: Settings, cash: float) -> dict[str, str]:
    """Variables for the limits that are not set."""
    risk = settings.risk
    defaults = {
        "MAX_OPEN_ORDERS": (risk.max_open_orders, PAPER_OPEN_ORDERS),
        "MAX_ORDERS_PER_MINUTE": (risk.max_orders_per_minute, PAPER_ORDERS_PER_MINUTE),
        "MAX_DAILY_LOSS": (risk.max_daily_loss, Decimal(repr(cash)) * PAPER_DAILY_LOSS),
        "MAX_DRAWDOWN": (risk.max_drawdown, PAPER_DRAWDOWN),
    }
    return {name: str(default) for name, (value, default) in defaults.items() if value is None}


def _plan(
    cls: type[Strategy],
    values: Mapping[str, object],
    *,
    replay: Path | None,
    speed: float | None,
    symbol: str | None,
    seed: int,
    increments: tuple[Decimal | None, Decimal | None],
    interpreted: bool,
) -> tuple[PaperPlan, str]:
    """What is traded, and where the market comes from, in a person's words."""
    checked = cls(**values)  # a wrong parameter is told before a large file is read
    instrument: Instrument
    if replay is None:
        if "bars" not in acts_on(cls):
            raise SettingsError(f"strategy {cls.name} does not act on bars, which is what the made-up market has: give --replay FILE")
        instrument, source_of, description = generated(
            symbol=symbol or "BTC-USD", seed=seed, speed=GENERATOR_SPEED if speed is None else speed, clock=SystemClock()
        )
        kinds = 1 << EventKind.BAR
        told = f"made-up market, seed {seed}"
    else:
        market = options.market_file(replay, strategy=cls, symbol=symbol, price_increment=increments[0])
        if market.instruments > 1:
            raise SettingsError(f"--replay {replay}: holds {', '.join(market.symbols)}; paper trading is of one instrument: give its file")
        instrument = options.instrument_of(market, increments[1])
        speed = REPLAY_SPEED if speed is None else speed
        source_of, description = replayed(Replay(options.tape_of_file(market), market.symbols, sha256=market.sha256, speed=speed))
        kinds = market.kinds
        told = f"replay of {replay.name}"
    options.check_quantity(checked.quantity, instrument)
    return PaperPlan(cls, values, instrument, description, source_of, interpreted, kinds=kinds), told
