"""How many calls a key or an address may make: so many a second, and some more at once."""

from .agenda import SECOND_NS

_MOST = 10_000  # of buckets; beyond it the full ones are forgotten


class Limiter:
    """Token buckets, by name."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, int]] = {}  # tokens, and when they were counted

    def take(self, name: str, per_s: float, burst: float, now_ns: int) -> float:
        """The tokens that are left after this call, of ``per_s * burst``; below 0 where it is one too many, and took none."""
        most = max(1.0, per_s * burst)
        tokens, then_ns = self._buckets.get(name, (most, now_ns))
        tokens = min(most, tokens + max(0, now_ns - then_ns) / SECOND_NS * per_s)
        if tokens < 1.0:
            self._buckets[name] = tokens, now_ns
            return -1.0
        if len(self._buckets) > _MOST:
            self._buckets = {key: (left, at) for key, (left, at) in self._buckets.items() if now_ns - at < SECOND_NS}
        self._buckets[name] = tokens - 1.0, now_ns
        return tokens - 1.0


def headers(per_s: float, burst: float, left: float) -> dict[str, str]:
    """What a reply tells. The tokens of a burst are told as parts of the limit, so that it falls from the first call on."""
    return {
        "x-ratelimit-limit": f"{per_s:g}",
        "x-ratelimit-remaining": str(max(0, int(left / burst))),
        "x-ratelimit-reset": "1",
    }
