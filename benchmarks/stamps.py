"""Times at which a process passes a point on an order's way: the clock is the machine's own, the same in every process."""

import functools
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
now_ns = time.perf_counter_ns


class Stamps:
    """Lists of times by the point's name; ``write`` hands them to whoever measures."""

    def __init__(self) -> None:
        self.times: dict[str, list[int]] = {}

    def mark(self, name: str) -> None:
        self.times.setdefault(name, []).append(now_ns())

    def before_and_after(self, name: str, function: Callable[..., T], when: Callable[..., bool] = lambda *_: True) -> Callable[..., T]:
        """The function, with a mark ``name >`` before and ``name <`` after each call that ``when`` is true of."""

        @functools.wraps(function)
        def marked(*args: Any, **more: Any) -> T:
            if not when(*args):
                return function(*args, **more)
            self.mark(f"{name} >")
            result = function(*args, **more)
            self.mark(f"{name} <")
            return result

        return marked

    def around(self, name: str, function: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        """As ``before_and_after``, of a coroutine."""

        @functools.wraps(function)
        async def marked(*args: Any, **more: Any) -> T:
            self.mark(f"{name} >")
            try:
                return await function(*args, **more)
            finally:
                self.mark(f"{name} <")

        return marked

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.times))
