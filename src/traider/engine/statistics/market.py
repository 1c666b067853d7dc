"""What statistics have to know of the market: where it began and ended, and each day's last price."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...domain.errors import DataError
from ...domain.vocabulary import BAR_MADE, KIND_BITS, EventKind
from ...kernel.layout import DAY_NS
from ..stream import Stream
from ..tape import Tape
from .prices import PriceReader

_PIECE = 131_072  # rows looked at together, so that it takes no memory worth mentioning

Times = np.ndarray[Any, np.dtype[np.int64]]


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


class MarketReader:
    """A market, told from the chunks of its stream. Of several instruments it is about the first."""

    def __init__(self, kinds: int) -> None:
        self._prices = PriceReader(kinds)
        self._has_bars = bool(kinds & 1 << EventKind.BAR)
        self._starts: list[int] = []
        self._last_ns = 0
        self._first_price = math.nan
        self._closes: dict[int, float] = {}
        self._bars: dict[int, tuple[int, int]] = {}  # by instrument: the last bar's start, and the shortest step

    def add(self, chunk: Tape) -> None:
        """The next chunk."""
        for start in range(0, len(chunk), _PIECE):
            self._add(chunk.part(start, start + _PIECE))

    def _add(self, chunk: Tape) -> None:
        self._starts = [min([*self._starts, int(chunk.ts_ns[0])])]
        self._last_ns = max(self._last_ns, int(chunk.ts_ns[-1] if chunk.kinds.bit_count() == 1 else chunk.ts_ns.max()))
        prices = self._prices.of(chunk)
        if len(prices.ts_ns):
            if math.isnan(self._first_price):
                self._first_price = float(prices.open[0])
            self._closes |= {day: float(prices.close[row]) for day, row in _day_ends(prices.ts_ns)}
        if self._has_bars:
            self._add_bars(chunk)

    def _add_bars(self, chunk: Tape) -> None:
        is_bar = (chunk.kind & np.uint8(KIND_BITS | BAR_MADE)) == EventKind.BAR
        for number in range(chunk.instruments):
            ts_ns = chunk.ts_ns[is_bar & (chunk.inst == number)] if chunk.instruments > 1 else chunk.ts_ns[is_bar]
            if not len(ts_ns):
                continue
            last_ns, shortest = self._bars.get(number, (0, 0))
            steps = np.diff(ts_ns) if number not in self._bars else np.diff(ts_ns, prepend=last_ns)
            if len(steps):
                shortest = min(int(steps.min()), shortest or int(steps.min()))
            self._bars[number] = int(ts_ns[-1]), shortest

    def market(self) -> Market:
        """Bars count for the day that they begin in, as the account's do. DataError where no event had a price."""
        if not self._closes:
            raise DataError("the market data hold no price of the first instrument; give bars, trades, quotes or an order book of it")
        return Market(
            start_ns=self._starts[0],
            last_event_ns=self._last_ns,
            end_ns=max([self._last_ns, *(last_ns + step_ns for last_ns, step_ns in self._bars.values())]),
            first_price=self._first_price,
            closes=sorted(self._closes.items()),
        )


def market_of(stream: Stream) -> Market:
    """Of a stream that is not empty."""
    reader = MarketReader(stream.kinds)
    for chunk in stream.chunks():
        reader.add(chunk)
    return reader.market()


def _day_ends(ts_ns: Times) -> Iterator[tuple[int, int]]:
    """The rows behind which another UTC day begins, and the last one, with their days."""
    days = ts_ns // DAY_NS
    for row in np.flatnonzero(np.append(days[1:] != days[:-1], True)).tolist():
        yield int(days[row]), row
