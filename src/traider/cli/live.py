"""``traider live``: a strategy version that was enabled for it trades with money, on Coinbase, until Ctrl-C."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from traider.connectors.coinbase.build import options_from
from traider.domain.errors import UserError
from traider.domain.guard_protocol import KeyInfo
from traider.domain.limits import RiskLimits
from traider.guard.authorization import (
    Authorization,
    LivePolicy,
    read_authorization,
    why_not,
    why_not_configured,
    why_not_this,
)
from traider.research.evidence import version_of
from traider.runtime.clock import SystemClock
from traider.runtime.logging import configure_logging
from traider.runtime.loop import run
from traider.runtime.settings import Settings, load_settings
from traider.services.up import holding
from traider.strategies.registry import find_strategy

from . import options
from .enable_live import NEEDED, bars_of, refuse
from .live_evidence import standing_of
from .live_guard import check_key, exchange_guard, told_key
from .markets import Chosen, check_chosen, listed_instrument, live_plan
from .misspelt import refuse_misspelt
from .platform import Composition, Platform
from .up import environment_with
from .warm import compile_ahead


def live(
    strategy: Annotated[str, typer.Argument(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS.")],
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed.")] = None,
    quantity: Annotated[float | None, typer.Option(help="Size of one entry, in base currency.")] = None,
    symbol: Annotated[str, typer.Option(help="The market.")] = "BTC-USD",
    bars: Annotated[str, typer.Option(help="For a strategy on bars, made of the trades: 1s, 5m, volume:100, dollar:1000000.")] = "1m",
    host: Annotated[str | None, typer.Option(help="[default: API_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="[default: API_PORT]")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Where everything is kept. [default: TRAIDER_STATE_DIR]")] = None,
    no_api: Annotated[bool, typer.Option("--no-api", help="Without API, dashboard and metrics.")] = False,
    interpreted: Annotated[bool, typer.Option("--interpreted", help="Run the strategy as ordinary Python.")] = False,
) -> int:
    """Trade with money on Coinbase. Refuses while anything is missing that `enable-live` asks for, or is not what was enabled."""
    environment = environment_with(host=host, port=port, state_dir=state_dir)
    settings = load_settings(environment)
    configure_logging(settings.log)
    refuse(why_not_configured(LivePolicy(live_trading=settings.live.live_trading, dry_run=settings.live.dry_run)))
    refuse_misspelt(environment)
    check_key(os.environ)
    limits = settings.risk.limits()
    refuse(why_not_limited(limits))
    chosen = Chosen(find_strategy(strategy), options.parameters(param or [], quantity=quantity), interpreted)
    yes = enabled(chosen, settings, limits, symbol=symbol, bars=bars)
    instrument = listed_instrument(symbol, settings)
    check_chosen(chosen, instrument, bars)
    plan, market = live_plan(chosen, instrument, options_from(settings.coinbase), name={"market": "live"}, bars=bars, on_exchange=True)
    what = Composition(
        settings=settings,
        mode="live",
        venue=f"{yes.venue} account {yes.account or '(unnamed)'}",
        source=settings.coinbase.market_url,
        plan=plan,
        children=(exchange_guard(instrument, state_dir=settings.state.directory, environment=environment),),
        on_exchange=True,
        market=market,
        record_as=strategy,
        checked=_of_this_account(yes, limits, settings.state.directory),
    )
    with holding(settings.state.directory):
        compile_ahead()
        run(Platform(what).run(with_api=not no_api))
    return 0


def why_not_limited(limits: RiskLimits) -> str:
    """Which limit has to be set and is not; empty where all are."""
    unset = [variable for name, variable in NEEDED.items() if getattr(limits, name) is None]
    return f"nobody trades with money without limits: set {', '.join(unset)}" if unset else ""


def enabled(chosen: Chosen, settings: Settings, limits: RiskLimits, *, symbol: str, bars: str) -> Authorization:
    """A person's yes to exactly this, with evidence that still stands; ``UserError`` says what is not so. The account is asked later."""
    state_dir = settings.state.directory
    values = chosen.strategy(**chosen.values).values()
    yes = read_authorization(state_dir)
    now_ns = SystemClock().now_ns()
    if yes is None:
        raise UserError(why_not(None, key=KeyInfo(seq=0), limits=limits, now_ns=now_ns))
    refuse(why_not(yes, key=KeyInfo(seq=0, venue=yes.venue, account=yes.account), limits=limits, now_ns=now_ns))
    sha256 = version_of(chosen.strategy, values).strategy_sha256
    taken = bars_of(chosen.strategy, bars)
    refuse(why_not_this(yes, strategy_sha256=sha256, parameters=dict(values), symbol=symbol, bars=taken))
    standing = standing_of(chosen.strategy, values, Path(yes.evidence_dir or state_dir), paper_days=settings.live.paper_days)
    refuse("; ".join(f"missing: {one}" for one in standing.missing))
    return yes


def _of_this_account(yes: Authorization, limits: RiskLimits, state_dir: Path) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        try:
            async with asyncio.timeout(30.0):
                key = await told_key(state_dir)
        except TimeoutError:
            raise UserError("the exchange did not tell within 30 s whose key it is, so nothing is traded: try again") from None
        refuse(why_not(yes, key=key, limits=limits, now_ns=SystemClock().now_ns()))

    return check
