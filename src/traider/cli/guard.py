"""``traider guard``: the risk guard alone, until Ctrl-C or SIGTERM."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from traider.domain.errors import SettingsError
from traider.domain.venue import Venue, VenueMarket
from traider.guard.authorization import LivePolicy
from traider.guard.books import GuardConfig
from traider.runtime.clock import SystemClock
from traider.runtime.link import parse_endpoint
from traider.runtime.logging import configure_logging
from traider.runtime.loop import run
from traider.runtime.settings import LOOPBACK, Settings, load_settings
from traider.services.guard import GuardOptions, run_guard

from . import amounts
from .instruments import parse_instrument
from .misspelt import warn_misspelt

KEY_WITHIN_S = 60.0


def guard(
    instrument: Annotated[list[str], typer.Option(help="SYMBOL:PRICE_INCREMENT:SIZE_INCREMENT, as often as needed.")],
    cash: Annotated[float | None, typer.Option(help="What a new account is opened with. [default: 100000]")] = None,
    fee_maker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fee_taker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fill: Annotated[str, typer.Option(help="Where market orders fill: next-open, next-close, same.")] = "next-open",
    state_dir: Annotated[Path | None, typer.Option(help="Where the journal is kept. [default: TRAIDER_STATE_DIR]")] = None,
    listen: Annotated[
        str | None, typer.Option(help="unix:///path or tcp://127.0.0.1:PORT. [default: a socket in the state directory]")
    ] = None,
    venue: Annotated[str, typer.Option(help="Where orders go: paper, or coinbase (with its key; see enable-live).")] = "paper",
    simulated: Annotated[
        bool, typer.Option("--simulated", help="The exchange is exchange-sim on this machine: orders need no enable-live.")
    ] = False,
    rebuild_store: Annotated[bool, typer.Option("--rebuild-store", help="Write the state store anew, from the journal.")] = False,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> int:
    """Run the risk guard alone: risk check, journal, and the venue. Limits come from the environment (MAX_DAILY_LOSS, ...)."""
    environment = dict(os.environ)
    if state_dir is not None:
        environment["TRAIDER_STATE_DIR"] = str(state_dir)
    settings = load_settings(environment)
    if cash is not None:
        amounts.check_cash(cash)
    fees = amounts.fees(fee_maker, fee_taker)
    config = GuardConfig(
        instruments=tuple(parse_instrument(text) for text in instrument),
        limits=settings.risk.limits(),
        cash=cash,
        maker_fee=fees.maker,
        taker_fee=fees.taker,
        fill=amounts.fill_mode(fill),
        simulated=simulated,
    )
    if simulated:
        _must_be_here(venue, settings)
        _await_key(settings)
    make_venue, make_market = _venue_of(venue, settings, config)
    configure_logging(settings.log)
    if parent is None:  # else whoever started it has said so
        warn_misspelt(environment)
    run(
        run_guard(
            GuardOptions(
                state_dir=settings.state.directory,
                store_url=settings.store_url,
                config=config,
                listen=None if listen is None else parse_endpoint(listen),
                parent=parent,
                rebuild_store=rebuild_store,
                segment_lines=settings.state.journal_segment_lines,
                live=None if simulated else _live_policy(settings),
            ),
            SystemClock(),
            make_venue,
            make_market,
        )
    )
    return 0


def _live_policy(settings: Settings) -> LivePolicy:
    return LivePolicy(live_trading=settings.live.live_trading, dry_run=settings.live.dry_run, url=settings.coinbase.rest_url)


def _must_be_here(venue: str, settings: Settings) -> None:
    """A simulated exchange is on this machine and nowhere else: what is not enabled may not get out by this door."""
    at = settings.coinbase
    elsewhere = [url for url in (at.rest_url, at.market_url, at.user_url) if urlsplit(url).hostname not in LOOPBACK]
    if venue != "coinbase" or elsewhere:
        told = f"{elsewhere[0]} is not" if elsewhere else f"--venue {venue} has none"
        raise SettingsError(f"--simulated is for an exchange-sim on this machine, with --venue coinbase and COINBASE_*_URL: {told}")


def _await_key(settings: Settings) -> None:
    """Returns when the key is there: a simulated exchange that is being started at the same time writes it first of all."""
    path = settings.coinbase_key.file
    deadline_s = time.monotonic() + KEY_WITHIN_S
    while path is not None and not path.exists() and time.monotonic() < deadline_s:
        time.sleep(0.01)


def _venue_of(
    name: str, settings: Settings, config: GuardConfig
) -> tuple[Callable[[], Venue], Callable[[], VenueMarket]] | tuple[None, None]:
    """What makes the exchange's client and its prices in the running loop; none on paper. The key is read in the guard's process alone."""
    if name == "paper":
        return None, None
    if name != "coinbase":
        raise SettingsError(f"--venue is {name!r}; give paper or coinbase")
    # a second of imports that a guard on paper does without
    from traider.connectors.coinbase.build import options_from
    from traider.connectors.coinbase.venue_market import coinbase_market

    from .coinbase_access import venue_maker

    reached = options_from(settings.coinbase)
    return venue_maker(settings, reached), lambda: coinbase_market(config.instruments, reached)
