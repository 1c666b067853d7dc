"""The parameter sets of a sweep: a grid, or a random draw from one."""

import itertools
import random
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from ..domain.errors import StrategyError

MAX_TRIALS = 1_000_000
Axis = tuple[str, tuple[object, ...]]


def parse_axis(text: str) -> Axis:
    """``name=low:high:step`` (both ends included, exact decimals) or ``name=v1,v2,v3``."""
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise StrategyError(f"--grid {text}: write NAME=LOW:HIGH:STEP or NAME=V1,V2,V3, for example fast=5:50:5")
    if ":" not in values:
        return name, tuple(value.strip() for value in values.split(","))
    parts = values.split(":")
    if len(parts) != 3:
        raise StrategyError(f"--grid {text}: write the range as LOW:HIGH:STEP")
    try:
        low, high, step = (Decimal(part) for part in parts)
    except InvalidOperation:
        raise StrategyError(f"--grid {text}: LOW, HIGH and STEP are numbers") from None
    if not (low.is_finite() and high.is_finite() and step.is_finite()) or step <= 0 or high < low:
        raise StrategyError(f"--grid {text}: LOW may not be above HIGH, and STEP is above zero")
    count = int((high - low) / step) + 1
    if count > MAX_TRIALS:
        raise StrategyError(f"--grid {text}: that is {count:,} values; at most {MAX_TRIALS:,} are supported")
    return name, tuple(str(low + step * i) for i in range(count))


def trials_of(axes: Sequence[Axis], *, draws: int | None = None, seed: int = 0) -> list[dict[str, object]]:
    """Every combination, the last axis fastest; or ``draws`` different ones, drawn by the seed."""
    names = [name for name, _ in axes]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise StrategyError(f"--grid {twice} is given twice; give it once")
    for name, values in axes:
        _check_values(name, values)
    size = 1
    for _, values in axes:
        size *= len(values)
    if draws is None:
        if size > MAX_TRIALS:
            raise StrategyError(f"the grid has {size:,} combinations; at most {MAX_TRIALS:,} are supported: use --random")
        return [dict(zip(names, combination, strict=True)) for combination in itertools.product(*(values for _, values in axes))]
    if not 1 <= draws <= MAX_TRIALS:
        raise StrategyError(f"--random {draws}: draw from 1 to {MAX_TRIALS:,} combinations")
    picks = random.Random(seed).sample(range(size), min(draws, size))  # noqa: S311  # no secret
    return [_combination(axes, pick) for pick in picks]


def _check_values(name: str, values: Sequence[object]) -> None:
    """A value that stands there twice would make trials that are none, and what is said of luck counts trials."""
    seen: set[object] = set()
    for value in values:
        try:
            same: object = Decimal(str(value))
        except InvalidOperation:
            same = value
        if same in seen:
            raise StrategyError(f"--grid {name}: {value} is there twice; give it once")
        seen.add(same)


def _combination(axes: Sequence[Axis], index: int) -> dict[str, object]:
    chosen: dict[str, object] = {}
    for name, values in reversed(axes):
        index, at = divmod(index, len(values))
        chosen[name] = values[at]
    return {name: chosen[name] for name, _ in axes}
