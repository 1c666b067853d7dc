"""What several commands read from the command line, with one clear error for what can't be used."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from traider.domain.errors import SettingsError, StrategyError
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.engine.manifest import parse_limits
from traider.kernel.desk import Fees, FillMode
from traider.research import inputs


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
    inputs.check_quantity(quantity, instrument, "--quantity")


def check_cash(cash: float) -> None:
    inputs.check_cash(cash, "--cash")


def fees(maker: float, taker: float) -> Fees:
    inputs.check_fee(maker, "--fee-maker")
    inputs.check_fee(taker, "--fee-taker")
    return Fees(maker=maker, taker=taker)


def fill_mode(name: str) -> FillMode:
    return inputs.fill_mode(name, "--fill")


def limits(assignments: Sequence[str]) -> RiskLimits:
    try:
        return parse_limits(list(assignments))
    except ValueError as error:
        raise SettingsError(f"--limit {error}") from None


def increment(option: str, text: str | None) -> Decimal | None:
    """A price or size increment as an exact decimal."""
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise SettingsError(f"{option} is {text!r}; give a decimal such as 0.01") from None
    if not value.is_finite() or value <= 0:
        raise SettingsError(f"{option} is {text}; give a decimal above zero such as 0.01")
    return value


market_file = inputs.market_data
instrument_of = inputs.instrument_of
tape_of_file = inputs.tape_of
