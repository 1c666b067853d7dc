"""What every request passes: a trace id, a bound on its size, the header that other sites can't send; and every answer's headers."""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog import get_logger

from traider.runtime.logging import trace

from .errors import error_response

log = get_logger("traider.api")

CSRF_HEADER, CSRF_VALUE = "X-Requested-With", "traider"
MAX_BODY_BYTES = 64 * 1024
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# Nothing may be loaded from elsewhere and nobody may frame us. The pages' own policy also lists their inline scripts.
POLICY = (
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def content_policy(inline_scripts: Sequence[str] = ()) -> str:
    """The Content-Security-Policy, with the hashes of the inline scripts that may run."""
    return "; ".join((*POLICY, " ".join(("script-src 'self'", *(f"'{digest}'" for digest in inline_scripts)))))


class Gate:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        with trace(headers.get("X-Trace-Id")) as trace_id:

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _add_headers(MutableHeaders(scope=message), scope["path"], trace_id)
                    _log_answer(scope, message["status"])
                await send(message)

            refusal = _refusal(scope, headers)
            if refusal is not None:
                await refusal(scope, receive, send_with_headers)
                return
            await self._app(scope, _bounded(receive), send_with_headers)


def _refusal(scope: Scope, headers: Headers) -> ASGIApp | None:
    if scope["method"] in _SAFE_METHODS:
        return None
    if headers.get(CSRF_HEADER) != CSRF_VALUE:
        return error_response(403, f"send the header {CSRF_HEADER}: {CSRF_VALUE}")
    length = headers.get("Content-Length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        return error_response(413, f"a request has at most {MAX_BODY_BYTES} bytes")
    return None


def _bounded(receive: Receive) -> Receive:
    received = 0

    async def receive_bounded() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                # A body without a stated length that goes on and on: nobody reads the rest.
                return {"type": "http.disconnect"}
        return message

    return receive_bounded


def _add_headers(headers: MutableHeaders, path: str, trace_id: str) -> None:
    headers["X-Trace-Id"] = trace_id
    for name, value in _HEADERS.items():
        headers[name] = value
    headers.setdefault("Content-Security-Policy", content_policy())
    if path.startswith(("/api/", "/healthz", "/readyz")):
        headers.setdefault("Cache-Control", "no-store")


def _log_answer(scope: Scope, status: int) -> None:
    quiet = scope["method"] in _SAFE_METHODS and status < 500
    (log.debug if quiet else log.info)("request", method=scope["method"], path=scope["path"], status=status)
