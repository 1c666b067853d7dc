"""How long a message is under way: constant, drawn from a seeded distribution, or looked up in a recorded series."""

import math
from typing import Any

import numpy as np

from .jit import compiled
from .layout import LATENCY_CONSTANT, LATENCY_LOGNORMAL
from .machine import integer_at

_ROW = 3  # ts_ns, out_ns, back_ns
_UNIT = 1.0 / 9007199254740992.0  # 2**-53


@compiled
def uniform(desk: Any) -> float:
    """The next number above 0 and up to 1 of the run's generator: SplitMix64 (Steele, Lea and Flood 2014)."""
    settings = desk.settings
    settings.random += np.uint64(0x9E3779B97F4A7C15)
    x = settings.random
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return float(np.int64(x >> np.uint64(11)) + 1) * _UNIT


@compiled
def normal(desk: Any) -> float:
    """A draw from the standard normal distribution (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(uniform(desk)))
    return radius * math.cos(2.0 * math.pi * uniform(desk))


@compiled
def _recorded(desk: Any, at_ns: int, column: int) -> int:
    """Of the last row before this time; of the first one before there was any."""
    settings = desk.settings
    low = 0
    high = settings.latency_rows
    while high - low > 1:
        middle = (low + high) >> 1
        if integer_at(settings.latency_at, middle * _ROW) <= at_ns:
            low = middle
        else:
            high = middle
    return int(integer_at(settings.latency_at, low * _ROW + column))


@compiled
def _delay(desk: Any, at_ns: int, median_ns: int, column: int) -> int:
    settings = desk.settings
    if settings.latency_kind == LATENCY_CONSTANT:
        return int(median_ns)
    if settings.latency_kind == LATENCY_LOGNORMAL:
        return int(min(median_ns * math.exp(settings.latency_sigma * normal(desk)), 9e17))
    return _recorded(desk, at_ns, column)


@compiled
def delay_out(desk: Any, at_ns: int) -> int:
    """Nanoseconds from a decision at this time to the venue."""
    return _delay(desk, at_ns, desk.settings.latency_out_ns, 1) if desk.settings.latency != 0 else 0


@compiled
def delay_back(desk: Any, at_ns: int) -> int:
    """Nanoseconds from a fill at this time to the strategy."""
    return _delay(desk, at_ns, desk.settings.latency_back_ns, 2) if desk.settings.latency != 0 else 0
