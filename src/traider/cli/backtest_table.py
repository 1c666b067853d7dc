"""A backtest's result as a table on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from traider.engine.backtest import BacktestResult
from traider.storage.market_file import MarketFile

_NOTES = {
    "bar_interval_ns": None,
    "gaps": "gaps between bars",
    "bars_missing": "bars missing in the gaps",
    "open_outside_high_low": "bars that open outside their high and low",
    "close_outside_high_low": "bars that close outside their high and low",
    "trades_of_one_time": "trades with the time of the one before",
}


@contextmanager
def progress_bar(total: int, title: str = "backtest") -> Iterator[Callable[[int], None]]:
    """A bar on stderr with the time that is left; the function that it gives is told how much is done."""
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.update(task, completed=done)


def print_result(result: BacktestResult, data: MarketFile, *, manifest: Path | None, report: Path | None) -> None:
    """What a trader wants to know first, then how it came about."""
    console = Console()
    settings = ", ".join(f"{name} {value:g}" for name, value in result.parameters.items())
    console.print(f"\n[bold]{result.strategy}[/bold] on [bold]{result.instrument}[/bold]  [dim]{settings}[/dim]")
    console.print(f"[dim]{_day(int(data.ts_ns[0]))} to {_day(int(data.ts_ns[-1]))}, {result.events:,} {data.kind}, {result.mode}[/dim]\n")
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in _figures(result):
        table.add_row(name, value)
    console.print(table)
    for line in _remarks(result, data):
        console.print(f"[yellow]note[/yellow] {line}", highlight=False)
    console.print(f"\n[dim]fills {result.fills_sha256[:16]}…  data {data.sha256[:16]}…[/dim]", highlight=False)
    for name, path in (("manifest", manifest), ("report", report)):
        if path is not None:
            console.print(f"[dim]{name} {path}[/dim]", highlight=False, soft_wrap=True)


def _figures(result: BacktestResult) -> Iterator[tuple[str, Text | str]]:
    change = result.net_profit / result.cash
    yield "Net profit", _signed(f"{result.net_profit:+,.2f}  ({change:+.2%})", result.net_profit)
    yield "Final equity", f"{result.final_equity:,.2f}"
    yield "Maximum drawdown", f"{result.max_drawdown:.2%}"
    yield "Sharpe (daily, 365 d)", "-" if result.sharpe is None else f"{result.sharpe:.2f}"
    yield "Fills", f"{len(result.fills):,}"
    yield "Fees", f"{result.fees:,.2f}"
    yield "Engine", f"{result.engine_seconds * 1e3:,.1f} ms  ({result.events_per_second / 1e6:,.1f} M events/s)"


def _remarks(result: BacktestResult, data: MarketFile) -> Iterator[str]:
    for reason, count in result.refusals.items():
        yield f"{count:,} orders refused: {reason.label}"
    for reason, count in result.cancels.items():
        yield f"{count:,} orders cancelled: {reason.label}"
    for name, value in data.notes.items():
        words = _NOTES.get(name, name)
        if isinstance(value, str):
            yield value
        elif words is not None:
            yield f"{value:,} {words}"


def _signed(text: str, value: float) -> Text:
    return Text(text, style="green" if value > 0 else "red" if value < 0 else "")


def _day(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
