"""The files of a journal: ``journal.jsonl`` is the first, and ``journal-000002.jsonl`` goes on where it ends, and so on.

The chain runs through all of them as if they were one file. Each but the first begins with a snapshot, which names the hash that it
follows: so the newest file is proven by itself, and that it follows the one before by the last line of that. Older ones are read
where somebody asks for their lines, found by their numbers.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from traider.domain.errors import JournalError

from .chain import GENESIS, follows, seal_of, unseal
from .records import Entry, SegmentStarted

_BLOCK_BYTES = 1 << 16
_LINE_N = re.compile(rb'\{"n":(\d+),')
_decoder = msgspec.json.Decoder(Entry)


class OlderSegmentError(JournalError):
    """Lines of an older segment can't be had: it is not here any more, or does not hold."""


class Segment(NamedTuple):
    """A file of the journal: its first line, and the hash of the line before that."""

    number: int
    path: Path
    first_n: int
    before: str


def segment_path(path: Path, number: int) -> Path:
    """The file number ``number`` of the journal at ``path``, which is its first file."""
    return path if number == 1 else path.with_name(f"{path.stem}-{number:06d}{path.suffix}")


def partial_path(path: Path) -> Path:
    """Where a file is written that is to become a segment."""
    return path.with_name(path.name + ".new")


def segment_paths(path: Path) -> list[tuple[int, Path]]:
    """The journal's files that are there, the oldest first."""
    name = re.compile(rf"{re.escape(path.stem)}-(\d{{6}}){re.escape(path.suffix)}")
    found = [(1, path)] if path.exists() else []
    for other in path.parent.iterdir() if path.parent.is_dir() else ():
        numbered = name.fullmatch(other.name)
        if numbered is not None:
            found.append((int(numbered[1]), other))
    return sorted(found)


def open_segment(number: int, path: Path) -> Segment:
    """What the file's first line says of its place. ``JournalError`` where it does not begin as a later segment does."""
    if number == 1:
        return Segment(1, path, 1, GENESIS)
    with path.open("rb") as file:
        line = file.readline()
    try:
        entry = _decoder.decode(unseal(line))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise JournalError(f"{path}: its first line can't be read") from None
    record = entry.record
    if not isinstance(record, SegmentStarted) or record.segment != number:
        raise JournalError(f"{path}: it does not begin with the snapshot of segment {number}")
    if not follows(line, record.follows):
        raise JournalError(f"{path}: line {entry.n}: its hash does not follow from what it says: an edit")
    return Segment(number, path, entry.n, record.follows)


def check_link(older: Path, newer: Segment) -> None:
    """``JournalError`` unless the older file's last line is the one that the newer file follows."""
    line = _last_line(older)
    numbered = _LINE_N.match(line)
    if seal_of(line) != newer.before or numbered is None or int(numbered[1]) != newer.first_n - 1:
        raise JournalError(f"{newer.path}: it does not follow the end of {older.name}: a segment was edited or replaced")


class OlderSegments:
    """Reads lines of files that are not written any more."""

    def __init__(self, segments: list[Segment], end_n: int) -> None:
        self._segments = segments
        self._end_n = end_n  # their last line

    def add(self, segment: Segment, end_n: int) -> None:
        """One more file is complete."""
        self._segments.append(segment)
        self._end_n = end_n

    def read(self, first: int, last: int) -> Iterator[Entry]:
        """The entries from ``first`` to ``last``. ``JournalError`` where a file is not there any more, or the chain does not hold."""
        for number, segment in enumerate(self._segments):
            end = self._segments[number + 1].first_n - 1 if number + 1 < len(self._segments) else self._end_n
            if first <= end and first <= last:
                if first < segment.first_n:
                    break
                yield from _read(segment, first, min(last, end))
                first = min(last, end) + 1
        if first <= last:
            raise OlderSegmentError(f"line {first} of the journal is in a segment that is not here any more: put it back beside the others")

    def hash_of(self, n: int) -> str | None:
        """The hash of a line; None where its file is not here."""
        for segment in reversed(self._segments):
            if segment.first_n <= n <= self._end_n:
                return next((seal_of(line) for number, line in _lines_near(segment.path, n) if number == n), None)
        return None


def _read(segment: Segment, first: int, last: int) -> Iterator[Entry]:
    before = segment.before if first == segment.first_n else None
    for n, line in _lines_near(segment.path, max(segment.first_n, first - 1)):
        if n >= first:
            if before is None or not follows(line, before):
                raise OlderSegmentError(f"{segment.path}: line {n}: it does not follow from the line before")
            yield _decoder.decode(unseal(line))
        if n >= last:
            return
        before = seal_of(line)
    raise OlderSegmentError(f"{segment.path}: it ends before line {last}")


def _lines_near(path: Path, n: int) -> Iterator[tuple[int, bytes]]:
    """Numbered lines from ``n`` on, or from a little before; found by halves, since the numbers rise."""
    with _opened(path) as file:
        low, high = 0, os.fstat(file.fileno()).st_size
        while high - low > _BLOCK_BYTES:
            middle = (low + high) // 2
            file.seek(middle)
            skipped = len(file.readline())
            numbered = _LINE_N.match(file.readline(_BLOCK_BYTES))
            if numbered is None or middle + skipped >= high or int(numbered[1]) > n:
                high = middle
            else:
                low = middle + skipped
        file.seek(low)
        for line in file:
            numbered = _LINE_N.match(line)
            if numbered is None:
                raise OlderSegmentError(f"{path}: it has a line without a number")
            if int(numbered[1]) >= n:
                yield int(numbered[1]), line


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise OlderSegmentError(f"{path}: can't be read: {error.strerror or error}") from None


def _last_line(path: Path) -> bytes:
    with path.open("rb") as file:
        position = size = os.fstat(file.fileno()).st_size
        data = b""
        while position > 0 and data.count(b"\n", 0, -1) == 0:
            position = max(0, size - max(_BLOCK_BYTES, 2 * (size - position)))
            file.seek(position)
            data = file.read(size - position)
    return data[data.rfind(b"\n", 0, -1) + 1 :]
