"""Files in the order in which their rows become known: one after the other, and merged (``docs/market-data.md``, ties)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from traider.domain.errors import DataError
from traider.engine.stream import Line
from traider.storage.market import FileKind, MarketFile, Rows

# Of what is known at one moment, what caused comes before what followed: positions are held when funding is due; a bar that ends
# now holds nothing of what happens now; a trade takes from the book that stood before it, and quotes are of the book after it.
ORDER = (FileKind.FUNDING, FileKind.BARS, FileKind.TRADES, FileKind.BOOK, FileKind.DEPTH, FileKind.QUOTES)

_ROWS_IN_MEMORY = 1 << 20  # that a merge reads ahead, over all its lines
_ROWS_A_TIME = 131_072
_FEWEST_ROWS = 8192


@dataclass(frozen=True)
class _Row:
    """Files of one kind that follow one another; each holds some of these instruments. ``intervals_ns`` are of bars."""

    files: list[MarketFile]
    instruments: tuple[int, ...]
    intervals_ns: tuple[int, ...]


def lines_of(files: Sequence[MarketFile], symbols: Sequence[str]) -> list[Line]:
    """One line for each kind and group of instruments, in the order that ties are decided in; DataError where files overlap."""
    numbers = {symbol: number for number, symbol in enumerate(symbols)}
    split = _split(files, numbers)
    if len(split) > 1:
        _check_intervals(split)
    at_once = _ROWS_A_TIME if len(split) == 1 else max(_FEWEST_ROWS, min(_ROWS_A_TIME, _ROWS_IN_MEMORY // len(split)))
    return [
        Line(
            partial(_chunks, row, numbers, at_once),
            delays_ns=tuple(_interval(row, number) for number in range(len(symbols))),
        )
        for row in split
    ]


def files_in_order(files: Sequence[MarketFile], symbols: Sequence[str]) -> list[MarketFile]:
    """The files so that, of rows of one time, those of the earlier file come first in the stream."""
    numbers = {symbol: number for number, symbol in enumerate(symbols)}
    return list({id(file): file for row in _split(files, numbers) for file in row.files}.values())


def _split(files: Sequence[MarketFile], numbers: dict[str, int]) -> list[_Row]:
    split: list[_Row] = []
    for kind in ORDER:
        rows = _rows_of([file for file in files if file.kind is kind], numbers)
        split += sorted((part for row in rows for part in _of_one_interval(row)), key=lambda part: part.instruments)
    return split


def _rows_of(files: list[MarketFile], numbers: dict[str, int]) -> list[_Row]:
    """The files in groups that share no instrument, each in time order."""
    groups: list[list[MarketFile]] = []
    for file in files:
        sharing = [group for group in groups if any(set(one.symbols) & set(file.symbols) for one in group)]
        groups = [group for group in groups if group not in sharing] + [[one for group in sharing for one in group] + [file]]
    return [_row(sorted(group, key=lambda file: (file.found.first_ns, file.found.last_ns)), numbers) for group in groups]


def _row(files: list[MarketFile], numbers: dict[str, int]) -> _Row:
    for before, after in pairwise(files):
        gap_ns = after.found.first_ns - before.found.last_ns
        if gap_ns < 0 or (gap_ns == 0 and before.kind is FileKind.BARS):
            raise DataError(
                f"{after.path}: begins before {before.path.name} ends, and both hold {before.kind} of {after.symbol}; "
                "give each event once, in files that follow one another"
            )
    intervals: dict[int, int] = {}
    for file in files:
        for symbol, interval_ns in zip(file.symbols, file.found.intervals_ns, strict=True):
            number = numbers[symbol]
            intervals[number] = min(filter(None, (interval_ns, intervals.get(number, 0))), default=0)
    instruments = tuple(sorted(intervals))
    return _Row(files, instruments, tuple(intervals[number] for number in instruments))


def _of_one_interval(row: _Row) -> list[_Row]:
    """The row, or, where its bars last differently long, one for each of the lengths: each is then in the order of its ends.

    An instrument with a single bar counts among those with the longest.
    """
    longest = max(row.intervals_ns)
    lengths = [length or longest for length in row.intervals_ns]
    return [
        _Row(row.files, tuple(number for number, ns in zip(row.instruments, lengths, strict=True) if ns == length), (length,))
        for length in sorted(set(lengths))
    ]


def _check_intervals(rows: Sequence[_Row]) -> None:
    """A single bar's end is not known, so that it can't be put among other events."""
    lengths = {(row.files[0].kind is FileKind.BARS, row.intervals_ns[0]) for row in rows}
    for row in rows:
        if row.files[0].kind is FileKind.BARS and row.intervals_ns[0] == 0 and len(lengths) > 1:
            raise DataError(f"{row.files[0].path}: holds a single bar of an instrument, so that its end is not known; give at least two")


def _interval(row: _Row, number: int) -> int:
    return row.intervals_ns[0] if number in row.instruments else 0


def _chunks(row: _Row, numbers: dict[str, int], rows_a_time: int) -> Iterator[Rows]:
    """The files' rows, one file after the other, with the stream's numbers of the instruments; only those of the row's own."""
    for file in row.files:
        stream_numbers = np.array([numbers[symbol] for symbol in file.symbols], np.uint16)
        has_others = not set(stream_numbers.tolist()) <= set(row.instruments)
        for rows in file.chunks(rows_a_time):
            ts_ns, kind, inst, *values = rows.columns()
            inst = stream_numbers[inst]
            if not has_others:
                yield Rows(ts_ns, kind, inst, *values)
                continue
            mine = np.isin(inst, row.instruments)
            yield Rows(ts_ns[mine], kind[mine], inst[mine], *(column[mine] if len(column) else column for column in values))
