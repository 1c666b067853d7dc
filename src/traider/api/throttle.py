"""Slows down the guessing of passwords: so many attempts within a window, then a wait."""

import ipaddress
from collections import OrderedDict, deque

from traider.domain.ports import Clock

_MAX_KEYS = 10_000
_IPV6_PREFIX = 64  # one customer's network: its addresses are free to whoever has one


class Throttle:
    """Counts the attempts of each key. An attempt counts from its beginning, so that many at once are no way around it."""

    def __init__(self, clock: Clock, *, limit: int, window_s: float) -> None:
        self._clock = clock
        self._limit = limit
        self._window_ns = int(window_s * 1e9)
        self._attempts: OrderedDict[str, deque[int]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """How long this key must wait before its next attempt; 0 when it may go on."""
        attempts = self._recent(key)
        if len(attempts) < self._limit:
            return 0
        return (attempts[0] + self._window_ns - self._clock.now_ns()) / 1e9

    def begin(self, key: str) -> None:
        """Counts an attempt."""
        attempts = self._recent(key)
        attempts.append(self._clock.now_ns())
        self._attempts[key] = attempts
        self._attempts.move_to_end(key)
        if len(self._attempts) > _MAX_KEYS:
            self._attempts.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Takes the last attempt back; the failures before it stay counted."""
        attempts = self._attempts.get(key)
        if attempts:
            attempts.pop()

    def _recent(self, key: str) -> deque[int]:
        attempts = self._attempts.get(key, deque())
        oldest = self._clock.now_ns() - self._window_ns
        while attempts and attempts[0] <= oldest:
            attempts.popleft()
        return attempts


def network_of(address: str) -> str:
    """What an address is counted as: itself, or its network for IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
    return address
