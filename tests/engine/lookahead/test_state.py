"""What a strategy holds, compared between two runs: by name, row and line."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from traider.engine.lookahead.state import Changed, Held, first_changed, hold, values_of

PAST = [1.0, 2.0, 3.0, 4.0]
OTHER = [1.0, 2.0, 9.0, 4.0]


def held(value: object, name: str = "self.x") -> list[Held]:
    one = hold(name, "mine.py:3", value)
    assert one is not None
    return [one]


@pytest.mark.parametrize(
    "make",
    [
        list,
        tuple,
        np.array,
        pd.Series,
        pl.Series,
        lambda values: pd.DataFrame({"a": values, "b": 1.0}),
        lambda values: np.array([values, values]).T,
        lambda values: {number: value for number, value in enumerate(values)},  # noqa: C416 - shows the mapping
        lambda values: [("word", value) for value in values],
        lambda values: [str(value) for value in values],
    ],
    ids=["list", "tuple", "array", "pandas", "polars", "frame", "two columns", "dict", "pairs", "words"],
)
def test_the_first_row_that_differs_is_named(make: object) -> None:
    assert callable(make)
    assert first_changed(held(make(PAST)), held(make(OTHER)), 4) == Changed(name="self.x", row=2, place="mine.py:3")
    assert first_changed(held(make(PAST)), held(make(list(PAST))), 4) is None
    assert first_changed(held(make(PAST)), held(make(PAST[:3])), 4) == Changed(name="self.x", row=3, place="mine.py:3")


@pytest.mark.parametrize(("one", "other"), [(1, 2), (0.1, 0.2), ("a", "b"), (True, False), (None, 1.0), (1.0, [1.0])])
def test_a_single_value_has_no_row(one: object, other: object) -> None:
    assert first_changed(held(one), held(other), 4) == Changed(name="self.x", row=None, place="mine.py:3")


def test_one_that_differs_in_the_past_goes_before_one_that_differs_later() -> None:
    recorded = held(PAST, "later") + held(PAST, "past")
    changed = held([*PAST[:3], 7.0], "later") + held(OTHER, "past")
    assert first_changed(recorded, changed, 3) == Changed(name="past", row=2, place="mine.py:3")
    assert first_changed(recorded, changed[:1], 3) == Changed(name="later", row=3, place="mine.py:3")


def test_what_can_not_be_compared_is_left_out() -> None:
    names = {"__builtins__": 1, "file": object(), "function": print, "number": 3}
    assert [one.name for one in values_of(names, "self.", lambda name: "")] == ["self.number"]
