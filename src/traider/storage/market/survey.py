"""The first pass over a source: every row is checked, and what has to be known before the first event is found out."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from .block import Block, Decoder
from .formats import FileKind, Format, format_of, used_columns
from .increment import IncrementFinder
from .messages import Messages
from .rows import Rows, rows_of
from .source import Source
from .values import BarTimes, Notes, TimeCheck, ValueCheck

RowCheck = Callable[[Rows, int], None]  # rows, and the number of the first of them in the file


@dataclass(frozen=True)
class Survey:
    """What a source holds. ``symbols`` is empty where it has no such column; increments and intervals are by symbol's number."""

    format: Format
    symbols: tuple[str, ...]
    first_ns: int
    last_ns: int
    intervals_ns: tuple[int, ...]  # of bars, the shortest step of each symbol; 0 where there is none
    increments: tuple[Decimal, ...]
    sha256: str
    notes: Notes


def survey(source: Source, *, price_increment: Decimal | None, check: RowCheck | None = None) -> Survey:
    """Checks all rows; DataError says which one is wrong and what to do. ``check`` is shown the events of an order book as well."""
    format_ = format_of(source.path, source.schema, source.rows)
    found = _Findings(source, format_, price_increment)
    if check is None or not format_.is_book:
        for _ in found.blocks():
            pass
    else:
        at = 0
        for rows in rows_of_blocks(found.blocks(), format_, has_seq="seq" in source.schema.names):
            check(rows, at)
            at += len(rows)
    return found.survey()


def rows_of_blocks(blocks: Iterator[Block], format_: Format, *, has_seq: bool) -> Iterator[Rows]:
    """The blocks as events; those of a book with the flags of its messages."""
    if not format_.is_book:
        yield from map(rows_of, blocks)
        return
    messages = Messages(has_seq=has_seq)
    for block in blocks:
        if block.book is not None and (settled := messages.add(block, block.book)) is not None:
            yield settled
    rest = messages.finish()
    if rest is not None:
        yield rest


class _Findings:
    """What the blocks tell, one after the other."""

    def __init__(self, source: Source, format_: Format, price_increment: Decimal | None) -> None:
        self._source = source
        self._format = format_
        self._given = price_increment
        self._decoder = Decoder(source.path, format_)
        self._digests = {name: hashlib.sha256() for name in used_columns(format_, source.schema)}
        self._times = TimeCheck(source.path)
        self._values = ValueCheck(source.path, sizes_may_be_zero=format_.is_book)
        self._bars: dict[int, BarTimes] = {}
        self._prices: dict[int, IncrementFinder] = {}
        self._file_sha256 = source.sha256()

    def blocks(self) -> Iterator[Block]:
        at = 0
        for batch in self._source.batches(used_columns(self._format, self._source.schema)):
            block = self._decoder.block(batch, at)
            self._look_at(block)
            at += len(block)
            yield block

    def _look_at(self, block: Block) -> None:
        if self._file_sha256 is None:
            self._digest(block)
        self._times.add(block.ts_ns, block.at)
        self._values.add(block.numbers, block.at, None if block.book is None else block.book.level == 0)
        numbers = np.unique(block.inst).tolist() if len(self._decoder.symbols) > 1 else [int(block.inst[0])]
        for number in numbers:
            rows = np.flatnonzero(block.inst == number) if len(numbers) > 1 else slice(None)
            self._look_at_instrument(number, block, rows)

    def _look_at_instrument(self, number: int, block: Block, rows: "np.ndarray[tuple[int], np.dtype[np.int64]] | slice") -> None:
        if self._format.kind is FileKind.BARS:
            bars = self._bars.setdefault(number, BarTimes(self._source.path))
            bars.add(block.ts_ns[rows], np.arange(block.at, block.at + len(block))[rows])
        prices = self._prices.setdefault(number, IncrementFinder())
        for name in price_columns(self._format):
            prices.add(block.numbers[name][rows])

    def _digest(self, block: Block) -> None:
        columns: dict[str, np.ndarray[Any, Any] | None] = {"ts": block.ts_ns, **block.numbers, "side": block.side}
        if block.book is not None:
            level = block.book.level
            columns |= {"side": level} if block.side is None else {"kind": level}
            columns |= {"is_snapshot": block.book.snapshot, "seq": block.book.seq}
        if self._decoder.symbols:
            columns["symbol"] = np.array([word.encode() for word in self._decoder.symbols], "S64")[block.inst]
        for name, digest in self._digests.items():
            digest.update(np.ascontiguousarray(columns[name]).view(np.uint8).data)

    def survey(self) -> Survey:
        count = max(1, len(self._decoder.symbols))
        notes: Notes = {}
        increments = []
        for number in range(count):
            prices = self._prices[number]
            increment, remark = (self._given, {}) if self._given is not None else prices.found()
            if price_columns(self._format):
                prices.check(self._source.path, increment)
                notes |= remark
            increments.append(increment)
        for bars in self._bars.values():
            notes = added(notes, bars.notes())
        if self._format.kind is FileKind.TRADES and self._times.repeated:
            notes["trades_of_one_time"] = self._times.repeated
        return Survey(
            format=self._format,
            symbols=tuple(self._decoder.symbols),
            first_ns=self._times.first_ns,
            last_ns=self._times.last_ns,
            intervals_ns=tuple(self._bars[number].interval_ns if self._bars else 0 for number in range(count)),
            increments=tuple(increments),
            sha256=self._file_sha256 or self._frame_sha256(),
            notes=added(notes, self._values.notes()),
        )

    def _frame_sha256(self) -> str:
        """Of the columns that are used, by name and value, however the frame stores them."""
        whole = hashlib.sha256(f"traider-frame-2 {self._format.kind}".encode())
        for name, digest in self._digests.items():
            whole.update(f"{name} {digest.hexdigest()}".encode())
        return whole.hexdigest()


def price_columns(format_: Format) -> tuple[str, ...]:
    """Which of its numbers are prices."""
    return tuple(name for name in format_.numbers if name in ("open", "high", "low", "close", "price", "bid", "ask"))


def added(notes: Notes, more: Notes) -> Notes:
    """Both together: what is counted is summed, and of intervals the shortest holds."""
    both = dict(notes)
    for name, value in more.items():
        old = both.get(name)
        if isinstance(old, int) and isinstance(value, int):
            both[name] = min(old, value) if name == "bar_interval_ns" else old + value
        else:
            both[name] = value
    return both
