"""A subscription that stays: connected, subscribed, watched, and made anew whenever any of that is in doubt."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

from traider.domain.venue import VenueUnavailableError

from ..backoff import Backoff
from .config import SocketTiming
from .connection import Connection
from .socket import Socket
from .subscription import Handler, Subscription

log = logging.getLogger(__name__)


class Session:
    """Keeps one connection, for as long as ``run`` runs. The addresses are tried in turn, with growing waits between."""

    def __init__(
        self,
        *,
        urls: Sequence[str],
        subscriptions: Sequence[Subscription],
        handler: Handler,
        make_socket: Callable[[], Socket],
        timing: SocketTiming,
        randomness: random.Random | None = None,
    ) -> None:
        self._urls = tuple(urls)
        self._subscriptions = tuple(subscriptions)
        self._handler = handler
        self._make_socket = make_socket
        self._timing = timing
        self._backoff = Backoff(
            first_s=timing.first_backoff_s,
            most_s=timing.most_backoff_s,
            random=randomness or random.Random(),  # noqa: S311 (spreads reconnects, guards nothing)
        )
        self._connection: Connection | None = None

    async def run(self) -> None:
        """Never returns; cancel it."""
        loop = asyncio.get_running_loop()
        tries = 0
        while True:
            url = self._urls[tries % len(self._urls)]
            began_s = loop.time()
            why = await self._one_connection(url)
            self._handler.on_lost(why)
            if loop.time() - began_s >= self._timing.stable_after_s:
                self._backoff.reset()
            else:
                tries += 1
            wait_s = self._backoff.next_s()
            log.warning("connection to %s lost: %s; again in %.1f s", url, why, wait_s)
            await asyncio.sleep(wait_s)

    def resubscribe(self, why: str) -> None:
        """Has the channels begin anew, on the same connection."""
        if self._connection is not None:
            self._connection.on_gap(why)

    async def _one_connection(self, url: str) -> str:
        """Why it ended."""
        self._connection = Connection(self._make_socket(), self._subscriptions, self._handler, self._timing)
        try:
            return await self._connection.run(url)
        except VenueUnavailableError as error:
            return str(error)
        finally:
            self._connection = None
