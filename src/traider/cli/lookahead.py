"""``traider verify lookahead``: does the strategy know what comes next?"""

import json
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from traider.domain.errors import SettingsError
from traider.kernel.kit import Strategy
from traider.research.hints import hints
from traider.research.lookahead import Lookahead, check_lookahead, parsed
from traider.research.market import MarketData
from traider.research.witness import Settings
from traider.research.witnesses import witnesses
from traider.strategies.registry import find_strategy

from . import options
from .evidence import keep

_MAX_CUTS = 100


def lookahead(
    strategy: Annotated[str, typer.Argument(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS.")],
    data: Annotated[list[Path], typer.Option(help="Parquet file of market data, a folder, or a pattern; as often as needed.")],
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed.")] = None,
    cuts: Annotated[int, typer.Option(help="At how many points the future is changed; three runs each.")] = 5,
    seed: Annotated[int, typer.Option(help="Of the other futures.")] = 0,
    quantity: Annotated[float | None, typer.Option(help="Size of one entry, in base currency.")] = None,
    cash: Annotated[float, typer.Option(help="Starting cash, in quote currency.")] = 100_000.0,
    fee_taker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fee_maker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fill: Annotated[str, typer.Option(help="Where market orders fill: next-open, next-close, close, same.")] = "next-open",
    limit: Annotated[list[str] | None, typer.Option(help="Risk limit NAME=VALUE.")] = None,
    symbol: Annotated[str | None, typer.Option(help="The instrument, where the file's name doesn't tell.")] = None,
    price_increment: Annotated[str | None, typer.Option(help="Where the prices don't tell.")] = None,
    size_increment: Annotated[str | None, typer.Option(help="Default 0.00000001.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> int:
    """Prove that no decision depends on what comes after it.

    Runs the strategy over the data and over copies that are cut off, or go on otherwise, and compares what it asked for
    before that point. Exit status 1 unless all of it is the same.
    """
    if not 1 <= cuts <= _MAX_CUTS:
        raise SettingsError(f"--cuts is {cuts}; give 1 to {_MAX_CUTS}")
    if seed < 0:
        raise SettingsError(f"--seed is {seed}; give a whole number from 0")
    cls = find_strategy(strategy)
    values = parsed(cls, options.parameters(param or [], quantity=quantity))
    options.check_cash(cash)
    fees, limits = options.fees(fee_maker, fee_taker), options.limits(limit or [])
    options.fill_mode(fill)
    increments = options.increment("--price-increment", price_increment), options.increment("--size-increment", size_increment)
    market = options.market_file(data, strategy=cls, symbol=symbol, price_increment=increments[0])
    instruments = options.instruments_of(market, increments[1], cls.market)
    options.check_quantity(float(values["quantity"]), instruments[0])
    settings = Settings(
        strategy=strategy,
        parameters=values,
        instruments=instruments,
        cash=cash,
        maker_fee=fees.maker,
        taker_fee=fees.taker,
        fill=fill,
        limits=limits,
        data=tuple(str(file.path.absolute()) for file in market.files),
        kinds=market.kinds,
    )
    found = _check(settings, market, cuts=cuts, seed=seed, quiet=json_)
    evidence = _keep(cls, settings, market, found, cuts=cuts, seed=seed)
    if json_:
        sys.stdout.write(json.dumps(_as_json(cls, found, evidence)) + "\n")
    else:
        from .lookahead_table import print_lookahead

        print_lookahead(found, settings.strategy, market, hints(cls), evidence)
    return 0 if found.verdict == "clean" else 1


def _check(settings: Settings, market: MarketData, *, cuts: int, seed: int, quiet: bool) -> Lookahead:
    with witnesses() as running:
        if quiet or not sys.stderr.isatty():
            return check_lookahead(settings, market, running, cuts=cuts, seed=seed)
        from .backtest_table import progress_bar

        with progress_bar(2 + 3 * cuts, "runs") as progress:
            return check_lookahead(settings, market, running, cuts=cuts, seed=seed, progress=progress)


def _keep(cls: type[Strategy], settings: Settings, market: MarketData, found: Lookahead, *, cuts: int, seed: int) -> Path | None:
    return keep(
        "lookahead",
        strategy=settings.strategy,
        cls=cls,
        parameters=settings.parameters,
        data_sha256=market.sha256,
        settings={"cuts": cuts, "seed": seed, "fill": settings.fill, "runs": found.runs, "decisions": found.decisions},
        passed=found.verdict == "clean",
        verdict=found.verdict,
        finding=found.why,
        files=[read.path for read in found.reads if not read.market],
    )


def _as_json(cls: type[Strategy], found: Lookahead, evidence: Path | None) -> dict[str, object]:
    said: dict[str, object] = msgspec.to_builtins(found)
    first = msgspec.to_builtins(found.leaks[0]) if found.leaks else None
    about = [] if found.verdict == "clean" else msgspec.to_builtins(hints(cls))
    return {
        **said,
        "clean": found.verdict == "clean",
        "first": first,
        "hints": about,
        "evidence": None if evidence is None else str(evidence),
    }
