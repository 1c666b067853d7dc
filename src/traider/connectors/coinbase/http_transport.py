"""REST over aiohttp: connections are kept and used again, and no request is ever sent twice."""

import asyncio
import ssl
from typing import Any

import aiohttp
from yarl import URL

from traider.domain.venue import VenueUnavailableError

from .config import PREFIX, Addresses
from .tokens import Authorization
from .transport import Call, NoReplyError, NotSentError, Reply

_CONNECTIONS = 20
_KEEP_ALIVE_S = 30.0  # below the idle time after which load balancers commonly hang up
_USER_AGENT = "traider"
_URGENT = ("/orders", "/orders/batch_cancel")  # nobody waits for a signature there


class HttpTransport:
    """A transport of its own session. aiohttp repeats a GET, never a POST, when a kept connection turns out to be closed."""

    def __init__(self, addresses: Addresses, authorization: Authorization | None) -> None:
        self._addresses = addresses
        self._authorization = authorization
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Opens the session; connections are made by the first requests."""
        connector = aiohttp.TCPConnector(
            limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_S, ssl=tls_context(self._addresses.ca_file) or True
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"User-Agent": _USER_AGENT, "Accept": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        if self._authorization is not None:
            for path in _URGENT:
                self._authorization.expect("POST", self._addresses.rest_host, PREFIX + path)

    async def stop(self) -> None:
        if self._authorization is not None:
            self._authorization.stop()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, call: Call, *, timeout_s: float) -> Reply:
        """The reply, whatever its status. ``NotSentError`` or ``NoReplyError`` when there is none."""
        if self._session is None:
            raise NotSentError(f"{call.name}: not started")
        headers = await self._headers(call)
        url = URL(self._addresses.rest_url + call.path).with_query(list(call.query))
        timeout = aiohttp.ClientTimeout(total=timeout_s, connect=timeout_s)
        data: Any = call.body or None
        try:
            async with self._session.request(
                call.method, url, data=data, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                body = await response.read()
                return Reply(status=response.status, body=body, headers={name.lower(): value for name, value in response.headers.items()})
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSentError(f"{call.name}: no connection to {self._addresses.rest_host}: {_why(error)}") from None
        except TimeoutError:
            raise NoReplyError(f"{call.name}: no reply within {timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NoReplyError(f"{call.name}: the connection broke before the reply was whole: {_why(error)}") from None

    async def _headers(self, call: Call) -> dict[str, str]:
        headers = {"Content-Type": "application/json"} if call.body else {}
        if call.private:
            if self._authorization is None:
                raise NotSentError(f"{call.name} needs a Coinbase key, and there is none: set COINBASE_API_KEY and COINBASE_API_SECRET")
            token = await self._authorization.for_request(call.method, self._addresses.rest_host, call.path)
            headers["Authorization"] = f"Bearer {token}"
        return headers


def tls_context(ca_file: str) -> ssl.SSLContext | None:
    """A context that trusts the authorities in this file, None where the system's own are to be trusted."""
    if not ca_file:
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise VenueUnavailableError(f"the authorities in {ca_file} can't be read: {error.strerror or 'it holds no certificate'}") from None


def _why(error: BaseException) -> str:
    # The class says more than the text of many of these errors, and the text never holds a header.
    text = getattr(error, "strerror", None) or type(error).__name__
    return str(text) if not isinstance(error, asyncio.TimeoutError) else "timed out"
