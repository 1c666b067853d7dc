"""``round`` in compiled code is Python's, to the last bit."""

import math
import struct

import numba
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from traider.kernel import rounding  # noqa: F401  # puts the exact form in place


@numba.njit
def compiled(x: float, digits: int) -> float:
    return round(x, digits)


def bits(x: float) -> bytes:
    return struct.pack("<d", x)


DECIMALS = st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 9)).map(lambda of: of[0] / 10 ** of[1])


@settings(max_examples=2000)
@given(st.one_of(DECIMALS, st.floats(-1e6, 1e6), st.floats(allow_nan=False, allow_infinity=False)), st.integers(0, 22))
@example(9191.55, 1)
@example(2.675, 2)
@example(0.5, 0)
@example(1.5, 0)
@example(2.5, 0)
@example(-0.001, 2)
@example(-2.5, 0)
@example(4503599627370497.5, 1)
@example(450360.33132023766, 10)  # the product is above 2**52
@example(5e-324, 22)
def test_it_is_pythons_own(x: float, digits: int) -> None:
    assert bits(compiled(x, digits)) == bits(round(x, digits))


@given(st.floats(-(2.0**52), 2.0**52), st.integers(-15, -1))
@example(1250.0, -2)
@example(1350.0, -2)
@example(-1250.0, -2)
def test_digits_before_the_point_too(x: float, digits: int) -> None:
    assert bits(compiled(x, digits)) == bits(round(x, digits))


@pytest.mark.parametrize("x", [math.inf, -math.inf, math.nan])
def test_what_is_no_number_stays(x: float) -> None:
    assert bits(compiled(x, 2)) == bits(round(x, 2))
