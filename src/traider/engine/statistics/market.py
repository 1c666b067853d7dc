"""What statistics have to know of the market: where it began and ended, and each day's last price."""

from dataclasses import dataclass

import numpy as np

from ...domain.vocabulary import EventKind
from ...kernel.layout import DAY_NS
from ..tape import Tape


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
    days = tape.ts_ns // DAY_NS
    ends = np.append(np.flatnonzero(np.diff(days)), len(tape) - 1)
    steps = np.diff(tape.ts_ns)
    last_event_ns = int(tape.ts_ns[-1])
    return Market(
        start_ns=int(tape.ts_ns[0]),
        last_event_ns=last_event_ns,
        end_ns=last_event_ns + (int(steps.min()) if bars and len(steps) else 0),
        first_price=float(tape.a[0]),
        closes=list(zip(days[ends].tolist(), last[ends].tolist(), strict=True)),
    )
