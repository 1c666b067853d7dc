"""What every download does, whoever the provider is: ask for what is missing, put the file in place as a whole, tell what it holds.

Nothing is written before everything has come, with one exception that is told: where the provider stops in the middle, what came until
then and has no hole is kept, because with some providers a day's questions are not enough for all of it.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import typer

from traider.domain.errors import SettingsError, UserError
from traider.domain.history import BarHistory, BarsOf, Gap, ProviderError
from traider.runtime.loop import run
from traider.storage.market.downloaded import BarRows, Holding, read_downloaded, starts_of, write_downloaded

_SHOWN_GAPS = 12
_DAY_NS = 86_400_000_000_000
Tell = Callable[[float], None]


@dataclass(frozen=True)
class Wanted:
    """Bars that start in [``first_ns``, ``end_ns``), in nanoseconds; without an end all that are over. ``force`` replaces the file."""

    first_ns: int
    end_ns: int | None
    path: Path
    force: bool


@dataclass
class Fetched:
    """New bars, before and after those that were there already; all of ``first_ns`` to ``end_ns`` is known then."""

    bars_of: BarsOf
    first_ns: int
    end_ns: int
    before: BarRows = field(default_factory=BarRows)
    after: BarRows = field(default_factory=BarRows)
    stopped: ProviderError | None = None  # why it could not go on

    @property
    def new(self) -> int:
        return len(self.before) + len(self.after)


def download(opened: AbstractAsyncContextManager[BarHistory], wanted: Wanted, *, absent: str) -> int:
    """The whole command; ``absent`` says what it means that a bar is missing."""
    there = read_downloaded(wanted.path) if wanted.path.exists() and not wanted.force else None
    fetched, history = run(_fetch(opened, wanted, None if there is None else there[0]))
    holding = Holding(bars_of=fetched.bars_of, first_ns=fetched.first_ns, end_ns=fetched.end_ns)
    if fetched.stopped is not None and there is not None and holding == there[0]:
        raise fetched.stopped
    symbol = fetched.bars_of.symbol
    middle = [] if there is None else [there[1]]
    table = pa.concat_tables([fetched.before.table(symbol), *middle, fetched.after.table(symbol)])
    if not len(table):
        span = f"from {_moment(wanted.first_ns)} " + ("on" if wanted.end_ns is None else f"to {_moment(wanted.end_ns)}")
        raise UserError(f"{holding.bars_of.provider} has no bar of {symbol} {span}; nothing is written")
    if there is None or holding != there[0]:
        write_downloaded(wanted.path, holding, table)
    starts_ns = starts_of(table).tolist()
    gaps = list(history.gaps(starts_ns, holding.first_ns, holding.end_ns))
    _print(holding, starts_ns, gaps, wanted.path, absent, "" if there is None else f", {fetched.new or 'none'} of them new")
    if fetched.stopped is not None:
        kept = f"{wanted.path} holds what came until then, up to {_moment(holding.end_ns)}"
        raise type(fetched.stopped)(f"{fetched.stopped}; {kept}: the same command goes on from there")
    return 0


async def _fetch(opened: AbstractAsyncContextManager[BarHistory], wanted: Wanted, held: Holding | None) -> tuple[Fetched, BarHistory]:
    async with opened as history:
        if held is not None and held.bars_of != history.bars_of:
            raise SettingsError(
                f"{wanted.path} holds {_told(held.bars_of)}, and {_told(history.bars_of)} were asked for; give another --out, or --force"
            )
        complete_ns = await history.complete_until_ns()
        end_ns = complete_ns if wanted.end_ns is None else min(wanted.end_ns, complete_ns)
        if end_ns <= wanted.first_ns:
            raise UserError(f"no bar that starts at {_moment(wanted.first_ns)} or later is complete yet")
        with _progress(history.bars_of, end_ns - wanted.first_ns) as tell:
            return await fetch_missing(history, wanted.first_ns, end_ns, held, tell), history


async def fetch_missing(history: BarHistory, first_ns: int, end_ns: int, held: Holding | None, tell: Tell = lambda _: None) -> Fetched:
    """Asks for what is missing of [``first_ns``, ``end_ns``). A file has no holes: what lies between it and the rest is asked for, too."""
    if held is None:
        fetched = Fetched(history.bars_of, first_ns, first_ns)
    else:
        fetched = Fetched(history.bars_of, held.first_ns, held.end_ns)
        if not history.grows and (first_ns < held.first_ns or held.end_ns < end_ns):
            prices = f"prices {history.bars_of.prices}, which all change with each of these"
            raise SettingsError(f"the file holds {prices}: it can't be extended; --force replaces it")
    try:
        begin_ns = fetched.end_ns
        if begin_ns < end_ns:
            async for page in history.pages(begin_ns, end_ns):
                fetched.after.add(page.bars)
                fetched.end_ns = page.until_ns
                tell(page.until_ns - begin_ns)
        if first_ns < fetched.first_ns:
            earlier = BarRows()
            async for page in history.pages(first_ns, fetched.first_ns):
                earlier.add(page.bars)
                tell(page.until_ns - first_ns)
            fetched.before, fetched.first_ns = earlier, first_ns
    except ProviderError as error:
        if not (len(fetched.after) or held):
            raise
        fetched.stopped = error
    return fetched


@contextmanager
def _progress(bars_of: BarsOf, span_ns: int) -> Iterator[Tell]:
    """A bar on a terminal, in days."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from .backtest_table import progress_bar

    with progress_bar(max(1, round(span_ns / _DAY_NS)), f"{bars_of.symbol} {span_text(bars_of.span_s)}, days") as tell:
        yield lambda done_ns: tell(round(done_ns / _DAY_NS))


def _print(holding: Holding, starts_ns: Sequence[int], gaps: Sequence[Gap], path: Path, absent: str, news: str) -> None:
    missing = sum(gap.bars for gap in gaps)
    lines = [
        ("bars", f"{len(starts_ns):,}{news}"),
        ("first", _moment(starts_ns[0])),
        ("last", _moment(starts_ns[-1])),
        ("gaps", f"{len(gaps):,}, of {missing:,} bars: {absent}" if gaps else "none"),
        *(("", f"{_moment(gap.first_ns)}, {gap.bars:,} {'bar' if gap.bars == 1 else 'bars'}") for gap in gaps[:_SHOWN_GAPS]),
        *([("", f"and {len(gaps) - _SHOWN_GAPS:,} more")] if len(gaps) > _SHOWN_GAPS else []),
        ("file", str(path)),
    ]
    typer.echo(_told(holding.bars_of))
    for name, text in lines:
        typer.echo(f"  {name:<6} {text}")


def _told(bars_of: BarsOf) -> str:
    hours = f", {bars_of.hours}" if bars_of.hours else ""
    return f"{bars_of.symbol} by {span_text(bars_of.span_s)} of {bars_of.provider}, prices {bars_of.prices}{hours}"


def span_text(span_s: int) -> str:
    """``1m``, ``4h``, ``1d``."""
    size, unit = next((size, unit) for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")) if span_s % size == 0)
    return f"{span_s // size}{unit}"


def _moment(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns // 10**9, UTC):%Y-%m-%d %H:%M} UTC"
