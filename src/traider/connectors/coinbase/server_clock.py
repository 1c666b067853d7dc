"""The venue's time as well as it is known here: this machine's clock, moved by what the venue last said."""

from traider.domain.ports import Clock


class ServerClock:
    """A clock that keeps the venue's time. Until the venue has said something it is this machine's."""

    def __init__(self, local: Clock) -> None:
        self._local = local
        self.offset_ns = 0
        self.uncertainty_ns: int | None = None

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, as the venue counts them."""
        return self._local.now_ns() + self.offset_ns

    def learn(self, *, sent_ns: int, server_ns: int, received_ns: int) -> None:
        """The venue said ``server_ns`` somewhere between two moments of the local clock: it is taken for their middle."""
        self.offset_ns = server_ns - (sent_ns + received_ns) // 2
        self.uncertainty_ns = max(0, received_ns - sent_ns) // 2
