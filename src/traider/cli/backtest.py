"""``traider backtest``: a strategy over recorded market data."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from traider.domain.errors import SettingsError, TraiderError
from traider.engine.backtest import BacktestResult, BacktestSpec, Holding, run_backtest
from traider.engine.explain import explain
from traider.engine.manifest import Manifest, changes, encode
from traider.engine.stream import Stream
from traider.kernel.simulation import Fees
from traider.research.runs import Run, Runner, data_of_manifest, read_manifest, run_manifest, run_spec
from traider.storage.table_file import check_table_path, write_table
from traider.strategies.registry import find_strategy

from . import options
from .simulation import VenueOptions, takes_venue

_DEFAULTS = (100_000.0, 0.0, 0.0, "next-open")  # of --cash, --fee-taker, --fee-maker and --fill


@takes_venue
def backtest(
    strategy: Annotated[str | None, typer.Argument(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS.")] = None,
    data: Annotated[
        list[Path] | None, typer.Option(help="Parquet file of market data, a folder or a pattern of such; as often as needed.")
    ] = None,
    bars: Annotated[str | None, typer.Option(help="Make bars of the trades: 5s, 1m, 4h, 1d, volume:100, dollar:1000000.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed.")] = None,
    quantity: Annotated[float | None, typer.Option(help="Size of one entry, in base currency.")] = None,
    cash: Annotated[float, typer.Option(help="Starting cash, in quote currency.")] = _DEFAULTS[0],
    fee_taker: Annotated[float, typer.Option(help="Fraction of the notional.")] = _DEFAULTS[1],
    fee_maker: Annotated[float, typer.Option(help="Fraction of the notional.")] = _DEFAULTS[2],
    fill: Annotated[str, typer.Option(help="Where market orders fill: next-open, next-close, close, same.")] = _DEFAULTS[3],
    limit: Annotated[list[str] | None, typer.Option(help="Risk limit NAME=VALUE, for example max_position_size=2.")] = None,
    symbol: Annotated[str | None, typer.Option(help="The instrument, where the file doesn't tell.")] = None,
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
    explain_fills: Annotated[
        bool, typer.Option("--explain-fills", help="Say of each fill why it happened; with --fills in a column, too.")
    ] = False,
    *,
    venue: VenueOptions,
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
        instead = (strategy, quantity, bars, symbol, price_increment, size_increment, manifest_out)
        if (
            any(one is not None for one in instead)
            or param
            or limit
            or interpreted
            or venue.given
            or (cash, fee_taker, fee_maker, fill) != _DEFAULTS
        ):
            raise SettingsError(
                "--manifest brings strategy, parameters and settings with it; give no others (but --data, if the file has moved)"
            )
        wanted = read_manifest(manifest)
        run = run_manifest(wanted, data or data_of_manifest(wanted, manifest), runner=_runner(quiet=json_))
    else:
        run = _run_of_options(
            strategy=strategy,
            data=data or [],
            bars=bars or "",
            assignments=param or [],
            quantity=quantity,
            cash=cash,
            fees=venue.fees(fee_maker, fee_taker),
            venue=venue,
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
    _write_tables(run, trades, fills, reasons=explain_fills)
    if plot is not None:
        from traider.research.plot import write_backtest_plot

        write_backtest_plot(run, plot, "--plot")
    if json_:
        told = _as_json(run, written)
        if explain_fills:
            told["explained_fills"] = list(explain(run.result.fills, run.spec.instruments))
        sys.stdout.write(json.dumps(told, allow_nan=False) + "\n")
    else:
        from .backtest_table import print_result

        print_result(run, {"manifest": written, "report": report, "trades": trades, "fills": fills, "plot": plot})
        if explain_fills:
            sys.stdout.writelines(f"{line}\n" for line in explain(run.result.fills, run.spec.instruments))
    if wanted is not None and run.result.fills_sha256 != wanted.outcome.fills_sha256:
        changed = [change.what for change in changes(wanted.code, run.manifest.code)]
        because = f"since then changed: {', '.join(changed)}" if changed else "nothing that is recorded has changed: please report this"
        raise TraiderError(f"{manifest}: the fills differ from the manifest's ({because})")
    return 0


def _run_of_options(
    *,
    strategy: str | None,
    data: list[Path],
    bars: str,
    assignments: list[str],
    quantity: float | None,
    cash: float,
    fees: Fees,
    venue: VenueOptions,
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
    simulation, instruments_of = venue.simulation(), venue.instruments(cls.market)
    checked = cls(**values)  # so that a wrong parameter is told before a large file is read
    if bars:
        options.bar_maker(bars, "--bars")
    if not data:
        raise SettingsError("which data? add --data FILE, a Parquet file of market data")
    market = options.market_file(data, strategy=cls, symbol=symbol, price_increment=price_increment, bars=bars)
    instrument, *others = instruments_of(market, size_increment)
    options.check_quantity(checked.quantity, instrument)
    spec = BacktestSpec(
        strategy=cls,
        parameters=values,
        instrument=instrument,
        others=tuple(others),
        cash=cash,
        fees=fees,
        fill=mode,
        limits=risk,
        simulation=simulation,
        interpreted=interpreted,
    )
    return run_spec(strategy, spec, market, fill, runner=_runner(quiet=quiet))


def _runner(*, quiet: bool) -> Runner:
    """The engine, with its progress on a terminal when a run takes long."""

    def run(spec: BacktestSpec, stream: Stream) -> BacktestResult:
        takes_long = spec.interpreted or stream.rows >= 1_000_000
        if quiet or not takes_long or not sys.stderr.isatty():
            return run_backtest(spec, stream)
        from .backtest_table import progress_bar

        with progress_bar(stream.rows) as progress:
            return run_backtest(spec, stream, progress=progress)

    return run


def _as_json(run: Run, manifest: Path | None) -> dict[str, object]:
    result = run.result
    several = {"instruments": {holding.symbol: _holding(holding) for holding in result.holdings}} if len(result.holdings) > 1 else {}
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
        "position": result.holdings[0].position,
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
        **several,
    }


def _holding(holding: Holding) -> dict[str, object]:
    return {
        "position": holding.position,
        "average_price": holding.average_price,
        "realized": holding.realized,
        "unrealized": holding.unrealized,
        "fees": holding.fees,
        "fills": holding.fills,
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


def _write_tables(run: Run, trades: Path | None, fills: Path | None, *, reasons: bool) -> None:
    if trades is None and fills is None:
        return
    from traider.research.tables import fills_table, round_trips_table, stamped, with_reasons

    symbols = run.data.symbols
    if trades is not None:
        write_table(trades, stamped(round_trips_table(run.statistics.ledger, symbols), run.provenance), "--trades")
    if fills is not None:
        table = fills_table(run.result.fills, symbols)
        if reasons:
            table = with_reasons(table, run.result.fills, run.spec.instruments)
        write_table(fills, stamped(table, run.provenance), "--fills")
