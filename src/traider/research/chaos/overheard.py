"""Everything that is logged while a run runs, as text: no secret may be in it, and nothing of it is written anywhere."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@contextmanager
def overheard() -> "Iterator[list[str]]":
    """The texts so far; both logging systems of this process are quiet meanwhile."""
    listener = _Listener()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:] = [listener]
    root.setLevel(logging.INFO)
    texts: list[str] = []
    try:
        with structlog.testing.capture_logs() as told:
            yield texts
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        texts += listener.texts
        texts += [repr(event) for event in told]
