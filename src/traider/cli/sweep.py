"""``traider sweep``: one strategy with many parameter sets, and how much of the best one is luck."""

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from traider.domain.errors import SettingsError
from traider.engine.backtest import BacktestSpec
from traider.engine.grid import parse_axis, trials_of
from traider.engine.sweep import SweepResult, run_sweep
from traider.strategies.registry import find_strategy

from . import options


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
    if threads is not None and threads < 1:
        raise SettingsError(f"--threads is {threads}; give at least 1")
    cls = find_strategy(strategy)
    shared = options.parameters(param or [], quantity=quantity)
    sets = trials_of([parse_axis(axis) for axis in grid], draws=random, seed=seed)
    both = next((name for name in sets[0] if name in shared), None)
    if both is not None:
        raise SettingsError(f"{both} is given by --grid and by --param or --quantity; give it once")
    options.check_cash(cash)
    fees, mode, limits = options.fees(fee_maker, fee_taker), options.fill_mode(fill), options.limits(limit or [])
    increments = options.increment("--price-increment", price_increment), options.increment("--size-increment", size_increment)
    checked = [cls(**shared, **parameters) for parameters in sets]
    file = options.market_file(data, strategy=cls, symbol=symbol, price_increment=increments[0])
    instrument = options.instrument_of(file, increments[1])
    for trial in checked:
        options.check_quantity(trial.quantity, instrument)
    spec = BacktestSpec(
        strategy=cls, parameters=shared, instrument=instrument, cash=cash, fees=fees, fill=mode, limits=limits, interpreted=interpreted
    )
    tape = options.tape_of_file(file)
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

        print_sweep(result, list(sets[0]), instrument.quote)
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
