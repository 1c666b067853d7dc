"""Tokens that prove the key: JWT with ES256 or EdDSA, each signed for its one request.

Signed with ``cryptography`` alone, so that the guard's process needs no JWT library: it makes tokens and never has to believe one.
"""

import base64
import secrets
from typing import Protocol

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from traider.domain.ports import Clock

from .credentials import ApiKey, PrivateKey
from .tokens_ahead import TokensAhead

LIFETIME_S = 120  # the venue's own maximum
BACKDATED_S = 10  # so that a clock a little ahead of the venue's is not "not yet valid"
_P256_BYTES = 32


class Authorization(Protocol):
    """Who is asking. OAuth refreshes its token in here, hence the waiting."""

    async def for_request(self, method: str, host: str, path: str) -> str:
        """What goes after ``Bearer`` on a REST call."""
        ...

    async def for_subscription(self) -> str:
        """What goes into ``jwt`` of a subscription."""
        ...

    def expect(self, method: str, host: str, path: str) -> None:
        """Such requests will come, and have no time to wait: until ``stop``, from within the running event loop."""
        ...

    def stop(self) -> None:
        """Nothing is expected any more."""
        ...


class KeyAuthorization:
    """Tokens of an API key. ``clock`` is the venue's time as well as it is known."""

    def __init__(self, key: ApiKey, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self._ahead = TokensAhead(self._signed, self._now_s)

    async def for_request(self, method: str, host: str, path: str) -> str:
        """A token for this one request: it names method, host and path, without the query."""
        uri = f"{method} {host}{path}"
        return self._ahead.take(uri) or self._signed(uri)

    def expect(self, method: str, host: str, path: str) -> None:
        """From now on tokens for such requests are signed ahead."""
        self._ahead.expect(f"{method} {host}{path}")

    def stop(self) -> None:
        """Signs nothing ahead any more."""
        self._ahead.stop()

    def _signed(self, uri: str) -> str:
        return make_token(self._key, now_s=self._now_s(), uri=uri)

    async def for_subscription(self) -> str:
        """A token without an address. It is asked for once a subscription, so a renewed subscription has a renewed token."""
        return make_token(self._key, now_s=self._now_s())

    def _now_s(self) -> int:
        return self._clock.now_ns() // 1_000_000_000


def make_token(key: ApiKey, *, now_s: int, uri: str | None = None) -> str:
    """A signed token that is valid from a little before now, for two minutes in all."""
    not_before = now_s - BACKDATED_S
    claims: dict[str, str | int] = {"sub": key.name, "iss": "cdp", "nbf": not_before, "exp": not_before + LIFETIME_S}
    if uri is not None:
        claims["uri"] = uri
    header = {"alg": key.algorithm, "typ": "JWT", "kid": key.name, "nonce": secrets.token_hex(32)}
    signed = f"{_encoded(msgspec.json.encode(header))}.{_encoded(msgspec.json.encode(claims))}"
    return f"{signed}.{_encoded(_signature(key.private_key, signed.encode()))}"


def _signature(key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    # A token holds the two numbers side by side (RFC 7518, 3.4), not the DER form that the library makes.
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(_P256_BYTES, "big") + s.to_bytes(_P256_BYTES, "big")


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
