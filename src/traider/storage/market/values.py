"""What is wrong with market data, by row, and what is only odd: checks that see one block of rows after the other."""

from pathlib import Path
from typing import Any

import numpy as np

from ...domain.errors import DataError

LAST_NS = 2**63 - 2 * 86_400_000_000_000  # so that the end of every day is a number of 64 bits

# A first time in one of these ranges is a date of this century in another unit, and in nanoseconds a moment of January 1970.
_UNITS = ((10**8, 10**11, "seconds", 10**9), (10**11, 10**14, "milliseconds", 10**6), (10**14, 10**17, "microseconds", 10**3))

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Notes = dict[str, int | str]


def row_words(index: int) -> str:
    return f"row {index + 1} (index {index})"


class TimeCheck:
    """DataError where time is negative, steps back, or is in another unit than nanoseconds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.first_ns = self.last_ns = -1
        self.repeated = 0  # rows with the time of the row before

    def add(self, ts_ns: Integers, at: int) -> None:
        path = self._path
        if (negative := ts_ns < 0).any():
            row = int(negative.argmax())
            raise DataError(f"{path}: column 'ts' is {ts_ns[row]} in {row_words(at + row)}; it must be nanoseconds since 1970 in UTC")
        if self.first_ns < 0:
            self._check_unit(int(ts_ns[0]))
        before = np.concatenate(([self.last_ns], ts_ns[:-1]))
        if (back := ts_ns < before).any():
            row = int(back.argmax())
            raise DataError(f"{path}: time steps back in {row_words(at + row)} ({ts_ns[row]} after {before[row]}); sort the rows by ts")
        if ts_ns[-1] > LAST_NS:
            row = at + int((ts_ns > LAST_NS).argmax())
            raise DataError(
                f"{path}: column 'ts' is {ts_ns[row - at]} in {row_words(row)}; it must be nanoseconds before the year 2262, in UTC"
            )
        self.repeated += int(np.count_nonzero(ts_ns == before))
        if self.first_ns < 0:
            self.first_ns = int(ts_ns[0])
        self.last_ns = int(ts_ns[-1])

    def _check_unit(self, first: int) -> None:
        for low, high, unit, factor in _UNITS:
            if low <= first < high:
                raise DataError(
                    f"{self._path}: column 'ts' begins with {first}, which looks like {unit}; it must be nanoseconds since 1970 in UTC: "
                    f"multiply it by {factor}"
                )


class BarTimes:
    """Of one instrument's bars: their interval, and how many are missing. DataError where two have one time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first_ns = self._last_ns = -1
        self._last_row = -1
        self._steps = self._shortest = 0
        self.interval_ns = 0  # the shortest step; 0 while there is none

    def add(self, ts_ns: Integers, rows: Integers) -> None:
        """``rows`` are their numbers in the file."""
        if self._first_ns < 0:
            self._first_ns = int(ts_ns[0])
        else:
            ts_ns, rows = np.concatenate(([self._last_ns], ts_ns)), np.concatenate(([self._last_row], rows))
        steps = np.diff(ts_ns)
        if (still := steps == 0).any():
            row = int(still.argmax())
            raise DataError(
                f"{self._path}: two bars of one time, {row_words(int(rows[row]))} and {row_words(int(rows[row + 1]))} "
                f"({ts_ns[row]}); keep one of them"
            )
        self._last_ns, self._last_row = int(ts_ns[-1]), int(rows[-1])
        if len(steps):
            shortest = int(steps.min())
            if not self.interval_ns or shortest < self.interval_ns:
                self.interval_ns, self._shortest = shortest, 0
            self._shortest += int(np.count_nonzero(steps == self.interval_ns))
            self._steps += len(steps)

    def notes(self) -> Notes:
        """The interval; gaps are steps that are longer, and the bars missing in them are counted."""
        if not self._steps:
            return {}
        notes: Notes = {"bar_interval_ns": self.interval_ns}
        if gaps := self._steps - self._shortest:
            notes["gaps"] = gaps
            covered = (self._last_ns - self._first_ns) // self.interval_ns  # so many bars after the first, had none been missing
            notes["bars_missing"] = covered - self._steps
        return notes


class ValueCheck:
    """DataError where a value is no finite number or too small, a high below its low, a bid not below its ask."""

    def __init__(self, path: Path, *, sizes_may_be_zero: bool = False) -> None:
        self._path = path
        self._zero = {"volume", "bid_size", "ask_size"} | ({"size"} if sizes_may_be_zero else set())
        self._outside = {"open": 0, "close": 0}

    def add(self, numbers: dict[str, Floats], at: int, trades: Flags | None = None) -> None:
        """``trades`` tells which rows are trades, where some are not: a trade's size is above zero."""
        for name, values in numbers.items():
            self._refuse(~np.isfinite(values), name, values, at, "; it must be a finite number: fix it or leave the row out")
            if name == "rate":
                continue
            if name in self._zero:
                self._refuse(values < 0, name, values, at, "; it can't be negative")
            else:
                self._refuse(values <= 0, name, values, at, "; it must be above zero: fix it or leave the row out")
        if trades is not None:
            size = numbers["size"]
            self._refuse(trades & (size <= 0), "size", size, at, "; a trade's must be above zero: fix it or leave the row out")
        if "high" in numbers:
            self._check_bars(numbers, at)
        if "ask" in numbers:
            self._check_quotes(numbers, at)

    def _refuse(self, wrong: Flags, name: str, values: Floats, at: int, remedy: str) -> None:
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(f"{self._path}: column {name!r} is {values[row]} in {row_words(at + row)}{remedy}")

    def _check_bars(self, numbers: dict[str, Floats], at: int) -> None:
        high, low = numbers["high"], numbers["low"]
        if (below := high < low).any():
            row = int(below.argmax())
            raise DataError(
                f"{self._path}: high {high[row]} is below low {low[row]} in {row_words(at + row)}; swap them or leave the row out"
            )
        for name in self._outside:
            self._outside[name] += int(np.count_nonzero((numbers[name] > high) | (numbers[name] < low)))

    def _check_quotes(self, numbers: dict[str, Floats], at: int) -> None:
        bid, ask = numbers["bid"], numbers["ask"]
        if (crossed := bid >= ask).any():
            row = int(crossed.argmax())
            raise DataError(
                f"{self._path}: bid {bid[row]} is not below ask {ask[row]} in {row_words(at + row)}; swap them or leave the row out"
            )

    def notes(self) -> Notes:
        return {f"{name}_outside_high_low": count for name, count in self._outside.items() if count}
