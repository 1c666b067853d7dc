"""An event loop whose time is virtual: when everybody waits, it is already later.

What runs on it takes no longer than its work, and the same inputs give the same run: nothing waits for the machine's time. Everything
has to happen within the process, since a socket's peer would not know that an hour has passed.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
START_NS = 1_700_006_400_000_000_000  # midnight UTC


class _Selector(selectors.SelectSelector):
    """Never waits: the time for which it should have is over at once."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        if not ready and timeout:
            self.now_s += max(timeout, 1e-6)  # a smaller step would be lost in the number
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """``time`` begins at 0 and jumps to whatever is due next."""

    def __init__(self) -> None:
        self.selector = _Selector()
        super().__init__(self.selector)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.selector.now_s


class VirtualClock:
    """The machine's clock over the running virtual loop; ``offset_ns`` is how far it is off."""

    offset_ns = 0

    def now_ns(self) -> int:
        return START_NS + self.offset_ns + elapsed_ns()


def elapsed_ns() -> int:
    """Since the running loop began, in whole microseconds: what its floats can tell for certain."""
    return round(asyncio.get_running_loop().time() * 1_000_000) * 1000


def play(story: Callable[[], Awaitable[T]]) -> T:
    """Runs to the end in virtual time, and gives what comes of it."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_played(story))


async def _played(story: Callable[[], Awaitable[T]]) -> T:
    return await story()
