"""``traider backtest``: a strategy over a file of bars or trades."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from traider.domain.errors import SettingsError, TraiderError
from traider.engine.backtest import BacktestResult, BacktestSpec, run_backtest
from traider.engine.manifest import Manifest, changes, encode
from traider.engine.tape import Tape
from traider.kernel.simulation import Fees
from traider.research.runs import Run, Runner, data_of_manifest, read_manifest, run_manifest, run_spec
from traider.storage.table_file import check_table_path, write_table
from traider.strategies.registry import find_strategy

from . import options

_DEFAULTS = (100_000.0, 0.0, 0.0, "next-open")  # of --cash, --fee-taker, --fee-maker and --fill


def backtest(
    strategy: Annotated[str | None, typer.Argument(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS.")] = None,
    data: Annotated[Path | None, typer.Option(help="Parquet file of bars or trades.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed.")] = None,
    quantity: Annotated[float | None, typer.Option(help="Size of one entry, in base currency.")] = None,
    cash: Annotated[float, typer.Option(help="Starting cash, in quote currency.")] = _DEFAULTS[0],
    fee_taker: Annotated[float, typer.Option(help="Fraction of the notional.")] = _DEFAULTS[1],
    fee_maker: Annotated[float, typer.Option(help="Fraction of the notional.")] = _DEFAULTS[2],
    fill: Annotated[str, typer.Option(help="Where market orders fill: next-open, next-close, close, same.")] = _DEFAULTS[3],
    limit: Annotated[list[str] | None, typer.Option(help="Risk limit NAME=VALUE, for example max_position_size=2.")] = None,
    symbol: Annotated[str | None, typer.Option(help="The instrument, where the file's name doesn't tell.")] = None,
    price_increment: Annotated[str | None, typer.Option(help="Where the prices don't tell.")] = None,
    size_increment: Annotated[str | None, typer.Option(help="Default 0.00000001.")] = None,
    interpreted: Annotated[bool, typer.Option("--interpreted", help="Run the strategy as ordinary Python.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write a self-contained HTML report.")] = None,
    trades: Annotated[Path | None, typer.Option(help="Write the round trips, as .parquet or .csv.")] = None,
    fills: Annotated[Path | None, typer.Option(help="Write the fills, as .parquet or .csv.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw price with fills, equity and drawdown, as .png.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
    manifest: Annotated[Path | None, typer.Option(help="Run a manifest again and compare the fills.")] = None,
    manifest_out: Annotated[Path | None, typer.Option(help="Where to write the manifest; default: the state directory.")] = None,
) -> int:
    """Run a strategy over recorded market data.

    A strategy acts when a bar is complete; market orders fill at the next bar's open, or as --fill says.
    """
    for name, path in (("--trades", trades), ("--fills", fills)):
        if path is not None:
            check_table_path(path, name)
    if plot is not None:
        from traider.research.plot import check_plot_path

        check_plot_path(plot, "--plot")
    wanted: Manifest | None = None
    if manifest is not None:
        instead = (strategy, quantity, symbol, price_increment, size_increment, manifest_out)
        if any(one is not None for one in instead) or param or limit or interpreted or (cash, fee_taker, fee_maker, fill) != _DEFAULTS:
            raise SettingsError(
                "--manifest brings strategy, parameters and settings with it; give no others (but --data, if the file has moved)"
            )
        wanted = read_manifest(manifest)
        run = run_manifest(wanted, data or data_of_manifest(wanted, manifest), runner=_runner(quiet=json_))
    else:
        run = _run_of_options(
            strategy=strategy,
            data=data,
            assignments=param or [],
            quantity=quantity,
            cash=cash,
            fees=options.fees(fee_maker, fee_taker),
            fill=fill,
            limits=limit or [],
            symbol=symbol,
            price_increment=options.increment("--price-increment", price_increment),
            size_increment=options.increment("--size-increment", size_increment),
            interpreted=interpreted,
            quiet=json_,
        )
    written = _write_manifest(run, manifest_out) if manifest is None else manifest
    if report is not None:
        _write_report(run, report, written)
    _write_tables(run, trades, fills)
    if plot is not None:
        from traider.research.plot import write_backtest_plot

        write_backtest_plot(run, plot, "--plot")
    if json_:
        sys.stdout.write(json.dumps(_as_json(run, written), allow_nan=False) + "\n")
    else:
        from .backtest_table import print_result

        print_result(run, {"manifest": written, "report": report, "trades": trades, "fills": fills, "plot": plot})
    if wanted is not None and run.result.fills_sha256 != wanted.outcome.fills_sha256:
        changed = [change.what for change in changes(wanted.code, run.manifest.code)]
        because = f"since then changed: {', '.join(changed)}" if changed else "nothing that is recorded has changed: please report this"
        raise TraiderError(f"{manifest}: the fills differ from the manifest's ({because})")
    return 0


def _run_of_options(
    *,
    strategy: str | None,
    data: Path | None,
    assignments: list[str],
    quantity: float | None,
    cash: float,
    fees: Fees,
    fill: str,
    limits: list[str],
    symbol: str | None,
    price_increment: Any,
    size_increment: Any,
    interpreted: bool,
    quiet: bool,
) -> Run:
    if strategy is None:
        raise SettingsError("which strategy? write: traider backtest STRATEGY --data FILE (strategies: see docs/authors-guide.md)")
    cls = find_strategy(strategy)
    values = options.parameters(assignments, quantity=quantity)
    options.check_cash(cash)
    mode = options.fill_mode(fill)
    risk = options.limits(limits)
    checked = cls(**values)  # so that a wrong parameter is told before a large file is read
    if data is None:
        raise SettingsError("which data? add --data FILE, a Parquet file of bars or trades")
    file = options.market_file(data, strategy=cls, symbol=symbol, price_increment=price_increment)
    instrument = options.instrument_of(file, size_increment)
    options.check_quantity(checked.quantity, instrument)
    spec = BacktestSpec(
        strategy=cls, parameters=values, instrument=instrument, cash=cash, fees=fees, fill=mode, limits=risk, interpreted=interpreted
    )
    return run_spec(strategy, spec, file, fill, runner=_runner(quiet=quiet))


def _runner(*, quiet: bool) -> Runner:
    """The engine, with its progress on a terminal when a run takes long."""

    def run(spec: BacktestSpec, tape: Tape) -> BacktestResult:
        takes_long = spec.interpreted or len(tape) >= 1_000_000
        if quiet or not takes_long or not sys.stderr.isatty():
            return run_backtest(spec, tape)
        from .backtest_table import progress_bar

        with progress_bar(len(tape)) as progress:
            return run_backtest(spec, tape, progress=progress)

    return run


def _as_json(run: Run, manifest: Path | None) -> dict[str, object]:
    result = run.result
    return {
        "strategy": result.strategy,
        "params": result.parameters,
        "instrument": result.instrument,
        "mode": result.mode,
        "events": result.events,
        "fills": len(result.fills),
        "fees": result.fees,
        "final_equity": result.final_equity,
        "net_profit": result.net_profit,
        "max_drawdown": result.max_drawdown,
        "sharpe": result.sharpe,
        "fills_sha256": result.fills_sha256,
        "data_sha256": run.data.sha256,
        "engine_seconds": result.engine_seconds,
        "compile_seconds": result.compile_seconds,
        "events_per_second": result.events_per_second,
        "refusals": {reason.name.lower(): count for reason, count in result.refusals.items()},
        "cancels": {reason.name.lower(): count for reason, count in result.cancels.items()},
        "statistics": run.statistics.to_dict(),
        "provenance": run.provenance.to_dict(),
        "notes": run.data.notes,
        "manifest": None if manifest is None else str(manifest),
    }


def _write_manifest(run: Run, path: Path | None) -> Path | None:
    if path is None:
        from traider.runtime.settings import load_settings

        path = load_settings().state.directory / "backtests" / run.manifest.file_name()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(run.manifest))
    except OSError as error:
        sys.stderr.write(f"warning: no manifest written: {path}: {error.strerror}; choose a place with --manifest-out\n")
        return None
    return path


def _write_report(run: Run, path: Path, manifest: Path | None) -> None:
    from traider.research.report import write_report

    command = shlex.join(["traider", *sys.argv[1:]])
    write_report(run, path, name="--report", command_line=command, manifest="" if manifest is None else manifest.name)


def _write_tables(run: Run, trades: Path | None, fills: Path | None) -> None:
    if trades is None and fills is None:
        return
    from traider.research.tables import fills_table, round_trips_table, stamped

    symbol = run.spec.instrument.symbol
    if trades is not None:
        write_table(trades, stamped(round_trips_table(run.statistics.ledger, symbol), run.provenance), "--trades")
    if fills is not None:
        write_table(fills, stamped(fills_table(run.result.fills, symbol), run.provenance), "--fills")
