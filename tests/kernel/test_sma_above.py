"""Two averages compared without rounding: a tie is a tie, and the smallest difference is one."""

from fractions import Fraction
from typing import Any

import numba
from hypothesis import example, given
from hypothesis import strategies as st

from tests.kernel.desks import instrument
from traider.kernel.indicators import Sma
from traider.kernel.structs import allocate, describe, read_back, view_of


def sma_of(ticks: list[int], increment: str = "0.01") -> Sma:
    """An average over exactly these prices, given in increments."""
    sma = Sma(len(ticks))
    sma.__bind__(instrument(price=increment))
    for tick in ticks:
        sma.update(tick * float(increment))
    return sma


def mean(ticks: list[int]) -> Fraction:
    return Fraction(sum(ticks), len(ticks))


TICKS = st.lists(st.integers(1, 2**40), min_size=1, max_size=40)
NEAR_TICKS = st.lists(st.integers(0, 2), min_size=1, max_size=40).map(lambda xs: [10**12 + x for x in xs])


@given(st.one_of(st.tuples(TICKS, TICKS), st.tuples(NEAR_TICKS, NEAR_TICKS)))
@example(([1, 3], [2, 2, 2]))
@example(([10**12, 10**12 + 1] * 20, [10**12 + 1, 10**12] * 19))
@example(([10**12] * 39 + [10**12 + 1], [10**12] * 40))
def test_above_is_the_comparison_of_the_exact_means(pair: tuple[list[int], list[int]]) -> None:
    one, other = pair
    first, second = sma_of(one, "1"), sma_of(other, "1")
    assert first.total == sum(one)
    assert first.above(second) == (mean(one) > mean(other))
    assert second.above(first) == (mean(other) > mean(one))


def test_a_difference_of_one_increment_in_half_a_million_prices_is_seen() -> None:
    """Where the two means, as floats, are the same number."""
    length, tick = 500_000, 2**43
    first, second = Sma(length), Sma(length - 1)
    for sma, prices in ((first, length), (second, length - 1)):
        sma.count, sma.total = prices, tick * prices
    assert not first.above(second)
    assert not second.above(first)
    first.total += 1
    assert first.value() == second.value() == tick / 1e8
    assert first.above(second)
    assert not second.above(first)
    first.total -= 2
    assert second.above(first)
    assert not first.above(second)


def test_means_that_alternate_around_a_tie_are_told_apart() -> None:
    """0.1, 0.2 and 0.3 in turn: three in a row have the mean 0.2 whatever floats say, and 0.2 is not above 0.2."""
    fast, slow = Sma(3), Sma(6)
    for sma in (fast, slow):
        sma.__bind__(instrument(price="0.1"))
    for price in [0.1, 0.2, 0.3] * 20:
        fast.update(price)
        slow.update(price)
        if slow.ready():
            assert not fast.above(slow)
            assert not slow.above(fast)
    fast.update(0.2)
    slow.update(0.2)
    assert fast.above(slow) == (Fraction(7, 3) > Fraction(13, 6))


def test_an_average_without_prices_is_above_nothing() -> None:
    empty, full = Sma(3), sma_of([1])
    assert not empty.above(full)
    assert not full.above(empty)
    assert not empty.above(empty)


@given(st.lists(st.integers(-1000, 1000), min_size=3, max_size=3), st.lists(st.integers(-1000, 1000), min_size=2, max_size=2))
def test_differences_of_prices_which_can_be_negative_are_compared_as_well(one: list[int], other: list[int]) -> None:
    assert sma_of(one).above(sma_of(other)) == (mean(one) > mean(other))


def test_the_compiled_comparison_is_the_same() -> None:
    first, second = sma_of([10**12] * 39 + [10**12 + 1], "1"), sma_of([10**12] * 40, "1")
    struct = describe(first)
    view = view_of(struct)

    @numba.njit
    def above(one: Any, other: Any) -> Any:
        return view(one).above(view(other))

    blocks = allocate(first, struct), allocate(second, struct)
    assert above(*blocks)
    assert not above(*blocks[::-1])
    assert not above(blocks[0], blocks[0])
    empty = Sma(40)
    assert not above(allocate(empty, struct), blocks[0])
    read_back(empty, struct, blocks[0])
    assert (empty.total, empty.count) == (first.total, first.count)
