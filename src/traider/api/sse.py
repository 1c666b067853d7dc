"""The stream to browsers: Server-Sent Events out of what the bus tells.

What each client has not read yet is bounded. Of a state (market, account, risk, system) only the newest waits for it; orders and
fills all wait, and a client that lets too many of them wait is disconnected: it connects again and reads the lists anew.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable

from pydantic import BaseModel
from structlog import get_logger

from traider.domain.errors import StoreError

from .errors import ApiError
from .sessions import Session, Sessions

log = get_logger("traider.api")

HEARTBEAT_S = 10.0
MAX_WAITING = 1000
MAX_CLIENTS = 100
_RETRY_MS = 2000


def frame(event: str, data: BaseModel) -> bytes:
    """One event as it is sent."""
    return f"event: {event}\ndata: {data.model_dump_json()}\n\n".encode()


class _Client:
    def __init__(self) -> None:
        self.waiting: deque[bytes] = deque()
        self.states: dict[str, bytes] = {}
        self.awake = asyncio.Event()
        self.closed = False

    def close(self) -> None:
        self.closed = True
        self.awake.set()

    def take(self) -> bytes:
        """Everything that waits: orders and fills in their order, then the states."""
        self.awake.clear()
        taken = b"".join((*self.waiting, *self.states.values()))
        self.waiting.clear()
        self.states.clear()
        return taken


class Hub:
    """Hands events to every connected client; never waits for one."""

    def __init__(self, *, sessions: Sessions, greeting: Callable[[], Iterable[bytes]], heartbeat_s: float = HEARTBEAT_S) -> None:
        self._sessions = sessions
        self._greeting = greeting
        self._heartbeat_s = heartbeat_s
        self._clients: set[_Client] = set()
        self._closed = False

    @property
    def clients(self) -> int:
        return len(self._clients)

    def tell(self, event: str, data: BaseModel) -> None:
        """Sends an event that every client must get."""
        if not self._clients:
            return
        encoded = frame(event, data)
        for client in self._clients:
            if len(client.waiting) >= MAX_WAITING:
                log.warning("a client of the stream reads too slowly and is disconnected", waiting=len(client.waiting))
                client.close()
            else:
                client.waiting.append(encoded)
                client.awake.set()

    def tell_state(self, event: str, data: BaseModel, *, key: str = "") -> None:
        """Sends a state; it replaces one of the same event and key that a client has not been sent yet."""
        if not self._clients:
            return
        encoded = frame(event, data)
        for client in self._clients:
            client.states[f"{event} {key}"] = encoded
            client.awake.set()

    def disconnect_all(self) -> None:
        """Every client must connect again, because something was missed."""
        for client in self._clients:
            client.close()

    def close(self) -> None:
        """Ends every stream and takes no more."""
        self._closed = True
        self.disconnect_all()

    def stream(self, session: Session) -> AsyncIterator[bytes]:
        """What one client is sent, from now until it leaves, its session ends or the hub closes."""
        if self._closed or len(self._clients) >= MAX_CLIENTS:
            raise ApiError(503, "the stream is closing" if self._closed else f"there are {MAX_CLIENTS} streams already")
        return self._events(session)

    async def _events(self, session: Session) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        client = _Client()
        self._clients.add(client)
        try:
            yield b"".join((f"retry: {_RETRY_MS}\n\n".encode(), *self._greeting()))
            next_check_s = loop.time() + self._heartbeat_s
            while not client.closed:
                try:
                    async with asyncio.timeout_at(next_check_s):
                        await client.awake.wait()
                except TimeoutError:
                    yield b": heartbeat\n\n"
                if loop.time() >= next_check_s:
                    if not await self._may_go_on(session):
                        return
                    next_check_s = loop.time() + self._heartbeat_s
                if waiting := client.take():
                    yield waiting
        finally:
            self._clients.discard(client)

    async def _may_go_on(self, session: Session) -> bool:
        try:
            return await self._sessions.still_valid(session)
        except StoreError as error:
            log.warning("a stream ends: whether its session still holds can't be asked", error=str(error))
            return False
