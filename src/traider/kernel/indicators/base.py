"""What every indicator is, and how its settings are checked."""

from ...domain.errors import StrategyError
from ...domain.instruments import Instrument
from ..structs import Stateful


class Indicator(Stateful):
    """Base of indicators. ``bind`` is called once, before the first update, with the strategy's instrument."""

    def __bind__(self, instrument: Instrument) -> None:
        """What an indicator needs to know of its instrument; most need nothing."""


def whole(indicator: str, value: int, name: str = "window", least: int = 1) -> int:
    """The setting as a whole number; StrategyError below ``least``."""
    if value < least:
        raise StrategyError(f"{indicator}: {name} is {value}; give a whole number of at least {least}")
    return int(value)


def between(indicator: str, value: float, name: str, low: float, high: float) -> float:
    """The setting as a number from ``low`` to ``high``, both included; StrategyError elsewhere."""
    if not low <= value <= high:
        raise StrategyError(f"{indicator}: {name} is {value}; give a number from {low:g} to {high:g}")
    return float(value)
