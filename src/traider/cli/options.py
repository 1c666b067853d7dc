"""What several commands read from the command line, with one clear error for what can't be used."""

from collections.abc import Sequence

from traider.domain.errors import SettingsError, StrategyError
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.engine.manifest import parse_limits
from traider.research import amounts, inputs
from traider.research.bars import bar_maker as bar_maker

from .amounts import check_cash as check_cash
from .amounts import fees as fees
from .amounts import fill_mode as fill_mode
from .amounts import increment as increment


def parameters(assignments: Sequence[str], *, quantity: float | None) -> dict[str, object]:
    """``name=value`` pairs and the quantity as a strategy's parameters; the strategy checks the values."""
    values: dict[str, object] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise StrategyError(f"--param {assignment}: write NAME=VALUE, for example fast=20")
        if name in values:
            raise StrategyError(f"--param {name} is given twice; give it once")
        values[name.strip()] = value.strip()
    if quantity is not None:
        if "quantity" in values:
            raise StrategyError("quantity is given twice, as --quantity and as --param; give it once")
        values["quantity"] = quantity
    return values


def check_quantity(quantity: float, instrument: Instrument) -> None:
    amounts.check_quantity(quantity, instrument, "--quantity")


def limits(assignments: Sequence[str]) -> RiskLimits:
    try:
        return parse_limits(list(assignments))
    except ValueError as error:
        raise SettingsError(f"--limit {error}") from None


market_file = inputs.market_data
instrument_of = inputs.instrument_of
instruments_of = inputs.instruments_of
tape_of_file = inputs.tape_of
