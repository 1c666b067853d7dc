"""The exclusive lock on a state directory's journal: one writer, and whoever comes second learns who holds it."""

import fcntl
import os
import time
from pathlib import Path
from typing import Self

import msgspec

from traider.domain.errors import UserError


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who has the lock; ``started_by`` is "up" where a ``traider up`` looks after that process, else "hand"."""

    pid: int
    started_by: str


class Lock:
    """Held from ``acquire`` until ``release`` or the end of the process, however it ends."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd

    @classmethod
    def acquire(cls, path: Path, *, what: str, started_by: str = "hand") -> Self:
        """The lock; ``UserError`` names the process that holds it."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(fd):
            os.close(fd)
            held = holder(path)
            by = f"process {held.pid}" if held else "another process"
            raise UserError(f"{what} is in use by {by}: stop it, or choose another --state-dir (locked: {path})")
        os.ftruncate(fd, 0)
        os.pwrite(fd, msgspec.json.encode(Holder(pid=os.getpid(), started_by=started_by)), 0)
        return cls(path, fd)

    def release(self) -> None:
        """Lets go. The file stays: removing it would let two processes lock two files of one name."""
        os.close(self._fd)


def _locked(fd: int) -> bool:
    # Somebody who only asks who holds it has it for a moment.
    for wait_s in (0.01, 0.02, 0.04, None):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if wait_s is not None:
                time.sleep(wait_s)
        else:
            return True
    return False


def holder(path: Path) -> Holder | None:
    """Who holds the lock now, None when nobody does. A holder that has not yet written its name has pid 0."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            return msgspec.json.decode(os.pread(fd, 4096, 0), type=Holder)
        except msgspec.DecodeError:
            return Holder(pid=0, started_by="hand")
    else:
        return None
    finally:
        os.close(fd)
