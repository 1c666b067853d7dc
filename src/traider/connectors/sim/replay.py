"""A recorded market, event by event."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

import numpy as np

from traider.domain.guard_protocol import MarketEvent
from traider.domain.vocabulary import BAR_MADE, KIND_BITS, EventKind

from .pace import Pace

_ROWS_A_TIME = 4096
_FLAGS = 0xFF & ~KIND_BITS


class Events(Protocol):
    """Columns of events, as a tape has them. ``kinds`` is a bit mask, 1 << kind, of what may be among them."""

    @property
    def kinds(self) -> int: ...

    def columns(self) -> tuple[Any, ...]:
        """ts_ns, kind with flags, inst, a, b, c, d, e; those of a..e that no event has are empty."""
        ...


class Replay:
    """Recorded rows of any kind as market events, in order; ``speed`` times as fast as they happened, 0 as fast as they are taken.

    ``symbols`` are by instrument's number. A bar is due when it is complete: its interval after its start, or, when it was made of
    the trades beside it, with the next of them.
    """

    untraded = 0  # every event may be traded on
    in_moments = False
    unfed = ()

    def __init__(self, events: Events, symbols: Sequence[str], *, sha256: str, speed: float = 0.0) -> None:
        self.symbol = symbols[0]
        self.symbols = tuple(symbols)
        self.description: dict[str, object] = {"replay": sha256, "symbol": self.symbol}
        if len(symbols) > 1:
            self.description["symbols"] = list(symbols)
        self._speed = speed
        ts_ns, kind, inst, *values = events.columns()
        self._ts_ns, self._kind, self._inst = ts_ns, kind, inst
        self._kinds = events.kinds
        self._values = [column for column in values if len(column)]  # a, b, ... as far as there are any
        self._intervals_ns = [_interval_ns(ts_ns, kind, inst == number) for number in range(len(symbols))]

    def __len__(self) -> int:
        return len(self._ts_ns)

    @property
    def kinds(self) -> int:
        """A bit mask, 1 << kind, of the events that may come."""
        return self._kinds

    def continue_after(self, last_index: int, last_ns: int) -> None:
        """A recording keeps its own time."""

    def history_start(self, last_index: int) -> int:
        """From which event on a strategy's memory is rebuilt: from the first."""
        return 0

    def history(self, start: int, stop: int) -> Sequence[MarketEvent]:
        """The events from ``start`` to before ``stop``."""
        rows = slice(start, stop)
        heads = zip(*(column[rows].tolist() for column in (self._ts_ns, self._kind, self._inst)), strict=True)
        values = zip(*(column[rows].tolist() for column in self._values), strict=True)
        return [
            MarketEvent(
                index=index,
                kind=EventKind(kind & KIND_BITS),
                flags=kind & _FLAGS,
                symbol=self.symbols[inst],
                ts_ns=ts_ns,
                **dict(zip("abcde", row, strict=False)),
            )
            for index, ((ts_ns, kind, inst), row) in enumerate(zip(heads, values, strict=True), start)
        ]

    async def events(self, start_index: int) -> AsyncIterator[MarketEvent]:
        """From ``start_index`` to the end of the file, each when it is due."""
        pace = Pace(self._speed)
        for start in range(start_index, len(self), _ROWS_A_TIME):
            for event in self.history(start, min(start + _ROWS_A_TIME, len(self))):
                await pace.until(self._due_ns(event))
                yield event

    def _due_ns(self, event: MarketEvent) -> int:
        if event.kind is not EventKind.BAR:
            return event.ts_ns
        if event.flags & BAR_MADE:
            return int(self._ts_ns[min(event.index + 1, len(self) - 1)])
        return event.ts_ns + self._intervals_ns[int(self._inst[event.index])]


def _interval_ns(ts_ns: "np.ndarray[Any, Any]", kind: "np.ndarray[Any, Any]", mine: "np.ndarray[Any, Any]") -> int:
    """The shortest time between two bars of the instrument; 0 where there is none."""
    steps = np.diff(ts_ns[mine & (kind & np.uint8(KIND_BITS | BAR_MADE) == EventKind.BAR)])
    return int(steps.min()) if len(steps) else 0
