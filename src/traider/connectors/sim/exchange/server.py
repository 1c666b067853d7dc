"""The exchange on a port: REST and both sockets, over http and ws or https and wss."""

import asyncio
from itertools import count

from aiohttp import WSMsgType, web

from .calls import Answer, Call
from .pipeline import Delivery
from .session import Session
from .simulator import Simulator
from .subscriptions import USER_HOST
from .wire import frame

_LONGEST_MESSAGE = 1024 * 1024
_DRIPS_PER_S = 10
CLOSING_S = 5.0  # for the peer to take the close frame, and answer it


class Server:
    """A handler for ``aiohttp.web.Server``."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._agenda = simulator.agenda
        self._numbers = count(1)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        try:
            body = await request.read()
        except ConnectionError:
            return web.Response(status=499)  # the peer hung up before it had told everything: nobody is there to be answered
        except web.RequestPayloadError as error:
            return web.Response(status=400, text=f"{error}\n")
        call = Call(
            request.method,
            "/" + "/".join(part for part in request.path.split("/") if part),
            {name: request.query.getall(name) for name in request.query},
            body,
            request.remote or "",
            {name: request.headers.get(name, "") for name in ("authorization", "cache-control")},
        )
        return await self._deliver(request, await self._simulator.pipeline.deliver(call))

    async def _deliver(self, request: web.BaseRequest, delivery: Delivery) -> web.StreamResponse:
        answer = delivery.answer
        if answer is None:
            _abort(request)
            return web.Response(status=500)
        if delivery.bytes_per_s:
            return await self._drip(request, answer, delivery.bytes_per_s)
        response = web.Response(status=answer.status, body=answer.body, headers=answer.headers, content_type=None)
        response.headers["Content-Type"] = answer.content_type
        if delivery.close:
            await response.prepare(request)
            await response.write_eof()
            if request.transport is not None:
                request.transport.close()  # although it was said that it stays open
        return response

    async def _drip(self, request: web.BaseRequest, answer: Answer, bytes_per_s: float) -> web.StreamResponse:
        headers = answer.headers | {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(request)
        step = max(1, round(bytes_per_s / _DRIPS_PER_S))
        for first in range(0, len(answer.body), step):
            await self._agenda.sleep(step / bytes_per_s)
            await response.write(answer.body[first : first + step])
        await response.write_eof()
        return response

    async def _socket(self, request: web.BaseRequest) -> web.StreamResponse:
        simulator = self._simulator
        if self._agenda.time_ns() < simulator.bench.maintenance_until_ns:
            return web.Response(status=503)
        compression = simulator.exchange.switches.compression
        socket = web.WebSocketResponse(autoping=False, compress=compression, max_msg_size=_LONGEST_MESSAGE)
        try:
            await socket.prepare(request)
        except ConnectionError:
            return web.Response(status=503)  # the peer hung up before it was answered
        wire = _DeflatedWire(request, socket) if socket.compress else _PlainWire(request, socket)
        session = Session(
            next(self._numbers),
            wire,
            self._agenda,
            simulator.exchange.switches,
            address=request.remote or "",
            user_only=request.headers.get("Host", "").startswith(USER_HOST),
        )
        simulator.opened(session)
        try:
            async for message in socket:
                if session.damage.mute:
                    continue
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    simulator.received(session, message.data)
        except ConnectionError:
            pass  # the peer is gone, which is what the end of the loop says too
        finally:
            simulator.closed(session)
            await wire.stop()
        return socket

    async def drain(self) -> None:
        """Returns when no connection has much waiting: time that flies must not outrun them."""
        most = self._simulator.exchange.switches.slow_consumer_bytes // 4
        while self._behind(most):  # noqa: ASYNC110  - a transport does not say when it has written
            await asyncio.sleep(0.001)

    def _behind(self, most: int) -> bool:
        return any(session.wire.waiting() > most for session in list(self._simulator.sessions()))


def _abort(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()


class _PlainWire:
    """Frames go to the transport as they are."""

    def __init__(self, request: web.BaseRequest, socket: web.WebSocketResponse) -> None:
        self._request, self._socket = request, socket
        self._transport = request.transport
        self._closing: asyncio.Task[None] | None = None

    def send(self, message: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame(message))

    def close(self, code: int, reason: str) -> None:
        self._closing = asyncio.get_running_loop().create_task(self._close(code, reason))

    async def _close(self, code: int, reason: str) -> None:
        """Who doesn't read is never told: what waits for it is thrown away when its time is over."""
        try:
            async with asyncio.timeout(CLOSING_S):
                await self._socket.close(code=code, message=reason.encode())
        except TimeoutError:
            pass
        finally:
            if self._transport is not None:
                self._transport.abort()

    def abort(self) -> None:
        _abort(self._request)

    def waiting(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    async def stop(self) -> None:
        if self._closing is not None:
            await self._closing


class _DeflatedWire(_PlainWire):
    """The framework compresses; a task keeps the order."""

    def __init__(self, request: web.BaseRequest, socket: web.WebSocketResponse) -> None:
        super().__init__(request, socket)
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queued = 0
        self._task = asyncio.get_running_loop().create_task(self._work())

    def send(self, message: bytes) -> None:
        self._queued += len(message)
        self._queue.put_nowait(message)

    def waiting(self) -> int:
        return self._queued + super().waiting()

    async def _work(self) -> None:
        while True:
            message = await self._queue.get()
            try:
                await self._socket.send_frame(message, WSMsgType.TEXT)
            except ConnectionError:
                return
            self._queued -= len(message)

    async def stop(self) -> None:
        self._task.cancel()
        await super().stop()
