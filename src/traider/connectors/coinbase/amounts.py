"""Numbers and times as they stand on the wire, turned into ours: exact decimals, nanoseconds since the epoch."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from .malformed import MalformedError

_NANOSECOND = 1_000_000_000
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|z|[+-]\d\d:\d\d)")


def amount(text: str | int | float | None, what: str) -> Decimal:
    """The exact number; ``""`` and null, which stand for a missing one as often as ``"0"`` does, are zero."""
    if text is None or text == "":
        return Decimal(0)
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        raise MalformedError(f"{what} is no number: {str(text)[:40]!r}") from None
    if not value.is_finite():
        raise MalformedError(f"{what} is no finite number: {str(text)[:40]!r}")
    return value


def optional_amount(text: str | int | float | None, what: str) -> Decimal | None:
    """The exact number, None where it is missing."""
    return None if text is None or text == "" else amount(text, what)


def positive_amount(text: str | int | float | None, what: str) -> Decimal:
    """The exact number, which has to be there and above zero."""
    value = amount(text, what)
    if value <= 0:
        raise MalformedError(f"{what} should be above zero: {str(text)[:40]!r}")
    return value


def moment_ns(text: str | None, what: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time with up to nine decimals; 0 where it is missing."""
    if not text:
        return 0
    try:
        if text[-1] == "Z" and text[19] == "." and 21 <= len(text) <= 30 and (fraction := text[20:-1]).isdecimal():
            # Nearly every time has this form, and many in a row the same second.
            return _second_ns(text[:19]) + int(fraction.ljust(9, "0"))
        return _any_moment_ns(text)
    except (ValueError, IndexError):
        raise MalformedError(f"{what} is no time: {text[:40]!r}") from None


@lru_cache(maxsize=64)
def _second_ns(text: str) -> int:
    if text[10] != "T":
        raise ValueError(text)
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp()) * _NANOSECOND


def _any_moment_ns(text: str) -> int:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day, clock, fraction, zone = match.groups()
    second = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    return int(second.timestamp()) * _NANOSECOND + int((fraction or "0").ljust(9, "0"))


def moment_text(ts_ns: int) -> str:
    """The RFC 3339 time in UTC, with as many decimals as the time has."""
    seconds, fraction = divmod(ts_ns, _NANOSECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:09}".rstrip("0") + "Z" if fraction else f"{text}Z"


def plain(value: Decimal) -> str:
    """The number as the venue writes numbers: never with an exponent."""
    return format(value, "f")
