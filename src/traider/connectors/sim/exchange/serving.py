"""Starts and stops the exchange's two ports."""

import asyncio
import ssl
from contextlib import suppress
from typing import Self

from aiohttp import web

from traider.domain.errors import SettingsError

from .control import Control
from .server import Server
from .simulator import Simulator


class Serving:
    """The exchange on its ports, as an async context. Port 0 takes a free one; ``port`` and ``control_port`` are those taken."""

    def __init__(self, simulator: Simulator, *, host: str, port: int, control_port: int | None, tls: ssl.SSLContext | None = None) -> None:
        self._simulator = simulator
        self.host, self._tls = host, tls
        self.port, self.control_port = port, control_port
        self._runners: list[web.ServerRunner] = []
        self._agenda: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        server = Server(self._simulator)
        try:
            self.port = await self._serve(web.Server(server.handle), self.port, self._tls)
            if self.control_port is not None:
                control = Control(self._simulator, server.drain)
                self.control_port = await self._serve(web.Server(control.handle), self.control_port, None)
        except BaseException:
            await self._stop()
            raise
        self._agenda = asyncio.get_running_loop().create_task(self._simulator.agenda.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _serve(self, handler: web.Server, port: int, tls: ssl.SSLContext | None) -> int:
        runner = web.ServerRunner(handler, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, self.host, port, ssl_context=tls)
        try:
            await site.start()
        except OSError as error:
            raise SettingsError(f"{self.host}:{port} can't be listened on: {error.strerror or error}; give another port") from None
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
        for session in list(self._simulator.sessions()):
            session.close(1001, "going away")
        for runner in reversed(self._runners):
            await runner.cleanup()
        self._simulator.close()
