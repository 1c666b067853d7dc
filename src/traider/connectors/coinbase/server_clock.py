"""The venue's time as well as it is known here: what the venue last said, and what has passed since.

What has passed is measured with the machine's monotonic clock, so that nothing changes when somebody sets its time of day.
"""

import time
from collections.abc import Callable

from traider.domain.ports import Clock


class ServerClock:
    """A clock that keeps the venue's time. Until the venue has said something it is this machine's."""

    def __init__(self, local: Clock, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._local = local
        self._server_ns: int | None = None
        self._at_ns = 0
        self.monotonic_ns = monotonic_ns
        self.uncertainty_ns: int | None = None

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, as the venue counts them."""
        if self._server_ns is None:
            return self._local.now_ns()
        return self._server_ns + self.monotonic_ns() - self._at_ns

    @property
    def offset_ns(self) -> int:
        """By how much the venue is ahead of this machine's time of day."""
        return self.now_ns() - self._local.now_ns()

    def learn(self, *, sent_ns: int, server_ns: int, received_ns: int) -> None:
        """The venue said ``server_ns`` somewhere between two moments of the monotonic clock: it is taken for their middle.

        An answer that was longer under way than the best one so far, and does not contradict it, teaches nothing: a token that is
        dated seconds ahead of the venue is refused.
        """
        at_ns, uncertainty_ns = (sent_ns + received_ns) // 2, max(0, received_ns - sent_ns) // 2
        if self._server_ns is not None and self.uncertainty_ns is not None and uncertainty_ns > self.uncertainty_ns:
            known_ns = self._server_ns + at_ns - self._at_ns
            if abs(known_ns - server_ns) <= uncertainty_ns + self.uncertainty_ns:
                return
        self._server_ns, self._at_ns, self.uncertainty_ns = server_ns, at_ns, uncertainty_ns
