"""Waiting for what happens in another task."""

import asyncio
from collections.abc import Callable


async def until(happened: Callable[[], bool], *, within_s: float = 10) -> None:
    """Returns once it has happened."""
    async with asyncio.timeout(within_s):
        while not happened():  # noqa: ASYNC110 - what is waited for has no event to wait on
            await asyncio.sleep(0.005)
