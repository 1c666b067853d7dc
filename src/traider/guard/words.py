"""How amounts and limits are written for people."""

from decimal import Context, Decimal

_WIDE = Context(prec=80)


def limit_text(name: str, limit: Decimal | int | None, asked: str, used: Decimal | int, unit: str) -> str:
    """What was asked, the limit, its value, the head-room left."""
    if limit is None:
        return asked
    headroom = max(Decimal(0), Decimal(limit) - Decimal(used))
    return f"{asked}; {name} is {decimal_text(Decimal(limit))} {unit}, head-room {decimal_text(headroom)} {unit}"


def decimal_text(value: Decimal | None, places: int = 8) -> str:
    """Plain digits, without trailing zeros; what floats leave beyond 8 places is noise."""
    if value is None:
        return "none"
    text = format(_WIDE.quantize(value, Decimal(1).scaleb(-places)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
