"""The HTTP server in the platform's own event loop."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from traider.domain.errors import TraiderError, UserError
from traider.runtime.settings import ApiSettings

_SHUTDOWN_S = 5
_BACKLOG = 1024


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            # uvicorn ends the process, which is not its own here.
            raise TraiderError("the API did not start; the log says why") from None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals belong to the process that we are a part of.
        yield


class ApiServer:
    """Serves an app on a socket that listens as soon as this is made, so that a port in use is told before anything else starts."""

    def __init__(self, app: FastAPI, settings: ApiSettings) -> None:
        self._app = app
        self._socket = _bind(settings.host, settings.port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            # A forwarded address would be believed of anyone, and the login throttle counts by address.
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_S,
        )
        self._server = _Server(config)

    async def serve(self) -> None:
        """Answers until ``stop`` is called or the task is cancelled; either way requests may finish."""
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="api: server")
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self.stop()
            await serving
            raise

    def stop(self) -> None:
        """Ends the streams, which would last for ever, then lets requests finish."""
        self._app.state.api.hub.close()
        self._server.should_exit = True

    def close(self) -> None:
        """Gives the port back, also when ``serve`` was never called."""
        self._socket.close()


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UserError(f"API_HOST: {host} is not an address of this machine: {error.strerror}") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise UserError(
            f"{host} port {port} can't be served on ({error.strerror}): set API_PORT to a free port, or stop what uses it"
        ) from None
    return bound
