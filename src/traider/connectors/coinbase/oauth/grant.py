"""The beginning of a grant: what the browser is sent away with, and what it has to bring back (RFC 6749, RFC 7636)."""

import base64
import hashlib
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from .errors import OAuthError

_VERIFIER_BYTES = 64  # 86 characters, of the 43 to 128 that are allowed


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt. Its secrets are made for it, used once, and never shown."""

    url: str  # where the user says yes
    state: str
    verifier: str
    redirect_uri: str

    def __repr__(self) -> str:
        return f"Grant(redirect_uri={self.redirect_uri!r}, secrets hidden)"

    def code_from(self, location: str) -> str:
        """The code that the browser came back with; ``OAuthError`` unless it comes of this very attempt."""
        query = parse_qs(urlsplit(location).query)
        returned = query.get("state", [""])[0]
        # The state first: of an answer that is not ours nothing else is of interest.
        if not secrets.compare_digest(returned.encode(), self.state.encode()):
            raise OAuthError("the answer in the browser does not belong to this request: begin again")
        if "error" in query:
            raise OAuthError(f"access was not granted: {query['error'][0][:100]}")
        code = query.get("code", [""])[0]
        if not code:
            raise OAuthError("the answer in the browser holds no code: begin again")
        return code


def begin_grant(*, authorize_url: str, client_id: str, redirect_uri: str, scopes: tuple[str, ...]) -> Grant:
    """A new attempt, with a state and a PKCE verifier that nobody can guess."""
    state = secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(_VERIFIER_BYTES)
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": ",".join(scopes),
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    return Grant(url=f"{authorize_url}?{urlencode(query)}", state=state, verifier=verifier, redirect_uri=redirect_uri)


def challenge_of(verifier: str) -> str:
    """What is shown of the verifier before it is used: its SHA-256 (method S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
