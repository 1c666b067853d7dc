"""What can be traded, and the grid its prices and sizes live on."""

from decimal import Decimal

import msgspec


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One market.

    Increments are exact decimals in the quote currency (price) and the base currency (size). A ``min_size`` or
    ``min_notional`` of 0 means that there is no such minimum. Spot instruments refuse to be sold short.

    With an ``initial_margin`` above 0 a position is held on margin: opening one takes that fraction of its notional, and at
    equity below ``maintenance_margin`` of it the account is liquidated. Fees that are not None replace the account's.
    """

    symbol: str
    base: str
    quote: str
    price_increment: Decimal
    size_increment: Decimal
    min_size: Decimal = Decimal(0)
    min_notional: Decimal = Decimal(0)
    shortable: bool = False
    initial_margin: Decimal = Decimal(0)
    maintenance_margin: Decimal = Decimal(0)
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None


def instrument_from_symbol(symbol: str, *, price_increment: Decimal, size_increment: Decimal) -> Instrument:
    """An instrument named ``BASE-QUOTE``; a name without a dash is quoted in USD."""
    base, _, quote = symbol.partition("-")
    return Instrument(symbol=symbol, base=base, quote=quote or "USD", price_increment=price_increment, size_increment=size_increment)
