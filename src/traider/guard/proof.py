"""What lies at a journal's path, and whether it holds: the chain over all segments, the head file, the end."""

import os
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from traider.domain.errors import JournalError

from .chain import GENESIS, Scan, scan, unseal
from .lock import holder
from .records import Entry
from .segments import OlderSegments, Segment, check_link, open_segment, segment_path, segment_paths

_decoder = msgspec.json.Decoder(Entry)


class Verification(NamedTuple):
    """``entries`` lines hold, from ``first_n`` on; ``end_proven`` tells whether a head file says that there are no more."""

    entries: int
    head: str
    end_proven: bool
    first_n: int = 1
    segments: int = 1

    @property
    def last_n(self) -> int:
        return self.first_n + self.entries - 1


class Head(NamedTuple):
    n: int
    digest: str


def verify(path: Path) -> Verification:
    """What a whole journal holds, over all of its segments. ``JournalError`` names the first line that is edited, missing, out of order
    or torn.

    A journal that a guard is writing at the moment is verified up to its last complete batch. Segments that lie elsewhere are not missed
    where they are the oldest ones.
    """
    being_written = holder(lock_path(path)) is not None
    head = read_head(head_path(path))
    segments = _segments_of(path)
    if not segments:
        raise JournalError(f"{path}: there is no journal here")
    first_n, state = segments[0].first_n, Scan()
    for segment, following in zip(segments, [*segments[1:], None], strict=True):
        state = _scan(segment, head)
        if head is not None and head.n in state.hashes_by_n and state.hashes_by_n[head.n] != head.digest:
            raise JournalError(f"{path}: line {head.n} is not the one that was written: the journal was replaced")
        if following is not None:
            if state.problem is not None:
                raise JournalError(f"{segment.path}: {state.problem}")
            if (state.n, state.head) != (following.first_n - 1, following.before):
                raise JournalError(f"{following.path}: line {following.first_n}: it does not follow the end of {segment.path.name}")
    _compare(path, head, Found(head, segments[:-1], segments[-1], state))
    if state.problem is not None and not being_written:
        raise JournalError(f"{segments[-1].path}: {state.problem}")
    return Verification(state.n - first_n + 1, state.head, head is not None, first_n, len(segments))


def entries(path: Path) -> Iterator[Entry]:
    """Every entry that is here of a journal that may be in use, without a lock, up to its last complete batch; ``verify`` it first."""
    head = read_head(head_path(path))
    for segment in _segments_of(path):
        state = _scan(segment, head)
        with segment.path.open("rb") as file:
            for _ in range(segment.first_n, state.n + 1):
                yield _decoder.decode(unseal(file.readline()))


def head_path(path: Path) -> Path:
    """Where the number and the hash of a journal's last durable line are kept."""
    return path.with_name(path.name + ".head")


def lock_path(path: Path) -> Path:
    """What whoever writes a journal locks."""
    return path.with_name(path.name + ".lock")


class Found(NamedTuple):
    """What lies at a journal's path: of the older segments where each begins, of the newest what it proves."""

    head: Head | None
    older: list[Segment]
    newest: Segment
    state: Scan


def _segments_of(path: Path) -> list[Segment]:
    """The segments that are here, without a gap between them; ``JournalError`` where there is one."""
    paths = segment_paths(path)
    for (number, _), (following, later) in pairwise(paths):
        if following != number + 1:
            raise JournalError(f"{later}: {segment_path(path, following - 1).name} is not here, and older segments are: put it back")
    try:
        return [open_segment(number, file) for number, file in paths]
    except OSError as error:
        raise JournalError(f"{error.filename}: can't be read: {error.strerror or error}") from None


def _scan(segment: Segment, head: Head | None) -> Scan:
    try:
        with segment.path.open("rb") as file:
            return scan(file, wanted=head.n if head else 0, first=segment.first_n, before=segment.before)
    except OSError as error:
        raise JournalError(f"{segment.path}: can't be read: {error.strerror or error}") from None


def _compare(path: Path, head: Head | None, found: Found) -> None:
    if head is None or head.n == 0:
        return
    newest, state = found.newest, found.state
    if state.n < head.n:
        what = state.problem or f"it ends after line {state.n}, and line {head.n} was durable"
        raise JournalError(f"{newest.path}: {what}")
    if head.n >= newest.first_n:
        there: str | None = state.hashes_by_n[head.n]
    elif head.n == newest.first_n - 1:
        there = newest.before
    else:  # after a power failure the head file may be older than the newest segment
        there = OlderSegments(found.older, newest.first_n - 1).hash_of(head.n)
    if there is not None and there != head.digest:
        raise JournalError(f"{path}: line {head.n} is not the one that was written: the journal was replaced")


def prove(path: Path) -> Found:
    """What the journal holds, ready to be written on: any problem of it is a batch that was never made durable.

    The newest segment is read, and of the one before its last line.
    """
    # The head first: what it names was durable before, so it can't be missing from what is read after.
    head = read_head(head_path(path))
    segments = _segments_of(path)
    if not segments:
        raise JournalError(f"{path} is missing though {head_path(path).name} is there: restore it, or choose another --state-dir")
    *older, newest = segments
    state = _scan(newest, head)
    _compare(path, head, Found(head, older, newest, state))
    if state.problem is not None and not (state.torn or (state.damaged and head is not None)):
        raise JournalError(f"{newest.path}: {state.problem}")
    if newest.number > 1 and state.n < newest.first_n:
        raise JournalError(f"{newest.path}: {state.problem or 'it is empty'}")  # its first line was durable before it had its name
    if older:
        check_link(older[-1].path, newest)
    return Found(head, older, newest, state)


def head_bytes(head: Head) -> bytes:
    """What the head file holds, always of one length."""
    return f"{head.n:020d} {head.digest}\n".encode()


def write_head(sync: Callable[[int], None], path: Path, head: Head) -> None:
    """Writes the head file anew, durably."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(fd, head_bytes(head), 0)
        sync(fd)
    finally:
        os.close(fd)


def read_head(path: Path) -> Head | None:
    """None where there is none, or an empty one: the journal is being made now, or was when its process was killed."""
    try:
        n, _, digest = path.read_text("ascii", errors="replace").strip().partition(" ")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalError(f"{path}: can't be read: {error.strerror or error}") from None
    if not n:
        return None
    if not n.isdecimal() or len(digest) != len(GENESIS):
        raise JournalError(f"{path}: it does not name the journal's last line")
    return Head(int(n), digest)


def sync_directory(sync: Callable[[int], None], path: Path) -> None:
    """Makes the names in a directory durable."""
    # A file that is durable in a directory that is not would be gone after a power failure.
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(fd)
    finally:
        os.close(fd)
