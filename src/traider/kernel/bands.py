"""Volatility price bands: how far from the market an order's price may lie, measured by what the market did lately.

Returns are taken between the last prices of equal spans of time, so that a busy tape and a quiet one are measured alike. With
bars as long as the span, that is one return a bar. A span that is still running counts only when it is over, so the band at an
event hangs on earlier spans alone.
"""

import math
from typing import Any

import numpy as np

from .jit import compiled
from .layout import MAX_WINDOW

STD = 0  # sample standard deviation of the window's returns
EWMA = 1  # square root of the exponentially weighted mean of squared returns, the first one as seed
ATR = 2  # mean of the window's absolute returns

UNKNOWN = -1.0  # the width while there are too few returns
ROUNDING = 4e-15  # what floats make of price times (1 + width), as a fraction: far below any price increment


@compiled
def see(band: Any, settings: Any, ts_ns: int, price: float) -> None:
    """Takes in the market's price at this time."""
    if ts_ns >= band.span_end_ns:
        if band.last_price > 0.0:
            if band.closed_price > 0.0:
                _add_return(band, settings, band.last_price / band.closed_price - 1.0)
            band.closed_price = band.last_price
        band.span_end_ns = (ts_ns // settings.span_ns + 1) * settings.span_ns
    band.last_price = price


@compiled
def _add_return(band: Any, settings: Any, change: float) -> None:
    band.window[band.returns % MAX_WINDOW] = change
    if band.returns == 0:
        band.variance = change * change
    else:
        band.variance = settings.alpha * band.variance + (1.0 - settings.alpha) * change * change
    band.returns += 1


@compiled
def width(band: Any, settings: Any) -> float:
    """Half of the band, as a fraction of the market's price; ``UNKNOWN`` while there are too few returns."""
    length = settings.length
    if band.returns < length:
        return UNKNOWN
    if settings.method == EWMA:
        return float(settings.multiplier * math.sqrt(band.variance))
    if settings.method == ATR:
        total = 0.0
        for i in range(length):
            total += abs(band.window[(band.returns - 1 - i) % MAX_WINDOW])
        return float(settings.multiplier * total / length)
    return float(settings.multiplier * _deviation(band, length))


@compiled
def _deviation(band: Any, length: int) -> float:
    mean = 0.0
    for i in range(length):
        mean += band.window[(band.returns - 1 - i) % MAX_WINDOW]
    mean /= length
    squares = 0.0
    for i in range(length):
        off = band.window[(band.returns - 1 - i) % MAX_WINDOW] - mean
        squares += off * off
    return float(np.sqrt(squares / (length - 1)))


@compiled
def is_outside(price: float, mark: float, half: float) -> bool:
    """Whether the price is further from the mark than this fraction of it; at the value itself it is inside."""
    return bool(price > mark * (1.0 + half) * (1.0 + ROUNDING) or price < mark * (1.0 - half) * (1.0 - ROUNDING))
