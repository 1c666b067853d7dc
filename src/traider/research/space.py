"""What a search by TPE may choose from: the grid's values, or the ranges that the strategy declares."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from traider.domain.errors import StrategyError
from traider.engine.grid import Axis
from traider.kernel.kit import Parameter, Strategy

WIDE = 1000.0  # high / low from which on a range is searched by its logarithm
_DIGITS = 6  # of a float that is chosen from a declared range


@dataclass(frozen=True)
class Choice:
    """One of these values; ``ordered`` when they ascend, so that near ones are alike."""

    name: str
    values: tuple[object, ...]

    @property
    def ordered(self) -> bool:
        try:
            numbers = [Decimal(str(value)) for value in self.values]
        except InvalidOperation:
            return False
        return numbers == sorted(set(numbers))


@dataclass(frozen=True)
class Range:
    """A number from ``low`` to ``high``; ``logarithmic`` when the two are far apart."""

    name: str
    low: float
    high: float
    whole: bool

    @property
    def logarithmic(self) -> bool:
        return self.low > 0 and self.high / self.low >= WIDE

    def rounded(self, value: float) -> int | float:
        """The value with as many digits as a person would write, inside of the range."""
        return int(value) if self.whole else min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)


Dimension = Choice | Range


def space_of(strategy: type[Strategy], axes: Sequence[Axis], fixed: Collection[str]) -> list[Dimension]:
    """The axes; without any, every parameter with a declared range but ``quantity`` and those that are fixed."""
    if axes:
        return [Choice(name, values) for name, values in axes]
    free = [one for name, one in strategy.parameters.items() if name != "quantity" and name not in fixed]
    space = [_dimension(parameter) for parameter in free if parameter.type is bool or _is_finite(parameter)]
    if not space:
        raise StrategyError(f"strategy {strategy.name} declares no range to search; say what to try: --grid NAME=LOW:HIGH:STEP")
    return space


def size_of(space: Sequence[Dimension]) -> float:
    """How many different sets there are; infinite where a number is not whole."""
    sizes = (len(set(one.values)) if isinstance(one, Choice) else one.high - one.low + 1 if one.whole else math.inf for one in space)
    return math.prod(sizes)


def _is_finite(parameter: Parameter) -> bool:
    return math.isfinite(parameter.low) and math.isfinite(parameter.high)


def _dimension(parameter: Parameter) -> Dimension:
    if parameter.type is bool:
        return Choice(parameter.name, (False, True))
    whole = parameter.type is int
    low, high = (math.ceil(parameter.low), math.floor(parameter.high)) if whole else (parameter.low, parameter.high)
    return Range(parameter.name, low, high, whole)
