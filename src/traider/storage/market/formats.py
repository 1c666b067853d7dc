"""What a market data file may hold, told by its columns: which of them are used, and of what type they must be."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from ...domain.errors import DataError
from ...domain.vocabulary import EventKind

BAR_COLUMNS = ("open", "high", "low", "close", "volume")
TRADE_COLUMNS = ("price", "size", "side")


class FileKind(StrEnum):
    """In a person's words, as messages and notes have them."""

    BARS = "bars"
    TRADES = "trades"
    QUOTES = "quotes"
    DEPTH = "order book"
    BOOK = "order book with trades"
    FUNDING = "funding rates"


@dataclass(frozen=True)
class Format:
    """One kind of file. ``numbers`` become columns a, b, ... of its events, in this order; ``words`` are text."""

    kind: FileKind
    one: str  # of its rows
    numbers: tuple[str, ...]
    words: tuple[str, ...] = ()
    is_book: bool = False
    events: tuple[EventKind, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        return ("ts", *self.numbers, *self.words, *(("is_snapshot",) if self.is_book else ()))

    @property
    def event_kinds(self) -> int:
        """A bit mask, 1 << kind."""
        return sum(1 << kind for kind in self.events)


BARS = Format(FileKind.BARS, "bar", BAR_COLUMNS, events=(EventKind.BAR,))
TRADES = Format(FileKind.TRADES, "trade", ("price", "size"), ("side",), events=(EventKind.TRADE,))
QUOTES = Format(FileKind.QUOTES, "quote", ("bid", "bid_size", "ask", "ask_size"), events=(EventKind.QUOTE,))
DEPTH = Format(FileKind.DEPTH, "level", ("price", "size"), ("side",), is_book=True, events=(EventKind.DEPTH,))
BOOK = Format(FileKind.BOOK, "level or trade", ("price", "size"), ("kind", "side"), True, (EventKind.DEPTH, EventKind.TRADE))
FUNDING = Format(FileKind.FUNDING, "rate", ("rate",), events=(EventKind.FUNDING,))

_NEEDS = (
    "bars need ts, open, high, low, close, volume; trades need ts, price, size, side; quotes need ts, bid, bid_size, ask, ask_size; "
    "an order book needs ts, side, price, size, is_snapshot, and kind if trades are among it; funding needs ts, rate"
)
_SIDES = {
    FileKind.TRADES: "the taker's side, 'buy' or 'sell', or null",
    FileKind.BOOK: "the taker's side of a trade, 'buy' or 'sell', or null",
    FileKind.DEPTH: "'bid' or 'ask'",
}
_IS_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)


def format_of(path: Path, schema: pa.Schema, rows: int) -> Format:
    """What the file holds; DataError where a column is missing, there twice or of a wrong type, and where there are no rows."""
    names = set(schema.names)
    if "bid_open" in names and "bid" not in names:
        raise DataError(
            f"{path}: holds bars of quotes (bid_open, ...), which nothing can be traded on as it was; give quotes (ts, bid, bid_size, ask, "
            "ask_size), a row for each change, or bars of trades"
        )
    format_ = _recognised(names)
    missing = [name for name in format_.needed if name not in names]
    if missing:
        there = ", ".join(name if name.isprintable() else repr(name) for name in schema.names)
        raise DataError(f"{path}: column {missing[0]!r} is missing (there are: {there}); {_NEEDS}")
    for name in used_columns(format_, schema):
        if schema.names.count(name) > 1:
            raise DataError(f"{path}: column {name!r} is there twice; keep one of them")
    if rows == 0:
        raise DataError(f"{path}: has no rows; give a file with at least one {format_.one}")
    _check_types(path, schema, format_)
    return format_


def _recognised(names: set[str]) -> Format:
    if "is_snapshot" in names and "price" in names:
        return BOOK if "kind" in names else DEPTH
    if {"bid", "ask"} <= names:
        return QUOTES
    if "rate" in names and not names & {"price", "close"}:
        return FUNDING
    return TRADES if "price" in names and "close" not in names else BARS


def used_columns(format_: Format, schema: pa.Schema) -> tuple[str, ...]:
    """The columns that are read: those that are needed, and ``seq`` and ``symbol`` where the file has them."""
    more = ("seq", "symbol") if format_.is_book else ("symbol",)
    return (*format_.needed, *(name for name in more if name in schema.names))


def _check_types(path: Path, schema: pa.Schema, format_: Format) -> None:
    if schema.field("ts").type != pa.int64():
        raise DataError(f"{path}: column 'ts' is {schema.field('ts').type}; it must be int64, nanoseconds since 1970 in UTC")
    for name in format_.numbers:
        found = schema.field(name).type
        if not (pa.types.is_floating(found) or pa.types.is_integer(found) or pa.types.is_decimal(found)):
            raise DataError(f"{path}: column {name!r} is {found}; it must be a number (float64)")
    for name in used_columns(format_, schema):
        found = schema.field(name).type
        if name == "is_snapshot" and not pa.types.is_boolean(found):
            raise DataError(f"{path}: column 'is_snapshot' is {found}; it must be bool")
        if name == "seq" and not pa.types.is_integer(found):
            raise DataError(f"{path}: column 'seq' is {found}; it must be int64: rows of one message have the same number")
        if name in ("side", "kind", "symbol") and not _is_text(found):
            raise DataError(f"{path}: column {name!r} is {found}; it must be text: {_meaning(format_, name)}")


def _is_text(found: pa.DataType) -> bool:
    value = found.value_type if pa.types.is_dictionary(found) else found
    return any(test(value) for test in _IS_TEXT)


def _meaning(format_: Format, name: str) -> str:
    if name == "side":
        return _SIDES[format_.kind]
    return "'bid', 'ask' or 'trade'" if name == "kind" else "the instrument, as BASE-QUOTE"
