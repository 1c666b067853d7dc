"""Numbers, times and spans as a person reads them: the same signs as on the dashboard and in the page's script."""

import math
from datetime import UTC, datetime

NOTHING = "–"
MINUS = "−"
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def number(value: float | None, least: int = 2, most: int = 2, *, signed: bool = False) -> str:
    """Grouped in thousands, with at least and at most so many digits after the point."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{abs(value):,.{most}f}"
    if most > least:
        whole, _, fraction = text.partition(".")
        fraction = fraction[:least] + fraction[least:].rstrip("0")
        text = f"{whole}.{fraction}" if fraction else whole
    if not text.strip("0.,"):
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def percent(fraction: float | None, *, signed: bool = False) -> str:
    """Two digits after the point; more, up to six, where those would say nothing."""
    if fraction is None or not math.isfinite(fraction):
        return NOTHING
    return f"{number(fraction * 100, 2, percent_digits(fraction), signed=signed)} %"


def percent_digits(fraction: float) -> int:
    """How many digits after the point a percentage needs to show two that count."""
    hundredfold = abs(fraction * 100)
    if hundredfold == 0 or hundredfold >= 0.1:
        return 2
    return min(6, 1 - math.floor(math.log10(hundredfold)))


def moment(ts_ns: int, digits: int = 0) -> str:
    """UTC date and time: to the minute (0), the second (1) or the millisecond (2)."""
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    at = datetime.fromtimestamp(seconds, UTC)
    if digits == 0:
        return f"{at:%Y-%m-%d %H:%M}"
    return f"{at:%Y-%m-%d %H:%M:%S}" + (f".{rest // 1_000_000:03d}" if digits == 2 else "")


def day(days: int) -> str:
    """The date of a day counted from 1970."""
    return f"{datetime.fromtimestamp(days * 86_400, UTC):%Y-%m-%d}"


def span(ns: float | None) -> str:
    """A duration in its two largest units: ``3 d 4 h``, ``12 m``, ``0.35 s``."""
    if ns is None:
        return NOTHING
    seconds = ns / 1e9
    if seconds < 60:
        return f"{number(seconds, 0, 3 if seconds < 1 else 1)} s"
    at = next(at for at, (size, _) in enumerate(_SPANS) if seconds >= size)
    size, unit = _SPANS[at]
    smaller_size, smaller = _SPANS[at + 1]
    whole, rest = divmod(int(seconds), size)
    return f"{whole:,} {unit}" + (f" {rest // smaller_size} {smaller}" if rest >= smaller_size else "")
