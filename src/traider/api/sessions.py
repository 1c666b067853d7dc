"""Sessions: a signed token in a cookie that scripts can't read and other sites can't send.

The token names the user and the session. The role is looked up at every request, and with it whether the session was ended or the
password changed since.
"""

import math
import secrets

import jwt
import msgspec
from fastapi import Request, Response

from traider.domain.ports import Clock
from traider.storage.access import AccessStore
from traider.storage.roles import Role

from .errors import ApiError
from .passwords import Passwords
from .throttle import Throttle, network_of

COOKIE = "traider_session"
LIFE_S = 12 * 3600
_ALGORITHM = "HS256"
_SECOND_NS = 1_000_000_000

WINDOW_S = 300
ATTEMPTS_PER_ADDRESS = 5
# Against many addresses at once; far above what one address may, so that one alone can't lock a user out.
ATTEMPTS_PER_USER = 50


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Who is logged in. ``expires_ts_s`` is the token's end."""

    username: str
    role: Role
    session_id: str
    epoch: int
    expires_ts_s: int


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    sub: str
    jti: str
    epoch: int
    iat: int
    exp: int


class Sessions:
    """Logs in and out, and knows the session of a request."""

    def __init__(self, *, access: AccessStore, secret: bytes, clock: Clock, passwords: Passwords) -> None:
        self._access = access
        self._secret = secret
        self._clock = clock
        self._passwords = passwords
        self._by_address = Throttle(clock, limit=ATTEMPTS_PER_ADDRESS, window_s=WINDOW_S)
        self._by_user = Throttle(clock, limit=ATTEMPTS_PER_USER, window_s=WINDOW_S)

    async def login(self, username: str, password: str, *, client: str) -> tuple[Session, str] | None:
        """The new session and its token; None for a wrong name or password. ``ApiError`` 429 after too many of them."""
        address = network_of(client)
        wait_s = max(self._by_address.wait_s(address), self._by_user.wait_s(username))
        if wait_s > 0:
            seconds = math.ceil(wait_s)
            raise ApiError(429, f"too many attempts: wait {seconds} seconds", {"Retry-After": str(seconds)})
        self._by_address.begin(address)
        self._by_user.begin(username)
        user = await self._access.user(username)
        right, new_hash = await self._passwords.check(password, None if user is None else user.password_hash)
        if user is None or not right:
            await self._access.record(username, "login_failed", f"from {client}")
            return None
        self._by_address.succeeded(address)
        self._by_user.succeeded(username)
        if new_hash is not None:
            await self._access.replace_hash(username, user.password_hash, new_hash)
        await self._access.record(username, "login", f"from {client}")
        now_s = self._clock.now_ns() // _SECOND_NS
        claims = _Claims(sub=username, jti=secrets.token_hex(16), epoch=user.epoch, iat=now_s, exp=now_s + LIFE_S)
        session = Session(username=username, role=user.role, session_id=claims.jti, epoch=user.epoch, expires_ts_s=claims.exp)
        return session, jwt.encode(msgspec.to_builtins(claims), self._secret, algorithm=_ALGORITHM)

    async def of(self, request: Request) -> Session | None:
        """The session that the request comes with; None when there is none or it has ended."""
        claims = self._claims(request.cookies.get(COOKIE))
        if claims is None:
            return None
        user = await self._access.session_user(claims.sub, claims.jti)
        if user is None or user.epoch != claims.epoch:
            return None
        return Session(username=user.username, role=user.role, session_id=claims.jti, epoch=user.epoch, expires_ts_s=claims.exp)

    async def still_valid(self, session: Session) -> bool:
        """Whether a session that was valid still is."""
        if session.expires_ts_s <= self._clock.now_ns() // _SECOND_NS:
            return False
        user = await self._access.session_user(session.username, session.session_id)
        return user is not None and user.epoch == session.epoch

    async def logout(self, request: Request) -> None:
        """Ends the session of the request, if it has one."""
        claims = self._claims(request.cookies.get(COOKIE))
        if claims is not None:
            await self._access.end_session(claims.jti, claims.exp)
            await self._access.record(claims.sub, "logout")

    def _claims(self, token: str | None) -> _Claims | None:
        if token is None:
            return None
        try:
            # The end is checked below, against the clock that we were given.
            payload = jwt.decode(token, self._secret, algorithms=[_ALGORITHM], options={"verify_exp": False, "verify_iat": False})
            claims = msgspec.convert(payload, _Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError):
            return None
        return claims if claims.exp > self._clock.now_ns() // _SECOND_NS else None


def set_cookie(response: Response, token: str, *, secure: bool) -> None:
    response.set_cookie(COOKIE, token, max_age=LIFE_S, httponly=True, samesite="strict", secure=secure, path="/")


def delete_cookie(response: Response, *, secure: bool) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=secure, path="/")
