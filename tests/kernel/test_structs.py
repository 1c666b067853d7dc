"""A strategy's state as a block of bytes: what is put in comes out, wherever the block lies."""

from typing import Annotated, Any

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.samples import Everything, Range
from traider.domain.vocabulary import EventKind
from traider.kernel.compiler import compile_strategy
from traider.kernel.indicators import Sma, Std
from traider.kernel.loop import Shape
from traider.kernel.structs import Stateful, allocate, describe, read_back, view_of

WHOLE = st.integers(-(2**63), 2**63 - 1)
REAL = st.floats(allow_nan=True, width=64)


class Leaf(Stateful):
    def __init__(self, weight: float, counts: list[int]) -> None:
        self.weight = weight
        self.counts = np.array(counts, np.int64)


class Tree(Stateful):
    share: float

    def __init__(self, flag: bool, number: int, real: float, values: list[float], leaves: tuple[Leaf, Leaf]) -> None:
        self.flag = flag
        self.number = number
        self.values = np.array(values)
        self.left, self.right = leaves
        self.real = real
        self.share = number

    def grow(self, by: float, times: int = 2) -> float:
        """Changes everything that there is."""
        for _ in range(times):
            self.step(by)
        return self.real

    def step(self, by: float) -> None:
        self.flag = not self.flag
        self.number += len(self.values)
        self.real += by
        self.share = self.share / 2
        for i in range(len(self.values)):
            self.values[i] = -self.values[i] + self.left.weight
        self.right.counts[:] += 1
        self.left.weight *= 2.0


LEAF = st.builds(Leaf, REAL, st.lists(WHOLE, max_size=5))
TREE = st.builds(Tree, st.booleans(), WHOLE, REAL, st.lists(REAL, max_size=7), st.tuples(LEAF, LEAF))


def values_of(part: Any) -> Any:
    """Everything in it, so that equal means equal bit for bit."""
    if isinstance(part, Stateful):
        return {name: values_of(value) for name, value in vars(part).items()}
    if isinstance(part, np.ndarray):
        return part.tobytes()
    return np.float64(part).tobytes() if isinstance(part, float) else part


def sample() -> Tree:
    return Tree(True, 3, 0.5, [1.0, -2.0, 0.25], (Leaf(1.5, [7]), Leaf(2.5, [8, 9])))


@given(TREE, TREE)
def test_what_is_put_in_comes_out(tree: Tree, other: Tree) -> None:
    other.values = np.zeros(len(tree.values))
    other.left.counts = np.zeros(len(tree.left.counts), np.int64)
    other.right.counts = np.zeros(len(tree.right.counts), np.int64)
    struct = describe(tree)
    tree.share = float(tree.share)
    read_back(other, struct, allocate(tree, struct))
    assert values_of(other) == values_of(tree)


@given(st.lists(st.floats(), max_size=3), st.lists(st.floats(), max_size=30))
def test_the_length_of_an_array_is_no_part_of_the_type(short: list[float], long: list[float]) -> None:
    one, other = sample(), sample()
    one.values, other.values = np.array(short), np.array(long)
    assert describe(one).name == describe(other).name
    assert describe(one) == describe(other)


def test_the_kind_of_an_attribute_is_part_of_the_type() -> None:
    one, other = sample(), sample()
    other.number = 3.0  # type: ignore[assignment]  # that is the point
    assert describe(one) != describe(other)
    other = sample()
    other.values = np.zeros(3, np.int64)
    assert describe(one) != describe(other)


def test_what_is_declared_a_float_is_one_even_where_it_begins_as_a_whole_number() -> None:
    tree = sample()
    assert isinstance(tree.share, int)
    assert describe(tree).fields["share"].kind == "float"


def test_one_compiled_strategy_serves_all_its_parameters() -> None:
    codes = {
        compile_strategy(Everything(window=window, width=window / 3, quantity=window), Shape(1 << EventKind.BAR, single=True))
        for window in (1, 2, 300)
    }
    assert len(codes) == 1


