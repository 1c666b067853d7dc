"""Market data as a run needs it: files of any kinds and instruments, checked, and put together into one stream.

What is known when, and what comes first at one moment, is stated in ``docs/market-data.md``.
"""

import glob
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from traider.domain.errors import DataError
from traider.domain.vocabulary import EventKind
from traider.engine.made_bars import WithBars
from traider.engine.stream import Merged, Stream
from traider.engine.tape import Tape
from traider.kernel.ladder import Ladder
from traider.kernel.layout import MAX_INSTRUMENTS
from traider.storage.market import FileKind, MarketFile, Notes, Rows, added, market_frame, read_market_file, row_words

from .bars import bar_maker
from .lines import lines_of


@dataclass(frozen=True)
class MarketData:
    """A stream of events from checked files. ``symbols`` are its instruments by number: as the files name them, in their order.

    ``bars`` tells what is made of the trades while they pass (``research.bars``); nothing when it is empty.
    """

    files: tuple[MarketFile, ...]
    symbols: tuple[str, ...]
    price_increments: tuple[Decimal, ...]
    bars: str = ""

    @property
    def path(self) -> Path:
        """The first file."""
        return self.files[0].path

    @property
    def name(self) -> str:
        """The file, or the first of several and how many more there are."""
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"{self.path.name}{more}"

    @property
    def symbol(self) -> str:
        """The first instrument."""
        return self.symbols[0]

    @property
    def price_increment(self) -> Decimal:
        """The first instrument's."""
        return self.price_increments[0]

    @property
    def kind(self) -> str:
        """What the files hold, in words."""
        kinds = list(dict.fromkeys(str(file.kind) for file in self.files))
        return " and ".join([", ".join(kinds[:-1]), kinds[-1]] if len(kinds) > 1 else kinds)

    @property
    def kinds(self) -> int:
        """A bit mask, 1 << kind, of the events that may come."""
        return self._stream.kinds

    @property
    def rows(self) -> int:
        return self._stream.rows

    @property
    def instruments(self) -> int:
        return len(self.symbols)

    @property
    def first_ns(self) -> int:
        return min(file.found.first_ns for file in self.files)

    @property
    def last_ns(self) -> int:
        return max(file.found.last_ns for file in self.files)

    @cached_property
    def sha256(self) -> str:
        """The file's; of several, of their hashes in the order in which they are given."""
        if len(self.files) == 1:
            return self.files[0].sha256
        return hashlib.sha256("".join(file.sha256 for file in self.files).encode()).hexdigest()

    @property
    def notes(self) -> Notes:
        notes: Notes = {}
        for file in self.files:
            notes = added(notes, file.notes)
        return notes

    def chunks(self) -> Iterator[Tape]:
        return self._stream.chunks()

    def check_order(self) -> None:
        """DataError where files overlap in time that should follow one another."""
        _ = self._stream

    @cached_property
    def _stream(self) -> Stream:
        kinds = 0
        for file in self.files:
            kinds |= file.event_kinds
        lines = lines_of(self.files, self.symbols)
        merged = Merged(lines, rows=sum(map(len, self.files)), kinds=kinds, instruments=self.instruments)
        return WithBars(merged, bar_maker(self.bars)) if self.bars else merged


def checked_file(data: object, *, symbol: str | None = None, price_increment: Decimal | None = None) -> MarketFile:
    """The file at this path, or the frame, with every row checked.

    A book that is crossed after a message is refused where messages are numbered. Where they are not, a message of several
    times looks like several: then how often the book was crossed is noted.
    """
    check = _BookCheck()
    if isinstance(data, str | Path):
        file = read_market_file(Path(data), symbol=symbol, price_increment=price_increment, check=check)
    else:
        file = market_frame(data, symbol=symbol, price_increment=price_increment, check=check)
    if check.first is None:
        return file
    if "seq" in file.source.schema.names:
        raise DataError(f"{file.path}: {check.first}; a message is missing or in the wrong place: begin the file with the next snapshot")
    return replace(file, found=replace(file.found, notes={**file.found.notes, "crossed_books": check.crossed}))


