"""A made-up market of one-second bars: plausible, endless, and the same for the same seed.

The price at a moment is a function of seed and moment alone: noise of many periods, from seconds to days, each with an amplitude
that grows with the root of its period, which is how a random walk looks from near and far. So any stretch can be made without the
one before it.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import Instrument
from traider.domain.ports import Clock
from traider.domain.vocabulary import EventKind

INTERVAL_NS = 1_000_000_000
PRICE_INCREMENT = Decimal("0.01")
SIZE_INCREMENT = Decimal("0.00000001")
_POINTS = 8  # prices looked at within a bar
_OCTAVES = 24  # the longest period is 2**23 points: twelve days
_VOLATILITY = 5e-5  # of what the shortest periods add, as a fraction of the price
_MEAN_VOLUME = 0.6

Ints = np.ndarray[Any, np.dtype[np.uint64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


class Generator:
    """Bars of a market that stood at ``anchor`` when bar 0 opened; bar 0 begins where the clock stands."""

    def __init__(self, *, symbol: str, seed: int, clock: Clock, anchor: Decimal) -> None:
        self.symbol = symbol
        self._seed = np.uint64(seed)
        self._anchor = float(anchor)
        self._origin = float(_walk(np.zeros(1, np.int64), self._seed)[0])
        self._base_ns = clock.now_ns() // INTERVAL_NS * INTERVAL_NS

    @property
    def instrument(self) -> Instrument:
        base, _, quote = self.symbol.partition("-")
        return Instrument(
            symbol=self.symbol, base=base, quote=quote or "USD", price_increment=PRICE_INCREMENT, size_increment=SIZE_INCREMENT
        )

    def history(self, start: int, stop: int) -> Sequence[MarketEvent]:
        """The bars from ``start`` to before ``stop``."""
        if stop <= start:
            return []
        count = stop - start
        points = np.arange(start * _POINTS, stop * _POINTS + 1, dtype=np.int64)
        prices = self._anchor * np.exp(_walk(points, self._seed) - self._origin)
        prices = np.maximum(1.0, np.rint(prices * 100.0)) / 100.0
        inside = np.lib.stride_tricks.as_strided(
            prices, (count, _POINTS + 1), (prices.strides[0] * _POINTS, prices.strides[0]), writeable=False
        )
        ranges = inside.max(axis=1) - inside.min(axis=1)
        volumes = (
            np.rint(_MEAN_VOLUME * np.exp(_normal(points[:-1:_POINTS], self._seed, 99)) * (1.0 + ranges / prices[:-1:_POINTS] * 1e4) * 1e4)
            / 1e4
        )
        columns = (inside[:, 0], inside.max(axis=1), inside.min(axis=1), inside[:, -1], volumes)
        return [
            MarketEvent(
                index=index,
                kind=EventKind.BAR,
                symbol=self.symbol,
                ts_ns=self._base_ns + index * INTERVAL_NS,
                a=open_,
                b=high,
                c=low,
                d=close,
                e=volume,
            )
            for index, (open_, high, low, close, volume) in enumerate(zip(*(column.tolist() for column in columns), strict=True), start)
        ]


def _walk(points: "np.ndarray[Any, np.dtype[np.int64]]", seed: np.uint64) -> Floats:
    """The logarithm of the price at these moments, up to a constant."""
    total = np.zeros(len(points))
    for octave in range(_OCTAVES):
        period = 1 << octave
        lattice = points >> octave
        part = (points & (period - 1)) / period
        left, right = _normal(lattice, seed, octave), _normal(lattice + 1, seed, octave)
        total += np.sqrt(period / _POINTS) * (left + (right - left) * part)
    return _VOLATILITY * total


def _normal(positions: "np.ndarray[Any, np.dtype[np.int64]]", seed: np.uint64, stream: int) -> Floats:
    """Numbers that look drawn from a normal distribution, one for each position: sums of four uniform ones."""
    key = _mixed(np.full(1, seed) ^ np.uint64(0x9E3779B97F4A7C15 * (stream + 1) & 0xFFFFFFFFFFFFFFFF))
    bits = _mixed(positions.astype(np.uint64) ^ key)
    total = np.zeros(len(positions))
    for shift in (0, 16, 32, 48):
        total += (bits >> np.uint64(shift)) & np.uint64(0xFFFF)
    normal: Floats = (total / 65536.0 - 2.0) * np.sqrt(3.0)
    return normal


def _mixed(values: Ints) -> Ints:
    """Scrambled bits, each of them depending on all bits of the input (the finisher of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Ints = values ^ (values >> np.uint64(31))
    return mixed
