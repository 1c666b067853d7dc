"""Granted access in the place of a key: it renews itself, once at a time, and what it is given is stored before it is used."""

import asyncio
import logging

from traider.domain.ports import Clock
from traider.domain.venue import VenueUnavailableError

from .client import OAuthClient
from .errors import OAuthError
from .tokens import Tokens
from .vault import TokenVault

log = logging.getLogger(__name__)
MARGIN_S = 60.0


class OAuthAuthorization:
    """An ``Authorization`` of the client's (``traider.connectors.coinbase.tokens``)."""

    def __init__(self, client: OAuthClient, vault: TokenVault, clock: Clock) -> None:
        self._client = client
        self._vault = vault
        self._clock = clock
        self._lock = asyncio.Lock()
        self._tokens: Tokens | None = None

    async def for_request(self, method: str, host: str, path: str) -> str:
        """The access token, which is the same for every address."""
        return await self._access_token()

    async def for_subscription(self) -> str:
        return await self._access_token()

    def expect(self, method: str, host: str, path: str) -> None:
        """Nothing is signed here: the token is at hand."""

    def stop(self) -> None:
        """There is nothing to end."""

    async def revoke(self) -> None:
        """Gives the access back, and then forgets the tokens. When the venue can't be asked they are kept, to try again with."""
        async with self._lock:
            tokens = self._tokens or await asyncio.to_thread(self._vault.load)
            if tokens is not None:
                try:
                    await self._client.revoke(tokens)
                except OAuthError as error:
                    log.info("the access was at an end before it was given back: %s", error)
            self._tokens = None
            await asyncio.to_thread(self._vault.forget)

    async def _access_token(self) -> str:
        # One renewal at a time: the refresh token is good once, and the second one to use it would end the grant.
        async with self._lock:
            tokens = self._tokens or await asyncio.to_thread(self._vault.load)
            if tokens is None:
                raise VenueUnavailableError("no access to Coinbase has been granted")
            if self._clock.now_ns() >= tokens.fresh_until(margin_s=MARGIN_S):
                tokens = await self._renewed(tokens)
            self._tokens = tokens
            return tokens.access_token

    async def _renewed(self, tokens: Tokens) -> Tokens:
        try:
            # Shielded: an exchange that was begun has used up the old token, whoever still waits for it.
            return await asyncio.shield(self._renew_and_store(tokens))
        except OAuthError as error:
            raise VenueUnavailableError(f"the access to Coinbase can't be renewed, grant it again: {error}") from None

    async def _renew_and_store(self, tokens: Tokens) -> Tokens:
        renewed = await self._client.refresh(tokens)
        await asyncio.to_thread(self._vault.store, renewed)
        self._tokens = renewed
        return renewed
