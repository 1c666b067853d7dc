"""Access that a user grants in the browser, instead of a key: OAuth 2 with PKCE, and tokens kept encrypted."""

from .authorization import OAuthAuthorization
from .build import endpoints_of, oauth_client_from
from .callback import await_code
from .client import OAuthClient, OAuthEndpoints
from .grant import Grant, begin_grant
from .tokens import Tokens
from .vault import TokenVault

__all__ = [
    "Grant",
    "OAuthAuthorization",
    "OAuthClient",
    "OAuthEndpoints",
    "TokenVault",
    "Tokens",
    "await_code",
    "begin_grant",
    "endpoints_of",
    "oauth_client_from",
]
