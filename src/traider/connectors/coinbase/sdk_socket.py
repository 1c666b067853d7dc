"""WebSockets through Coinbase's own SDK (``USE_OFFICIAL_SDK=true``).

Its reconnecting is switched off and not relied on: it forgets ``heartbeats`` and an unfiltered ``user``, and takes a clean close for the
end. A session makes a new socket instead. It runs in a thread with an event loop of its own. Over ``wss`` the SDK does not verify the
certificate of whom it talks to.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

from traider.domain.venue import VenueUnavailableError

from .credentials import ApiKey
from .sdk import sdk_module
from .socket import MOST_FRAME_BYTES, OnClosed, OnFrame

_LOOK_EVERY_S = 0.2


class SdkSocket:
    """The SDK's ``WSClient`` as a socket."""

    def __init__(self, key: ApiKey | None, *, connect_timeout_s: float) -> None:
        self._module = sdk_module("coinbase.websocket")
        self._key = key
        self._connect_timeout_s = connect_timeout_s
        self._client: Any = None
        self._closed = threading.Event()
        self._watch: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Future[None]] = set()

    async def open(self, url: str, on_frame: OnFrame, on_closed: OnClosed) -> None:
        """``VenueUnavailableError`` when there is no connection."""
        loop = asyncio.get_running_loop()

        def hand_over(message: str | bytes) -> None:
            received_ts_ns = time.time_ns()
            if not self._closed.is_set():
                loop.call_soon_threadsafe(on_frame, message.encode() if isinstance(message, str) else message, received_ts_ns)

        self._client = self._module.WSClient(
            api_key=self._key.name if self._key else None,
            api_secret=self._key.secret if self._key else None,
            base_url=url,
            timeout=self._connect_timeout_s,
            max_size=MOST_FRAME_BYTES,
            on_message=hand_over,
            retry=False,
        )
        await self._in_thread(self._client.open)
        self._watch = asyncio.create_task(self._watch_for_the_end(on_closed))

    async def subscribe(self, channel: str, products: Sequence[str]) -> None:
        """Asks for the channel; the SDK makes a token for it."""
        await self._in_thread(self._client.subscribe, list(products), [channel])

    async def unsubscribe(self, channel: str, products: Sequence[str]) -> None:
        await self._in_thread(self._client.unsubscribe, list(products), [channel])

    async def close(self) -> None:
        """Ends connection and thread, whatever state the SDK is in."""
        self._closed.set()
        if self._watch is not None:
            self._watch.cancel()
        if self._client is not None:
            # What a thread is doing with the SDK has to end first: to stop its loop meanwhile would leave that thread waiting for ever.
            await asyncio.gather(*self._calls, return_exceptions=True)
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        client = self._client
        try:
            client.close()
        except self._errors():
            # It refuses to close a connection that is gone, and then leaves its thread running.
            if client.loop is not None and not client.loop.is_closed():
                client.loop.call_soon_threadsafe(client.loop.stop)
                client.thread.join()
                client.loop.close()

    async def _in_thread(self, function: Any, *arguments: Any) -> None:
        call = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        try:
            await asyncio.shield(call)
        except self._errors() as error:
            raise VenueUnavailableError(f"the SDK's connection failed: {type(error).__name__}") from None

    def _errors(self) -> tuple[type[Exception], ...]:
        return (self._module.WSClientException, self._module.WSClientConnectionClosedException, OSError, RuntimeError)

    async def _watch_for_the_end(self, on_closed: OnClosed) -> None:
        """The SDK says nothing when the venue closes: it has to be looked at."""
        while self._client.websocket is not None and self._client.websocket.open:  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(_LOOK_EVERY_S)
        on_closed("the SDK's connection ended")
