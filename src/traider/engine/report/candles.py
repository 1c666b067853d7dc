"""The market as the report's price panel draws it: few enough candles for a page, whatever the length of the tape."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...domain.vocabulary import EventKind
from ..tape import Floats, Tape

MOST = 8000


@dataclass(frozen=True)
class Candles:
    """Equal-length columns in time order. ``ts_ns`` is a candle's first event; ``end_ns`` is where the last event ends."""

    kind: Literal["bars", "trades"]
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


def candles_of(tape: Tape, most: int = MOST) -> Candles:
    """At most this many candles of a tape of one instrument that is not empty, each of equally many events."""
    bars = int(tape.kind[0]) == EventKind.BAR
    stride = -(-len(tape) // most)
    starts = np.arange(0, len(tape), stride)
    ends = np.minimum(starts + stride, len(tape)) - 1
    open_, high, low, close = (tape.a, tape.b, tape.c, tape.d) if bars else (tape.a,) * 4
    steps = np.diff(tape.ts_ns)
    return Candles(
        kind="bars" if bars else "trades",
        ts_ns=tape.ts_ns[starts],
        open=open_[starts],
        high=np.maximum.reduceat(high, starts),
        low=np.minimum.reduceat(low, starts),
        close=close[ends],
        events_a_candle=stride,
        bar_interval_ns=int(steps.min()) if bars and len(steps) else 0,
        last_event_ns=int(tape.ts_ns[-1]),
    )
