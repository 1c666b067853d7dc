"""Parameters and handlers of strategies: what is taken, and what is told in one line."""

import math
from typing import Any

import numpy as np
import pytest

from tests.kernel.desks import instrument
from traider.domain.errors import StrategyError
from traider.kernel.indicators import Sma
from traider.kernel.kit import Strategy, bind, param
from traider.kernel.structs import Stateful


class Sample(Strategy):
    window: int = param(20, low=1, high=500, help="bars")
    width: float = param(0.5, low=-1.0)
    careful: bool = param(False)

    def setup(self) -> None:
        self.ready_at = self.window * 2

    def on_bar(self, bar: Any, ctx: Any) -> None: ...


class Derived(Sample):
    window: int = param(30, low=10, high=40)
    extra: float = param(1.0)
    name = "of_its_own"

    def on_fill(self, fill: Any, ctx: Any) -> None: ...


def test_parameters_have_their_defaults_and_setup_runs_after_them() -> None:
    sample = Sample()
    assert sample.values() == {"quantity": 1.0, "window": 20, "width": 0.5, "careful": False}
    assert sample.ready_at == 40
    assert Sample(window=7).ready_at == 14


@pytest.mark.parametrize(
    ("name", "given", "parsed"),
    [
        ("window", "7", 7),
        ("window", 7, 7),
        ("window", 7.0, 7),
        ("window", 1, 1),
        ("window", 500, 500),
        ("width", "0.25", 0.25),
        ("width", 3, 3.0),
        ("width", "1e3", 1000.0),
        ("width", -1, -1.0),
        ("careful", "true", True),
        ("careful", "False", False),
        ("careful", "1", True),
        ("careful", True, True),
        ("quantity", "0", 0.0),
    ],
)
def test_a_parameter_is_parsed_into_its_type(name: str, given: object, parsed: object) -> None:
    value = Sample(**{name: given}).values()[name]
    assert value == parsed
    assert type(value) is type(parsed)


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("window", "7.5", "parameter window: '7.5' is not a whole number"),
        ("window", 7.5, "parameter window: 7.5 is not a whole number"),
        ("window", "many", "parameter window: 'many' is not a whole number"),
        ("window", True, "parameter window: True is not a whole number"),
        ("window", None, "parameter window: None is not a whole number"),
        ("window", 0, "parameter window: 0 is out of range; give a whole number from 1 to 500"),
        ("window", "501", "parameter window: 501 is out of range; give a whole number from 1 to 500"),
        ("window", math.inf, "parameter window: inf is not a whole number"),
        ("width", "wide", "parameter width: 'wide' is not a number"),
        ("width", "nan", "parameter width: nan is out of range; give a number of at least -1"),
        ("width", "inf", "parameter width: inf is out of range; give a number of at least -1"),
        ("width", "-1.5", "parameter width: -1.5 is out of range; give a number of at least -1"),
        ("width", "1e999", "parameter width: inf is out of range; give a number of at least -1"),
        ("width", "9" * 400, "parameter width: inf is out of range; give a number of at least -1"),
        ("width", int("9" * 400), "is not a number"),
        ("careful", "perhaps", "parameter careful: 'perhaps' is not true or false"),
        ("careful", 2, "parameter careful: 2 is not true or false"),
        ("quantity", "-1", "parameter quantity: -1.0 is out of range; give a number of at least 0"),
        ("speed", 1, "strategy sample has no parameter speed; it has: quantity, window, width, careful"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(name: str, given: object, told: str) -> None:
    with pytest.raises(StrategyError) as caught:
        Sample(**{name: given})
    assert str(caught.value).endswith(told)
    assert "\n" not in str(caught.value)


def test_a_whole_number_that_64_bits_do_not_hold_is_out_of_range() -> None:
    class Free(Strategy):
        count: int = param(0)

    assert Free(count=2**63 - 1).values()["count"] == 2**63 - 1
    for given in (2**63, -(2**63) - 1, "9" * 400):
        with pytest.raises(StrategyError, match="out of range"):
            Free(count=given)


def test_a_derived_strategy_adds_and_overrides() -> None:
    assert Derived().values() == {"quantity": 1.0, "window": 30, "width": 0.5, "careful": False, "extra": 1.0}
    with pytest.raises(StrategyError, match="give a whole number from 10 to 40"):
        Derived(window=5)
    assert (Sample.name, Derived.name) == ("sample", "of_its_own")
    assert (Sample.handlers(), Derived.handlers()) == (("on_bar",), ("on_bar", "on_fill"))


def test_a_parameter_of_another_type_is_refused_where_the_class_is_written() -> None:
    with pytest.raises(StrategyError, match=r"Wrong\.text: a parameter is annotated int, float or bool"):

        class Wrong(Strategy):
            text: str = param("x")  # type: ignore[arg-type]  # that is the point


def test_a_failing_setup_is_told_by_its_line() -> None:
    class Failing(Strategy):
        def setup(self) -> None:
            self.closes = np.zeros(3)[5]

    line = Failing.setup.__code__.co_firstlineno + 1
    with pytest.raises(StrategyError) as caught:
        Failing()
    assert str(caught.value).startswith("strategy failing: setup() failed: IndexError: index 5 is out of bounds")
    assert str(caught.value).endswith(f"{__file__}:{line}")


def test_an_annotation_that_means_nothing_at_run_time_is_told() -> None:
    namespace: dict[str, Any] = {"__name__": "probe", "Strategy": Strategy}
    source = "from __future__ import annotations\nclass Probe(Strategy):\n    book: OrderBook = None\n"
    with pytest.raises(StrategyError, match="Probe: an annotation names OrderBook, which is not there when the strategy runs"):
        exec(source, namespace)


def test_every_indicator_wherever_it_is_learns_the_price_increment() -> None:
    class Part(Stateful):
        def __init__(self) -> None:
            self.mean = Sma(3)

    class Nested(Strategy):
        def setup(self) -> None:
            self.part = Part()
            self.mean = Sma(5)

    nested = Nested()
    bind(nested, instrument(price="0.25"))
    assert (nested.part.mean.increments_per_unit, nested.mean.increments_per_unit) == (4.0, 4.0)
