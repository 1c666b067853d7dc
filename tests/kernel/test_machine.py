"""What is done below Python gives what Python gives."""

import random

import numba
from hypothesis import given
from hypothesis import strategies as st

from traider.kernel.machine import nearest, product_above


@numba.njit
def compiled_product_above(a: int, b: int, c: int, d: int) -> bool:
    return product_above(a, b, c, d)


def test_products_are_compared_exactly_whatever_their_size() -> None:
    rng = random.Random(4)
    largest = 2**63 - 1
    numbers = [0, 1, -1, 2, 3, 10**9, largest, -largest - 1, largest - 1, 2**32, 2**32 + 1]
    numbers += [rng.randrange(-(2 ** rng.randrange(1, 63)), 2 ** rng.randrange(1, 63)) for _ in range(20)]
    cases = [tuple(rng.choices(numbers, k=4)) for _ in range(3000)]
    cases += [(a, b, b, a) for a in numbers for b in numbers]  # ties
    assert any(a * b > largest for a, b, _, _ in cases)
    for case in cases:
        a, b, c, d = case
        assert compiled_product_above(a, b, c, d) == (a * b > c * d) == product_above(a, b, c, d), case


@numba.njit
def compiled_nearest(value: float) -> int:
    return nearest(value)


HALVES = st.integers(-(2**40), 2**40).map(lambda whole: whole + 0.5)


@given(st.one_of(st.floats(-(2.0**62), 2.0**62), HALVES))
def test_the_nearest_whole_number_is_that_of_python_and_halves_go_to_the_even_one(value: float) -> None:
    assert compiled_nearest(value) == nearest(value) == round(value)
