"""REST through Coinbase's own SDK (``USE_OFFICIAL_SDK=true``): it signs, sends and reads; the rest of the client is the same.

The SDK has no retries, no throttling, and no time limit of its own: those of ``Rest`` apply. It blocks, so it runs in threads.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import msgspec

from .config import Addresses
from .credentials import ApiKey
from .sdk import sdk_module
from .transport import Call, NoReplyError, NotSentError, Reply

_THREADS = 8
_NEVER_SENT = ("ConnectTimeout", "ProxyError", "InvalidURL")


class SdkTransport:
    """The SDK's ``RESTClient`` as a transport."""

    def __init__(self, addresses: Addresses, key: ApiKey | None, *, timeout_s: float) -> None:
        self._module = sdk_module("coinbase.rest")
        self._requests = sdk_module("requests")
        self._addresses = addresses
        self._key = key
        self._timeout_s = timeout_s
        self._client: Any = None
        self._threads: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        """Makes the SDK's client; connections are made by the first requests."""
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="coinbase-sdk")
        self._client = self._module.RESTClient(
            # Named in any case: what is left out the SDK takes from the environment.
            api_key=self._key.name if self._key else None,
            api_secret=self._key.secret if self._key else None,
            base_url=self._addresses.rest_host,
            timeout=self._timeout_s,
        )
        session = self._client.session
        session.trust_env = False
        session.verify = self._addresses.ca_file or True
        if urlsplit(self._addresses.rest_url).scheme == "http":
            session.mount("https://", _plain_adapter(self._requests))

    async def stop(self) -> None:
        if self._threads is not None:
            # Sent requests are waited for: the SDK's own time limit ends them.
            await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
            self._threads = None
        if self._client is not None:
            self._client.session.close()
            self._client = None

    async def send(self, call: Call, *, timeout_s: float) -> Reply:
        """The reply, whatever its status. ``NotSentError`` or ``NoReplyError`` when there is none."""
        if self._client is None or self._threads is None:
            raise NotSentError(f"{call.name}: not started")
        if call.private and self._key is None:
            raise NotSentError(f"{call.name} needs a Coinbase key, and there is none: set COINBASE_API_KEY and COINBASE_API_SECRET")
        begin_before_s = time.monotonic() + timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._send, call, begin_before_s)
        except TimeoutError:
            # The thread goes on by itself: what it sent may still arrive.
            raise NoReplyError(f"{call.name}: no reply within {timeout_s:g} s") from None

    def _send(self, call: Call, begin_before_s: float) -> Reply:
        if time.monotonic() >= begin_before_s:
            raise NotSentError(f"{call.name}: its time was over before a thread was free")
        try:
            if call.method == "GET":
                answer = self._client.get(call.path, params=_repeated(call), public=not call.private)
            else:
                answer = self._client.post(call.path, data=msgspec.json.decode(call.body))
        except self._requests.exceptions.HTTPError as error:
            reply = error.response
            return Reply(
                status=reply.status_code, body=reply.content, headers={name.lower(): value for name, value in reply.headers.items()}
            )
        except (self._requests.exceptions.RequestException, ValueError) as error:
            # ValueError: a reply that is no JSON
            problem = f"{call.name}: {type(error).__name__} on the way to {self._addresses.rest_host}"
            raise (NotSentError if _was_never_sent(error) else NoReplyError)(problem) from None
        return Reply(status=200, body=msgspec.json.encode(answer))


def _repeated(call: Call) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in call.query:
        values.setdefault(name, []).append(value)
    return values


def _was_never_sent(error: Exception) -> bool:
    if type(error).__name__ in _NEVER_SENT:
        return True
    reasons = (getattr(argument, "reason", None) for argument in error.args)
    return any(type(reason).__name__ == "NewConnectionError" for reason in reasons)


def _plain_adapter(requests: Any) -> Any:
    """An adapter that sends without TLS: the SDK puts ``https://`` before every address, also before a simulator's."""

    class PlainAdapter(requests.adapters.HTTPAdapter):  # type: ignore[misc]  # the base is known at run time only
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.url = "http" + request.url.removeprefix("https")
            return super().send(request, *args, **kwargs)

    return PlainAdapter()