def grown(block: Any, by: float, view: Any) -> None:
    @numba.njit
    def grow(block: Any, by: float) -> Any:
        return view(block).grow(by)

    grow(block, by)


def test_compiled_methods_change_the_block_as_interpreted_ones_change_the_object() -> None:
    tree = sample()
    struct = describe(tree)
    block = allocate(tree, struct)
    grown(block, 0.125, view_of(struct))
    assert tree.grow(0.125) == 0.75
    result = sample()
    read_back(result, struct, block)
    assert values_of(result) == values_of(tree)


@pytest.mark.parametrize("offset", [0, 8, 4096])
def test_a_copy_of_the_block_is_a_copy_of_the_state_wherever_it_lies(offset: int) -> None:
    struct = describe(sample())
    block = allocate(sample(), struct)
    before = block.copy()
    elsewhere = np.full(offset + len(block) + 64, 0xAA, np.uint8)
    elsewhere[offset : offset + len(block)] = block
    copy = elsewhere[offset : offset + len(block)]
    grown(copy, 0.125, view_of(struct))
    assert block.tobytes() == before.tobytes(), "the first is as it was"
    assert (elsewhere[:offset] == 0xAA).all()
    assert (elsewhere[offset + len(block) :] == 0xAA).all()
    tree, result = sample(), sample()
    tree.grow(0.125)
    read_back(result, struct, copy)
    assert values_of(result) == values_of(tree)


def test_numbers_of_the_class_are_part_of_the_state() -> None:
    struct = describe(Everything())
    assert struct.fields["STEP"].kind == "int"
    assert "name" not in struct.fields


class Said(Stateful):
    share: Annotated[float, "of the whole"]

    def __init__(self) -> None:
        self.share = 1


def test_an_annotation_with_more_to_it_means_its_type() -> None:
    assert describe(Said()).fields["share"].kind == "float"


def test_an_index_that_is_never_negative_comes_back_as_the_number_that_it_is() -> None:
    sma, same = Sma(3), Sma(3)
    struct = describe(sma)
    assert struct.fields["slot"].kind == "slot"
    view = view_of(struct)

    @numba.njit
    def update(block: Any, price: float) -> Any:
        return view(block).update(price)

    block = allocate(sma, struct)
    for number, price in enumerate((4.0, 8.0, 3.0, 5.0, 9.0, 1.0, 2.0)):
        assert update(block, price) == same.update(price)
        read_back(sma, struct, block)
        assert sma.slot == same.slot == (number + 1) % 3


def test_a_part_of_the_authors_own_has_its_methods_compiled() -> None:
    part = Range(3)
    struct = describe(part)
    view = view_of(struct)

    @numba.njit
    def run(block: Any, closes: Any) -> Any:
        part = view(block)
        for close in closes:
            part.take(close)
        return part.middle(), part.middle(0.25), part.full

    closes = np.array([5.0, 1.0, 2.0, 4.0])
    compiled = run(allocate(part, struct), closes)
    for close in closes.tolist():
        part.take(close)
    assert compiled == (part.middle(), part.middle(0.25), part.full) == (2.5, 1.75, True)


def test_the_kits_own_methods_are_told_from_an_authors() -> None:
    """The kit guards its divisors and its indexes; an author's are checked."""
    own, authors = (describe(part).methods for part in (Std(3), Range(3)))
    assert own["update"].targetoptions["error_model"] == "numpy"
    assert not own["update"].targetoptions.get("boundscheck")
    assert authors["take"].targetoptions["error_model"] == "python"
    assert authors["take"].targetoptions["boundscheck"]


def test_an_indicator_that_was_used_before_goes_on_where_it_was() -> None:
    std = Std(3)
    for price in (1.0, 5.0, 2.0, 8.0):
        std.update(price)
    struct = describe(std)
    view = view_of(struct)

    @numba.njit
    def update(block: Any, price: float) -> Any:
        return view(block).update(price)

    assert update(allocate(std, struct), 3.0) == std.update(3.0)
