"""``traider up``: the whole platform on this machine, in paper mode, until Ctrl-C."""

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from traider.connectors.coinbase.build import options_from
from traider.domain.errors import SettingsError
from traider.domain.instruments import Instrument
from traider.guard.books import DEFAULT_CASH
from traider.kernel.simulation import Fees
from traider.runtime.logging import configure_logging
from traider.runtime.loop import run
from traider.runtime.settings import Settings, load_settings
from traider.services.up import ExchangeProcess, GuardProcess, holding
from traider.strategies.registry import find_strategy

from . import options
from .handover import without_secrets
from .instruments import format_instrument
from .markets import (
    EXCHANGE,
    Chosen,
    at_exchange,
    check_chosen,
    listed_instrument,
    live_plan,
    options_at,
    replay_plan,
    simulated_instrument,
)
from .misspelt import warn_misspelt
from .platform import Composition, Platform
from .warm import compile_ahead

PAPER_VENUE = "paper venue"
# Limits of a paper account where none are set: wide enough for a strategy at work, narrow enough to stop one that has gone mad.
PAPER_OPEN_ORDERS = 100
PAPER_ORDERS_PER_MINUTE = 120
PAPER_DAILY_LOSS = Decimal("0.1")  # of the cash that the account is opened with
PAPER_DRAWDOWN = Decimal("0.25")
REPLAY_SPEED = 60.0
SIM_QUANTITY = 0.1  # what the made-up book takes within a few levels


