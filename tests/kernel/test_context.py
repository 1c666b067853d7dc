"""``ctx`` is the same compiled and interpreted: the same methods with the same arguments, and each is in the guide."""

import inspect
import re
from pathlib import Path

import pytest

from traider.kernel.context import METHODS
from traider.kernel.interpreter import Context

GUIDE = Path(__file__).parents[2] / "docs" / "authors-guide.md"


def test_the_interpreted_context_has_the_methods_of_the_compiled_one() -> None:
    own = {name for name, value in vars(Context).items() if inspect.isfunction(value) and not name.startswith("_")}
    assert own == set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_takes_the_same_arguments_and_says_the_same(name: str) -> None:
    compiled, interpreted = METHODS[name].py_func, getattr(Context, name)
    assert list(inspect.signature(compiled).parameters)[1:] == list(inspect.signature(interpreted).parameters)[1:]
    assert inspect.signature(compiled).return_annotation == inspect.signature(interpreted).return_annotation
    assert inspect.getdoc(compiled)
    assert inspect.getdoc(interpreted)


def test_the_guide_names_every_method() -> None:
    named = set(re.findall(r"`ctx\.(\w+)\(", GUIDE.read_text(encoding="utf-8")))
    assert named == set(METHODS)
