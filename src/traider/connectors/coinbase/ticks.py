"""Prices in text turned into whole ticks, without a rounding anywhere."""

from decimal import Decimal

from .malformed import MalformedError

_MOST_REMEMBERED = 100_000


class TickGrid:
    """The price ticks of one market. Prices come again and again, so those that were seen are remembered."""

    def __init__(self, price_increment: Decimal) -> None:
        if not price_increment.is_finite() or price_increment <= 0:
            raise ValueError(f"a price increment is above zero, not {price_increment}")
        self.price_increment = price_increment
        # An increment of 0.05 is 5 units of 0.01: prices are read in units, and a tick is so many of them.
        exponent = min(0, int(price_increment.normalize().as_tuple().exponent))
        self.decimals = -exponent
        self.units = int(price_increment.scaleb(self.decimals))
        self.seen: dict[str, int] = {}  # text to tick

    def tick(self, text: str) -> int:
        """The price's tick; ``MalformedError`` where it is no price, or lies between two ticks."""
        tick = self.seen.get(text)
        if tick is None:
            tick = self._read(text)
            if len(self.seen) >= _MOST_REMEMBERED:
                self.seen.clear()
            self.seen[text] = tick
        return tick

    def price(self, tick: int) -> float:
        """The tick's price: the float nearest to the exact one."""
        return float(tick * self.units) / 10**self.decimals if self.decimals else float(tick * self.units)

    def _read(self, text: str) -> int:
        whole, _, fraction = text.partition(".")
        fraction = fraction.rstrip("0")
        digits = whole + fraction.ljust(self.decimals, "0")
        if not (digits.isascii() and digits.isdecimal() and whole) or len(digits) > 40:
            raise MalformedError(f"no price: {text[:40]!r}")
        units, rest = divmod(int(digits), self.units)
        if rest or len(fraction) > self.decimals:
            raise MalformedError(f"price {text[:40]} lies between two ticks of {self.price_increment}")
        return units


def size_of(text: str) -> float:
    """A level's size, 0 or above."""
    try:
        size = float(text)
    except ValueError:
        raise MalformedError(f"no size: {text[:40]!r}") from None
    if not 0.0 <= size < float("inf"):
        raise MalformedError(f"no size: {text[:40]!r}")
    return size
