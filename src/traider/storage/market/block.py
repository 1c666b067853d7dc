"""A run of a file's rows as numpy columns: numbers, and words turned into numbers. A missing value is an error."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...domain.errors import DataError
from .formats import FileKind, Format
from .values import Flags, Floats, Integers, row_words

Numbers16 = np.ndarray[Any, np.dtype[np.uint16]]
MAX_SYMBOLS = 64  # as many instruments as an account has

_TAKER = {"buy": 1.0, "sell": -1.0}
_LEVEL = {"bid": 1.0, "ask": -1.0}
_MARK = {**_LEVEL, "trade": 0.0}


@dataclass(frozen=True)
class BookColumns:
    """``level`` is +1 of a bid, -1 of an ask, 0 of a trade. Of trades ``snapshot`` is false; ``seq`` is None where there is none."""

    level: Floats
    snapshot: Flags
    seq: Integers | None


@dataclass(frozen=True)
class Block:
    """Rows of one file from row ``at`` on. ``inst`` numbers the file's symbols in the order in which they appear.

    ``side`` is the taker's, +1, -1 or 0; ``book`` is there in files of an order book.
    """

    at: int
    ts_ns: Integers
    inst: Numbers16
    numbers: dict[str, Floats]
    side: Floats | None = None
    book: BookColumns | None = None

    def __len__(self) -> int:
        return len(self.ts_ns)


class Decoder:
    """Turns Arrow's columns into blocks, and keeps the numbers that it gave to symbols."""

    def __init__(self, path: Path, format_: Format) -> None:
        self._path = path
        self._format = format_
        self.symbols: dict[str, int] = {}

    def block(self, columns: Mapping[str, Any], at: int) -> Block:
        """The rows of one batch, of which the first is row ``at``; what it holds is nobody else's."""
        path, format_ = self._path, self._format
        ts_ns = _integers(path, "ts", columns["ts"], at)
        numbers = {name: _floats(path, name, columns[name], at) for name in format_.numbers}
        inst = self._instruments(columns["symbol"], at) if "symbol" in columns else np.zeros(len(ts_ns), np.uint16)
        if not format_.is_book:
            side = _words(path, "side", columns["side"], at, _TAKER, null=0.0) if format_.words else None
            return Block(at, ts_ns, inst, numbers, side)
        side = None
        if format_.kind is FileKind.BOOK:
            level = _words(path, "kind", columns["kind"], at, _MARK)
            side = _words(path, "side", columns["side"], at, _TAKER, null=0.0, where=level == 0)
        else:
            level = _words(path, "side", columns["side"], at, _LEVEL)
        snapshot = _flags(path, columns["is_snapshot"], at, level)
        seq = _integers(path, "seq", columns["seq"], at, where=level != 0) if "seq" in columns else None
        return Block(at, ts_ns, inst, numbers, side, BookColumns(level, snapshot, seq))

    def _instruments(self, column: Any, at: int) -> Numbers16:
        encoded = _encoded(column)
        if encoded.null_count:
            _refuse_null(self._path, "symbol", encoded, at, None)
        words = encoded.dictionary.to_pylist()
        indices = _in_place(encoded.indices, np.int32)
        _, first = np.unique(indices, return_index=True)
        for row in np.sort(first):
            word = words[int(indices[row])]
            if word not in self.symbols:
                if not word.strip() or len(self.symbols) == MAX_SYMBOLS:
                    what = f"is {word!r}" if not word.strip() else f"has more than {MAX_SYMBOLS} instruments"
                    raise DataError(f"{self._path}: column 'symbol' {what} in {row_words(at + int(row))}; name one instrument in each row")
                self.symbols[word] = len(self.symbols)
        numbers: Numbers16 = np.array([self.symbols.get(word, 0) for word in words], np.uint16)[indices]
        return numbers


def _refuse_null(path: Path, name: str, column: Any, at: int, where: Flags | None) -> None:
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if where is not None:
        missing = missing & where
    if missing.any():
        row = at + int(missing.argmax())
        raise DataError(f"{path}: column {name!r} has no value in {row_words(row)}; fill it or leave the row out")


def _integers(path: Path, name: str, column: Any, at: int, where: Flags | None = None) -> Integers:
    if column.null_count:
        _refuse_null(path, name, column, at, where)
        column = column.fill_null(0)
    found: Integers = _in_place(_cast(column, pa.int64()), np.int64).copy()
    return found


def _floats(path: Path, name: str, column: Any, at: int) -> Floats:
    if column.null_count:
        _refuse_null(path, name, column, at, None)
    found: Floats = _in_place(_cast(column, pa.float64(), safe=False), np.float64).copy()
    return found


def _flags(path: Path, column: Any, at: int, level: Floats) -> Flags:
    if column.null_count:
        _refuse_null(path, "is_snapshot", column, at, level != 0)
        column = column.fill_null(False)
    found: Flags = (_in_place(column.cast(pa.uint8()), np.uint8) != 0) & (level != 0)
    return found


def _words(
    path: Path, name: str, column: Any, at: int, numbers: Mapping[str, float], *, null: float = math.nan, where: Flags | None = None
) -> Floats:
    """The numbers that the words stand for. Rows outside of ``where`` may hold anything, and are 0."""
    encoded = _encoded(column)
    words = encoded.dictionary.to_pylist()
    table = np.array([numbers.get(word, math.nan) for word in words] + [null])
    found: Floats = table[_in_place(encoded.indices.fill_null(len(words)), np.int32)]
    if where is not None:
        found = np.where(where, found, 0.0)
    unknown = np.isnan(found)
    if unknown.any():
        row = int(unknown.argmax())
        word = column[row].as_py()
        if word is None:
            raise DataError(f"{path}: column {name!r} has no value in {row_words(at + row)}; fill it or leave the row out")
        allowed = [repr(word) for word in numbers] + (["null"] if not math.isnan(null) else [])
        meant = f"{', '.join(allowed[:-1])} or {allowed[-1]}"
        raise DataError(f"{path}: column {name!r} is {word!r} in {row_words(at + row)}; it must be {meant}")
    return found


def _encoded(column: Any) -> Any:
    """The words as numbers of a dictionary, with 32-bit indices."""
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    if pa.types.is_dictionary(column.type):
        if pa.types.is_string_view(column.type.value_type):  # as polars has categories; Arrow can't look those up
            column = pa.DictionaryArray.from_arrays(column.indices, column.dictionary.cast(pa.string()))
        column = column.dictionary_decode()
    return column.dictionary_encode()


def _cast(column: Any, wanted: Any, *, safe: bool = True) -> Any:
    """The column as it is, where it has the type: ``cast`` would import all of Arrow's compute functions to do nothing."""
    return column if column.type == wanted else column.cast(wanted, safe=safe)


def _in_place(column: Any, dtype: type) -> np.ndarray[Any, Any]:
    """The numbers of a column without nulls, where they lie. ``to_numpy`` would import pandas wherever that is installed."""
    if not len(column):
        return np.empty(0, dtype)
    return np.frombuffer(column.buffers()[1], dtype)[column.offset : column.offset + len(column)]
