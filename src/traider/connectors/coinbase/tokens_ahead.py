"""Tokens signed before they are needed, for requests that have no time to wait for a signature.

Each is good for one request and handed out once. None is handed out that was signed long ago, or by a clock that has been set back since.
"""

import asyncio
from collections import deque
from collections.abc import Callable

READY = 3  # of each kind of request: so many can leave one right after the other
FRESH_S = 60  # a token is valid for 110 s after it was signed
RENEW_S = 20
REFILL_S = 0.002  # after one was taken: then its request has left, and nothing else is waited for


class TokensAhead:
    """``sign`` makes a token for a request, ``"POST host/path"``; ``now_s`` is the venue's time as well as it is known."""

    def __init__(self, sign: Callable[[str], str], now_s: Callable[[], int]) -> None:
        self._sign = sign
        self._now_s = now_s
        self._ready: dict[str, deque[tuple[int, str]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, uri: str) -> None:
        """Has tokens ready for such requests, from a moment from now until ``stop``, in the running event loop."""
        self._ready.setdefault(uri, deque())
        self._refill_in(0.0)

    def stop(self) -> None:
        """Signs no more, and forgets what is ready."""
        self._ready.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def take(self, uri: str) -> str | None:
        """A token for this one request; None where none is ready."""
        ready = self._ready.get(uri)
        if ready is None:
            return None
        self._refill_in(REFILL_S)
        now_s = self._now_s()
        while ready:
            signed_s, token = ready.popleft()
            if 0 <= now_s - signed_s <= FRESH_S:
                return token
        return None

    def _refill_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._refill)

    def _refill(self) -> None:
        """Signs one: whatever comes meanwhile waits for no more than that."""
        now_s = self._now_s()
        for uri, ready in self._ready.items():
            while ready and not 0 <= now_s - ready[0][0] <= RENEW_S:
                ready.popleft()
            if len(ready) < READY:
                ready.append((now_s, self._sign(uri)))
                self._refill_in(REFILL_S)
                return
        self._refill_in(RENEW_S)
