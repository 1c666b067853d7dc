"""A time series of Alpha Vantage's as bars: oldest first, in UTC, exact."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from traider.domain.history import PastBar, ProviderUnavailableError

NEW_YORK = ZoneInfo("America/New_York")
_ZONES = {"US/Eastern": NEW_YORK, "America/New_York": NEW_YORK}
_ADJUSTED_STEP = Decimal("0.000001")
_FIELDS = ("1. open", "2. high", "3. low", "4. close")


def read_series(answer: Mapping[str, Any], *, symbol: str, adjusted_daily: bool = False) -> tuple[PastBar, ...]:
    """The bars of an answer that is no error. ``ProviderUnavailableError`` names what is not as documented.

    A day's bar starts at midnight in New York, and one of minutes where the answer says. With ``adjusted_daily`` the prices of days are
    multiplied by what the provider's adjusted close is of its close, and volumes by the splits that came later.
    """
    meta = _meta(answer)
    if str(_numbered(meta, "Symbol")).upper() != symbol.upper():
        raise _odd("is of another symbol than was asked for")
    zone = _ZONES.get(str(_numbered(meta, "Time Zone")))
    if zone is None:
        raise _odd("has times in another zone than New York's")
    names = [name for name in answer if name.startswith("Time Series")]
    if len(names) != 1 or not isinstance(answer[names[0]], dict):
        raise _odd("holds no time series")
    rows = sorted((_start_ns(text, zone), text, row) for text, row in answer[names[0]].items())
    bars = (_adjusted if adjusted_daily else _as_told)(rows)
    return tuple(bars)


def _as_told(rows: list[tuple[int, str, Any]]) -> Iterator[PastBar]:
    for ts_ns, text, row in rows:
        prices = [_number(row, field, text) for field in _FIELDS]
        yield _bar(ts_ns, prices, _number(row, "5. volume", text))


def _adjusted(rows: list[tuple[int, str, Any]]) -> Iterator[PastBar]:
    bars = []
    split = Decimal(1)  # of all days after this one
    for ts_ns, text, row in reversed(rows):
        close = _number(row, "4. close", text)
        if close <= 0:
            raise _odd(f"has a close of {close} on {text}")
        factor = _number(row, "5. adjusted close", text) / close
        prices = [(_number(row, field, text) * factor).quantize(_ADJUSTED_STEP) for field in _FIELDS]
        bars.append(_bar(ts_ns, prices, _number(row, "6. volume", text) * split))
        split *= _number(row, "8. split coefficient", text)
    yield from reversed(bars)


def _bar(ts_ns: int, prices: list[Decimal], volume: Decimal) -> PastBar:
    opened, high, low, close = prices
    return PastBar(ts_ns=ts_ns, open=opened, high=high, low=low, close=close, volume=volume)


def _meta(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = answer.get("Meta Data")
    if not isinstance(meta, dict):
        raise _odd("has no Meta Data")
    return meta


def _numbered(fields: Mapping[str, Any], name: str) -> Any:
    """The field of this name, whatever its number: that differs from function to function."""
    return next((value for key, value in fields.items() if key.partition(". ")[2] == name), None)


def _start_ns(text: str, zone: ZoneInfo) -> int:
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise _odd(f"has a time that is none: {text[:40]!r}") from None
    if local.tzinfo is not None:
        raise _odd(f"has a time with a zone of its own: {text[:40]!r}")
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local:
        raise _odd(f"has a time that the change of clocks left out: {text[:40]!r}")
    return int(moment.timestamp()) * 1_000_000_000


def _number(row: Any, field: str, where: str) -> Decimal:
    try:
        value = Decimal(row[field])
    except (KeyError, TypeError, ValueError, InvalidOperation):
        raise _odd(f"has no number {field!r} at {where[:40]}") from None
    if not value.is_finite():
        raise _odd(f"has no finite number {field!r} at {where[:40]}")
    return value


def _odd(what: str) -> ProviderUnavailableError:
    return ProviderUnavailableError(f"Alpha Vantage's answer {what}")
