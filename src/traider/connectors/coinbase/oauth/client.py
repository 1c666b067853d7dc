"""The token endpoint: a code for tokens, a refresh token for the next ones, and the end of both (RFC 6749, RFC 7009)."""

import aiohttp
import msgspec

from traider.domain.ports import Clock

from ..http_transport import tls_context
from .errors import OAuthError, OAuthUnavailableError
from .grant import Grant, begin_grant
from .tokens import Tokens

DEFAULT_SCOPES = ("wallet:user:read", "wallet:accounts:read", "wallet:orders:read", "wallet:orders:create", "offline_access")
_TIMEOUT_S = 10.0
_SECOND_NS = 1_000_000_000


class OAuthEndpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where access is granted."""

    authorize_url: str = "https://login.coinbase.com/oauth2/auth"
    token_url: str = "https://login.coinbase.com/oauth2/token"  # noqa: S105 (an address)
    revoke_url: str = "https://login.coinbase.com/oauth2/revoke"
    ca_file: str = ""


class _TokenReply(msgspec.Struct, frozen=True, kw_only=True):
    access_token: str
    expires_in: int
    refresh_token: str = ""
    scope: str = ""


class _ErrorReply(msgspec.Struct, frozen=True, kw_only=True):
    error: str
    error_description: str = ""


class OAuthClient:
    """An application as it is registered at the venue. Nothing is repeated by itself: codes and refresh tokens are good once."""

    def __init__(
        self, *, client_id: str, client_secret: str, redirect_uri: str, clock: Clock, endpoints: OAuthEndpoints | None = None
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._endpoints = endpoints or OAuthEndpoints()

    def __repr__(self) -> str:
        return f"OAuthClient(client_id={self._client_id!r}, secret hidden)"

    def begin(self, scopes: tuple[str, ...] = DEFAULT_SCOPES) -> Grant:
        """A new attempt: open its ``url`` in the user's browser."""
        return begin_grant(
            authorize_url=self._endpoints.authorize_url, client_id=self._client_id, redirect_uri=self._redirect_uri, scopes=scopes
        )

    async def finish(self, grant: Grant, location: str) -> Tokens:
        """The tokens for the address that the browser came back to."""
        form = {
            "grant_type": "authorization_code",
            "code": grant.code_from(location),
            "redirect_uri": grant.redirect_uri,
            "code_verifier": grant.verifier,
        }
        return self._tokens(await self._post(self._endpoints.token_url, form))

    async def refresh(self, tokens: Tokens) -> Tokens:
        """The next tokens; the old ones are worth nothing from then on."""
        if not tokens.refresh_token:
            raise OAuthError("the access can't be renewed: it was granted without offline_access")
        return self._tokens(
            await self._post(self._endpoints.token_url, {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token})
        )

    async def revoke(self, tokens: Tokens) -> None:
        """The venue takes the access back."""
        await self._post(self._endpoints.revoke_url, {"token": tokens.access_token})

    def _tokens(self, body: bytes) -> Tokens:
        try:
            reply = msgspec.json.decode(body, type=_TokenReply)
        except msgspec.MsgspecError:
            # The decoder's message could quote a token.
            raise OAuthUnavailableError("the venue's answer holds no tokens that can be read") from None
        expires_ts_ns = self._clock.now_ns() + reply.expires_in * _SECOND_NS
        return Tokens(access_token=reply.access_token, refresh_token=reply.refresh_token, expires_ts_ns=expires_ts_ns, scope=reply.scope)

    async def _post(self, url: str, form: dict[str, str]) -> bytes:
        form = form | {"client_id": self._client_id, "client_secret": self._client_secret}
        connector = aiohttp.TCPConnector(ssl=tls_context(self._endpoints.ca_file) or True)
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.post(url, data=form, allow_redirects=False) as response,
            ):
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OAuthUnavailableError(f"no answer from {url}: {type(error).__name__}") from None
        if response.status == 200:
            return body
        if response.status in (400, 401):
            raise OAuthError(f"the venue refused: {_reason(body)}")
        raise OAuthUnavailableError(f"{url} answered with status {response.status}")


def _reason(body: bytes) -> str:
    try:
        reply = msgspec.json.decode(body, type=_ErrorReply)
    except msgspec.MsgspecError:
        return "no reason given"
    return f"{reply.error} {reply.error_description}".strip()[:200]
