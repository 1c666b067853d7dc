"""The venue's rate limits, kept on this side: a token bucket in which some tokens are kept back for cancels."""

import asyncio
from collections import deque

from traider.domain.venue import VenueUnavailableError

_NOTHING = 1e-9  # what is missing through rounding


class TokenBucket:
    """Lets ``rate_per_s`` requests through, ``burst`` of them at once; the last ``reserve`` of the burst are for cancels alone.

    First come, first served, with cancels before everything else. Time is the event loop's.
    """

    def __init__(self, *, rate_per_s: float, burst: int, reserve: int = 0) -> None:
        if not (rate_per_s > 0 and burst > reserve >= 0):
            raise ValueError("a bucket has a rate above zero, and a burst above its reserve")
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._reserve = reserve
        self._tokens = float(burst)
        self._filled_at_s: float | None = None
        self._paused_until_s = float("-inf")
        self._waiting: dict[bool, deque[asyncio.Future[None]]] = {True: deque(), False: deque()}
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, *, deadline_s: float, cancel: bool = False) -> None:
        """Returns when a request may go; ``VenueUnavailableError`` when it may not before the loop's time ``deadline_s``."""
        if self._takes_at_once(cancel=cancel):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[cancel].append(turn)
        self._serve()
        try:
            async with asyncio.timeout_at(deadline_s):
                await turn
        except TimeoutError:
            raise VenueUnavailableError("not sent: the venue's rate limit left no room before the deadline") from None
        finally:
            if not turn.done() or turn.cancelled():
                self._leave(cancel, turn)

    def pause(self, until_s: float) -> None:
        """The venue said that it is too much: nothing but cancels goes before the loop's time ``until_s``."""
        self._paused_until_s = max(self._paused_until_s, until_s)

    def _takes_at_once(self, *, cancel: bool) -> bool:
        """Whether nobody goes first and there is a token, which is then taken: the way of nearly every request."""
        if self._waiting[True] or (self._waiting[False] and not cancel):
            return False
        now_s = asyncio.get_running_loop().time()
        self._fill(now_s)
        if (not cancel and now_s < self._paused_until_s) or self._missing(cancel=cancel) > _NOTHING:
            return False
        self._tokens -= 1
        return True

    def _missing(self, *, cancel: bool) -> float:
        return (0 if cancel else self._reserve) + 1 - self._tokens

    def _leave(self, cancel: bool, turn: "asyncio.Future[None]") -> None:
        if turn in self._waiting[cancel]:
            self._waiting[cancel].remove(turn)
        self._serve()

    def _serve(self) -> None:
        now_s = asyncio.get_running_loop().time()
        self._fill(now_s)
        wait_s = self._serve_queue(cancel=True, now_s=now_s)
        if wait_s is None:
            wait_s = self._serve_queue(cancel=False, now_s=now_s)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if wait_s is not None:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._serve)

    def _serve_queue(self, *, cancel: bool, now_s: float) -> float | None:
        """Serves what can be served; in how many seconds the next can be, None when none waits."""
        queue = self._waiting[cancel]
        while queue:
            if queue[0].done():  # it gave up, and has not yet taken itself out
                del queue[0]
                continue
            if not cancel and now_s < self._paused_until_s:
                return self._paused_until_s - now_s
            missing = self._missing(cancel=cancel)
            if missing > _NOTHING:
                return missing / self._rate_per_s
            self._tokens -= 1
            turn = queue.popleft()
            turn.set_result(None)
        return None

    def _fill(self, now_s: float) -> None:
        if self._filled_at_s is not None:
            self._tokens = min(self._burst, self._tokens + (now_s - self._filled_at_s) * self._rate_per_s)
        self._filled_at_s = now_s
