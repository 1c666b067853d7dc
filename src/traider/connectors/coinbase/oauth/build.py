"""An application out of the settings."""

from traider.domain.errors import SettingsError
from traider.domain.ports import Clock
from traider.runtime.settings import CoinbaseOAuthSettings, CoinbaseSettings

from .client import OAuthClient, OAuthEndpoints


def endpoints_of(settings: CoinbaseOAuthSettings, venue: CoinbaseSettings) -> OAuthEndpoints:
    """Where access is granted, with the same authorities as the venue's."""
    base = settings.url
    return OAuthEndpoints(
        authorize_url=f"{base}/auth",
        token_url=f"{base}/token",
        revoke_url=f"{base}/revoke",
        ca_file="" if venue.ca_file is None else str(venue.ca_file),
    )


def oauth_client_from(settings: CoinbaseOAuthSettings, clock: Clock, endpoints: OAuthEndpoints | None = None) -> OAuthClient:
    """The application that the configuration names; ``SettingsError`` where it names half of one, or none."""
    missing = [
        variable
        for variable, value in (
            ("COINBASE_OAUTH_CLIENT_ID", settings.client_id),
            ("COINBASE_OAUTH_CLIENT_SECRET", settings.client_secret),
        )
        if not value
    ]
    if missing or settings.client_id is None or settings.client_secret is None:
        raise SettingsError(f"to be granted access to an account, set {' and '.join(missing)} as Coinbase registered the application")
    return OAuthClient(
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value(),
        redirect_uri=settings.redirect_uri,
        clock=clock,
        endpoints=endpoints,
    )
