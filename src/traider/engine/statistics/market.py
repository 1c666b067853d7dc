"""What statistics have to know of the market: where it began and ended, and each day's last price."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...domain.vocabulary import EventKind
from ...kernel.layout import DAY_NS
from ..tape import Tape

_PIECE = 65_536  # rows looked at together, so that it takes no memory worth mentioning


@dataclass(frozen=True)
class Market:
    """``closes`` are (UTC day, last price), of days with market data. ``end_ns`` is where the last event ends: bars last."""

    start_ns: int
    last_event_ns: int
    end_ns: int
    first_price: float
    closes: list[tuple[int, float]]

    @property
    def last_price(self) -> float:
        return self.closes[-1][1]

    @property
    def daily_prices(self) -> list[float]:
        """The first price, and the last one of each day: what the equity of buy and hold is proportional to."""
        return [self.first_price, *(price for _, price in self.closes)]


def market_of(tape: Tape) -> Market:
    """Of a tape of one instrument that is not empty. Bars count for the day that they begin in, as the account's do."""
    bars = int(tape.kind[0]) == EventKind.BAR
    last = tape.d if bars else tape.a
    last_event_ns = int(tape.ts_ns[-1])
    return Market(
        start_ns=int(tape.ts_ns[0]),
        last_event_ns=last_event_ns,
        end_ns=last_event_ns + (_interval_ns(tape) if bars else 0),
        first_price=float(tape.a[0]),
        closes=[(day, float(last[row])) for day, row in _day_ends(tape)],
    )


def _day_ends(tape: Tape) -> Iterator[tuple[int, int]]:
    """Each UTC day with events, and the row of its last one. Looked up, so that it takes no memory."""
    row = 0
    while row < len(tape):
        day = int(tape.ts_ns[row]) // DAY_NS
        row = int(np.searchsorted(tape.ts_ns, (day + 1) * DAY_NS))
        yield day, row - 1


def _interval_ns(tape: Tape) -> int:
    """The shortest time between two bars; 0 of a single one."""
    starts = range(0, len(tape) - 1, _PIECE)
    return min((int(np.diff(tape.ts_ns[start : start + _PIECE + 1]).min()) for start in starts), default=0)
