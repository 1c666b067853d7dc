"""Instances that share machine code are those that the compiler describes alike."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from traider.domain.vocabulary import EventKind
from traider.engine.codes import Codes, state_of
from traider.kernel.events import Bar
from traider.kernel.indicators import Sma
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param
from traider.kernel.loop import Shape
from traider.kernel.structs import describe


class Shaped(Strategy):
    """Its state has another shape for each of its parameters' values."""

    kind: int = param(0, low=0, high=6)
    length: int = param(3, low=1, high=100)

    def setup(self) -> None:
        made: list[Callable[[], object]] = [
            lambda: 1,
            lambda: 1.0,
            lambda: True,
            lambda: np.zeros(self.length),
            lambda: np.zeros(self.length, np.int64),
            lambda: Sma(self.length),
            lambda: 2,
        ]
        self.state = made[self.kind]()

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        """Nothing."""


class Other(Shaped):
    """The same state in another class."""


def test_two_have_one_shape_exactly_when_they_have_one_compiled_type() -> None:
    made = [cls(kind=kind, length=length) for cls in (Shaped, Other) for kind in range(7) for length in (3, 8)]
    shapes, types = [state_of(one) for one in made], [describe(one).name for one in made]
    for (a, b), (x, y) in zip(product(shapes, repeat=2), product(types, repeat=2), strict=True):
        assert (a == b) == (x == y)
    assert len(set(shapes)) == 2 * 6  # an array's length, an average's and a number's value are no part of it


def test_values_that_are_the_same_object_are_no_two_values() -> None:
    apart, shared = Shaped(kind=3), Shaped(kind=3)
    apart.__dict__["more"] = np.zeros(3)
    shared.__dict__["more"] = shared.state
    assert state_of(apart) != state_of(shared)


def test_a_number_that_has_no_place_in_64_bits_is_another_shape() -> None:
    small, large = Shaped(), Shaped()
    large.state = 2**63
    assert state_of(small) != state_of(large)


def test_code_is_looked_up_and_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Strategy] = []

    def compile_strategy(strategy: Strategy, shape: Shape) -> object:
        made.append(strategy)
        return object()

    monkeypatch.setattr("traider.engine.codes.compile_strategy", compile_strategy)
    codes = Codes()
    first, again, other = Shaped(length=5), Shaped(length=50), Shaped(kind=1)
    bars, trades = (Shape(1 << kind, single=True) for kind in (EventKind.BAR, EventKind.TRADE))
    assert codes.of(first, bars) is codes.of(again, bars)
    assert codes.of(other, bars) is not codes.of(first, bars)
    assert made == [first, other]
    codes.of(again, trades)
    assert made == [first, other, again], "another kind of stream is driven by another loop"
