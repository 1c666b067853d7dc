"""Sizes, money, fees and fill modes that somebody asks for, checked: one clear error for what can't be used.

``name`` is how whoever asks calls the setting: ``cash`` in a notebook, ``--cash`` on the command line. The guard's process
reads its options with these too, so nothing of a backtest is imported here.
"""

import math
from decimal import Decimal

from traider.domain.errors import SettingsError
from traider.domain.instruments import Instrument
from traider.kernel.simulation import FillMode

FILL_MODES = {
    "next-open": FillMode.NEXT_OPEN,
    "next-close": FillMode.NEXT_CLOSE,
    "close": FillMode.SAME,
    "same": FillMode.SAME,
}


def check_quantity(quantity: float, instrument: Instrument, name: str = "quantity") -> None:
    """Refuses a size that no order could have."""
    if not math.isfinite(quantity) or quantity <= 0:
        raise SettingsError(f"{name} is {quantity:g}; give a size above zero, in {instrument.base}")
    if quantity > 1e9:
        raise SettingsError(f"{name} is {quantity:g}; sizes up to 1e9 are supported")
    if Decimal(repr(quantity)) % instrument.size_increment:
        other = "--size-increment" if name.startswith("--") else "size_increment"
        raise SettingsError(f"{name} is {quantity!r}, no multiple of the increment {instrument.size_increment:f}; round it, or set {other}")


def check_cash(cash: float, name: str = "cash") -> None:
    if not math.isfinite(cash) or cash <= 0:
        raise SettingsError(f"{name} is {cash:g}; give the starting cash, an amount above zero in quote currency")


def check_fee(rate: float, name: str) -> None:
    if not math.isfinite(rate) or not 0 <= rate < 1:
        raise SettingsError(f"{name} is {rate:g}; give a fraction of the notional from 0 to below 1 (0.001 is 0.1 %)")


def fill_mode(fill: str, name: str = "fill") -> FillMode:
    if fill not in FILL_MODES:
        raise SettingsError(f"{name} is {fill!r}; give one of {', '.join(FILL_MODES)}")
    return FILL_MODES[fill]


MARKETS = ("spot", "margin")


def market_name(chosen: str | None, usual: str, leverage: Decimal | None, name: str = "market", leverage_name: str = "leverage") -> str:
    """``spot`` or ``margin``: as it was chosen, else as the strategy has it; a leverage is for margin, and at least 1."""
    if chosen is not None and chosen not in MARKETS:
        raise SettingsError(f"{name} is {chosen!r}; give one of {', '.join(MARKETS)}")
    market = chosen or usual
    if leverage is not None and market != "margin":
        raise SettingsError(f"{leverage_name} is for {name} margin; on spot there is none")
    if leverage is not None and not 1 <= leverage <= 1000:
        raise SettingsError(f"{leverage_name} is {leverage}; give a number from 1 to 1000")
    return market
