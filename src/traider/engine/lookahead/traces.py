"""What a strategy asked for, event by event, and the first event at which two runs asked for something else."""

from typing import Any

import msgspec
import numpy as np

Integers = np.ndarray[Any, np.dtype[np.int64]]


class Request(msgspec.Struct, frozen=True):
    """A call of one of ``ctx``'s order methods, with the line of the strategy that made it."""

    method: str
    arguments: tuple[str, ...]
    place: str

    def __str__(self) -> str:
        return f"ctx.{self.method}({', '.join(self.arguments)})"


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run ended before its data did. ``ts_ns`` is the event's, None before the first event."""

    during: str  # loading, setup, run
    why: str
    ts_ns: int | None = None


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run asked for: request ``which[i]`` of ``requests`` at the event of time ``ts_ns[i]``, in order.

    ``positions`` has the position at each market event, as the handler found it.
    """

    requests: list[Request]
    ts_ns: bytes
    which: bytes
    positions: bytes
    stop: Stop | None = None

    def times(self) -> Integers:
        return np.frombuffer(self.ts_ns, np.int64)

    def numbers(self) -> Integers:
        return np.frombuffer(self.which, np.int64)

    def held(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.frombuffer(self.positions, np.float64)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The first event before the cut at which another future made another decision; None is no request."""

    ts_ns: int
    recorded: Request | None
    changed: Request | None
    stop: Stop | None = None  # of the run with the other future, where it got no further

    @property
    def place(self) -> str:
        """The line of the strategy that asked."""
        request = self.recorded or self.changed
        return request.place if request is not None else ""


def first_difference(recorded: Trace, changed: Trace, until_ns: int) -> Difference | None:
    """The first difference among the requests of events before ``until_ns``. The line that asked is no part of a decision."""
    known: dict[tuple[str, tuple[str, ...]], int] = {}
    times, decisions = _decisions(recorded, until_ns, known)
    other_times, other_decisions = _decisions(changed, until_ns, known)
    both = min(len(times), len(other_times))
    unequal = np.flatnonzero((times[:both] != other_times[:both]) | (decisions[:both] != other_decisions[:both]))
    at = int(unequal[0]) if len(unequal) else both
    if at == len(times) == len(other_times):
        stop = changed.stop
        stopped = stop is not None and stop.ts_ns is not None and stop.ts_ns < until_ns
        return Difference(ts_ns=stop.ts_ns, recorded=None, changed=None, stop=stop) if stopped and stop and stop.ts_ns is not None else None
    ends = [int(some[at]) for some in (times, other_times) if at < len(some)]
    ts_ns = min(ends)
    return Difference(
        ts_ns=ts_ns, recorded=_at(recorded, times, at, ts_ns), changed=_at(changed, other_times, at, ts_ns), stop=changed.stop
    )


def same(one: Trace, other: Trace) -> Difference | None:
    """The first difference between two runs over the same data, if there is one."""
    return first_difference(one, other, np.iinfo(np.int64).max)


def _decisions(trace: Trace, until_ns: int, known: dict[tuple[str, tuple[str, ...]], int]) -> tuple[Integers, Integers]:
    """Times and decisions before ``until_ns``; equal decisions of both traces have one number in ``known``."""
    numbers = np.array([known.setdefault((one.method, one.arguments), len(known)) for one in trace.requests], np.int64)
    times = trace.times()
    count = int(np.searchsorted(times, until_ns))
    return times[:count], numbers[trace.numbers()[:count]]


def _at(trace: Trace, times: Integers, at: int, ts_ns: int) -> Request | None:
    return trace.requests[trace.numbers()[at]] if at < len(times) and times[at] == ts_ns else None
