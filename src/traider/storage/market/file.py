"""One file, or frame, of market data: checked, described, and read as often as it is needed in pieces of bounded memory.

What makes a result wrong is an error that names file, row and remedy. What real data does contain is accepted and counted in
``notes``: a close or open slightly outside high and low, missing minutes, trades of one time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import numpy as np

from ...domain.errors import DataError
from .block import Block, Decoder
from .formats import FileKind, used_columns
from .rows import Rows
from .source import BATCH_ROWS, FrameSource, ParquetSource, Source
from .survey import RowCheck, Survey, rows_of_blocks, survey
from .values import Floats, Integers, Notes

_SYMBOL = re.compile(r"([a-z0-9]{2,6}?)-?(usdt|usdc|usd|eur|gbp)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class MarketFile:
    """``symbols`` are its instruments, in the order in which they appear; ``price_increments`` are theirs, in the same order."""

    source: Source
    found: Survey
    symbols: tuple[str, ...]

    @property
    def path(self) -> Path:
        return self.source.path

    @property
    def kind(self) -> FileKind:
        return self.found.format.kind

    @property
    def symbol(self) -> str:
        """The first instrument."""
        return self.symbols[0]

    @property
    def price_increments(self) -> tuple[Decimal, ...]:
        return self.found.increments

    @property
    def price_increment(self) -> Decimal:
        """The first instrument's."""
        return self.found.increments[0]

    @property
    def sha256(self) -> str:
        """Of the file's bytes; of a frame, of the columns that are used."""
        return self.found.sha256

    @property
    def notes(self) -> Notes:
        return self.found.notes

    @property
    def event_kinds(self) -> int:
        """Which kinds of events it may hold: a bit mask, 1 << kind."""
        return self.found.format.event_kinds

    def __len__(self) -> int:
        return self.source.rows

    def chunks(self, rows: int = BATCH_ROWS) -> Iterator[Rows]:
        """All rows as events, in the file's order; about so many at a time."""
        return rows_of_blocks(self._blocks(rows), self.found.format, has_seq="seq" in self.source.schema.names)

    def _blocks(self, rows: int = BATCH_ROWS) -> Iterator[Block]:
        decoder = Decoder(self.path, self.found.format)
        at = 0
        for batch in self.source.batches(used_columns(self.found.format, self.source.schema), rows):
            block = decoder.block(batch, at)
            yield block
            at += len(block)

    @cached_property
    def ts_ns(self) -> Integers:
        """The times of all rows, in memory."""
        return np.concatenate([block.ts_ns for block in self._blocks()])

    @cached_property
    def columns(self) -> dict[str, Floats]:
        """The numbers of all rows, in memory: of bars open, high, low, close, volume; of trades price, size, side (+1, -1, 0)."""
        blocks = [block.numbers | ({} if block.side is None else {"side": block.side}) for block in self._blocks()]
        return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def read_market_file(
    path: Path, *, symbol: str | None = None, price_increment: Decimal | None = None, check: RowCheck | None = None
) -> MarketFile:
    """Checks the whole file; DataError in one line says what is wrong with it, in which row, and what to do.

    Without ``price_increment`` it is, for each instrument, the largest power of ten that every price is a multiple of.
    ``check`` is shown the events of an order book, and may raise DataError.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give one Parquet file of market data")
    return _checked(ParquetSource(path), symbol, price_increment, check, unnamed=_symbol(path))


def market_frame(
    frame: object, *, symbol: str | None = None, price_increment: Decimal | None = None, check: RowCheck | None = None
) -> MarketFile:
    """A frame under the checks of a file: anything that Arrow can read, as pyarrow, pandas and polars have it.

    Its ``sha256`` is of the columns that are used, its ``path`` the word frame.
    """
    return _checked(FrameSource(frame), symbol, price_increment, check, unnamed="FRAME")


def _checked(source: Source, symbol: str | None, price_increment: Decimal | None, check: RowCheck | None, *, unnamed: str) -> MarketFile:
    found = survey(source, price_increment=price_increment, check=check)
    if symbol is not None and len(found.symbols) > 1:
        raise DataError(f"{source.path}: holds {', '.join(found.symbols)}, and one symbol is given; leave it out")
    named = (symbol,) if symbol is not None else found.symbols
    return MarketFile(source, found, named or (unnamed,))


def _symbol(path: Path) -> str:
    found = _SYMBOL.search(path.stem.replace("_", " "))
    if found is None:
        return path.stem.split("_")[0].upper()
    return f"{found.group(1)}-{found.group(2)}".upper()
