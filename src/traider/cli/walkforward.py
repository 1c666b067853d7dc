"""``traider walkforward``: what a way of choosing parameters earns on data that the choice has not seen."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from traider.engine.manifest import code_of
from traider.engine.provenance import provenance_of
from traider.engine.walkforward import Folds, WalkForward, walk_forward

from .simulation import VenueOptions, takes_venue
from .trials import plan_of, prepare


@takes_venue
def walkforward(
    strategy: Annotated[str, typer.Argument(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS.")],
    data: Annotated[list[Path], typer.Option(help="Parquet file of market data, a folder or a pattern of such; as often as needed.")],
    grid: Annotated[list[str], typer.Option(help="NAME=LOW:HIGH:STEP or NAME=V1,V2,V3, as often as needed.")],
    folds: Annotated[int, typer.Option(help="How many tests.")] = 5,
    ratio: Annotated[int, typer.Option(help="How many times as much training as testing.")] = 3,
    anchored: Annotated[bool, typer.Option("--anchored", help="Train from the beginning of the data every time.")] = False,
    purge: Annotated[int, typer.Option(help="Events left out at the end of each training.")] = 0,
    embargo: Annotated[int, typer.Option(help="Events left out at the beginning of each test.")] = 0,
    objective: Annotated[str, typer.Option(help="What is best in training: final-equity, sharpe.")] = "final-equity",
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE that all trials share.")] = None,
    random: Annotated[int | None, typer.Option(help="Draw so many combinations instead of all.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random draw.")] = 0,
    quantity: Annotated[float | None, typer.Option(help="Size of one entry, in base currency.")] = None,
    cash: Annotated[float, typer.Option(help="Starting cash, in quote currency.")] = 100_000.0,
    fee_taker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fee_maker: Annotated[float, typer.Option(help="Fraction of the notional.")] = 0.0,
    fill: Annotated[str, typer.Option(help="Where market orders fill: next-open, next-close, close, same.")] = "next-open",
    limit: Annotated[list[str] | None, typer.Option(help="Risk limit NAME=VALUE.")] = None,
    symbol: Annotated[str | None, typer.Option(help="The instrument, where the file's name doesn't tell.")] = None,
    price_increment: Annotated[str | None, typer.Option(help="Where the prices don't tell.")] = None,
    size_increment: Annotated[str | None, typer.Option(help="Default 0.00000001.")] = None,
    threads: Annotated[int | None, typer.Option(help="Default: one a core.")] = None,
    interpreted: Annotated[bool, typer.Option("--interpreted", help="Run the strategy as ordinary Python.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
    bars: Annotated[str | None, typer.Option(help="Make bars of the trades: 5s, 1m, 4h, 1d, volume:100, dollar:1000000.")] = None,
    *,
    venue: VenueOptions,
) -> int:
    """Choose parameters on the past, trade them on what comes next, again and again."""
    prepared = prepare(
        strategy=strategy,
        data=data,
        bars=bars or "",
        search=plan_of(grid=grid, random=random, tpe=None, seed=seed),
        param=param or [],
        quantity=quantity,
        cash=cash,
        fee_taker=fee_taker,
        fee_maker=fee_maker,
        fill=fill,
        limit=limit or [],
        symbol=symbol,
        price_increment=price_increment,
        size_increment=size_increment,
        threads=threads,
        interpreted=interpreted,
        venue=venue,
    )
    sets = prepared.search.sets()
    plan = Folds(count=folds, ratio=ratio, anchored=anchored, purge=purge, embargo=embargo)
    if json_ or not sys.stderr.isatty():
        result = walk_forward(prepared.spec, sets, prepared.tape, plan, objective=objective, threads=threads)
    else:
        from .backtest_table import progress_bar

        with progress_bar(folds, "walk-forward") as progress:
            result = walk_forward(prepared.spec, sets, prepared.tape, plan, objective=objective, threads=threads, progress=progress)
    made_of = provenance_of(
        prepared.spec,
        prepared.tape.shape.kinds,
        data_sha256=prepared.market.sha256,
        code=code_of(prepared.spec.strategy),
        seed=None if random is None else seed,
    )
    if json_:
        told = {**asdict(result), "objective": objective, "provenance": made_of.to_dict()}
        sys.stdout.write(json.dumps(told, allow_nan=False) + "\n")
    else:
        _print(result, list(sets[0]), prepared.spec.instrument.quote, made_of.line())
    return 0


def _print(result: WalkForward, names: list[str], currency: str, made_of: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("test from", "test to", *names, "training", "test", "drawdown", "fills", "fees"):
        table.add_column(name, justify="left" if name.startswith("test ") else "right", no_wrap=name.startswith("test "))
    for fold in result.folds:
        table.add_row(
            _time(fold.test_from_ns),
            _time(fold.test_to_ns),
            *(f"{fold.parameters[name]:g}" for name in names),
            f"{fold.train_return:+.2%}",
            f"{fold.test_return:+.2%}",
            f"{fold.test_max_drawdown:.2%}",
            f"{fold.test_fills:,}",
            f"{fold.test_fees:,.2f}",
        )
    console.print(table)
    console.print(f"\nAll tests together  [bold]{result.total_return:+.2%}[/bold]  final equity {result.final_equity:,.2f} {currency}")
    efficiency = "-  (training earned nothing)" if result.efficiency is None else f"{result.efficiency:.0%}"
    console.print(f"Efficiency          {efficiency}  [dim]earned an event: tests over training[/dim]")
    console.print(f"[dim]{result.trials:,} trials were run[/dim]")
    console.print(f"[dim]{made_of}[/dim]", highlight=False, soft_wrap=True)


def _time(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
