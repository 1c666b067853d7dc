"""``round(x, digits)`` in compiled code as in Python: to the decimal that is nearest to the float as it is.

numba multiplies, rounds and divides, and so takes 9191.55, which as a float is a little less, for a tie. An order's price would
then differ between a strategy that is compiled and the same one interpreted. Importing this module puts the exact form in place.
"""

import math
from typing import Any

import numba
from numba import types
from numba.core.imputils import lower_builtin

_POWERS = tuple(10.0**n for n in range(23))  # those that floats hold exactly
_CLOSER = 2.0**53  # from here on decimals of so many digits lie closer together than floats: the nearest is the float itself
_SPLIT = 134217729.0  # 2**27 + 1 (Dekker 1971)


@numba.njit(nogil=True)
def _product_error(a: float, b: float, product: float) -> float:
    """What the product of two floats lost to rounding, exactly (Dekker 1971)."""
    scaled = _SPLIT * a
    a_high = scaled - (scaled - a)
    a_low = a - a_high
    scaled = _SPLIT * b
    b_high = scaled - (scaled - b)
    b_low = b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def round_to_digits(x: float, digits: int) -> float:
    """The nearest decimal with so many digits, of two equally near the even one: Python's own, for up to 22 digits.

    Before the point (fewer than 0 digits) it is so for numbers that floats hold to the unit.
    """
    if not abs(x) < math.inf or digits > 22 or digits < -22:
        return x
    if digits < 0:
        step = _POWERS[-digits]
        rest = abs(x) % step
        below = abs(x) - rest
        if 2.0 * rest > step or (2.0 * rest == step and (below / step) % 2.0 != 0.0):
            below += step
        return math.copysign(below, x)
    power = _POWERS[digits]
    product = x * power
    if abs(product) >= _CLOSER:
        return x
    whole = math.floor(product)
    beyond_half = (product - whole - 0.5) + _product_error(x, power, product)
    if beyond_half > 0.0 or (beyond_half == 0.0 and whole % 2 != 0):
        whole += 1
    return math.copysign(whole / power, x)


@lower_builtin(round, types.float64, types.Integer)
def _exact_round(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return context.compile_internal(builder, round_to_digits, signature, args)
