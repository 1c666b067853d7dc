"""``traider guard``: the risk guard alone, until Ctrl-C or SIGTERM."""

import os
from pathlib import Path
from typing import Annotated

import typer

from traider.guard.books import GuardConfig
from traider.runtime.clock import SystemClock
from traider.runtime.link import parse_endpoint
from traider.runtime.logging import configure_logging
from traider.runtime.loop import run
from traider.runtime.settings import load_settings
from traider.services.guard import GuardOptions, run_guard

from . import amounts
from .instruments import parse_instrument


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
    rebuild_store: Annotated[bool, typer.Option("--rebuild-store", help="Write the state store anew, from the journal.")] = False,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> int:
    """Run the risk guard alone: paper venue, risk check, journal. Limits come from the environment (MAX_DAILY_LOSS, ...)."""
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
    )
    configure_logging(settings.log)
    run(
        run_guard(
            GuardOptions(
                state_dir=settings.state.directory,
                store_url=settings.store_url,
                config=config,
                listen=None if listen is None else parse_endpoint(listen),
                parent=parent,
                rebuild_store=rebuild_store,
            ),
            SystemClock(),
        )
    )
    return 0
