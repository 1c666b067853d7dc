"""A strategy's parameters as JSON Schema say what the strategy itself accepts."""

import math

import pytest

from traider.domain.errors import StrategyError
from traider.kernel.events import Bar
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param
from traider.strategies.registry import BUILT_IN
from traider.strategies.schema import parameters_schema


class Shown(Strategy):
    """Shows every kind of parameter.

    Not this line.
    """

    window: int = param(20, low=1, high=500, help="bars in the average")
    width: float = param(2.0, low=0.0)
    careful: bool = param(True)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        """Nothing."""


def test_every_parameter_is_told_with_type_range_default_and_help() -> None:
    schema = parameters_schema(Shown)
    assert schema["description"] == "Shows every kind of parameter."
    assert schema["properties"] == {
        "quantity": {"type": "number", "default": 1.0, "minimum": 0.0, "description": "size of one entry, in base currency"},
        "window": {"type": "integer", "default": 20, "minimum": 1, "maximum": 500, "description": "bars in the average"},
        "width": {"type": "number", "default": 2.0, "minimum": 0.0},
        "careful": {"type": "boolean", "default": True},
    }
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("cls", [Shown, *BUILT_IN.values()])
def test_what_the_schema_allows_is_what_the_strategy_accepts(cls: type[Strategy]) -> None:
    for name, told in parameters_schema(cls)["properties"].items():
        for end, beyond in (("minimum", -math.inf), ("maximum", math.inf)):
            if end in told:
                assert vars(cls(**{name: told[end]}))[name] == told[end]
                outside = told[end] + math.copysign(1, beyond) if told["type"] == "integer" else math.nextafter(told[end], beyond)
                with pytest.raises(StrategyError, match="out of range"):
                    cls(**{name: outside})
