"""Starts and stops the exchange's two ports."""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from traider.domain.errors import SettingsError

from .control import Control
from .server import Server
from .simulator import Simulator

_LOGGER = logging.getLogger("traider.exchange")
_CLIENTS_FAULTS = (HttpProcessingError, web.RequestPayloadError)  # they were answered with a 400
_LOGGER.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], _CLIENTS_FAULTS)))
_ACCEPTING = 5  # turns of the loop from accepting a connection to its first callback

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Address:
    """Port 0 takes a free one; ``fd`` is a socket that listens already, in place of ``host`` and ``port``.

    Without a ``control_port`` nothing can be broken from outside.

    With a ``tls`` context ``tls_port`` is https and wss beside the plain ``port``; where it is None, ``port`` itself is.
    """

    host: str = "127.0.0.1"
    port: int = 0
    control_port: int | None = None
    tls: ssl.SSLContext | None = None
    tls_port: int | None = None
    fd: int | None = None


class Serving:
    """The exchange on its ports, as an async context; ``port``, ``tls_port`` and ``control_port`` are those that were taken."""

    def __init__(self, simulator: Simulator, address: Address) -> None:
        self._simulator, self._address = simulator, address
        self.host = address.host
        self.port, self.tls_port, self.control_port = address.port, address.tls_port, address.control_port
        self._runners: list[web.ServerRunner] = []
        self._agenda: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        server, tls = Server(self._simulator), self._address.tls
        try:
            self.port = await self._serve(server.handle, self.port, tls if self.tls_port is None else None, self._address.fd)
            if self.tls_port is not None:
                self.tls_port = await self._serve(server.handle, self.tls_port, tls)
            if self.control_port is not None:
                control = Control(self._simulator, server.drain)
                self.control_port = await self._serve(control.handle, self.control_port, None)
        except BaseException:
            await self._stop()
            raise
        self._agenda = asyncio.get_running_loop().create_task(self._simulator.agenda.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _serve(self, handle: Handler, port: int, tls: ssl.SSLContext | None, fd: int | None = None) -> int:
        runner = web.ServerRunner(web.Server(handle, logger=_LOGGER), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._runners.append(runner)
        listening = None if fd is None else socket.socket(fileno=fd)
        site: web.BaseSite = (
            web.TCPSite(runner, self.host, port, ssl_context=tls) if listening is None else web.SockSite(runner, listening, ssl_context=tls)
        )
        try:
            await site.start()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise SettingsError(f"{self.host}:{port} can't be listened on: {why}; give another port") from None
        return int(runner.addresses[0][1])

    async def failed(self) -> None:
        """Returns never, but raises what stopped the exchange's time."""
        if self._agenda is not None:
            await self._agenda

    async def _stop(self) -> None:
        if self._agenda is not None:
            self._agenda.cancel()
            with suppress(asyncio.CancelledError):
                await self._agenda
        for runner in self._runners:
            for site in list(runner.sites):
                await site.stop()
        for _ in range(_ACCEPTING):  # what was accepted a moment ago becomes known to its server, which then closes it
            await asyncio.sleep(0)
        for session in list(self._simulator.sessions()):
            session.close(1001, "going away")
        connections = [handler.transport for runner in self._runners if runner.server for handler in runner.server.connections]
        for runner in reversed(self._runners):
            await runner.cleanup()
        for connection in connections:
            if connection is not None:
                connection.abort()  # one whose client reads no more would wait for it
        await asyncio.sleep(0)
        self._simulator.close()
