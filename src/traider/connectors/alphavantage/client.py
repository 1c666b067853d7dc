"""Questions to Alpha Vantage with their manners: pace, deadlines, retries, and a key that no message and no log ever holds."""

import asyncio
import logging
import random
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import aiohttp
import msgspec

from traider.domain.history import ProviderUnavailableError, RateLimitedError

from ..backoff import Backoff
from ..rate_limit import TokenBucket
from .read_reply import Redact, read_reply

log = logging.getLogger(__name__)


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. ``requests_per_minute`` is for the whole process; at most one goes at once."""

    requests_per_minute: float = 45.0  # a free key may ask once a second, and 25 times a day
    timeout_s: float = 60.0  # of one attempt: a month of minutes is several megabytes
    attempts: int = 4
    first_backoff_s: float = 1.0
    most_backoff_s: float = 15.0
    most_wait_s: float = 90.0  # for which a limit is waited out, once for each question


class AlphaVantageClient:
    """The one endpoint. Every question may be repeated: none changes anything."""

    def __init__(self, url: str, key: str, timing: Timing, randomness: random.Random | None = None) -> None:
        self._url = url
        self._key = key
        self._timing = timing
        self._random = randomness or random.Random()  # noqa: S311 (spreads retries, guards nothing)
        self._bucket = TokenBucket(rate_per_s=timing.requests_per_minute / 60, burst=1)
        self._redact = redaction(key)
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Opens the session; connections are made by the first question."""
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": "traider", "Accept": "application/json"}, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, query: Mapping[str, str]) -> dict[str, Any]:
        """The answer to a question without its key; a ``ProviderError`` says which kind of none it is.

        A limit of seconds or of a minute is waited out once; one of a day is not.
        """
        try:
            return await self._asked(query)
        except RateLimitedError as error:
            if error.wait_s is None or error.wait_s > self._timing.most_wait_s:
                raise
            log.info("asking again in %g s: %s", error.wait_s, error)
            await asyncio.sleep(error.wait_s)
        return await self._asked(query)

    async def _asked(self, query: Mapping[str, str]) -> dict[str, Any]:
        backoff = Backoff(first_s=self._timing.first_backoff_s, most_s=self._timing.most_backoff_s, random=self._random)
        for attempt in range(1, self._timing.attempts + 1):
            try:
                status, body = await self._once(query)
                return read_reply(status, body, self._redact)
            except ProviderUnavailableError as error:
                if attempt == self._timing.attempts:
                    raise
                log.info("asking again: %s", error)
            await asyncio.sleep(backoff.next_s())
        raise ProviderUnavailableError("Alpha Vantage was not asked")  # no attempt is allowed

    async def _once(self, query: Mapping[str, str]) -> tuple[int, bytes]:
        if self._session is None:
            raise ProviderUnavailableError("Alpha Vantage: the client is not started")
        await self._bucket.take(deadline_s=asyncio.get_running_loop().time() + 60 + 60 / self._timing.requests_per_minute)
        timeout = aiohttp.ClientTimeout(total=self._timing.timeout_s)
        try:
            # No redirect is followed: the key would go along.
            async with self._session.get(
                self._url, params={**query, "apikey": self._key}, timeout=timeout, allow_redirects=False
            ) as response:
                return response.status, await response.read()
        except TimeoutError:
            raise ProviderUnavailableError(f"Alpha Vantage: no answer within {self._timing.timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            # The class and the system's words: the text of some of these errors holds the address, and that the key.
            why = getattr(error, "strerror", None) or type(error).__name__
            raise ProviderUnavailableError(f"Alpha Vantage can't be reached: {why}") from None


def redaction(key: str) -> Redact:
    """What takes the key out of a text, in whatever case and however it is written in an address."""
    forms = sorted({key, quote(key, safe=""), quote_plus(key)}, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, forms)), re.IGNORECASE)
    return lambda text: pattern.sub("[key]", text)
