"""Exact whole numbers for prices, sizes and money, and their decimal texts.

Money of every currency is counted in atoms of 10**-24: price increment x size increment x a fee of parts per million is then a
whole number of atoms for every product that is listed (``Grid`` refuses one for which it is not).
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from traider.domain.errors import SettingsError

DIGITS = 24
ONE = 10**DIGITS
PPM = 1_000_000  # fee rates are parts per million
_LONGEST = 64
# Decimal() takes "1_0", " 1" and the digits of other scripts too
_NUMBER = re.compile(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def parse_atoms(text: object) -> int | None:
    """The atoms of a decimal number that is not negative; None where it is no such number, or finer than an atom."""
    if not isinstance(text, str) or len(text) > _LONGEST or _NUMBER.fullmatch(text) is None:
        return None
    return _whole(Decimal(text), DIGITS)


def atoms(number: Decimal | int | str) -> int:
    """The atoms of a number that is known to be good."""
    value = _whole(Decimal(number), DIGITS)
    if value is None:
        raise ValueError(f"{number} is no number of at most {DIGITS} decimals")
    return value


def _whole(number: Decimal, digits: int) -> int | None:
    """The number x 10**digits; None where that is no whole number, or an absurdly large one."""
    if number.adjusted() > digits:
        return None
    numerator, denominator = number.as_integer_ratio()
    whole, rest = divmod(numerator * 10**digits, denominator)
    return None if rest else int(whole)


def text(amount: int) -> str:
    """The shortest decimal text of this many atoms; exact."""
    return scaled(amount, DIGITS)


def scaled(number: int, digits: int) -> str:
    """The shortest decimal text of ``number`` x 10**-``digits``."""
    if number < 0:
        return "-" + scaled(-number, digits)
    whole, part = divmod(number, 10**digits)
    return f"{whole}.{part:0{digits}d}".rstrip("0") if part else str(whole)


def decimal(amount: int) -> Decimal:
    return Decimal(text(amount))


@dataclass(frozen=True, slots=True)
class Grid:
    """The lattice of one product: how many atoms a tick, a lot, and a tick times a lot are."""

    tick: int
    lot: int
    notional: int  # atoms of the quote currency that one lot costs at a price of one tick

    @classmethod
    def of(cls, price_increment: Decimal, size_increment: Decimal) -> "Grid":
        tick, lot = atoms(price_increment), atoms(size_increment)
        notional, rest = divmod(tick * lot, ONE)
        if rest or notional % PPM or not notional:
            raise SettingsError(
                f"price increment {price_increment} with size increment {size_increment} is finer than the ledger's 10**-{DIGITS}; "
                "give coarser increments"
            )
        return cls(tick, lot, notional)

    def price(self, ticks: int) -> str:
        return text(ticks * self.tick)

    def size(self, lots: int) -> str:
        return text(lots * self.lot)

    def cost(self, ticks: int, lots: int) -> int:
        """Atoms of the quote currency."""
        return ticks * lots * self.notional
