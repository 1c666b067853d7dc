"""The journal: what the guard has decided and what came of it, durable before anybody is told.

JSON Lines, append-only, chained by hashes (``traider.guard.chain``), in one file after the other (``traider.guard.segments``). Lines are
written in batches: one write and one ``fdatasync`` for a batch, which counts as a whole or not at all. Beside ``journal.jsonl`` lie
``.head`` (the last durable line; written after each batch, not synced) and ``.lock`` (one writer).

A failed write closes the journal for good: what the disk then holds is unknown until it is read again, at the next start.
"""

import os
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from traider.domain.errors import JournalError
from traider.domain.ports import Clock

from .chain import GENESIS, seal, unseal
from .lock import Lock
from .proof import Found, Head, entries, head_bytes, head_path, lock_path, prove, read_head, sync_directory, verify, write_head
from .records import AnyRecord, Cause, Entry
from .segments import OlderSegments, Segment, partial_path, segment_path, segment_paths

__all__ = ["Disk", "Draft", "Journal", "JournalWriteError", "entries", "head_path", "lock_path", "verify"]

_READ_BYTES = 1 << 20
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A line to be written; ``record.n`` is the number that it will have."""

    index: int
    cause: Cause
    record: AnyRecord


class Disk:
    """The calls that make things durable; tests hand in one that fails or stops at a named point."""

    def write(self, fd: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]

    def sync(self, fd: int) -> None:
        os.fdatasync(fd)  # the data and the file's size; not its times

    def rename(self, old: Path, new: Path) -> None:
        old.rename(new)


class JournalWriteError(JournalError):
    """A batch that could not be made durable; ``undone`` tells whether it is certain that nothing of it is in the file."""

    def __init__(self, message: str, *, undone: bool) -> None:
        super().__init__(message)
        self.undone = undone


class Journal:
    """The one writer of a journal. Whoever opens it holds the lock until ``close``."""

    def __init__(self, path: Path, clock: Clock, disk: Disk, lock: Lock, fd: int, head_fd: int, found: Found, notices: list[str]) -> None:
        self.path = path
        self.notices = notices
        self.failure: str | None = None
        self.failed_ns = 0  # the machine's time of that
        self._clock = clock
        self._disk = disk
        self._lock = lock
        self._fd = fd
        self._head_fd = head_fd
        self._segment = found.newest
        self._older = OlderSegments(found.older, found.newest.first_n - 1)
        self._offsets: array[int] = found.state.offsets
        self._n = found.state.n
        self._head = found.state.head

    @classmethod
    def open(cls, path: Path, *, clock: Clock, disk: Disk | None = None, started_by: str = "hand") -> Self:
        """The journal at ``path``, made if it isn't there, verified if it is. A torn tail is cut, with a notice in ``notices``.

        ``JournalError`` names the first line that does not hold; ``UserError`` says who else is writing.
        """
        lock = Lock.acquire(lock_path(path), what=f"the journal {path}", started_by=started_by)
        try:
            return cls._open(path, clock, disk or Disk(), lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _open(cls, path: Path, clock: Clock, disk: Disk, lock: Lock) -> Self:
        notices: list[str] = []
        head_file = head_path(path)
        for leftover in path.parent.glob(f"{path.stem}-*{path.suffix}.new"):
            leftover.unlink()  # a segment that never began
        if not segment_paths(path) and read_head(head_file) is None:
            for new in (head_file, path):
                new.touch(0o600)
            write_head(disk.sync, head_file, Head(0, GENESIS))
            sync_directory(disk.sync, path.parent)
        found = prove(path)
        newest, state = found.newest, found.state
        if newest.number > 1:
            sync_directory(disk.sync, path.parent)  # it may have died before it made the name durable
        if found.head is None:
            notices.append(f"{head_file.name} was missing: lines cut from the end of the journal would not have shown")
        if newest.number > 1 and (not found.older or found.older[-1].number < newest.number - 1):
            notices.append(f"{segment_path(path, newest.number - 1).name} is not here: that {newest.path.name} follows it was not seen")
        fd = os.open(newest.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        if state.problem is not None:
            torn = os.fstat(fd).st_size - state.size
            os.ftruncate(fd, state.size)
            disk.sync(fd)
            notices.append(f"cut {torn} bytes that were never made durable from the journal's end ({state.problem})")
        write_head(disk.sync, head_file, Head(state.n, state.head))
        head_fd = os.open(head_file, os.O_WRONLY | os.O_CLOEXEC)
        return cls(path, clock, disk, lock, fd, head_fd, found, notices)

    @property
    def n(self) -> int:
        """The number of the last line."""
        return self._n

    @property
    def head(self) -> str:
        """The hash of the last line."""
        return self._head

    @property
    def segment(self) -> Segment:
        """The file that is written now."""
        return self._segment

    def append(self, drafts: Sequence[Draft]) -> int:
        """The machine's time that the lines carry, when every one is durable.

        ``JournalWriteError`` when that can't be had: then nothing may be sent any more.
        """
        if self.failure is not None:
            raise JournalWriteError(self.failure, undone=True)
        wall_ns = self._clock.now_ns()
        offsets: list[int] = []
        chunks: list[bytes] = []
        head = self._head
        end = self._offsets[-1]
        number, last = self._n, self._n + len(drafts)
        for draft in drafts:
            number, record = number + 1, draft.record
            if record.n != number:
                raise ValueError(f"record {record.n} can't be line {number}")
            entry = Entry(n=number, left=last - number, wall_ns=wall_ns, index=draft.index, cause=draft.cause, record=record)
            line, head = seal(head, _encoder.encode(entry))
            chunks.append(line)
            end += len(line)
            offsets.append(end)
        try:
            self._disk.write(self._fd, b"".join(chunks))
            self._disk.sync(self._fd)
        except OSError as error:
            self.failure = f"the journal {self.path} can't be written: {error.strerror or error}"
            self.failed_ns = wall_ns
            raise JournalWriteError(self.failure, undone=self._undo()) from error
        self._n += len(drafts)
        self._head = head
        self._offsets.extend(offsets)
        self._note_head()
        return wall_ns

    def _note_head(self) -> None:
        try:
            os.pwrite(self._head_fd, head_bytes(Head(self._n, self._head)), 0)
        except OSError as error:  # the lines are durable; the head file only tells a later reader how many there were
            self.notices.append(f"{head_path(self.path).name} can't be written: {error.strerror or error}")

    def begin_segment(self, draft: Draft) -> int:
        """Has the next file begin with this line, which has to be durable under its name before anything may follow it.

        ``JournalWriteError`` where that can't be had. When it is ``undone``, the file that was written so far goes on.
        """
        if self.failure is not None:
            raise JournalWriteError(self.failure, undone=True)
        number, n = self._segment.number + 1, self._n + 1
        if draft.record.n != n:
            raise ValueError(f"record {draft.record.n} can't be line {n}")
        path = segment_path(self.path, number)
        partial = partial_path(path)
        wall_ns = self._clock.now_ns()
        entry = Entry(n=n, left=0, wall_ns=wall_ns, index=draft.index, cause=draft.cause, record=draft.record)
        line, head = seal(self._head, _encoder.encode(entry))
        fd = -1
        try:
            fd = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._disk.write(fd, line)
            self._disk.sync(fd)
            self._disk.rename(partial, path)
            sync_directory(self._disk.sync, path.parent)
        except OSError as error:
            if fd >= 0:
                os.close(fd)
            what = f"{path} can't be begun: {error.strerror or error}"
            if path.exists():  # whether it has its name after a power failure is not known: nothing may follow either end
                self.failure, self.failed_ns = what, wall_ns
                raise JournalWriteError(what, undone=False) from error
            with suppress(OSError):
                partial.unlink()
            raise JournalWriteError(what, undone=True) from error
        os.close(self._fd)
        self._older.add(self._segment, self._n)
        self._segment = Segment(number, path, n, self._head)
        self._fd, self._offsets = fd, array("Q", [0, len(line)])
        self._n, self._head = n, head
        self._note_head()
        return wall_ns

    def _undo(self) -> bool:
        try:
            os.ftruncate(self._fd, self._offsets[-1])
            self._disk.sync(self._fd)
        except OSError:
            return False
        return True

    def read(self, first: int = 1, last: int | None = None) -> Iterator[Entry]:
        """The entries from ``first`` to ``last``, both included, by default the newest.

        ``JournalError`` where they are in a segment that is not here any more.
        """
        last = self._n if last is None else min(last, self._n)
        begun_n = self._segment.first_n
        if first < begun_n and first <= last:
            yield from self._older.read(first, min(last, begun_n - 1))
            first = begun_n
        if first > last:
            return
        position, stop = self._offsets[first - begun_n], self._offsets[last - begun_n + 1]
        rest = b""
        while position < stop:
            data = os.pread(self._fd, min(_READ_BYTES, stop - position), position)
            if not data:
                raise JournalError(f"{self.path} became shorter while it was in use")
            position += len(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield _decoder.decode(unseal(line + b"\n"))

    def close(self) -> None:
        """Lets go of the file and the lock; nothing is written any more, also not into what has the file's number then."""
        self.failure = self.failure or f"the journal {self.path} is closed"
        os.close(self._fd)
        os.close(self._head_fd)
        self._lock.release()
