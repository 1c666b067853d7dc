"""``traider sweep``: one strategy with many parameter sets, and how much of the best one is luck."""

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from traider.engine.sweep import SweepResult, run_sweep

from .trials import prepare


def sweep(
    strategy: Annotated[str, typer.Argument(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS.")],
    data: Annotated[Path, typer.Option(help="Parquet file of bars or trades.")],
    grid: Annotated[list[str], typer.Option(help="NAME=LOW:HIGH:STEP or NAME=V1,V2,V3, as often as needed.")],
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
) -> int:
    """Run a strategy with every combination of a grid, on all cores, and tell how much of the best one is luck."""
    spec, sets, tape = prepare(
        strategy=strategy,
        data=data,
        grid=grid,
        param=param or [],
        random=random,
        seed=seed,
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
    )
    if json_ or not sys.stderr.isatty():
        result = run_sweep(spec, sets, tape, threads=threads)
    else:
        from .backtest_table import progress_bar

        with progress_bar(len(sets), "sweep") as progress:
            result = run_sweep(spec, sets, tape, threads=threads, progress=progress)
    if json_:
        sys.stdout.write(json.dumps(_as_json(result), allow_nan=False) + "\n")
    else:
        from .sweep_table import print_sweep

        print_sweep(result, list(sets[0]), spec.instrument.quote)
    return 0


def _as_json(result: SweepResult) -> dict[str, object]:
    results: list[dict[str, Any]] = [{"params": trial.pop("parameters"), **trial} for trial in map(asdict, result.trials)]
    return {
        "trials": len(results),
        "events": result.events,
        "engine_seconds": result.engine_seconds,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "best": results[result.best],
        "total_fills": result.total_fills,
        "deflated_sharpe": result.deflated_sharpe,
        "pbo": result.pbo,
        "results": results,
    }
