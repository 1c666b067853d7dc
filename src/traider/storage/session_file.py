"""A session's recording on disk: JSON Lines, only ever appended, each line sealed with a checksum over itself and the line before.

A line ends in ``,"crc":"<8 hex digits>"}``. The checksum finds a torn end, an edit by mistake, a missing or a swapped line; against
an edit on purpose there is the guard's journal. Lines reach the operating system before anything that follows from them is sent,
so they outlive this process; they are not synced, since after a power failure the journal and the market tell the rest.
"""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from traider.domain.errors import RecordingError, UserError
from traider.domain.session_record import AnyLine, Asked

FOLDER = "sessions"
LEAST_FREE_BYTES = 1_000_000  # with less, a recording is not begun nor gone on with: it would end in the middle of something
_SEAL_SIZE = len(',"crc":"01234567"}\n')
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyLine)
_NOTHING = Asked(wanted=())  # what most market events are followed by
_NOTHING_ASKED = _encoder.encode(_NOTHING)[:-1]


def session_path(state_dir: Path, session_id: str) -> Path:
    """Where the recording of this session is kept."""
    return state_dir / FOLDER / f"{session_id}.jsonl"


class SessionFile:
    """The one writer of a recording. What a crash has torn off at its end is cut away first.

    ``RecordingError`` where it can't be written. Nothing can be added after that: what a part of a line leaves is cut at the next opening.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failure = ""
        self._crc, size = 0, 0
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            free_bytes = _free_bytes(self._fd)
        except OSError as error:
            raise RecordingError(f"{path} can't be written: {error.strerror}") from None
        if free_bytes < LEAST_FREE_BYTES:
            os.close(self._fd)
            raise RecordingError(f"{path} can't be written: {free_bytes:,} bytes are free on its disk, and it takes {LEAST_FREE_BYTES:,}")
        if path.stat().st_size:
            for _, size, self._crc, _ in _scan(path, torn_end_is_cut=True):  # noqa: B007 - the last ones count
                pass
            os.ftruncate(self._fd, size)

    def write(self, line: AnyLine) -> None:
        """Appends the line; it is the operating system's when this returns."""
        if self._failure:
            raise RecordingError(self._failure)
        body = _encoder.encode(line)[:-1]
        self._crc = zlib.crc32(body, self._crc)
        data = memoryview(b'%b,"crc":"%08x"}\n' % (body, self._crc))
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            self._failure = f"{self._path} can't be written: {error.strerror}"
            raise RecordingError(self._failure) from None

    def close(self) -> None:
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _free_bytes(fd: int) -> int:
    disk = os.fstatvfs(fd)
    return disk.f_bavail * disk.f_frsize


def read_session(path: Path, *, torn_end_is_cut: bool = True) -> Iterator[AnyLine]:
    """Every line, oldest first; ``UserError`` names the first one that does not hold."""
    for number, _, _, body in _scan(path, torn_end_is_cut=torn_end_is_cut):
        try:
            yield _NOTHING if body == _NOTHING_ASKED else _decoder.decode(body + b"}")
        except msgspec.DecodeError as error:
            raise UserError(f"{path}: line {number} can't be read: {error}") from None


def _scan(path: Path, *, torn_end_is_cut: bool) -> Iterator[tuple[int, int, int, bytes]]:
    """Of each line its number, where it ends, the checksum up to it, and what it says without that."""
    crc, end = 0, 0
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}") from None
    with file:
        for number, raw in enumerate(file, 1):
            if not raw.endswith(b"\n") and torn_end_is_cut:
                return
            body, seal = raw[:-_SEAL_SIZE], raw[-_SEAL_SIZE:]
            crc = zlib.crc32(body, crc)
            if seal != b',"crc":"%08x"}\n' % crc:
                raise UserError(f"{path}: line {number} does not follow from the line before: an edit, a missing line or a swap")
            end += len(raw)
            yield number, end, crc, body
