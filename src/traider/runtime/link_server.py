"""The listening side of ``traider.runtime.link``."""

import asyncio
from pathlib import Path

from .link import HANDSHAKE_S, Endpoint, Handler, Link


class LinkServer:
    """Accepts links until ``close``; ``endpoint`` is where, with the port that it was given."""

    def __init__(self, server: asyncio.Server, endpoint: Endpoint, links: "list[Link]") -> None:
        self._server = server
        self._links = links
        self.endpoint = endpoint

    async def close(self, reason: str) -> None:
        """Stops listening and ends every link, after what is queued has gone out."""
        self._server.close()
        for link in self._links:
            link.end(reason, flush=True)
        await self._server.wait_closed()
        _remove_socket(self.endpoint)


async def serve(endpoint: Endpoint, secret: bytes, handler: Handler, *, handshake_s: float = HANDSHAKE_S) -> LinkServer:
    """Listens at the endpoint. A socket file that lies there is taken for a dead server's and replaced: hold a lock before."""
    loop = asyncio.get_running_loop()
    links: list[Link] = []

    def make() -> Link:
        links[:] = [link for link in links if link.reason is None]
        link = Link(handler, secret, server=True, handshake_s=handshake_s)
        links.append(link)
        return link

    _remove_socket(endpoint)
    if endpoint.path is not None:
        server = await loop.create_unix_server(make, endpoint.path)
    else:
        server = await loop.create_server(make, endpoint.host, endpoint.port)
        endpoint = endpoint._replace(port=server.sockets[0].getsockname()[1])
    return LinkServer(server, endpoint, links)


def _remove_socket(endpoint: Endpoint) -> None:
    if endpoint.path is not None:
        Path(endpoint.path).unlink(missing_ok=True)
