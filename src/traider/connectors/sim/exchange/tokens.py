"""Checks the signed tokens that requests and subscriptions carry."""

import time
from collections import deque
from typing import Any

import jwt

from .keys import Key, KeyRing
from .refusals import RequestRefusedError, unauthorized
from .settings import Switches

_ISSUERS = ("cdp", "coinbase-cloud")
_LONGEST_S = 120
_NONCES = 10_000
# Times are checked below, against the exchange's clock; audience and identity vary between the clients that the exchange accepts.
_SIGNATURE_ONLY: Any = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


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
        try:
            header = jwt.get_unverified_header(token)
            key = self._ring.keys.get(header.get("kid", ""))
            if key is None or key.revoked:
                raise unauthorized()
            claims: dict[str, Any] = jwt.decode(token, key.public, algorithms=[key.algorithm], options=_SIGNATURE_ONLY)
        except jwt.PyJWTError:
            raise unauthorized() from None
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


def _names(uri: str, method: str, path: str) -> bool:
    """Whether a token's URI is this request's. Its host is not looked at: one client signs it with a scheme, another without."""
    signed_method, _, address = uri.partition(" ")
    rest = address.partition("://")[2] or address
    _, slash, signed_path = rest.partition("/")
    return signed_method == method and "/" + "/".join(part for part in (slash + signed_path).split("/") if part) == path
