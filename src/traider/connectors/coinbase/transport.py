"""The way to the venue's REST API: what a request is, what comes back, and the two ways of getting nothing."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from traider.domain.venue import VenueError

Query = Sequence[tuple[str, str]]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request. ``path`` is without the query; ``body`` is JSON, empty for a GET."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    private: bool = True

    @property
    def name(self) -> str:
        """What the call is called in messages: never with its content."""
        return f"{self.method} {self.path}"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue answered, unread."""

    status: int
    body: bytes
    headers: dict[str, str] = {}

    def header(self, name: str) -> str:
        """The header's value, empty where there is none."""
        return self.headers.get(name.lower(), "")


class NotSentError(VenueError):
    """Not one byte of the request left: it can't have had an effect."""


class NoReplyError(VenueError):
    """The request left, at least in part, and no whole reply came back."""


class Transport(Protocol):
    """Sends a request once and never again by itself; the deadline covers connecting, sending and reading."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def send(self, call: Call, *, timeout_s: float) -> Reply:
        """The reply, whatever its status. ``NotSentError`` or ``NoReplyError`` when there is none."""
        ...
