"""How the commands that start a guard tell it what is traded."""

from decimal import Decimal

from traider.domain.errors import SettingsError
from traider.domain.instruments import Instrument, instrument_from_symbol

from . import amounts


def format_instrument(instrument: Instrument) -> str:
    """What ``parse_instrument`` reads."""
    return f"{instrument.symbol}:{instrument.price_increment}:{instrument.size_increment}"


def parse_instrument(text: str) -> Instrument:
    """The instrument of ``SYMBOL:PRICE_INCREMENT:SIZE_INCREMENT``."""
    parts = text.split(":")
    if len(parts) != 3 or not all(parts):
        raise SettingsError(f"--instrument {text}: write SYMBOL:PRICE_INCREMENT:SIZE_INCREMENT, for example BTC-USD:0.01:0.00000001")
    increments = [amounts.increment("--instrument", part) or Decimal(0) for part in parts[1:]]
    return instrument_from_symbol(parts[0], price_increment=increments[0], size_increment=increments[1])
