"""The authenticated link between two of our processes on one machine: frames over a unix socket or loopback TCP.

A frame is its length (unsigned 32 bit, little-endian) and that many bytes. The first three frames prove to each side that the
other one knows the secret, without telling it:

    server ──▶ client   "traider-link-1" + server's nonce
    server ◀── client   client's nonce + HMAC-SHA256(secret, "client" + server's nonce + client's nonce)
    server ──▶ client   HMAC-SHA256(secret, "server" + client's nonce + server's nonce)

Everything after is the owner's. Nothing is encrypted, which is why only loopback addresses are taken. A link ends once, with a
reason, and never opens again.
"""

import asyncio
import hmac
import ipaddress
import os
import secrets
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, cast
from urllib.parse import urlsplit

from traider.domain.errors import LinkError, UserError

MAGIC = b"traider-link-1"
NONCE_SIZE = 32
MAC_SIZE = 32
MAX_FRAME = 8 << 20
MAX_UNSENT = 32 << 20  # a peer that does not read this much away is given up
HANDSHAKE_S = 5.0
_MAX_HANDSHAKE_FRAME = 128
_MAX_UNIX_PATH = 100  # the kernel's limit is 108 bytes, or 104 on some systems
_LENGTH = struct.Struct("<I")


class Endpoint(NamedTuple):
    """Where a server listens: ``unix:///path`` or ``tcp://127.0.0.1:port``. Port 0 is any free one."""

    path: str | None
    host: str = "127.0.0.1"
    port: int = 0

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


def parse_endpoint(url: str) -> Endpoint:
    """The endpoint that the URL names; ``UserError`` when it names none, or one that other machines could reach."""
    parts = urlsplit(url)
    if parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/"):
        if len(os.fsencode(parts.path)) > _MAX_UNIX_PATH:
            raise UserError(f"{url}: a socket's path has at most {_MAX_UNIX_PATH} bytes: choose a shorter one, or tcp://127.0.0.1:PORT")
        return Endpoint(parts.path)
    try:
        if parts.scheme == "tcp" and parts.hostname and parts.port is not None and not parts.path:
            if not ipaddress.ip_address("127.0.0.1" if parts.hostname == "localhost" else parts.hostname).is_loopback:
                raise UserError(f"{url}: the link is not encrypted and stays on this machine: use tcp://127.0.0.1:PORT")
            return Endpoint(None, parts.hostname, parts.port)
    except ValueError:
        pass
    raise UserError(f"{url}: write unix:///path/to/socket or tcp://127.0.0.1:PORT")


def endpoint_in(directory: Path, name: str) -> Endpoint:
    """A unix socket in the directory, or any free loopback port where that path would be too long."""
    path = str((directory / name).absolute())
    return Endpoint(path if len(os.fsencode(path)) <= _MAX_UNIX_PATH else None)


