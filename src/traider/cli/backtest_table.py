"""A backtest's result as a table on a terminal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from traider.engine.backtest import BacktestResult
from traider.engine.report import words
from traider.engine.statistics.instruments import InstrumentFigures
from traider.engine.statistics.summary import Statistics
from traider.research.market import MarketData
from traider.research.runs import Run

_NOTES = {
    "bar_interval_ns": None,
    "gaps": "gaps between bars",
    "bars_missing": "bars missing in the gaps",
    "open_outside_high_low": "bars that open outside their high and low",
    "close_outside_high_low": "bars that close outside their high and low",
    "trades_of_one_time": "trades with the time of the one before",
}


@contextmanager
def progress_bar(total: int, title: str = "backtest") -> Iterator[Callable[[float], None]]:
    """A bar on stderr with the time that is left; the function that it gives is told how much is done."""
    with progress_bars({title: total}) as told:
        yield told[title]


@contextmanager
def progress_bars(totals: Mapping[str, int]) -> Iterator[dict[str, Callable[[float], None]]]:
    """The same for several things of these sizes, one after the other; each has its time once it has begun."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(elapsed_when_finished=True))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks = {title: progress.add_task(title, total=total, start=number == 0) for number, (title, total) in enumerate(totals.items())}

        def tell(title: str) -> Callable[[float], None]:
            def told(done: float) -> None:
                progress.start_task(tasks[title])
                progress.update(tasks[title], completed=done)

            return told

        yield {title: tell(title) for title in totals}


def print_result(run: Run, written: Mapping[str, Path | None]) -> None:
    """What a trader wants to know first, then how it came about; ``written`` are the files that were."""
    result, statistics, data = run.result, run.statistics, run.data
    console = Console()
    settings = ", ".join(f"{name} {value:g}" for name, value in result.parameters.items())
    console.print(f"\n[bold]{result.strategy}[/bold] on [bold]{result.instrument}[/bold]  [dim]{settings}[/dim]")
    console.print(f"[dim]{_day(data.first_ns)} to {_day(data.last_ns)}, {result.events:,} {_events(data)}, {result.mode}[/dim]\n")
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in _figures(result, statistics):
        table.add_row(name, value)
    console.print(table)
    if len(statistics.instruments) > 1:
        console.print(_by_instrument(statistics.instruments))
    for line in _remarks(result, data):
        console.print(f"[yellow]note[/yellow] {line}", highlight=False)
    console.print(f"\n[dim]{run.provenance.line()}, fills {result.fills_sha256[:12]}[/dim]", highlight=False, soft_wrap=True)
    for name, path in written.items():
        if path is not None:
            console.print(f"[dim]{name} {path}[/dim]", highlight=False, soft_wrap=True)


def _by_instrument(instruments: Sequence[InstrumentFigures]) -> Table:
    """What each of several instruments brought."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "net profit", "fees", "turnover", "fills", "round trips", "hit rate", "exposure"):
        table.add_column(name, justify="right" if name else "left")
    for one in instruments:
        table.add_row(
            one.symbol,
            _signed(f"{one.net_profit:+,.2f}", one.net_profit),
            f"{one.fees:,.2f}",
            f"{one.turnover:,.2f}",
            f"{one.fills:,}",
            f"{one.round_trips:,}",
            _percent(one.hit_rate),
            _percent(one.exposure),
        )
    return table


def _figures(result: BacktestResult, statistics: Statistics) -> Iterator[tuple[str, Text | str]]:
    performance, trades = statistics.performance, statistics.trades
    yield "Net profit", _signed(f"{result.net_profit:+,.2f}  ({performance.total_return or 0.0:+.2%})", result.net_profit)
    yield "Final equity", f"{result.final_equity:,.2f}"
    yield "Buy and hold", f"{performance.benchmark_return:+.2%}"
    yield "A year, compounded", _percent(performance.cagr, signed=True)
    yield "Maximum drawdown", _drawdown(result.max_drawdown, performance.max_drawdown_ns)
    yield "Volatility (daily, 365 d)", _percent(performance.volatility)
    yield "Sharpe (daily, 365 d)", _number(result.sharpe)
    yield "Sortino / Calmar / Omega", " / ".join(map(_number, (performance.sortino, performance.calmar, performance.omega)))
    yield "VaR / CVaR (daily, 95 %)", f"{_percent(performance.value_at_risk)} / {_percent(performance.conditional_value_at_risk)}"
    yield "Alpha / beta to buy and hold", f"{_percent(performance.alpha, signed=True)} / {_number(performance.beta)}"
    yield "Exposure", _percent(trades.exposure)
    yield "Round trips", f"{trades.count:,}"
    yield "Hit rate", _percent(trades.hit_rate)
    yield "Profit factor", _number(trades.profit_factor)
    yield "Expectancy", "-" if trades.expectancy is None else f"{trades.expectancy:+,.2f}"
    yield "Fills", f"{len(result.fills):,}"
    yield "Turnover", f"{trades.turnover:,.2f}"
    yield "Fees", f"{result.fees:,.2f}"
    yield "Engine", f"{result.engine_seconds * 1e3:,.1f} ms  ({result.events_per_second / 1e6:,.1f} M events/s)"


def _events(data: MarketData) -> str:
    """Bars and trades are counted as such, what is mixed as events."""
    return data.kind if data.kind in ("bars", "trades", "quotes") else f"events of {data.kind}"


def _drawdown(fraction: float, ns: int) -> str:
    return f"{fraction:.2%}" + (f"  ({words.span(ns)})" if ns else "")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _percent(fraction: float | None, *, signed: bool = False) -> str:
    return "-" if fraction is None else f"{fraction:{'+' if signed else ''}.2%}"


def _remarks(result: BacktestResult, data: MarketData) -> Iterator[str]:
    for reason, count in result.refusals.items():
        yield f"{count:,} orders refused: {reason.label}"
    for reason, count in result.cancels.items():
        yield f"{count:,} orders cancelled: {reason.label}"
    for name, value in data.notes.items():
        noted = _NOTES.get(name, name)
        if isinstance(value, str):
            yield value
        elif noted is not None:
            yield f"{value:,} {noted}"


def _signed(text: str, value: float) -> Text:
    return Text(text, style="green" if value > 0 else "red" if value < 0 else "")


def _day(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
