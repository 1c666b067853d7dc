"""The client before a server on this machine: pace, retries, what is waited out and what is not, and where the key goes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from tests.connectors.alphavantage.local_server import (
    BAD_CALL,
    DAILY_LIMIT,
    KEY,
    TOO_FAST,
    Answer,
    Query,
    Served,
    daily,
    row,
    said,
    serving,
)
from traider.connectors.alphavantage import AlphaVantageClient, Timing
from traider.connectors.alphavantage import read_reply as words
from traider.domain.history import ProviderRefusedError, ProviderUnavailableError, RateLimitedError

TIMING = Timing(requests_per_minute=60_000, timeout_s=0.5, attempts=3, first_backoff_s=0.01, most_backoff_s=0.02)
GOOD = 200, msgspec.json.encode(daily({"2026-03-06": row(1)}))
QUESTION = {"function": "TIME_SERIES_DAILY", "symbol": "SPY"}


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "SECOND_S", 0.05)
    monkeypatch.setattr(words, "MINUTE_S", 0.1)


def in_turn(*answers: Answer | None) -> Callable[[Query], Answer | None]:
    """One after the other, and the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@asynccontextmanager
async def client(served: Served, timing: Timing = TIMING) -> AsyncIterator[AlphaVantageClient]:
    asking = AlphaVantageClient(served.url, KEY, timing)
    await asking.start()
    try:
        yield asking
    finally:
        await asking.stop()


async def test_the_key_goes_with_the_question_and_the_answer_is_read() -> None:
    with serving(in_turn(GOOD)) as served:
        async with client(served) as asking:
            assert "Time Series (Daily)" in await asking.ask(QUESTION)
        assert served.queries == [{**QUESTION, "apikey": KEY}]


@pytest.mark.parametrize("bad", [(503, b""), (200, b"<html>"), None])
async def test_no_answer_is_asked_for_again(bad: Answer | None) -> None:
    with serving(in_turn(bad, GOOD)) as served:
        async with client(served) as asking:
            assert await asking.ask(QUESTION)
        assert len(served.queries) >= 2


async def test_it_is_not_asked_for_ever() -> None:
    with serving(in_turn((503, b""))) as served:
        async with client(served) as asking:
            with pytest.raises(ProviderUnavailableError, match="status 503"):
                await asking.ask(QUESTION)
        assert len(served.queries) == TIMING.attempts


async def test_too_fast_is_waited_out_once() -> None:
    with serving(in_turn(said("Information", TOO_FAST), GOOD)) as served:
        async with client(served) as asking:
            assert await asking.ask(QUESTION)
    with serving(in_turn(said("Information", TOO_FAST))) as served:
        async with client(served) as asking:
            with pytest.raises(RateLimitedError):
                await asking.ask(QUESTION)
        assert len(served.queries) == 2


@pytest.mark.parametrize(
    ("key", "text", "kind"), [("Information", DAILY_LIMIT, RateLimitedError), ("Error Message", BAD_CALL, ProviderRefusedError)]
)
async def test_what_time_does_not_mend_is_asked_once(key: str, text: str, kind: type[Exception]) -> None:
    with serving(in_turn(said(key, text))) as served:
        async with client(served) as asking:
            with pytest.raises(kind):
                await asking.ask(QUESTION)
        assert len(served.queries) == 1


async def test_no_redirect_is_followed_with_the_key() -> None:
    with serving(in_turn((302, b""))) as served:
        async with client(served) as asking:
            with pytest.raises(ProviderUnavailableError, match="status 302"):
                await asking.ask(QUESTION)


async def test_questions_leave_at_the_pace_that_is_set() -> None:
    loop = asyncio.get_running_loop()
    with serving(in_turn(GOOD)) as served:
        async with client(served, msgspec.structs.replace(TIMING, requests_per_minute=600)) as asking:
            began_s = loop.time()
            for _ in range(4):
                await asking.ask(QUESTION)
            assert loop.time() - began_s >= 0.29  # the first one at once, then one each 0.1 s


@pytest.mark.parametrize("bad", [(503, b""), None, said("Note", TOO_FAST + KEY), said("Error Message", BAD_CALL)])
async def test_no_error_and_no_log_holds_the_key(bad: Answer | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(in_turn(bad)) as served:
        async with client(served) as asking:
            with pytest.raises(Exception, match="Alpha Vantage") as caught:
                await asking.ask(QUESTION)
    assert KEY not in "".join([str(caught.getrepr(style="value")), repr(caught.value), caplog.text])


async def test_an_address_where_nobody_listens_is_told_without_the_key() -> None:
    async with client(Served("http://127.0.0.1:1/query", [])) as asking:
        with pytest.raises(ProviderUnavailableError, match="can't be reached") as caught:
            await asking.ask(QUESTION)
    assert "apikey" not in str(caught.value)
