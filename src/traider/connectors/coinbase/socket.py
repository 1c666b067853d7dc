"""One WebSocket connection: frames in, subscriptions out. It is opened once and never comes back to life."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from traider.domain.venue import VenueUnavailableError

from .http_transport import tls_context
from .tokens import Authorization

MOST_FRAME_BYTES = 64 * 1024 * 1024  # a whole book is one message of several million bytes
_MOST_CLOSE_REASON = 120
_CLOSE_TIMEOUT_S = 1.0
log = logging.getLogger(__name__)

OnFrame = Callable[[bytes, int], None]
OnClosed = Callable[[str], None]


class Socket(Protocol):
    """``on_frame`` is called with each whole message and the time it arrived (ns since the epoch); ``on_closed`` once, with why."""

    async def open(self, url: str, on_frame: OnFrame, on_closed: OnClosed) -> None:
        """``VenueUnavailableError`` when there is no connection."""
        ...

    async def subscribe(self, channel: str, products: Sequence[str]) -> None:
        """Asks for the channel, with a token made for this request."""
        ...

    async def unsubscribe(self, channel: str, products: Sequence[str]) -> None: ...

    async def close(self) -> None: ...


class _Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    type: str
    channel: str
    product_ids: list[str] = []
    jwt: str = ""


class PicowsSocket:
    """A socket on picows: it hands over each frame in the call that read it, without a task or a queue between.

    It offers no compression: to unpack costs more time than the bytes that it would save.
    """

    def __init__(self, authorization: Authorization | None, *, connect_timeout_s: float, ca_file: str = "") -> None:
        self._authorization = authorization
        self._connect_timeout_s = connect_timeout_s
        self._ca_file = ca_file
        self._opening: asyncio.Task[tuple[WSTransport, WSListener]] | None = None
        self._transport: WSTransport | None = None

    async def open(self, url: str, on_frame: OnFrame, on_closed: OnClosed) -> None:
        """``VenueUnavailableError`` when there is no connection."""
        connecting = ws_connect(
            lambda: _Listener(on_frame, on_closed),
            url,
            ssl_context=tls_context(self._ca_file) if url.startswith("wss:") else None,
            websocket_handshake_timeout=self._connect_timeout_s,
            max_frame_size=MOST_FRAME_BYTES,
        )
        # Who gives up waiting in the middle of the handshake must not leave a connection behind that nobody knows of: see close.
        self._opening = asyncio.ensure_future(connecting)
        try:
            self._transport, _ = await asyncio.shield(self._opening)
        except (OSError, WSError, TimeoutError) as error:
            raise VenueUnavailableError(f"no connection to {url}: {str(error) or type(error).__name__}") from None

    async def subscribe(self, channel: str, products: Sequence[str]) -> None:
        """Asks for the channel, with a token made for this request."""
        await self._send("subscribe", channel, products)

    async def unsubscribe(self, channel: str, products: Sequence[str]) -> None:
        await self._send("unsubscribe", channel, products)

    async def close(self) -> None:
        """Says goodbye and hangs up. What is still being opened is waited for, a moment."""
        opening, self._opening = self._opening, None
        self._transport = None
        if opening is None:
            return
        await asyncio.wait({opening}, timeout=_CLOSE_TIMEOUT_S)
        if not opening.done():
            opening.cancel()
        elif not opening.cancelled() and opening.exception() is None:
            await _hang_up(opening.result()[0])

    async def _send(self, type: str, channel: str, products: Sequence[str]) -> None:
        token = "" if self._authorization is None else await self._authorization.for_subscription()
        if self._transport is None:
            raise VenueUnavailableError("the connection is closed")
        request = _Request(type=type, channel=channel, product_ids=list(products), jwt=token)
        self._transport.send(WSMsgType.TEXT, msgspec.json.encode(request))


async def _hang_up(transport: WSTransport) -> None:
    transport.send_close(WSCloseCode.OK)
    transport.disconnect()
    gone = asyncio.ensure_future(transport.wait_disconnected())
    await asyncio.wait({gone}, timeout=_CLOSE_TIMEOUT_S)
    if not gone.done():
        gone.cancel()
    elif (error := gone.exception()) is not None:
        # What a frame's handler raised has ended the connection: a mistake of ours, not the venue's.
        log.error("a message could not be handled", exc_info=error)


class _Listener(WSListener):
    def __init__(self, on_frame: OnFrame, on_closed: OnClosed) -> None:
        super().__init__()
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._parts: list[bytes] = []
        self._why = "the connection was lost without a word"

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Hands a whole message on; parts of one are kept until its last."""
        received_ts_ns = time.time_ns()
        kind = frame.msg_type
        if kind is WSMsgType.CLOSE:
            self._why = f"closed by the venue ({frame.get_close_code()}) {frame.get_close_reason() or ''}"[:_MOST_CLOSE_REASON].strip()
            transport.disconnect()
        elif kind in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            payload = frame.get_payload_as_bytes()
            if self._parts or not frame.fin:
                self._parts.append(payload)
                if not frame.fin:
                    return
                payload = b"".join(self._parts)
                self._parts.clear()
            self._on_frame(payload, received_ts_ns)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._on_closed(self._why)
