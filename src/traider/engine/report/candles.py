"""The market as the report's price panel draws it: few enough candles for a page, whatever the length of the tape."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...domain.vocabulary import EventKind
from ..provenance import fidelity_of
from ..simulation_words import Fidelity
from ..statistics.prices import PriceReader, Prices
from ..stream import Stream
from ..tape import Floats, Tape

MOST = 8000
_PIECE = 131_072  # rows looked at together


@dataclass(frozen=True)
class Candles:
    """Equal-length columns in time order. ``ts_ns`` is a candle's first event; ``end_ns`` is where the last event ends."""

    kind: Literal["bars", "trades"]  # what a candle is made of: bars, or single prices
    fidelity: Fidelity  # what orders met
    ts_ns: np.ndarray[Any, np.dtype[np.int64]]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    events_a_candle: int
    bar_interval_ns: int  # 0 for trades
    last_event_ns: int

    @property
    def start_ns(self) -> int:
        return int(self.ts_ns[0])

    @property
    def end_ns(self) -> int:
        return self.last_event_ns + self.bar_interval_ns

    def __len__(self) -> int:
        return len(self.ts_ns)


class CandleReader:
    """Candles of a stream's first instrument, each of equally many events; at most ``most`` of them, whatever the stream's length."""

    def __init__(self, stream: Stream, most: int = MOST) -> None:
        self._prices = PriceReader(stream.kinds)
        self._stride = max(1, -(-stream.rows // most))
        self._bars = bool(stream.kinds & 1 << EventKind.BAR)
        self._fidelity = fidelity_of(stream.kinds)
        self._parts: list[Prices] = []
        self._left = 0  # of the last candle's events, those to come
        self._last_ns = -1
        self._step_ns = 0

    def add(self, chunk: Tape) -> None:
        """The next chunk."""
        for start in range(0, len(chunk), _PIECE):
            self._add(self._prices.of(chunk.part(start, start + _PIECE)))

    def _add(self, prices: Prices) -> None:
        rows = len(prices.ts_ns)
        if not rows:
            return
        if self._bars:
            steps = np.diff(prices.ts_ns, prepend=self._last_ns) if self._last_ns >= 0 else np.diff(prices.ts_ns)
            steps = steps[steps > 0]
            if len(steps):
                self._step_ns = min(int(steps.min()), self._step_ns or int(steps.min()))
        self._last_ns = int(prices.ts_ns[-1])
        starts = np.arange(self._left, rows, self._stride)
        if self._left:
            starts = np.insert(starts, 0, 0)
        ends = np.append(starts[1:], rows) - 1
        part = Prices(
            prices.ts_ns[starts],
            prices.open[starts],
            np.maximum.reduceat(prices.high, starts),
            np.minimum.reduceat(prices.low, starts),
            prices.close[ends],
        )
        if self._left:
            self._parts[-1:] = [_continued(self._parts[-1], part)]
        else:
            self._parts.append(part)
        self._left = (self._left - rows) % self._stride

    def candles(self) -> Candles:
        """Of all chunks that were added."""
        ts_ns, open_, high, low, close = (np.concatenate(columns) for columns in zip(*self._parts, strict=True))
        return Candles(
            kind="bars" if self._bars else "trades",
            fidelity=self._fidelity,
            ts_ns=ts_ns,
            open=open_,
            high=high,
            low=low,
            close=close,
            events_a_candle=self._stride,
            bar_interval_ns=self._step_ns,
            last_event_ns=self._last_ns,
        )


def candles_of(stream: Stream, most: int = MOST) -> Candles:
    """The candles of a stream that is not empty."""
    reader = CandleReader(stream, most)
    for chunk in stream.chunks():
        reader.add(chunk)
    return reader.candles()


def _continued(before: Prices, part: Prices) -> Prices:
    """Both, of which the last candle of the one goes on in the first of the other."""
    joined = [
        before.ts_ns[-1:],
        before.open[-1:],
        np.maximum(before.high[-1:], part.high[:1]),
        np.minimum(before.low[-1:], part.low[:1]),
        part.close[:1],
    ]
    return Prices(*(np.concatenate((old[:-1], both, new[1:])) for old, both, new in zip(before, joined, part, strict=True)))
