"""How the guard gets at an account on Coinbase: a key, or access that was granted to an application.

``traider coinbase-login`` asks for that access and keeps it, ``traider coinbase-logout`` gives it back.
"""

import asyncio
import os
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from traider.connectors.coinbase.build import Options, coinbase_venue, granted_venue, key_from_settings
from traider.connectors.coinbase.oauth import (
    OAuthAuthorization,
    OAuthClient,
    TokenVault,
    await_code,
    endpoints_of,
    oauth_client_from,
)
from traider.connectors.coinbase.oauth.client import DEFAULT_SCOPES
from traider.domain.errors import SettingsError, UserError
from traider.domain.venue import Venue, VenueError
from traider.runtime.clock import SystemClock
from traider.runtime.settings import Settings, load_settings

TOKENS = "coinbase-oauth.tokens"  # in the state directory
KEY_FILE = Path(".config", "traider", "coinbase-oauth.key")  # in the home: whoever has both files has the account
WAIT_S = 300.0


def vault_of(settings: Settings) -> TokenVault:
    """Where the granted access is kept."""
    return TokenVault(settings.state.directory / TOKENS, settings.coinbase_oauth.key_file or Path.home() / KEY_FILE)


def venue_maker(settings: Settings, reached: Options) -> Callable[[], Venue]:
    """What makes the client in the running loop, with the key or else with the granted access; ``SettingsError`` where there is neither."""
    key = key_from_settings(settings.coinbase_key)
    vault = vault_of(settings)
    if key is not None and vault.exists():
        raise SettingsError(
            "there are a key for coinbase and access that was granted: unset the key, or give the access back with: traider coinbase-logout"
        )
    if key is not None:
        return lambda: coinbase_venue(key, SystemClock(), reached)
    if not vault.exists():
        raise SettingsError(
            "there is no key for coinbase: set COINBASE_KEY_FILE, or COINBASE_API_KEY and COINBASE_API_SECRET, "
            "or have access granted with: traider coinbase-login"
        )
    vault.load()  # an error of its files is told at the start
    client = _client(settings)
    return lambda: granted_venue(OAuthAuthorization(client, vault, SystemClock()), SystemClock(), reached)


def coinbase_login(
    state_dir: Annotated[Path | None, typer.Option(help="Where the access is kept, for the guard. [default: TRAIDER_STATE_DIR]")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = WAIT_S,
) -> int:
    """Have access to an account on Coinbase granted in the browser, instead of using a key.

    The tokens are kept encrypted in the state directory. They let orders be placed and looked at, and no money be moved.
    """
    if not 0 < wait <= 3600:
        raise UserError(f"--wait is {wait:g}; give seconds above 0 and up to 3600")
    settings = _settings(state_dir)
    client, vault = _client(settings), vault_of(settings)
    if vault.exists():
        raise UserError("access was granted before: give it back first with: traider coinbase-logout")
    _told(asyncio.run(_login(client, vault, wait_s=wait, browser=not no_browser)))
    return 0


async def _login(client: OAuthClient, vault: TokenVault, *, wait_s: float, browser: bool) -> str:
    grant = client.begin(DEFAULT_SCOPES)

    def show() -> None:
        _told(f"say yes in the browser: {grant.url}")
        if browser:
            webbrowser.open(grant.url)

    try:
        tokens = await client.finish(grant, await await_code(grant, timeout_s=wait_s, on_listening=show))
    except VenueError as error:
        raise UserError(str(error)) from None
    await asyncio.to_thread(vault.store, tokens)
    return f"access was granted{f' ({tokens.scope})' if tokens.scope else ''}; traider guard --venue coinbase uses it"


def coinbase_logout(
    state_dir: Annotated[Path | None, typer.Option(help="Where the access is kept. [default: TRAIDER_STATE_DIR]")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Forget the tokens even where Coinbase can't be asked.")] = False,
) -> int:
    """Give granted access back: Coinbase ends it, and the tokens are deleted. A guard that runs with them can do nothing more."""
    settings = _settings(state_dir)
    vault = vault_of(settings)
    if not vault.exists():
        raise UserError("there is no granted access here; name the state directory with --state-dir")
    try:
        asyncio.run(OAuthAuthorization(_client(settings), vault, SystemClock()).revoke())
    except (VenueError, UserError) as error:
        if not forget:
            raise UserError(
                f"{error}; the tokens are kept: try again, or delete them with --forget and end the access on Coinbase's site"
            ) from None
        vault.forget()
        _told(f"the tokens are deleted; end the access on Coinbase's site ({error})")
        return 0
    _told("the access was given back, and the tokens are deleted")
    return 0


def _settings(state_dir: Path | None) -> Settings:
    return load_settings({**os.environ, **({} if state_dir is None else {"TRAIDER_STATE_DIR": str(state_dir)})})


def _client(settings: Settings) -> OAuthClient:
    return oauth_client_from(settings.coinbase_oauth, SystemClock(), endpoints_of(settings.coinbase_oauth, settings.coinbase))


def _told(words: str) -> None:
    print(words, flush=True)
