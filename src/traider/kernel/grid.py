"""Whole increments of price and size, as the floats nearest to those decimals.

Rounded as floats: a number of increments beyond 64 bits has to stay the number that it is.
"""

from typing import Any

import numpy as np

from .jit import compiled, inlined
from .machine import nearest, seldom


@compiled
def _on_coarse_grid(value: float, num: float, den: float) -> float:
    seldom()  # and a call, or both would be computed each time to choose one
    return float(np.rint(value * den / num) * num / den + 0.0)


_ROUNDING = 1e-15  # what a sum or a product of prices is off by at most, as a fraction


@inlined
def on_grid(value: float, num: float, den: float) -> float:
    """The multiple of num/den nearest to the value."""
    if num == 1.0:  # nearly every increment: half the divisions
        return float(np.rint(value * den) / den + 0.0)  # no negative zero
    return _on_coarse_grid(value, num, den)


@inlined
def is_multiple(value: float, num: float, den: float) -> bool:
    """Whether the value is the float nearest to a whole number of increments num/den."""
    return bool(on_grid(value, num, den) == value)


@compiled
def size_on_grid(desk: Any, inst: int, size: float) -> float:
    """The multiple of the size increment nearest to the size."""
    instrument = desk.instruments[inst]
    return on_grid(size, instrument.size_num, instrument.size_den)


@compiled
def size_below(desk: Any, inst: int, size: float) -> float:
    """The largest multiple of the size increment that is not above the size."""
    instrument = desk.instruments[inst]
    nearest = np.rint(size * instrument.size_den / instrument.size_num)
    if nearest * instrument.size_num / instrument.size_den > size:
        nearest -= 1.0
    return float(nearest * instrument.size_num / instrument.size_den)


@compiled
def price_on_grid(desk: Any, inst: int, price: float) -> float:
    """The multiple of the price increment nearest to the price."""
    instrument = desk.instruments[inst]
    return on_grid(price, instrument.price_num, instrument.price_den)


@compiled
def worse_price(desk: Any, inst: int, side: int, price: float) -> float:
    """The nearest whole number of increments that is no better for this side; a price on the grid, but for rounding, stays."""
    instrument = desk.instruments[inst]
    nearest = on_grid(price, instrument.price_num, instrument.price_den)
    if side * (nearest - price) >= -_ROUNDING * price:
        return nearest
    return on_grid(nearest + side * instrument.price_num / instrument.price_den, instrument.price_num, instrument.price_den)


@compiled
def ticks(desk: Any, inst: int, price: float) -> int:
    """The price in whole increments."""
    instrument = desk.instruments[inst]
    if instrument.price_num == 1.0:
        return nearest(price * instrument.price_den)
    return nearest(price * instrument.price_den / instrument.price_num)
