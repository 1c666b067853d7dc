"""The loop whose time is virtual: what waits for an hour is there at once, in its order."""

import asyncio

import pytest

from traider.runtime.virtual_time import START_NS, VirtualClock, elapsed_ns, play


def test_an_hour_is_over_at_once_and_what_is_due_earlier_comes_first() -> None:
    told: list[str] = []

    async def after(seconds: float, what: str) -> None:
        await asyncio.sleep(seconds)
        told.append(what)

    async def whole() -> int:
        await asyncio.gather(after(3600, "an hour"), after(0.001, "a millisecond"), after(60, "a minute"))
        return elapsed_ns()

    assert play(whole) == 3600 * 10**9
    assert told == ["a millisecond", "a minute", "an hour"]


def test_the_clock_is_the_loops_time_and_can_be_wrong() -> None:
    async def whole() -> tuple[int, int]:
        clock = VirtualClock()
        await asyncio.sleep(1.5)
        right = clock.now_ns()
        clock.offset_ns = -7
        return right, clock.now_ns()

    assert play(whole) == (START_NS + 1_500_000_000, START_NS + 1_500_000_000 - 7)


def test_a_deadline_ends_what_would_wait_for_ever() -> None:
    async def whole() -> None:
        async with asyncio.timeout(10):
            await asyncio.get_running_loop().create_future()

    with pytest.raises(TimeoutError):
        play(whole)


def test_when_everybody_waits_for_nothing_it_says_so() -> None:
    async def whole() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="everybody waits"):
        play(whole)
