"""What an exchange keeps over its restarts, on disk: JSON Lines, each a change of what the lines before say.

A line is the operating system's before anybody is told of what it says, so it outlives this process however that ends. It is not
synced: a power failure may take the last moments. A torn last line was told to nobody and is passed over.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from traider.domain.errors import SettingsError

FORM = 1
LEAST_GROWTH = 16 * 1024 * 1024  # bytes of changes before they are folded into one line


class StateFile:
    """One writer's file. ``whole`` gives everything there is to keep, for the line that a file begins with."""

    def __init__(self, path: Path, whole: Callable[[], dict[str, Any]], *, least_growth: int = LEAST_GROWTH) -> None:
        self._path, self._whole, self._least_growth = path, whole, least_growth
        self._fd = -1
        self._grown = self._base = 0

    def begin(self) -> None:
        """Writes all there is into a new file, which takes the place of the old one at once or not at all."""
        partial = self._path.with_name(f"{self._path.name}.new")
        line = _line(self._whole() | {"form": FORM})
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_APPEND, 0o600)
        _write(fd, line)
        os.fsync(fd)
        partial.replace(self._path)
        self.close()
        self._fd, self._base, self._grown = fd, len(line), 0

    def add(self, change: dict[str, Any]) -> None:
        """Appends a change."""
        line = _line(change)
        _write(self._fd, line)
        self._grown += len(line)
        if self._grown > max(self._least_growth, self._base):
            self.begin()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def read_state(path: Path) -> Iterator[dict[str, Any]]:
    """Every line of the file, the first one first; none where there is no file. ``SettingsError`` where it can't be read."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise SettingsError(f"--state {path}: can't be read: {error.strerror}") from None
    lines = data.split(b"\n")
    for number, line in enumerate(lines[:-1], 1):  # what follows the last end of a line was torn off
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict) or (number == 1 and found.get("form") != FORM):
            raise SettingsError(f"--state {path}: line {number} is nothing that this version has written; delete the file to begin anew")
        yield found


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"


def _write(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
