"""What ``traider verify lookahead`` prints: the verdict, and of a leak the event, both decisions and the lines."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from traider.engine.lookahead.traces import Difference, Request
from traider.research.hints import Hint
from traider.research.lookahead import Lookahead
from traider.research.market import MarketData

_FUTURES = {"truncated": "the data end", "higher": "prices jump up", "lower": "prices jump down"}
_COLOURS = {"clean": "green", "leak": "red", "unrepeatable": "yellow", "unproven": "yellow"}
_VERDICTS = {
    "clean": "no look-ahead found",
    "leak": "it looks ahead",
    "unrepeatable": "not repeatable",
    "unproven": "not proven",
}
_SHOWN = 8  # hints and files


def print_lookahead(found: Lookahead, strategy: str, market: MarketData, hints: Sequence[Hint], evidence: Path | None) -> None:
    console = Console()
    data = f"{market.rows:,} rows of {market.kind}, {found.runs} runs"
    console.print(f"\n[bold]{strategy}[/bold] on [bold]{', '.join(market.symbols)}[/bold]  [dim]{data}[/dim]\n")
    rows = list(_rows(found, hints))
    if rows:
        table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, text in rows:
            table.add_row(name, Text(text))
        console.print(table)
        console.print()
    console.print(f"[{_COLOURS[found.verdict]}]{_VERDICTS[found.verdict]}[/{_COLOURS[found.verdict]}]: {found.why}", highlight=False)
    if evidence is not None:
        console.print(f"[dim]evidence {evidence}[/dim]", highlight=False, soft_wrap=True)


def _rows(found: Lookahead, hints: Sequence[Hint]) -> Iterator[tuple[str, str]]:
    if found.leaks:
        leak = found.leaks[0]
        yield "first differing event", f"{_time(leak.difference.ts_ns)}, row {leak.event:,}"
        yield from _decisions(leak.difference, "as recorded", f"where {_FUTURES[leak.future]} at row {leak.cut.row:,}")
        if leak.state is not None:
            at = "" if leak.state.row is None else f"[{leak.state.row}]"
            where = f", assigned at {leak.state.place}" if leak.state.place else ""
            yield "what differed before", f"{leak.state.name}{at}{where}"
    elif found.unrepeatable is not None:
        yield "first differing event", _time(found.unrepeatable.ts_ns)
        yield from _decisions(found.unrepeatable, "one run", "the other")
    if found.verdict == "clean":
        return
    for read in found.reads[:_SHOWN]:
        yield "the data read at" if read.market else "another file read at", f"{read.place}  {'' if read.market else read.path}".rstrip()
    for hint in hints[:_SHOWN]:
        yield "look at", f"{hint.place}  {hint.what}"


def _decisions(difference: Difference, one: str, other: str) -> Iterator[tuple[str, str]]:
    yield one, _words(difference.recorded)
    stopped = f"; the run ended: {difference.stop.why}" if difference.stop is not None else ""
    yield other, _words(difference.changed) + stopped
    if difference.place:
        yield "asked at", difference.place


def _words(request: Request | None) -> str:
    return "nothing asked for" if request is None else str(request)


def _time(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
