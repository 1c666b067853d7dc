"""Events at the speed at which they happened, or N times that."""

from asyncio import sleep
from time import monotonic


class Pace:
    """Waits until an event is due; ``speed`` 0 never waits. Time is counted from the first event that is waited for.

    An event that is late (the machine slept, the consumer was slow) is not waited for, and neither are those behind it, until the
    market has caught up.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._first_ns: int | None = None
        self._started_s = 0.0

    async def until(self, due_ns: int) -> None:
        if not self._speed:
            return
        now_s = monotonic()
        if self._first_ns is None:
            self._first_ns, self._started_s = due_ns, now_s
        await sleep(max(0.0, self._started_s + (due_ns - self._first_ns) / 1e9 / self._speed - now_s))
