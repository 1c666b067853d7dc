"""Numbers and times in a frame's text, read sixteen letters at a time and only as the venue writes them.

What is written differently is not refused as wrong: it is left to the readers that know all of JSON. Places are addresses, 0 for none.
"""

from typing import Any

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from traider.kernel.machine import seldom

from .compiled import compiled, inlined
from .frame_bytes import eight_at, letter_at, likely, others_at, points_at, stops_at

MOST_DIGITS = 15  # of a number: so many are exact in 64 bits, and in a float's mantissa
TENS = np.array([10**power for power in range(19)], np.int64)
_ROW = 16  # letters that are looked at together
_ZERO, _Z = 48, 90
_SECOND = 20  # letters of a time up to its fraction: 2026-08-09T21:05:48.
_FIGURES = np.uint64(0x0F0F0F0F0F0F0F0F)
_LAST = np.array([(1 << 64) - (1 << 8 * max(8 - count, 0)) for count in range(17)], np.uint64)  # of eight letters only the last ones
_NS = 1_000_000_000
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)


@inlined
def string_end(at: int, end: int) -> int:
    """The place of the first letter that is not plain: the quote that ends the string, or something that JSON may write differently.

    0 where none comes before the last 32 letters: no string of a whole message with a level ends there.
    """
    if at == 0:
        return 0
    while at + 32 <= end:
        stops = stops_at(at)
        if likely(stops != 0):
            return int(at + trailing_zeros(stops))
        at += 32
    return 0


@inlined
def _digits_before(behind: int, count: int) -> Any:
    """The number that so many digits (0 to 15) before this place make. Sixteen letters have to stand there."""
    value = _of_eight(eight_at(behind - 8) & _LAST[count])
    return value if count <= 8 else value + _of_eight(eight_at(behind - 16) & _LAST[count - 8]) * 100_000_000


@inlined
def _of_eight(digits: Any) -> Any:
    """The number of eight digits, zeros standing for missing first ones: of pairs numbers below 100, of those below 10,000, then one."""
    figures = digits & _FIGURES
    # the first one of a pair is its lower half: one multiplication adds to each second one its first one times the scale
    figures = ((figures * np.uint64((10 << 8) + 1)) >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    figures = ((figures * np.uint64((100 << 16) + 1)) >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    return np.int64((figures * np.uint64((10_000 << 32) + 1)) >> np.uint64(32))


@inlined
def decimal_at(at: int, end: int) -> tuple[int, int, int]:
    """The number without its point, how many digits stand after that, and the place behind it (0: no number, or no such one).

    Sixteen letters have to stand before it. What stands behind it is the caller's to look at.
    """
    no = (0, 0, 0)
    if at == 0 or at >= end:
        return no
    row = min(at, end - _ROW)
    size = trailing_zeros((others_at(row) >> (at - row)) | (1 << _ROW))
    behind = at + size
    if not likely(behind < end):
        return no
    points = (points_at(row) >> (at - row)) & ((1 << size) - 1)
    whole = trailing_zeros(points | (1 << size))
    places = max(size - whole - 1, 0)
    # one point at most, digits on both of its sides
    if not likely(points & (points - 1) == 0 and whole != 0 and size - whole != 1 and whole + places <= MOST_DIGITS):
        return no
    return _digits_before(at + whole, whole) * TENS[places] + _digits_before(behind, places), places, behind


@inlined
def whole_at(at: int, end: int) -> tuple[int, int]:
    """A whole number as JSON writes it, and the place after it (0: none). Sixteen letters have to stand before and behind it."""
    if at == 0 or at + _ROW > end:
        return 0, 0
    size = trailing_zeros(others_at(at) | points_at(at) | (1 << _ROW))
    if size < 1 or size > MOST_DIGITS or (size > 1 and letter_at(at) == _ZERO):
        return 0, 0
    return _digits_before(at + size, size), at + size


@inlined
def tick_of(value: int, places: int, decimals: int, units: int) -> int:
    """The price's tick, -1 where it lies between two."""
    missing = decimals - places
    if missing < 0:
        value, missing = _without_zeros(value, -missing), 0
    if missing > 18 - MOST_DIGITS and (missing > 18 or value >= TENS[18 - missing]):
        return -1
    value *= TENS[missing]
    if units == 1 or value < 0:
        return value
    return value // units if value % units == 0 else -1


@compiled
def _without_zeros(value: int, count: int) -> int:
    """The number without its last ``count`` digits, -1 where one of them is none of 0."""
    seldom()
    for _ in range(count):
        if value % 10 != 0:
            return -1
        value //= 10
    return value


@inlined
def moment_at(known: Any, at: int, end: int) -> tuple[int, int]:
    """Nanoseconds since the epoch of a time in UTC with a fraction, as the venue writes it, and the place behind it (0: no such time).

    ``known`` remembers the last second: nearly every message is of the second of the one before.
    """
    no = (0, 0)
    if at == 0 or at + _SECOND + _ROW > end:
        return no
    first, second, third = eight_at(at), eight_at(at + 8), eight_at(at + _SECOND - 8)
    if first != known.second_text[0] or second != known.second_text[1] or third != known.second_text[2]:
        second_ns = _second_ns(at)
        if second_ns < 0:
            return no
        known.second_text[0], known.second_text[1], known.second_text[2] = first, second, third
        known.second_ns = second_ns
    places = trailing_zeros(others_at(at + _SECOND) | points_at(at + _SECOND) | (1 << _ROW))
    behind = at + _SECOND + places + 1
    if places < 1 or places > 9 or letter_at(behind - 1) != _Z:
        return no
    return known.second_ns + _digits_before(behind - 1, places) * TENS[9 - places], behind


@compiled
def _second_ns(at: int) -> int:
    """Of the twenty letters of a time up to the point before its fraction; -1 where they are no such time."""
    seldom()
    if letter_at(at + 4) != 45 or letter_at(at + 7) != 45 or letter_at(at + 10) != 84:
        return -1
    if letter_at(at + 13) != 58 or letter_at(at + 16) != 58 or letter_at(at + 19) != 46:
        return -1
    year, month, day = _digits(at, 4), _digits(at + 5, 2), _digits(at + 8, 2)
    hour, minute, second = _digits(at + 11, 2), _digits(at + 14, 2), _digits(at + 17, 2)
    if year < 1970 or year > 2200 or month < 1 or month > 12:
        return -1
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day < 1 or day > _MONTH_DAYS[month] + (1 if month == 2 and is_leap else 0):
        return -1
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return -1
    # counted in years that begin with March, so that the leap day is the last one
    y = year - (1 if month <= 2 else 0)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = y * 365 + y // 4 - y // 100 + y // 400 + of_year - 719468
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * _NS


@inlined
def _digits(at: int, count: int) -> int:
    """So many digits as a whole number, -1 where something else stands among them."""
    value = 0
    for k in range(count):
        figure = letter_at(at + k) - _ZERO
        if figure < 0 or figure > 9:
            return -1
        value = value * 10 + figure
    return value