def together(files: Sequence[MarketFile], *, bars: str = "") -> MarketData:
    """The files as one stream, with ``bars`` made of the trades; DataError says what is wrong with them together."""
    symbols = tuple(dict.fromkeys(name for file in files for name in file.symbols))
    if len(symbols) > MAX_INSTRUMENTS:
        raise DataError(
            f"{files[0].path}: holds, with the other files, {len(symbols)} instruments; at most {MAX_INSTRUMENTS} are supported"
        )
    if "FRAME" in symbols and len(symbols) > 1:
        raise DataError("frame: its instrument is not known, and other data name theirs; give it a column symbol")
    increments: dict[str, Decimal] = {}
    for file in files:
        for name, increment in zip(file.symbols, file.price_increments, strict=True):
            if file.kind is not FileKind.FUNDING:
                increments[name] = min(increment, increments.get(name, increment))
    unpriced = next((name for name in symbols if name not in increments), None)
    if unpriced is not None:
        raise DataError(
            f"{files[0].path}: of {unpriced} there are funding rates and no prices; give bars, trades, quotes or a book of it too"
        )
    if bars:
        _check_trades(files)
    market = MarketData(tuple(files), symbols, tuple(increments[name] for name in symbols), bars)
    market.check_order()
    return market


def _check_trades(files: Sequence[MarketFile]) -> None:
    """Bars can be made where there are trades, and where there are no others that they could be taken for."""
    for file in files:
        if file.event_kinds & 1 << EventKind.BAR:
            raise DataError(f"{file.path}: holds bars, and others were to be made of trades; leave the one or the other out")
    if not any(file.event_kinds & 1 << EventKind.TRADE for file in files):
        raise DataError(f"{files[0].path}: holds {files[0].kind}, and bars are made of trades; give trades")


class _BookCheck:
    """Counts the messages that leave an order book crossed; ``first`` tells of the first one."""

    def __init__(self) -> None:
        self.crossed = 0
        self.first: str | None = None
        self._ladders: dict[int, Ladder] = {}

    def __call__(self, rows: Rows, at: int) -> None:
        numbers = np.unique(rows.inst).tolist()
        for number in numbers:
            mine = np.flatnonzero(rows.inst == number) if len(numbers) > 1 else np.arange(len(rows))
            self._follow(self._ladders.setdefault(number, Ladder()), rows, mine, at)

    def _follow(self, ladder: Ladder, rows: Rows, mine: "np.ndarray[Any, np.dtype[np.int64]]", at: int) -> None:
        while len(mine):
            row = ladder.follow(*(column[mine] for column in (rows.kind, rows.a, rows.b, rows.c)))
            if row < 0:
                return
            self.crossed += 1
            if self.first is None:
                bid, ask = ladder.touch() or (0.0, 0.0)
                self.first = f"the book is crossed after {row_words(at + int(mine[row]))}: bid {bid}, ask {ask}"
            mine = mine[row + 1 :]


def paths_of(data: Sequence[object]) -> list[object]:
    """The data with folders and patterns (*, ?) replaced by the files that they stand for, in the order of their names."""
    found: list[object] = []
    for one in data:
        path = Path(one) if isinstance(one, str | Path) else None
        if path is not None and path.is_dir():
            inside = sorted(path.glob("*.parquet"))
            if not inside:
                raise DataError(f"{path}: is a folder without Parquet files; give a file, or a folder of *.parquet files")
            found += inside
        elif path is not None and not path.exists() and glob.has_magic(str(path)):
            matching = sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207 - a Path takes no absolute patterns
            if not matching:
                raise DataError(f"{path}: matches no file; check the pattern")
            found += matching
        else:
            found.append(one)
    return found
