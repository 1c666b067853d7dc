"""Small protocols that rooms hand one another; implementations live on the floors above."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from .guard_protocol import Snapshot


class Clock(Protocol):
    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        ...


class Bus(Protocol):
    """Topics and payloads are listed in ``traider.domain.bus_events``."""

    async def publish(self, topic: str, payload: Any) -> None: ...

    def subscribe(self, *topics: str) -> AsyncIterator[tuple[str, Any]]: ...


class GuardPort(Protocol):
    """What the API may ask of the guard."""

    async def snapshot(self) -> Snapshot: ...

    async def set_kill_switch(self, *, on: bool, reason: str, by: str) -> None: ...

    @property
    def connected(self) -> bool: ...
