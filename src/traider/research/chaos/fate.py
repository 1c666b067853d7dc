"""Where a process can die, and the disk that it writes to."""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from traider.guard.journal import Disk

POINTS = (
    "journal: nothing written",
    "journal: half written",
    "journal: written",
    "segment: written",
    "segment: begun",
    "order: about to leave",
    "order: under way",
    "order: answered",
    "cancel: about to leave",
    "cancel: under way",
    "amendment: under way",
    "question: under way",
    "question: answered",
)


class KilledError(BaseException):
    """The process is gone. No part of it can catch that."""


@dataclass
class Fate:
    """Of one process: it dies when it has come to ``point`` so many times. Dead, it writes and sends nothing any more."""

    point: str = ""
    left: int = 0
    dead: bool = False
    on_death: Callable[[], None] = lambda: None
    passed: dict[str, int] = field(default_factory=dict)

    def die(self) -> None:
        self.dead = True
        self.on_death()

    def doom(self, point: str, after: int) -> None:
        """From now on the process dies when it comes to this point for the time number ``after``."""
        self.point, self.left = point, after

    def comes_to(self, point: str) -> bool:
        """Whether the process dies here."""
        self.passed[point] = self.passed.get(point, 0) + 1
        if point == self.point and not self.dead:
            self.left -= 1
            if self.left <= 0:
                self.die()
        return self.dead


class MortalDisk(Disk):
    """A disk that is full for a while, and a process that can die in the middle of a write. Nothing is synced: no power fails here."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate
        self.full = False

    def write(self, fd: int, data: bytes) -> None:
        if self._fate.dead or self._fate.comes_to("journal: nothing written"):
            raise KilledError
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        half = len(data) // 2
        super().write(fd, data[:half])
        if self._fate.comes_to("journal: half written"):
            raise KilledError
        super().write(fd, data[half:])
        if self._fate.comes_to("journal: written"):
            raise KilledError

    def rename(self, old: Path, new: Path) -> None:
        if self._fate.dead or self._fate.comes_to("segment: written"):
            raise KilledError
        super().rename(old, new)
        if self._fate.comes_to("segment: begun"):
            raise KilledError

    def sync(self, fd: int) -> None:
        """Nothing to do."""
