"""On which days New York's stock exchanges trade, since 1999: what tells a missing day from a holiday."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

_DAY = timedelta(days=1)
# Whole days that no rule tells: September 2001, funerals of presidents, the hurricane of 2012.
_ONCE = frozenset(
    [date(2001, 9, day) for day in (11, 12, 13, 14)]
    + [date(2004, 6, 11), date(2007, 1, 2), date(2012, 10, 29), date(2012, 10, 30), date(2018, 12, 5), date(2025, 1, 9)]
)


def is_trading_day(day: date) -> bool:
    return day.weekday() < 5 and day not in holidays(day.year) and day not in _ONCE


def trading_days(first: date, end: date) -> Iterator[date]:
    """Those from ``first`` to before ``end``."""
    while first < end:
        if is_trading_day(first):
            yield first
        first += _DAY


@lru_cache(maxsize=128)
def holidays(year: int) -> frozenset[date]:
    """The days of this year on which the exchanges are closed by rule, as they are kept: not on weekends."""
    kept = {
        _nth(year, 2, 0, 3),  # Washington's birthday
        easter(year) - 2 * _DAY,  # Good Friday
        _nth(year, 6, 0, 1) - 7 * _DAY,  # Memorial Day: the last Monday of May
        _kept(date(year, 7, 4)),
        _nth(year, 9, 0, 1),  # Labor Day
        _nth(year, 11, 3, 4),  # Thanksgiving
        _kept(date(year, 12, 25)),
    }
    if year >= 1998:
        kept.add(_nth(year, 1, 0, 3))  # Martin Luther King's day
    if year >= 2022:
        kept.add(_kept(date(year, 6, 19)))
    if date(year, 1, 1).weekday() != 5:  # on a Saturday it is not kept: the Friday before ends the year
        kept.add(_kept(date(year, 1, 1)))
    return frozenset(kept)


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar."""
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _kept(day: date) -> date:
    """A holiday on a Saturday is kept on the Friday before it, one on a Sunday on the Monday after it."""
    return day + {5: -_DAY, 6: _DAY}.get(day.weekday(), timedelta())


def _nth(year: int, month: int, weekday: int, count: int) -> date:
    first = date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (count - 1)) * _DAY
