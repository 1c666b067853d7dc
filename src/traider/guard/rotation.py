"""When the journal goes on in another file: when the one that is written is full, and nobody waits."""

import asyncio
from typing import Any

from structlog import get_logger

from .base import GuardBase
from .journal import JournalWriteError

log = get_logger("traider.guard")

LOOK_EVERY_S = 0.25
OVERDUE = 1.1  # a file so much longer than it should be is not waited with until nothing is written
AGAIN_S = 60.0  # after a file that could not be begun


class Rotation:
    """``run`` beside the guard, in its event loop; a segment is full when it has so many ``lines``."""

    def __init__(self, guard: GuardBase[Any], lines: int) -> None:
        self._guard = guard
        self._lines = lines
        self._seen_n = -1

    def is_due(self) -> bool:
        """Whether the file is full, and nothing was written since the last look; or it is overdue."""
        journal = self._guard.journal
        seen_n, self._seen_n = self._seen_n, journal.n
        written = journal.n - journal.segment.first_n + 1
        if self._guard.failure is not None or written < self._lines:
            return False
        return journal.n == seen_n or written >= self._lines * OVERDUE

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self.is_due() and not self._begin():
                await asyncio.sleep(AGAIN_S)

    def _begin(self) -> bool:
        guard = self._guard
        try:
            guard.begin_segment()
        except JournalWriteError as error:
            log.error("the journal does not go on in another file", reason=str(error), again_s=AGAIN_S)
            return False
        segment = guard.journal.segment
        log.info("the journal goes on in another file", file=segment.path.name, line=segment.first_n)
        return True
