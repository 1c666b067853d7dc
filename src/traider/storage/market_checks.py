"""What is wrong with market data, by row, and what is only odd: pure functions over columns.

They look at one piece of a column after the other, so that checking a large file takes no memory worth mentioning.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from ..domain.errors import DataError

MAX_DECIMALS = 12
MAX_TICKS = 2.0**44  # so that a sum over half a million of them is exact in 64 bits
LAST_NS = 2**63 - 2 * 86_400_000_000_000  # so that the end of every day is a number of 64 bits
_PIECE = 65_536  # rows looked at together

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Notes = dict[str, int | str]


def row_words(index: int) -> str:
    return f"row {index + 1} (index {index})"


def _pieces(test: Callable[..., Flags], *columns: np.ndarray[Any, Any]) -> Iterator[tuple[int, Flags]]:
    for start in range(0, len(columns[0]), _PIECE):
        yield start, test(*(column[start : start + _PIECE] for column in columns))


def _first(test: Callable[..., Flags], *columns: np.ndarray[Any, Any]) -> int:
    """The first row that the test is true for, -1 when there is none."""
    return next((start + int(found.argmax()) for start, found in _pieces(test, *columns) if found.any()), -1)


def _count(test: Callable[..., Flags], *columns: np.ndarray[Any, Any]) -> int:
    return sum(int(np.count_nonzero(found)) for _, found in _pieces(test, *columns))


def check_times(path: Path, ts_ns: Integers, kind: str) -> Notes:
    """DataError where time is negative, steps back or, of bars, stands still; notes on gaps and on trades of one time."""
    if (row := _first(lambda ts: ts < 0, ts_ns)) >= 0:
        raise DataError(f"{path}: column 'ts' is {ts_ns[row]} in {row_words(row)}; it must be nanoseconds since 1970 in UTC")
    before, after = ts_ns[:-1], ts_ns[1:]
    if (row := _first(np.less, after, before)) >= 0:
        raise DataError(f"{path}: time steps back in {row_words(row + 1)} ({after[row]} after {before[row]}); sort the rows by ts")
    if ts_ns[-1] > LAST_NS:
        raise DataError(
            f"{path}: column 'ts' is {ts_ns[-1]} in {row_words(len(ts_ns) - 1)}; it must be nanoseconds before the year 2262, in UTC"
        )
    if kind == "trades":
        same = _count(np.equal, after, before)
        return {"trades_of_one_time": same} if same else {}
    if (row := _first(np.equal, after, before)) >= 0:
        raise DataError(f"{path}: two bars of one time, {row_words(row)} and {row_words(row + 1)} ({before[row]}); keep one of them")
    return _gaps(before, after)


def _gaps(before: Integers, after: Integers) -> Notes:
    if not len(after):
        return {}
    interval = min(int((after[start : start + _PIECE] - before[start : start + _PIECE]).min()) for start in range(0, len(after), _PIECE))
    notes: Notes = {"bar_interval_ns": interval}
    if gaps := _count(lambda late, early: late - early > interval, after, before):
        notes["gaps"] = gaps
        covered = int(after[-1] - before[0]) // interval  # so many bars after the first, had none been missing
        notes["bars_missing"] = covered - len(after)
    return notes


def check_values(path: Path, columns: dict[str, Floats]) -> Notes:
    """DataError where a value is no finite number, not above zero, or a high below its low; notes on odd opens and closes."""
    for name, values in columns.items():
        if name == "side":
            continue
        if (row := _first(lambda column: ~np.isfinite(column), values)) >= 0:
            found = f"{path}: column {name!r} is {values[row]} in {row_words(row)}"
            raise DataError(f"{found}; it must be a finite number: fix it or leave the row out")
        if name == "volume":
            if (row := _first(lambda column: column < 0, values)) >= 0:
                raise DataError(f"{path}: column 'volume' is {values[row]} in {row_words(row)}; it can't be negative")
        elif (row := _first(lambda column: column <= 0, values)) >= 0:
            found = f"{path}: column {name!r} is {values[row]} in {row_words(row)}"
            raise DataError(f"{found}; it must be above zero: fix it or leave the row out")
    return _check_bars(path, columns) if "high" in columns else {}


def _check_bars(path: Path, columns: dict[str, Floats]) -> Notes:
    high, low = columns["high"], columns["low"]
    if (row := _first(np.less, high, low)) >= 0:
        raise DataError(f"{path}: high {high[row]} is below low {low[row]} in {row_words(row)}; swap them or leave the row out")
    outside = {
        f"{name}_outside_high_low": _count(lambda value, top, bottom: (value > top) | (value < bottom), columns[name], high, low)
        for name in ("open", "close")
    }
    return {name: count for name, count in outside.items() if count}


def infer_increment(prices: list[Floats]) -> tuple[Decimal, Notes]:
    """The largest power of ten that every price is a multiple of; a note where there is none that fine."""
    largest = max(float(values.max()) for values in prices)
    finest = 0
    while finest < MAX_DECIMALS and largest * 10.0 ** (finest + 1) <= MAX_TICKS:
        finest += 1
    decimals = 0
    for values in prices:
        for sample in (values[:1000], values):
            while decimals < finest and not _on_grid(sample, decimals):
                decimals += 1
    notes: Notes = {}
    if not all(_on_grid(values, decimals) for values in prices):
        notes["price_increment"] = f"prices are multiples of no decimal increment; averages round them to {Decimal(1).scaleb(-decimals):f}"
    return Decimal(1).scaleb(-decimals), notes


def check_increment(path: Path, prices: list[Floats], increment: Decimal) -> None:
    """DataError where prices are so many increments that sums of them could overflow."""
    largest = max(float(values.max()) for values in prices)
    if largest / float(increment) > MAX_TICKS:
        raise DataError(
            f"{path}: prices go up to {largest:g}, which is more than {MAX_TICKS:.0f} times the price increment {increment:f}; "
            "give a larger price increment"
        )


def _on_grid(values: Floats, decimals: int) -> bool:
    scale = 10.0**decimals
    return _first(lambda piece: np.rint(piece * scale) / scale != piece, values) < 0
