"""A strategy class whose decisions are written down while it runs as ordinary Python."""

import sys
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...kernel.kit import MARKET_HANDLERS, Strategy
from .traces import Request, Stop, Trace

# What these tell is no decision. A method that isn't among them is written down: of one that a later kernel has, and that
# only tells, the trace then holds more than it needs, and no decision is missed. ``select`` decides which instrument is meant.
QUESTIONS = frozenset(
    {
        *("position", "position_of", "average_price", "price", "price_of", "bid", "ask", "cash", "equity"),
        *("pending", "open_orders", "is_open", "now_ns", "size_for"),
    }
)
_PACKAGE = str(Path(__file__).parents[2])


class Log:
    """What one run asked for; ``trace`` gives it as a value."""

    def __init__(self) -> None:
        self.now_ns: int | None = None
        self._numbers: dict[Request, int] = {}
        self._times = array("q")
        self._which = array("q")
        self._positions = array("d")

    def event(self, ts_ns: int) -> None:
        """The strategy is about to be handed an event of this time; what is told later than it happened is told now."""
        self.now_ns = ts_ns if self.now_ns is None else max(ts_ns, self.now_ns)

    def position(self, size: float) -> None:
        """The position that the handler of a market event finds."""
        self._positions.append(size)

    def ask(self, method: str, arguments: tuple[Any, ...], place: str) -> None:
        request = Request(method, tuple(map(_exact, arguments)), place)
        self._times.append(self.now_ns or 0)
        self._which.append(self._numbers.setdefault(request, len(self._numbers)))

    def trace(self, stop: Stop | None = None) -> Trace:
        return Trace(
            requests=list(self._numbers),
            ts_ns=self._times.tobytes(),
            which=self._which.tobytes(),
            positions=self._positions.tobytes(),
            stop=stop,
        )


class WatchedContext:
    """``ctx`` with every order method noting the call and the line that made it, before it does what it does."""

    def __init__(self, ctx: Any, log: Log) -> None:
        self._ctx = ctx
        self._log = log

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._ctx, name)
        if not callable(value):
            return value
        asks = value if name in QUESTIONS else _noting(name, value, self._log)
        self.__dict__[name] = asks  # so that the next call does not come here
        return asks


def watched(strategy: type[Strategy], log: Log, made: Callable[[Strategy], None] = lambda strategy: None) -> type[Strategy]:
    """A class derived from ``strategy`` that behaves as it does and writes what it asks for into ``log``.

    ``made`` is called with the instance when ``setup`` has run.
    """

    def make(self: Strategy, **values: Any) -> None:
        strategy.__init__(self, **values)
        made(self)

    contexts: list[tuple[Any, WatchedContext]] = [(None, WatchedContext(None, log))]
    members: dict[str, Any] = {"__init__": make, "__module__": strategy.__module__, "name": strategy.name}
    for handler in strategy.handlers():
        members[handler] = _handler(
            getattr(strategy, handler), log, contexts, of_market=handler in MARKET_HANDLERS, timeless=handler == "on_book"
        )
    cls: type[Strategy] = type(strategy.__name__, (strategy,), members)
    return cls


def _handler(
    handle: Callable[..., None], log: Log, contexts: list[tuple[Any, WatchedContext]], *, of_market: bool, timeless: bool
) -> Callable[..., None]:
    """``timeless``: what the handler is given has no time of its own, as an order book has none."""

    def watching(self: Strategy, event: Any, ctx: Any) -> None:
        known, seen = contexts[0]
        if known is not ctx:
            seen = WatchedContext(ctx, log)
            contexts[0] = ctx, seen
        log.event(ctx.now_ns() if timeless else event.ts_ns)
        if of_market:
            log.position(ctx.position())
        handle(self, event, seen)

    return watching


def _noting(name: str, method: Callable[..., Any], log: Log) -> Callable[..., Any]:
    def asks(*arguments: Any, **named: Any) -> Any:
        given = arguments + tuple(f"{key}={_exact(value)}" for key, value in named.items())
        log.ask(name, given, _caller())
        return method(*arguments, **named)

    return asks


def _caller() -> str:
    """The nearest line outside of this package."""
    frame = sys._getframe(2)
    inside = frame
    while inside.f_code.co_filename.startswith(_PACKAGE) and inside.f_back is not None:
        inside = inside.f_back
        if not inside.f_code.co_filename.startswith(_PACKAGE):
            return f"{inside.f_code.co_filename}:{inside.f_lineno}"
    # A built-in strategy is inside of this package, and so is its line.
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _exact(value: Any) -> str:
    """A number by its shortest text, which is exact; what numpy has as what Python has."""
    if isinstance(value, str):
        return value
    item = getattr(value, "item", None)
    return repr(item() if callable(item) else value)
