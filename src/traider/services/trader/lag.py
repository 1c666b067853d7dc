"""Whether what the market tells is news: a process that hung, or a market that was gone, finds the past in its sockets."""

STALE_S = 5.0  # what was decided longer ago than this, or on news that are older, is not sent to an exchange any more
_CLOCK_NS = 5_000_000_000  # so far this machine's clock may be off the exchange's


class Lag:
    """Measures each time beside the freshest there was, since clocks differ; by no more than the guard lets them, though."""

    def __init__(self, stale_s: float = STALE_S) -> None:
        self._stale_ns = stale_s * 1e9
        self._least_ns = _CLOCK_NS

    def is_stale(self, ts_ns: int, now_ns: int) -> bool:
        """Of the exchange's time ``ts_ns``, seen here at ``now_ns``."""
        age_ns = now_ns - ts_ns
        self._least_ns = max(-_CLOCK_NS, min(self._least_ns, age_ns))
        return age_ns - self._least_ns > self._stale_ns