def load_secret(path: Path) -> bytes:
    """The secret in the file, made at the first use. ``UserError`` when others could read it."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(fd, "wb") as file:
            file.write(secrets.token_hex(32).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    if path.stat().st_mode & 0o077:
        raise UserError(f"{path} can be read by others: chmod 600 it, or delete it to have a new one made")
    secret = path.read_bytes().strip()
    if len(secret) < 32:
        raise UserError(f"{path} holds no secret of 32 characters or more: delete it to have a new one made")
    return secret


class Handler(Protocol):
    """Whoever owns a link. The calls come from the event loop; ``on_frame`` may raise ``LinkError`` to end the link."""

    def on_open(self, link: "Link") -> None: ...

    def on_frame(self, link: "Link", frame: bytes) -> None: ...

    def on_lost(self, link: "Link", reason: LinkError) -> None:
        """Called once, for links that had been opened."""
        ...


class Link(asyncio.Protocol):
    """One connection, on either side."""

    def __init__(self, handler: Handler, secret: bytes, *, server: bool, handshake_s: float = HANDSHAKE_S) -> None:
        self._handler = handler
        self._secret = secret
        self._step: Callable[[bytes], None] = self._answered if server else self._challenged
        self._server = server
        self._handshake_s = handshake_s
        self._nonce = secrets.token_bytes(NONCE_SIZE)
        self._expected_mac = b""
        self._buffer = bytearray()
        self._limit = _MAX_HANDSHAKE_FRAME
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.is_open = False
        self.reason: LinkError | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()  # opened, or failed to

    def send(self, frame: bytes) -> None:
        """Queues one frame; ``LinkError`` when the link has ended, the frame is too large, or the peer has stopped reading."""
        self.send_all((frame,))

    def send_all(self, frames: Sequence[bytes]) -> None:
        """Queues these frames in one write, or none of them; see ``send``."""
        transport = self._transport
        if self.reason is not None or transport is None:
            raise self.reason or LinkError("the link is not open")
        parts: list[bytes] = []
        for frame in frames:
            if len(frame) > MAX_FRAME:
                raise LinkError(f"a frame of {len(frame)} bytes is more than the link takes ({MAX_FRAME})")
            parts += (_LENGTH.pack(len(frame)), frame)
        if transport.get_write_buffer_size() > MAX_UNSENT:
            self.end("the peer does not read what it is sent")
            raise LinkError("the peer does not read what it is sent")
        transport.write(b"".join(parts))

    def end(self, reason: str, *, flush: bool = False) -> None:
        """Ends the link for this reason; ``flush`` lets what is queued go out first."""
        if self.reason is None:
            self.reason = LinkError(reason)
            if self._transport is not None:
                if flush:
                    self._transport.close()
                else:
                    self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its class
        self._deadline = asyncio.get_running_loop().call_later(self._handshake_s, self.end, f"no handshake within {self._handshake_s:g} s")
        if self._server:
            self._write(MAGIC + self._nonce)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        start = 0
        while self.reason is None and len(buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, start)
            if length > self._limit:
                self.end(f"the peer sent a frame of {length} bytes (at most {self._limit} are taken)")
                return
            begin = start + _LENGTH.size
            if len(buffer) - begin < length:
                break
            start = begin + length
            try:
                self._step(bytes(buffer[begin:start]))
            except LinkError as error:
                self.end(str(error))
        del buffer[:start]

    def connection_lost(self, exc: Exception | None) -> None:
        if self.reason is None:
            self.reason = LinkError(f"the peer closed the link{f' ({exc})' if exc else ''}")
        if self._deadline is not None:
            self._deadline.cancel()
        if not self.done.done():
            self.done.set_exception(self.reason)
            self.done.exception()  # nobody needs to ask; a server's failed handshakes are not errors of its own
        if self.is_open:
            self.is_open = False
            self._handler.on_lost(self, self.reason)

    def _write(self, frame: bytes) -> None:
        if self._transport is not None:
            self._transport.write(_LENGTH.pack(len(frame)) + frame)

    def _mac(self, who: bytes, first: bytes, second: bytes) -> bytes:
        return hmac.digest(self._secret, who + first + second, "sha256")

    def _challenged(self, frame: bytes) -> None:
        if len(frame) != len(MAGIC) + NONCE_SIZE or not frame.startswith(MAGIC):
            raise LinkError("the peer does not speak this version of the link")
        server_nonce = frame[len(MAGIC) :]
        self._expected_mac = self._mac(b"server", self._nonce, server_nonce)
        self._write(self._nonce + self._mac(b"client", server_nonce, self._nonce))
        self._step = self._proven

    def _answered(self, frame: bytes) -> None:
        client_nonce, mac = frame[:NONCE_SIZE], frame[NONCE_SIZE:]
        if len(mac) != MAC_SIZE or not hmac.compare_digest(mac, self._mac(b"client", self._nonce, client_nonce)):
            raise LinkError("the peer does not know the secret")
        self._write(self._mac(b"server", client_nonce, self._nonce))
        self._opened()

    def _proven(self, frame: bytes) -> None:
        if not hmac.compare_digest(frame, self._expected_mac):
            raise LinkError("the peer does not know the secret")
        self._opened()

    def _opened(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._limit = MAX_FRAME
        self.is_open = True
        self._step = self._received
        self.done.set_result(None)
        self._handler.on_open(self)

    def _received(self, frame: bytes) -> None:
        self._handler.on_frame(self, frame)


async def connect(endpoint: Endpoint, secret: bytes, handler: Handler, *, timeout_s: float = HANDSHAKE_S) -> Link:
    """An open link to whoever listens there; ``LinkError`` says why there is none."""
    loop = asyncio.get_running_loop()

    def make() -> Link:
        return Link(handler, secret, server=False, handshake_s=timeout_s)

    try:
        async with asyncio.timeout(timeout_s):
            if endpoint.path is not None:
                _, link = await loop.create_unix_connection(make, endpoint.path)
            else:
                _, link = await loop.create_connection(make, endpoint.host, endpoint.port)
    except TimeoutError:
        raise LinkError(f"{endpoint} did not answer within {timeout_s:g} s") from None
    except OSError as error:
        raise LinkError(f"nobody listens at {endpoint} ({error.strerror or error})") from None
    await link.done
    return link
