"""The journal: what the guard has decided and what came of it, durable before anybody is told.

JSON Lines, append-only, chained by hashes (``traider.guard.chain``). Lines are written in batches: one write and one
``fdatasync`` for a batch, which counts as a whole or not at all. Beside ``journal.jsonl`` lie ``.head`` (the last durable line;
written after each batch, not synced) and ``.lock`` (one writer).

A failed write closes the journal for good: what the disk then holds is unknown until it is read again, at the next start.
"""

import os
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import msgspec

from traider.domain.errors import JournalError
from traider.domain.ports import Clock

from .chain import GENESIS, Scan, scan, seal, unseal
from .lock import Lock, holder
from .records import AnyRecord, Cause, Entry

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


class Verification(NamedTuple):
    """``entries`` lines hold; ``end_proven`` tells whether a head file says that there are no more."""

    entries: int
    head: str
    end_proven: bool


class Head(NamedTuple):
    n: int
    digest: str


class JournalWriteError(JournalError):
    """A batch that could not be made durable; ``undone`` tells whether it is certain that nothing of it is in the file."""

    def __init__(self, message: str, *, undone: bool) -> None:
        super().__init__(message)
        self.undone = undone


class Journal:
    """The one writer of a journal. Whoever opens it holds the lock until ``close``."""

    def __init__(self, path: Path, clock: Clock, disk: Disk, lock: Lock, fd: int, head_fd: int, state: Scan, notices: list[str]) -> None:
        self.path = path
        self.notices = notices
        self.failure: str | None = None
        self.failed_ns = 0  # the machine's time of that
        self._clock = clock
        self._disk = disk
        self._lock = lock
        self._fd = fd
        self._head_fd = head_fd
        self._offsets: array[int] = state.offsets
        self._n = state.n
        self._head = state.head

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
        if not path.exists() and not head_file.exists():
            for new in (head_file, path):
                new.touch(0o600)
            _write_head(disk, head_file, Head(0, GENESIS))
            _sync_directory(disk, path.parent)
        head, state = _prove(path)
        if head is None:
            notices.append(f"{head_file.name} was missing: lines cut from the end of the journal would not have shown")
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        if state.problem is not None:
            torn = os.fstat(fd).st_size - state.size
            os.ftruncate(fd, state.size)
            disk.sync(fd)
            notices.append(f"cut {torn} bytes that were never made durable from the journal's end ({state.problem})")
        _write_head(disk, head_file, Head(state.n, state.head))
        head_fd = os.open(head_file, os.O_WRONLY | os.O_CLOEXEC)
        return cls(path, clock, disk, lock, fd, head_fd, state, notices)

    @property
    def n(self) -> int:
        """The number of the last line."""
        return self._n

    @property
    def head(self) -> str:
        """The hash of the last line."""
        return self._head

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
        try:
            os.pwrite(self._head_fd, _head_bytes(Head(self._n, head)), 0)
        except OSError as error:  # the lines are durable; the head file only tells a later reader how many there were
            self.notices.append(f"{head_path(self.path).name} can't be written: {error.strerror or error}")
        return wall_ns

    def _undo(self) -> bool:
        try:
            os.ftruncate(self._fd, self._offsets[-1])
            self._disk.sync(self._fd)
        except OSError:
            return False
        return True

    def read(self, first: int = 1, last: int | None = None) -> Iterator[Entry]:
        """The entries from ``first`` to ``last``, both included, by default the newest."""
        last = self._n if last is None else min(last, self._n)
        if first > last:
            return
        position, stop = self._offsets[first - 1], self._offsets[last]
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
        """Lets go of the file and the lock."""
        os.close(self._fd)
        os.close(self._head_fd)
        self._lock.release()


def verify(path: Path) -> Verification:
    """What a whole journal holds. ``JournalError`` names the first line that is edited, missing, out of order or torn.

    A journal that a guard is writing at the moment is verified up to its last complete batch.
    """
    being_written = holder(lock_path(path)) is not None
    if not path.exists():
        raise JournalError(f"{path}: there is no journal here")
    head, state = _read(path)
    _compare(path, head, state)
    if state.problem is not None and not being_written:
        raise JournalError(f"{path}: {state.problem}")
    return Verification(state.n, state.head, end_proven=head is not None)


def entries(path: Path) -> Iterator[Entry]:
    """Every entry of a journal that may be in use, without a lock, up to its last complete batch; ``verify`` it first."""
    _, state = _read(path)
    with path.open("rb") as file:
        for _ in range(state.n):
            yield _decoder.decode(unseal(file.readline()))


def head_path(path: Path) -> Path:
    return path.with_name(path.name + ".head")


def lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _read(path: Path) -> tuple[Head | None, Scan]:
    # The head first: what it names was durable before, so it can't be missing from what is read after.
    try:
        head = _read_head(head_path(path))
        with path.open("rb") as file:
            return head, scan(file, wanted=head.n if head else 0)
    except OSError as error:
        raise JournalError(f"{path}: can't be read: {error.strerror or error}") from None


def _compare(path: Path, head: Head | None, state: Scan) -> None:
    if head is None or head.n == 0:
        return
    if state.n < head.n:
        what = state.problem or f"it ends after line {state.n}, and line {head.n} was durable"
        raise JournalError(f"{path}: {what}")
    if state.hashes_by_n[head.n] != head.digest:
        raise JournalError(f"{path}: line {head.n} is not the one that was written: the journal was replaced")


def _prove(path: Path) -> tuple[Head | None, Scan]:
    """What the journal holds, ready to be written on: any problem of it is a torn tail."""
    if not path.exists():
        raise JournalError(f"{path} is missing though {head_path(path).name} is there: restore it, or choose another --state-dir")
    head, state = _read(path)
    _compare(path, head, state)
    if state.problem is not None and not state.torn:
        raise JournalError(f"{path}: {state.problem}")
    return head, state


def _head_bytes(head: Head) -> bytes:
    return f"{head.n:020d} {head.digest}\n".encode()


def _write_head(disk: Disk, path: Path, head: Head) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(fd, _head_bytes(head), 0)
        disk.sync(fd)
    finally:
        os.close(fd)


def _read_head(path: Path) -> Head | None:
    try:
        n, _, digest = path.read_text("ascii", errors="replace").strip().partition(" ")
    except FileNotFoundError:
        return None
    if not n.isdecimal() or len(digest) != len(GENESIS):
        raise JournalError(f"{path}: it does not name the journal's last line")
    return Head(int(n), digest)


def _sync_directory(disk: Disk, path: Path) -> None:
    # A file that is durable in a directory that is not would be gone after a power failure.
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        disk.sync(fd)
    finally:
        os.close(fd)
