"""Whether anything at all has opened a file, native code included, which no hook of Python's hears of. Linux tells; others don't."""

import ctypes
import os
import sys
from pathlib import Path

_IN_OPEN = 0x20
_IN_NONBLOCK = os.O_NONBLOCK
_EVENTS = 4096


class Opened:
    """Watches one file from now on. Any process that opens it counts, so one sighting is no proof of who it was."""

    def __init__(self, path: Path) -> None:
        self._descriptor = _watch(path)

    def seen(self) -> bool:
        """Whether the file has been opened since the last time that this was asked; False where the system doesn't tell."""
        if self._descriptor is None:
            return False
        try:
            return bool(os.read(self._descriptor, _EVENTS))
        except BlockingIOError:
            return False

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _watch(path: Path) -> int | None:
    """An inotify descriptor for the file; None where there is no inotify, or none left."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = library.inotify_init1(_IN_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        return None
    if library.inotify_add_watch(descriptor, os.fsencode(path), _IN_OPEN) < 0:
        os.close(descriptor)
        return None
    return int(descriptor)
