"""Exact decimals and the kernel's floats: what one holds of the other."""

from decimal import Decimal

from traider.domain.vocabulary import Reason

_SHORT = 15  # a float tells any two decimals of so many digits apart, and so the shorter of two names of it is this one


def exact(value: float) -> Decimal:
    """The shortest decimal that names the float; ``float`` of it is the float again."""
    return Decimal(repr(float(value)))


def held(value: Decimal) -> float | None:
    """The float that this decimal names exactly; None where it is not finite, or has digits that a float does not hold."""
    if not value.is_finite():
        return None
    text = str(value)
    number = float(text)
    if len(text) <= _SHORT and "E" not in text:
        return number
    return number if exact(number) == value else None


def unheld(value: Decimal | None, reason: Reason) -> Reason:
    """Why an order may not go that has this number, which a float does not hold: this reason where it is a number at all."""
    return reason if value is not None and value.is_finite() else Reason.INVALID_ORDER
