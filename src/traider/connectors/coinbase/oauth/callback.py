"""Where the browser comes back to: a page on this machine, open for one answer."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web

from .errors import OAuthError
from .grant import Grant

_PAGE = "<!doctype html><title>traider</title><p>{}</p>"


async def await_code(grant: Grant, *, timeout_s: float = 300.0, on_listening: Callable[[], None] = lambda: None) -> str:
    """The address that the browser came back to with an answer to this grant; answers to others are turned away.

    ``on_listening`` is called when the browser can come back: from then on the user may be sent away.
    """
    parts = urlsplit(grant.redirect_uri)
    if parts.hostname not in ("127.0.0.1", "localhost") or parts.port is None:
        raise OAuthError("an answer can be waited for at an address of this machine only: http://127.0.0.1:PORT/...")
    arrived: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer(request: web.Request) -> web.Response:
        location = str(request.url)
        try:
            grant.code_from(location)
        except OAuthError as error:
            if "state" in request.query and request.query["state"] == grant.state and not arrived.done():
                arrived.set_exception(error)
            return web.Response(status=400, text=_PAGE.format("Access was not granted."), content_type="text/html")
        if not arrived.done():
            arrived.set_result(location)
        return web.Response(text=_PAGE.format("Access was granted. You can close this page."), content_type="text/html")

    app = web.Application()
    app.router.add_get(parts.path or "/", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)  # its log would hold the code
    await runner.setup()
    try:
        await web.TCPSite(runner, parts.hostname, parts.port).start()
        on_listening()
        async with asyncio.timeout(timeout_s):
            return await arrived
    except TimeoutError:
        raise OAuthError(f"no answer came back within {timeout_s:g} s: begin again") from None
    except OSError as error:
        raise OAuthError(f"no answer can be waited for at {grant.redirect_uri}: {error.strerror}") from None
    finally:
        await runner.cleanup()