def up(
    strategy: Annotated[str, typer.Option(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS.")] = "sma_cross",
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed.")] = None,
    quantity: Annotated[float | None, typer.Option(help="Size of one entry, in base currency. [default: the strategy's; sim: 0.1]")] = None,
    market: Annotated[
        str, typer.Option(help="sim: a simulated exchange on this machine; coinbase: its public market data, orders on the paper venue.")
    ] = "sim",
    bars: Annotated[
        str | None,
        typer.Option(help="For a strategy on bars, made of the trades: 1s, 5m, volume:100, dollar:1000000. [default: 1s; coinbase: 1m]"),
    ] = None,
    cash: Annotated[float | None, typer.Option(help="What a new account is opened with. [default: 100000]")] = None,
    fee_maker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fee_taker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fill: Annotated[str | None, typer.Option(help="Of a replay: next-open or next-close. [default: next-open]")] = None,
    replay: Annotated[Path | None, typer.Option(help="Parquet file of market data to replay, in place of --market.")] = None,
    speed: Annotated[
        float | None, typer.Option(help="Times as fast as it happened; of a replay 0: unlimited. [default: 1, of a replay 60]")
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="The market. [default: the file's, or BTC-USD]")] = None,
    seed: Annotated[int, typer.Option(help="Of the simulated exchange's made-up market.", min=0)] = 1,
    price_increment: Annotated[str | None, typer.Option(help="Of a replay, where the prices don't tell.")] = None,
    size_increment: Annotated[str | None, typer.Option(help="Of a replay; default 0.00000001.")] = None,
    host: Annotated[str | None, typer.Option(help="[default: API_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="[default: API_PORT]")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Where everything is kept. [default: TRAIDER_STATE_DIR]")] = None,
    no_api: Annotated[bool, typer.Option("--no-api", help="Without API, dashboard and metrics.")] = False,
    exit_at_end: Annotated[bool, typer.Option("--exit-at-end", help="Stop when the replay has ended.")] = False,
    interpreted: Annotated[bool, typer.Option("--interpreted", help="Run the strategy as ordinary Python.")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Of a replay: keep what was seen and asked for; else it is always kept.")
    ] = False,
) -> int:
    """Start the platform in paper mode: a market, guard, trader, API and dashboard. Ctrl-C stops it.

    What was going on in the state directory goes on. Another strategy, parameter or market begins a new session on the same account.
    """
    environment = environment_with(host=host, port=port, state_dir=state_dir)
    settings = load_settings(environment)
    configure_logging(settings.log)
    warn_misspelt(environment)
    if cash is not None:
        options.check_cash(cash)
    fees = options.fees(fee_maker, fee_taker)
    _check_market(market, replay=replay, speed=speed, fill=fill, exit_at_end=exit_at_end)
    named = {one.partition("=")[0].strip() for one in param or []}
    if quantity is None and replay is None and market == "sim" and "quantity" not in named:
        quantity = SIM_QUANTITY
    chosen = Chosen(
        find_strategy(strategy), options.parameters(_with_window(strategy, param or [], settings), quantity=quantity), interpreted
    )
    chosen.strategy(**chosen.values)  # a wrong parameter is told before anything is started
    paper = ("--fill", fill or "next-open", "--fee-maker", repr(fees.maker), "--fee-taker", repr(fees.taker))
    opened = () if cash is None else ("--cash", repr(cash))
    environment |= _paper_limits(settings, cash or DEFAULT_CASH)
    folder = settings.state.directory

    def guard(instrument: Instrument, *arguments: str, variables: Mapping[str, str] | None = None) -> GuardProcess:
        told = ("--instrument", format_instrument(instrument), *arguments)
        return GuardProcess(told, state_dir=folder, environment=environment | dict(variables or {}))

    if replay is not None:
        increments = (options.increment("--price-increment", price_increment), options.increment("--size-increment", size_increment))
        plan = replay_plan(chosen, replay, speed=REPLAY_SPEED if speed is None else speed, symbol=symbol, increments=increments)
        what = Composition(
            settings=settings,
            mode="paper",
            venue=PAPER_VENUE,
            source=f"replay of {replay.name}",
            plan=plan,
            children=(guard(plan.instrument, *paper, *opened),),
            on_exchange=False,
            record_as=strategy if record else None,
            until="trader" if exit_at_end else None,
        )
    elif market == "coinbase":
        instrument = listed_instrument(symbol or "BTC-USD", settings)
        check_chosen(chosen, instrument, bars or "1m")
        plan, live = live_plan(
            chosen, instrument, options_from(settings.coinbase), name={"market": market}, bars=bars or "1m", on_exchange=False
        )
        what = Composition(
            settings=settings,
            mode="paper",
            venue=PAPER_VENUE,
            source=f"Coinbase's public market data ({settings.coinbase.market_url})",
            plan=plan,
            children=(guard(instrument, *paper, *opened),),
            on_exchange=False,
            market=live,
            record_as=strategy,
        )
    else:
        instrument = simulated_instrument(symbol or "BTC-USD")
        check_chosen(chosen, instrument, bars or "1s")
        told = _exchange_arguments(instrument, folder, cash=cash, fees=fees, seed=seed, speed=speed)
        exchange = ExchangeProcess(told, folder=folder / EXCHANGE, environment=environment)
        at, name = at_exchange(exchange), {"market": market, "seed": seed}
        plan, live = live_plan(chosen, instrument, options_at(exchange, settings), name=name, bars=bars or "1s", on_exchange=True)
        key = {"COINBASE_KEY_FILE": str(exchange.key_file.absolute())}
        what = Composition(
            settings=settings,
            mode="paper",
            venue="simulated exchange",
            source=f"simulated exchange on 127.0.0.1:{exchange.port}, seed {seed}",
            plan=plan,
            children=(exchange, guard(instrument, "--venue", "coinbase", "--simulated", variables=at | key)),
            on_exchange=True,
            market=live,
            record_as=strategy,
        )
    with holding(folder):
        compile_ahead()
        run(Platform(what).run(with_api=not no_api))
    return 0


def _check_market(market: str, *, replay: Path | None, speed: float | None, fill: str | None, exit_at_end: bool) -> None:
    if market not in ("sim", "coinbase"):
        raise SettingsError(f"--market is {market!r}; give sim or coinbase, or --replay FILE")
    if replay is None and (fill is not None or exit_at_end):
        raise SettingsError(
            f"{'--fill' if fill is not None else '--exit-at-end'} is for --replay FILE: any other market goes on, and fills by itself"
        )
    if fill not in (None, "next-open", "next-close"):
        raise SettingsError(f"--fill is {fill!r}; live, an order fills after it was decided on: give next-open or next-close")
    if speed is not None and not (0 if replay is not None else 1e-3) <= speed <= 1e6:
        raise SettingsError(f"--speed is {speed:g}; give how many times as fast as it happened (of a replay, 0 for as fast as it goes)")
    if speed is not None and replay is None and market == "coinbase":
        raise SettingsError("--speed is for --replay FILE and --market sim: Coinbase has a pace of its own")


def _exchange_arguments(
    instrument: Instrument, folder: Path, *, cash: float | None, fees: Fees, seed: int, speed: float | None
) -> list[str]:
    """What the simulated exchange is started with; an account that it has already is what it was left as."""
    is_new = not (folder / EXCHANGE / "state.jsonl").exists()
    funds = Decimal(repr(DEFAULT_CASH if cash is None else cash))
    return [
        *("--product", instrument.symbol, "--seed", str(seed), "--speed", repr(speed or 1.0)),
        *("--fee-maker", f"{Decimal(repr(fees.maker)):f}", "--fee-taker", f"{Decimal(repr(fees.taker)):f}"),
        *(("--fund", f"{instrument.quote}={funds:f}") if is_new or cash is not None else ()),
    ]


def environment_with(*, host: str | None, port: int | None, state_dir: Path | None) -> dict[str, str]:
    """The process's variables without a key's, with what the command line says instead."""
    environment = without_secrets(os.environ)
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
