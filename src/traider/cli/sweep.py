"""``traider sweep``: one strategy with many parameter sets, and how much of the best one is luck."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from traider.engine.permutation import PermutationTest, check_permutations
from traider.research.sweeps import Sweep, SweepPlan, run_plan
from traider.runtime.memory import peak_rss_bytes

from .simulation import VenueOptions, takes_venue
from .trials import Prepared, plan_of, prepare


@takes_venue
def sweep(
    strategy: Annotated[str, typer.Argument(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS.")],
    data: Annotated[list[Path], typer.Option(help="Parquet file of market data, a folder or a pattern of such; as often as needed.")],
    grid: Annotated[list[str] | None, typer.Option(help="NAME=LOW:HIGH:STEP or NAME=V1,V2,V3, as often as needed.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE that all trials share.")] = None,
    random: Annotated[int | None, typer.Option(help="Draw so many combinations instead of all.")] = None,
    tpe: Annotated[
        int | None, typer.Option(help="Search for so many by TPE, which learns from its trials; without --grid in the declared ranges.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random draw, the search by TPE and the permutations.")] = 0,
    objective: Annotated[str, typer.Option(help="What is best: final-equity, sharpe.")] = "final-equity",
    permutations: Annotated[
        int | None, typer.Option(help="Search so many permutations of the bars too, and say how often they are as good.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Keep each finished trial in this file, and go on from it when it is there.")] = None,
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
    plot: Annotated[Path | None, typer.Option(help="Draw what two parameters make of it, as .png.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
    bars: Annotated[str | None, typer.Option(help="Make bars of the trades: 5s, 1m, 4h, 1d, volume:100, dollar:1000000.")] = None,
    *,
    venue: VenueOptions,
) -> int:
    """Run a strategy with many parameter sets, on all cores, and tell how much of the best one is luck."""
    if permutations is not None:
        check_permutations(permutations, "--permutations")
    if plot is not None:
        from traider.research.plot import check_plot_path

        check_plot_path(plot, "--plot")
    prepared = prepare(
        strategy=strategy,
        data=data,
        bars=bars or "",
        search=plan_of(grid=grid or [], random=random, tpe=tpe, seed=seed),
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
    plan = SweepPlan(prepared.search, objective, permutations or 0, threads, resume)
    done = _run(prepared, plan, quiet=quiet or json_)
    if plot is not None:
        from traider.research.plot import write_sweep_plot

        write_sweep_plot(done, plot, "--plot")
    if json_:
        sys.stdout.write(json.dumps(_as_json(done), allow_nan=False) + "\n")
    else:
        from .sweep_table import print_sweep

        print_sweep(done)
        if plot is not None:
            sys.stdout.write(f"plot {plot}\n")
    return 0


def _run(prepared: Prepared, plan: SweepPlan, *, quiet: bool) -> Sweep:
    spec, _, file, tape = prepared
    if quiet or not sys.stderr.isatty():
        return run_plan(spec, plan, tape, data_sha256=file.sha256)
    from .backtest_table import progress_bars

    search = plan.search
    trials = search.tpe if search.tpe is not None else len(search.sets())
    totals = {"sweep": trials, **({"permutations": plan.permutations} if plan.permutations else {})}
    with progress_bars(totals) as told:
        return run_plan(spec, plan, tape, data_sha256=file.sha256, progress=told["sweep"], permuted=told.get("permutations"))


def _as_json(done: Sweep) -> dict[str, object]:
    result = done.result
    results: list[dict[str, Any]] = [{"params": trial.pop("parameters"), **trial} for trial in map(asdict, result.trials)]
    return {
        "trials": len(results),
        "events": result.events,
        "engine_seconds": result.engine_seconds,
        "peak_rss_bytes": peak_rss_bytes(),
        "best": results[result.best],
        "total_fills": result.total_fills,
        "deflated_sharpe": result.deflated_sharpe,
        "pbo": result.pbo,
        "permutation_test": _permutation(done.permutation),
        "search": {"objective": result.objective, **done.plan.search.describe(done.spec)},
        "provenance": done.provenance.to_dict(),
        "results": results,
    }


def _permutation(test: PermutationTest | None) -> dict[str, object] | None:
    if test is None:
        return None
    return {"permutations": test.permutations, "seed": test.seed, "as_good": test.as_good, "p_value": test.p_value}
