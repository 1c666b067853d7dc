"""Time as a parameter: what a process is handed in production. Tests hand in a clock of their own."""

import time


class SystemClock:
    """The machine's clock (a ``traider.domain.ports.Clock``)."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        return time.time_ns()
