"""Amounts of the command line that every command reads, the guard's among them: nothing of a backtest is imported here."""

from decimal import Decimal, InvalidOperation

from traider.domain.errors import SettingsError
from traider.kernel.simulation import Fees, FillMode
from traider.research import amounts


def check_cash(cash: float) -> None:
    amounts.check_cash(cash, "--cash")


def fees(maker: float, taker: float) -> Fees:
    amounts.check_fee(maker, "--fee-maker")
    amounts.check_fee(taker, "--fee-taker")
    return Fees(maker=maker, taker=taker)


def fill_mode(name: str) -> FillMode:
    return amounts.fill_mode(name, "--fill")


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
