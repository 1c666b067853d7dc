"""Time of the exchange: what is due when, on the wall's clock or on one that only ``advance`` moves.

Nothing else in this package waits or asks for the time, so on virtual time a run is a function of its inputs.
"""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from itertools import count

SECOND_NS = 1_000_000_000
_A_TIME = 512  # due calls made before others get a turn
_TURNS = 4  # of the loop, after which a task that was woken has done what it waited to do


class Due:
    """A call that is planned; ``cancel`` takes it back."""

    __slots__ = ("_agenda", "call")

    def __init__(self, call: Callable[[], None], agenda: "Agenda") -> None:
        self.call: Callable[[], None] | None = call
        self._agenda = agenda

    def cancel(self) -> None:
        if self.call is not None:
            self.call = None
            self._agenda.forget()


class Agenda:
    """Planned calls in the order of their time, and of planning within one moment.

    ``virtual_start_ns`` makes the time virtual. ``skew_ns`` is added to what the exchange says of the time, not to what is due.
    With ``loop_start_ns`` it is the event loop's own time, counted from there: for a loop whose time is virtual.
    """

    def __init__(self, virtual_start_ns: int | None = None, *, loop_start_ns: int | None = None) -> None:
        self.virtual = virtual_start_ns is not None
        self.skew_ns = 0
        self._monotonic_ns = time.monotonic_ns if loop_start_ns is None else _loop_ns
        start_ns = virtual_start_ns if loop_start_ns is None else loop_start_ns
        self._base_ns = time.time_ns() if start_ns is None else start_ns
        self._began_ns = self._monotonic_ns()
        self._virtual_ns = self._base_ns
        self._heap: list[tuple[int, int, Due]] = []
        self._numbers = count()
        self._changed = asyncio.Event()
        self._cancelled = 0
        self._woken = False  # somebody who slept goes on before time does

    def time_ns(self) -> int:
        """The time that plans are made in."""
        return self._virtual_ns if self.virtual else self._base_ns + self._monotonic_ns() - self._began_ns

    def now_ns(self) -> int:
        """The time that the exchange tells and checks tokens by."""
        return self.time_ns() + self.skew_ns

    def at(self, due_ns: int, call: Callable[[], None]) -> Due:
        due = Due(call, self)
        heapq.heappush(self._heap, (due_ns, next(self._numbers), due))
        if self._heap[0][2] is due:
            self._changed.set()
        return due

    def after(self, seconds: float, call: Callable[[], None]) -> Due:
        return self.at(self.time_ns() + round(seconds * SECOND_NS), call)

    def forget(self) -> None:
        """One more was cancelled; they are swept out before they are half of everything."""
        self._cancelled += 1
        if self._cancelled > _A_TIME and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].call is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    async def sleep(self, seconds: float) -> None:
        """Returns when this much of the exchange's time has passed."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self.after(seconds, lambda: self._wake(done))
        try:
            await done
        finally:
            due.cancel()

    def _wake(self, done: "asyncio.Future[None]") -> None:
        if not done.done():
            done.set_result(None)
            self._woken = True

    def run_due(self, until_ns: int, most: int = _A_TIME) -> int:
        """Makes the calls that are due by then, at most so many; how many were made."""
        made = 0
        while self._heap and self._heap[0][0] <= until_ns and made < most:
            due_ns, _, due = heapq.heappop(self._heap)
            call, due.call = due.call, None
            if call is None:
                self._cancelled = max(0, self._cancelled - 1)
                continue
            if self.virtual:
                self._virtual_ns = max(self._virtual_ns, due_ns)
            call()
            made += 1
            if self._woken:
                break
        return made

    async def advance(self, seconds: float, between: Callable[[], Awaitable[None]] | None = None) -> None:
        """Virtual time goes on by so much; others get their turn in between, so that what was sent can leave."""
        target_ns = self._virtual_ns + round(seconds * SECOND_NS)
        while self.run_due(target_ns):
            for _ in range(_TURNS if self._woken else 1):
                await asyncio.sleep(0)
            self._woken = False
            if between is not None:
                await between()
        self._virtual_ns = max(self._virtual_ns, target_ns)
        await asyncio.sleep(0)

    async def run(self) -> None:
        """Makes each call when it is due by the wall's clock, until cancelled. On virtual time there is nothing to run."""
        while True:
            made = 0 if self.virtual else self.run_due(self.time_ns())
            if made == _A_TIME or (self._woken and not self.virtual):
                self._woken = False
                await asyncio.sleep(0)
                continue
            self._changed.clear()
            if self.virtual or not self._heap:
                await self._changed.wait()
                continue
            wait_s = max(0.0, (self._heap[0][0] - self.time_ns()) / SECOND_NS)
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                pass


def _loop_ns() -> int:
    # In whole microseconds, rounded down: what is due has then come by the loop's own time too.
    return int(asyncio.get_running_loop().time() * 1_000_000 + 1e-3) * 1000
