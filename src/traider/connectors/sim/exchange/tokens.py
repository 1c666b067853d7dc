"""Checks the signed tokens that requests and subscriptions carry.

A token (RFC 7519, in its compact form) is taken apart here and its signature verified by ``cryptography``: a general library spends
four times as long on what these need not have. The algorithm is the key's, whatever the token says.
"""

import base64
import binascii
import time
from collections import deque
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .keys import Key, KeyRing, PublicKey
from .refusals import RequestRefusedError, unauthorized
from .settings import Switches

_ISSUERS = ("cdp", "coinbase-cloud")
_LONGEST_S = 120
_NONCES = 10_000
_ES256 = ec.ECDSA(hashes.SHA256())
_ES256_BYTES = 64  # r and s


class TokenChecker:
    """Who a token speaks for. ``now_ns`` is the exchange's time."""

    def __init__(self, ring: KeyRing, switches: Switches) -> None:
        self._ring, self._switches = ring, switches
        self._nonces: deque[tuple[str, str]] = deque(maxlen=_NONCES)
        self._seen: set[tuple[str, str]] = set()

    def request(self, authorization: str | None, *, method: str, path: str, now_ns: int) -> Key:
        """The key that signed this request."""
        word, _, token = (authorization or "").partition(" ")
        if word.lower() != "bearer" or not token:
            raise unauthorized()
        key, claims = self._verified(token, now_ns)
        uri = claims.get("uri")
        if uri is None and isinstance(claims.get("uris"), list) and claims["uris"]:
            uri = claims["uris"][0]
        if not isinstance(uri, str) or not _names(uri, method, path):
            raise unauthorized()
        return key

    def subscription(self, token: object, *, now_ns: int) -> Key | None:
        """The key of a socket's message; None where its token is no good."""
        if not isinstance(token, str):
            return None
        try:
            return self._verified(token, now_ns)[0]
        except RequestRefusedError:
            return None

    def _verified(self, token: str, now_ns: int) -> tuple[Key, dict[str, Any]]:
        parts = token.split(".")
        if len(parts) != 3:
            raise unauthorized()
        header, claims, signature = _object(parts[0]), _object(parts[1]), _bytes(parts[2])
        key = self._ring.keys.get(str(header.get("kid")))
        if key is None or key.revoked or not _signed(key.public, f"{parts[0]}.{parts[1]}".encode(), signature):
            raise unauthorized()
        if claims.get("sub") != key.name or claims.get("iss") not in _ISSUERS or not self._timely(claims, now_ns):
            raise unauthorized()
        self._count_nonce(key.name, str(header.get("nonce", "")))
        return key, claims

    def _timely(self, claims: dict[str, Any], now_ns: int) -> bool:
        now_s = (now_ns if self._switches.token_time == "exchange" else time.time_ns()) / 1e9  # noqa: S105  - a clock's name
        begins, ends = claims.get("nbf"), claims.get("exp")
        if not isinstance(begins, int | float) or not isinstance(ends, int | float):
            return False
        leeway_s = self._switches.token_leeway_s
        return begins <= now_s + leeway_s and ends > now_s - leeway_s and ends - begins <= _LONGEST_S

    def _count_nonce(self, name: str, nonce: str) -> None:
        if self._switches.token_replays:
            return
        if (name, nonce) in self._seen:
            raise unauthorized()
        if len(self._nonces) == _NONCES:
            self._seen.discard(self._nonces[0])
        self._nonces.append((name, nonce))
        self._seen.add((name, nonce))


def _bytes(part: str) -> bytes:
    """What a part of a token is the base64url of."""
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise unauthorized() from None


def _object(part: str) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(_bytes(part))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise unauthorized() from None
    if not isinstance(content, dict):
        raise unauthorized()
    return content


def _signed(public: PublicKey, content: bytes, signature: bytes) -> bool:
    try:
        if not isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, content)
            return True
        if len(signature) != _ES256_BYTES:
            return False
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        public.verify(encode_dss_signature(r, s), content, _ES256)
    except InvalidSignature:
        return False
    return True


def _names(uri: str, method: str, path: str) -> bool:
    """Whether a token's URI is this request's. Its host is not looked at: one client signs it with a scheme, another without."""
    signed_method, _, address = uri.partition(" ")
    rest = address.partition("://")[2] or address
    _, slash, signed_path = rest.partition("/")
    return signed_method == method and "/" + "/".join(part for part in (slash + signed_path).split("/") if part) == path
