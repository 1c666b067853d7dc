"""The bucket on the loop's time: what may go, what waits, and that cancels go first."""

import asyncio
import random
from collections.abc import Awaitable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traider.connectors.backoff import Backoff
from traider.connectors.rate_limit import TokenBucket
from traider.domain.venue import VenueUnavailableError


async def soon(bucket: TokenBucket, *, cancel: bool = False) -> bool:
    """Whether one may go at once."""
    try:
        await bucket.take(deadline_s=asyncio.get_running_loop().time() + 0.001, cancel=cancel)
    except VenueUnavailableError:
        return False
    return True


async def test_the_last_tokens_are_for_cancels() -> None:
    bucket = TokenBucket(rate_per_s=0.01, burst=5, reserve=2)
    assert [await soon(bucket) for _ in range(4)] == [True, True, True, False]
    assert [await soon(bucket, cancel=True) for _ in range(3)] == [True, True, False]


async def test_it_fills_again_at_its_rate() -> None:
    bucket = TokenBucket(rate_per_s=200, burst=2)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for _ in range(12):
        await bucket.take(deadline_s=began_s + 5)
    # two at once, ten more at 5 ms each
    assert loop.time() - began_s >= 0.049


async def test_a_cancel_goes_before_those_who_waited_longer() -> None:
    bucket = TokenBucket(rate_per_s=100, burst=1)
    order: list[str] = []

    async def go(name: str, *, cancel: bool) -> None:
        await bucket.take(deadline_s=asyncio.get_running_loop().time() + 5, cancel=cancel)
        order.append(name)

    await bucket.take(deadline_s=asyncio.get_running_loop().time() + 1)
    waiting: list[Awaitable[None]] = [asyncio.create_task(go("first", cancel=False)), asyncio.create_task(go("second", cancel=False))]
    await asyncio.sleep(0)
    waiting.append(asyncio.create_task(go("cancel", cancel=True)))
    await asyncio.gather(*waiting)
    assert order == ["cancel", "first", "second"]


async def test_a_pause_holds_everything_but_cancels() -> None:
    bucket = TokenBucket(rate_per_s=1000, burst=10, reserve=2)
    bucket.pause(asyncio.get_running_loop().time() + 0.05)
    assert not await soon(bucket)
    assert await soon(bucket, cancel=True)
    await asyncio.sleep(0.06)
    assert await soon(bucket)


async def test_who_gave_up_does_not_take_a_token() -> None:
    bucket = TokenBucket(rate_per_s=50, burst=1)
    assert await soon(bucket)
    impatient = [asyncio.create_task(soon(bucket)) for _ in range(5)]
    assert await asyncio.gather(*impatient) == [False] * 5
    await asyncio.sleep(0.025)
    assert await soon(bucket)


@pytest.mark.parametrize(("rate", "burst", "reserve"), [(0, 5, 1), (1, 1, 1), (1, 5, -1)])
async def test_a_bucket_that_lets_nothing_through_is_refused(rate: float, burst: int, reserve: int) -> None:
    with pytest.raises(ValueError, match="a bucket has"):
        TokenBucket(rate_per_s=rate, burst=burst, reserve=reserve)


@given(st.integers(0, 2**32))
def test_waits_double_to_a_maximum_and_begin_anew(seed: int) -> None:
    backoff = Backoff(first_s=1.0, most_s=30.0, random=random.Random(seed))
    steps = [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    for step_s in steps:
        assert step_s / 2 <= backoff.next_s() <= step_s
    backoff.reset()
    assert backoff.next_s() <= 1.0
    for _ in range(2000):
        assert backoff.next_s() <= 30.0
