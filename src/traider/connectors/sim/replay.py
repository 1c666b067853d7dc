"""A recorded market, event by event."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from traider.domain.guard_protocol import MarketEvent
from traider.domain.vocabulary import EventKind

from .pace import Pace

_COLUMNS = {EventKind.BAR: ("open", "high", "low", "close", "volume"), EventKind.TRADE: ("price", "size", "side")}
_ROWS_A_TIME = 4096


class Replay:
    """The rows of one file as market events, in order; ``speed`` times as fast as they happened, 0 as fast as they are taken.

    A bar is due when it is complete: at the start of the next one.
    """

    untraded = 0  # every event may be traded on

    def __init__(
        self,
        *,
        kind: Literal["bars", "trades"],
        symbol: str,
        ts_ns: "np.ndarray[Any, np.dtype[np.int64]]",
        columns: Mapping[str, "np.ndarray[Any, np.dtype[np.float64]]"],
        sha256: str,
        speed: float = 0.0,
    ) -> None:
        self.symbol = symbol
        self.kind = EventKind.BAR if kind == "bars" else EventKind.TRADE
        self.description = {"replay": sha256, "symbol": symbol}
        self._speed = speed
        self._ts_ns = ts_ns
        self._columns = [columns[name] for name in _COLUMNS[self.kind]]

    def __len__(self) -> int:
        return len(self._ts_ns)

    def continue_after(self, last_index: int, last_ns: int) -> None:
        """A recording keeps its own time."""

    def history_start(self, last_index: int) -> int:
        """From which event on a strategy's memory is rebuilt: from the first."""
        return 0

    def history(self, start: int, stop: int) -> Sequence[MarketEvent]:
        """The events from ``start`` to before ``stop``."""
        rows = slice(start, stop)
        values = zip(*(column[rows].tolist() for column in self._columns), strict=True)
        times = self._ts_ns[rows].tolist()
        kind, symbol = self.kind, self.symbol
        return [
            MarketEvent(index=index, kind=kind, symbol=symbol, ts_ns=ts_ns, **dict(zip("abcde", row, strict=False)))
            for index, (ts_ns, row) in enumerate(zip(times, values, strict=True), start)
        ]

    async def events(self, start_index: int) -> AsyncIterator[MarketEvent]:
        """From ``start_index`` to the end of the file, each when it is due."""
        pace = Pace(self._speed)
        for start in range(start_index, len(self), _ROWS_A_TIME):
            for event in self.history(start, min(start + _ROWS_A_TIME, len(self))):
                await pace.until(self._due_ns(event))
                yield event

    def _due_ns(self, event: MarketEvent) -> int:
        if self.kind is EventKind.BAR and event.index + 1 < len(self):
            return int(self._ts_ns[event.index + 1])
        return event.ts_ns
