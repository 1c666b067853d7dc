"""How the commands that start a guard tell it what is traded."""

from decimal import Decimal

import msgspec

from traider.domain.errors import SettingsError
from traider.domain.instruments import Instrument, instrument_from_symbol

from . import amounts


def format_instrument(instrument: Instrument) -> str:
    """What ``parse_instrument`` reads."""
    margin = f":{instrument.initial_margin}:{instrument.maintenance_margin}" if instrument.initial_margin else ""
    return f"{instrument.symbol}:{instrument.price_increment}:{instrument.size_increment}{margin}"


def parse_instrument(text: str) -> Instrument:
    """The instrument of ``SYMBOL:PRICE_INCREMENT:SIZE_INCREMENT``.

    ``:INITIAL_MARGIN:MAINTENANCE_MARGIN``, fractions of the notional, may follow: then it is held on margin and can be sold short.
    """
    parts = text.split(":")
    if len(parts) not in (3, 5) or not all(parts):
        raise SettingsError(f"--instrument {text}: write SYMBOL:PRICE_INCREMENT:SIZE_INCREMENT, for example BTC-USD:0.01:0.00000001")
    numbers = [amounts.increment("--instrument", part) or Decimal(0) for part in parts[1:]]
    instrument = instrument_from_symbol(parts[0], price_increment=numbers[0], size_increment=numbers[1])
    if len(parts) == 3:
        return instrument
    return msgspec.structs.replace(instrument, shortable=True, initial_margin=numbers[2], maintenance_margin=numbers[3])
