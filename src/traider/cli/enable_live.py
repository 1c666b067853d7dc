"""``traider enable-live``: shows what is at stake, and asks a person to type the account's name."""

import asyncio
import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from traider.domain.errors import UserError
from traider.domain.guard_protocol import KeyInfo, Snapshot
from traider.domain.instruments import Instrument
from traider.domain.state import LimitUse
from traider.engine.session import acts_on
from traider.guard.authorization import Authorization, LivePolicy, why_not_configured, write_authorization
from traider.guard.journal import lock_path
from traider.guard.lock import holder
from traider.guard.place import JOURNAL
from traider.kernel.kit import Strategy
from traider.research.evidence import version_of
from traider.runtime.clock import SystemClock
from traider.runtime.settings import Settings, load_settings
from traider.services.up import holding
from traider.strategies.registry import find_strategy

from . import options
from .handover import without_secrets
from .live_evidence import standing_of
from .live_guard import check_key, exchange_guard, key_and_limits
from .markets import listed_instrument
from .misspelt import refuse_misspelt

NEEDED = {"max_order_notional": "MAX_ORDER_NOTIONAL", "max_gross_exposure": "MAX_GROSS_EXPOSURE", "max_daily_loss": "MAX_DAILY_LOSS"}
ASK_S = 30.0  # so long the exchange has to tell what the key may do
HOUR_NS = 3_600_000_000_000


def enable_live(
    strategy: Annotated[str, typer.Argument(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS.")],
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed.")] = None,
    quantity: Annotated[float | None, typer.Option(help="Size of one entry, in base currency.")] = None,
    symbol: Annotated[str, typer.Option(help="The market.")] = "BTC-USD",
    bars: Annotated[str, typer.Option(help="For a strategy on bars, made of the trades: 1s, 5m, volume:100, dollar:1000000.")] = "1m",
    paper_dir: Annotated[Path | None, typer.Option(help="State directory of the paper period. [default: TRAIDER_STATE_DIR]")] = None,
) -> int:
    """Let a strategy version trade with money in one market, on the account that the guard has the key of, for LIVE_VALID_H hours.

    Where no guard is running in the state directory, one is started to be asked, and stopped again.
    """
    settings = load_settings()
    policy = LivePolicy(live_trading=settings.live.live_trading, dry_run=settings.live.dry_run)
    refuse(why_not_configured(policy))
    refuse_misspelt(os.environ)
    cls = find_strategy(strategy)
    made = cls(**options.parameters(param or [], quantity=quantity))
    taken = bars_of(cls, bars)
    key, snapshot = _asked(settings, symbol)
    refuse(why_not_this_key(key))
    refuse(why_not_this_market(snapshot, symbol))
    refuse(why_not_these_limits(snapshot.risk.limits))
    standing = standing_of(cls, made.values(), paper_dir or settings.state.directory, paper_days=settings.live.paper_days)
    told = [
        f"account     {key.venue} {key.account}",
        "key         may trade and look, may not transfer",
        *(f"limit       {_limit(use)}" for use in snapshot.risk.limits if use.limit is not None),
        f"market      {symbol}{f', bars of {taken}' if taken else ''}",
        f"strategy    {strategy}, {', '.join(f'{name}={value}' for name, value in made.values().items())}",
        *(f"evidence    {line}" for line in standing.shown),
    ]
    typer.echo("\n".join(told))
    refuse("; ".join(f"missing: {one}" for one in standing.missing))
    confirm(key)
    yes = _authorization(strategy, made, key, settings, paper_dir=paper_dir, symbol=symbol, bars=taken)
    path = write_authorization(settings.state.directory, yes)
    typer.echo(f"live trading is enabled for {settings.live.valid_h:g} hours ({path}); delete the file to end it at once")
    return 0


def refuse(why: str) -> None:
    """Ends the command with this sentence, if there is one."""
    if why:
        raise UserError(why)


def why_not_this_key(key: KeyInfo) -> str:
    """Why no strategy may trade with the guard's key, in one sentence; empty where one may."""
    if not key.venue:
        return "the running guard has no exchange, or it has not told yet what the key may do: start it for one, and try again"
    if key.can_transfer:
        return "the key may transfer money: make one that can't, and give the guard that"
    return "" if key.can_trade and key.can_view else "the key may not trade: make one that may"


def why_not_this_market(snapshot: Snapshot, symbol: str) -> str:
    """Why the guard that was asked does not trade this market; empty where it does."""
    traded = [instrument.symbol for instrument in snapshot.instruments]
    return "" if symbol in traded else f"the running guard trades {', '.join(traded)}, not {symbol}: give --symbol, or stop it"


def bars_of(strategy: type[Strategy], bars: str) -> str:
    """What the strategy's bars are, checked; empty for one that takes none."""
    options.bar_maker(bars, "--bars")
    return bars if "bars" in acts_on(strategy) else ""


def why_not_these_limits(limits: tuple[LimitUse, ...]) -> str:
    """Which limit has to be set and is not; empty where all are."""
    unset = [NEEDED[use.name] for use in limits if use.name in NEEDED and use.limit is None]
    return f"nobody trades with money without limits: set {', '.join(unset)} for the guard" if unset else ""


def confirm(key: KeyInfo) -> None:
    """Returns when the person at the terminal has typed the account's name."""
    name = key.account or key.venue
    typed = typer.prompt(f"Type {name} to let it trade with money", default="", show_default=False)
    if typed.strip() != name:
        raise UserError("that is not the account's name: nothing was enabled")


def _asked(settings: Settings, symbol: str) -> tuple[KeyInfo, Snapshot]:
    state_dir = settings.state.directory
    if holder(lock_path(state_dir / JOURNAL)) is not None:
        return asyncio.run(key_and_limits(state_dir, wait=False))
    check_key(os.environ)
    instrument = listed_instrument(symbol, settings)
    with holding(state_dir):
        return asyncio.run(_asked_of_a_new_one(instrument, state_dir))


async def _asked_of_a_new_one(instrument: Instrument, state_dir: Path) -> tuple[KeyInfo, Snapshot]:
    guard = exchange_guard(instrument, state_dir=state_dir, environment=without_secrets(os.environ))
    try:
        await guard.start()
        async with asyncio.timeout(ASK_S):
            return await key_and_limits(state_dir, wait=True)
    except TimeoutError:
        raise UserError(f"the exchange did not tell within {ASK_S:g} s what the key may do: see the guard's messages above") from None
    finally:
        await guard.stop()


def _authorization(
    name: str, strategy: Strategy, key: KeyInfo, settings: Settings, *, paper_dir: Path | None, symbol: str, bars: str
) -> Authorization:
    now_ns = SystemClock().now_ns()
    return Authorization(
        venue=key.venue,
        account=key.account,
        strategy=name,
        strategy_sha256=version_of(type(strategy), strategy.values()).strategy_sha256,
        parameters=dict(strategy.values()),
        symbol=symbol,
        bars=bars,
        limits_sha256=key.limits_sha256,
        by=getpass.getuser(),
        made_ns=now_ns,
        expires_ns=now_ns + int(settings.live.valid_h * HOUR_NS),
        evidence_dir="" if paper_dir is None else str(paper_dir.absolute()),
    )


def _limit(use: LimitUse) -> str:
    return f"{use.label.lower()}: {use.limit:f} {use.unit}"
