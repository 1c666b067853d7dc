"""A guard that hangs is ended: what it has not sent it never will, and its successor knows what the journal knows."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from structlog import get_logger

log = get_logger("traider.hung")

PATIENCE_S = 30.0  # a disk that is so slow is no disk for a journal
POLL_S = 1.0


class Process(Protocol):
    """What is looked after elsewhere: it is started again when it is gone."""

    @property
    def pid(self) -> int | None: ...

    def kill(self) -> None: ...


async def end_hung(guard: Process, is_answering: Callable[[], bool], *, patience_s: float = PATIENCE_S, poll_s: float = POLL_S) -> None:
    """Kills the process that has answered once and not for ``patience_s`` since; one that has yet to begin may take its time.

    A process that was stopped or is in an endless loop keeps its connections, and whoever waits for its end waits for ever; meanwhile
    nobody can cancel an order that rests at the exchange.
    """
    loop = asyncio.get_running_loop()
    answered: int | None = None
    heard_s = loop.time()
    while True:
        await asyncio.sleep(poll_s)
        if is_answering():
            answered, heard_s = guard.pid, loop.time()
        elif answered is not None and answered == guard.pid and loop.time() - heard_s >= patience_s:
            log.critical("the guard hangs: ending it, so that it is started again", pid=answered, silent_s=patience_s)
            guard.kill()
            answered = None
