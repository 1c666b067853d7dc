"""Calls with their manners: rate limits, deadlines, retries of questions, pages. What is asked for is in the files beside it."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import msgspec

from traider.domain.venue import VenueUnavailableError, VenueUnknownError

from ..backoff import Backoff
from ..rate_limit import TokenBucket
from .config import PREFIX, RestTiming
from .read_reply import RETRIED_STATUSES, read_answer, read_outcome, told_status
from .transport import Call, NoReplyError, NotSentError, Query, Reply, Transport

T = TypeVar("T")
log = logging.getLogger(__name__)
_MOST_PAGES = 10_000
_ENCODER = msgspec.json.Encoder(decimal_format="string")


class Rest:
    """The venue's REST API. Questions may be repeated and are; what changes something is sent once."""

    def __init__(self, transport: Transport, timing: RestTiming, randomness: random.Random | None = None) -> None:
        self._transport = transport
        self._timing = timing
        self._random = randomness or random.Random()  # noqa: S311 (spreads retries, guards nothing)
        self._private = TokenBucket(rate_per_s=timing.private_per_s, burst=timing.burst, reserve=timing.cancel_reserve)
        self.on_unauthorized: Callable[[], Awaitable[None]] = _do_nothing  # before a question is asked again with a new token
        self._public = TokenBucket(rate_per_s=timing.public_per_s, burst=max(2, int(timing.public_per_s)))

    async def start(self) -> None:
        await self._transport.start()

    async def stop(self) -> None:
        await self._transport.stop()

    async def ask(self, path: str, shape: type[T], query: Query = (), *, private: bool = True) -> T:
        """The answer to a GET; ``VenueUnavailableError`` when there was none within the time, each try counted."""
        call = Call(method="GET", path=PREFIX + path, query=tuple(query), private=private)
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + self._timing.total_timeout_s
        backoff = Backoff(first_s=self._timing.first_backoff_s, most_s=self._timing.most_backoff_s, random=self._random)
        for attempt in range(1, self._timing.attempts + 1):
            unauthorized = False
            try:
                reply = await self._once(call, give_up_s=give_up_s)
            except (NotSentError, NoReplyError) as error:
                problem = str(error)
            else:
                if not self._worth_repeating(reply, attempt):
                    return read_answer(call, reply, shape)
                problem = f"{call.name} was answered with {told_status(reply)}"
                unauthorized = reply.status == 401
            wait_s = backoff.next_s()
            if attempt == self._timing.attempts or loop.time() + wait_s >= give_up_s:
                raise VenueUnavailableError(problem)
            log.info("asking again: %s", problem)
            if unauthorized and private:
                await self.on_unauthorized()
            await asyncio.sleep(wait_s)
        raise VenueUnavailableError(f"{call.name}: not asked")  # no attempt is allowed

    async def change(
        self, path: str, body: object, shape: type[T], *, cancel: bool = False, last_word: Callable[[], None] = lambda: None
    ) -> T:
        """The answer to a POST, which is sent once; ``last_word`` may still hold it back, by an error, after all waiting for its turn.

        ``VenueRejectedError`` is the venue's no, ``VenueUnknownError`` no answer that can be read, ``VenueUnavailableError`` that
        it did not leave.
        """
        call = Call(method="POST", path=PREFIX + path, body=_ENCODER.encode(body))
        give_up_s = asyncio.get_running_loop().time() + self._timing.timeout_s
        try:
            reply = await self._once(call, give_up_s=give_up_s, cancel=cancel, last_word=last_word)
        except NotSentError as error:
            raise VenueUnavailableError(str(error)) from None
        except NoReplyError as error:
            raise VenueUnknownError(str(error)) from None
        return read_outcome(call, reply, shape)

    async def pages(
        self, path: str, shape: type[T], query: Query, next_cursor: Callable[[T], str], *, private: bool = True
    ) -> AsyncIterator[T]:
        """Every page of a list. A cursor that comes back, or does not end, is an error: a list cut short looks like a whole one."""
        seen: set[str] = set()
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = await self.ask(path, shape, [*query, ("cursor", cursor)] if cursor else query, private=private)
            yield page
            cursor = next_cursor(page)
            if not cursor:
                return
            if cursor in seen:
                raise VenueUnavailableError(f"GET {path}: the venue's pages go round in a circle")
            seen.add(cursor)
        raise VenueUnavailableError(f"GET {path}: more than {_MOST_PAGES} pages")

    async def _once(self, call: Call, *, give_up_s: float, cancel: bool = False, last_word: Callable[[], None] = lambda: None) -> Reply:
        loop = asyncio.get_running_loop()
        deadline_s = min(give_up_s, loop.time() + self._timing.timeout_s)
        bucket = self._private if call.private else self._public
        await bucket.take(deadline_s=deadline_s, cancel=cancel)
        timeout_s = deadline_s - loop.time()
        if timeout_s <= 0:
            raise NotSentError(f"{call.name}: its time was over before its turn came")
        last_word()
        try:
            # The transport keeps the deadline itself; this one holds should it not.
            async with asyncio.timeout(timeout_s + 1.0):
                reply = await self._transport.send(call, timeout_s=timeout_s)
        except TimeoutError:
            raise NoReplyError(f"{call.name}: no reply within {timeout_s:g} s") from None
        if reply.status == 429:
            bucket.pause(loop.time() + self._timing.most_backoff_s * (0.1 + 0.1 * self._random.random()))
        return reply

    def _worth_repeating(self, reply: Reply, attempt: int) -> bool:
        if reply.status == 401:
            # Seen now and then with tokens that were good; the next attempt signs a new one, and there is only one such attempt.
            return attempt == 1
        return reply.status in RETRIED_STATUSES or (reply.status == 200 and not reply.body.lstrip().startswith(b"{"))


async def _do_nothing() -> None: ...
