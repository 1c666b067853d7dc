"""The price levels of a recorded order book: its best bid and ask, and whether they ever cross.

Crossing is the one fault of recorded depth that no single row shows. Levels are kept sorted with the best ones last, because
that is where nearly every change is, and few rows move.
"""

from typing import Any

import numpy as np

from ..domain.vocabulary import BOOK_CLEAR, BOOK_END, KIND_BITS, EventKind
from .jit import compiled

_DEPTH = int(EventKind.DEPTH)
_CLEAR, _END, _BITS = BOOK_CLEAR, BOOK_END, KIND_BITS
_FIRST_LEVELS = 1024
_NO_MIDS = np.zeros(0)


class Ladder:
    """One instrument's levels. It knows which prices there are, not how much is at each."""

    def __init__(self) -> None:
        self._levels = np.zeros((2, _FIRST_LEVELS))  # negated bids and asks, each descending, so that the best price is the last
        self._counts = np.zeros(2, np.int64)

    def follow(self, kind: Any, price: Any, size: Any, side: Any) -> int:
        """The first row that ends a message with the bid not below the ask; the ladder is then as it was there. -1 for none."""
        return self._follow(kind, price, size, side, _NO_MIDS)

    def mids(self, kind: Any, price: Any, size: Any, side: Any) -> Any:
        """For each row the middle of bid and ask where a message ends with it, else not a number; nor is it while a side is empty."""
        mids = np.full(len(kind), np.nan)
        self._follow(kind, price, size, side, mids)
        return mids

    def _follow(self, kind: Any, price: Any, size: Any, side: Any, mids: Any) -> int:
        start = 0
        while True:
            row = int(_follow(self._levels, self._counts, kind, price, size, side, mids, start))
            if row >= -1:
                return row
            start = -row - 2  # there is no room for this row's level
            self._levels = np.concatenate((self._levels, np.zeros_like(self._levels)), axis=1)

    def touch(self) -> tuple[float, float] | None:
        """The best bid and ask; None while a side is empty."""
        bids, asks = self._counts.tolist()
        if not bids or not asks:
            return None
        return -float(self._levels[0, bids - 1]), float(self._levels[1, asks - 1])


@compiled
def _follow(levels: Any, counts: Any, kind: Any, price: Any, size: Any, side: Any, mids: Any, start: int) -> int:
    """The first row from ``start`` on that leaves the book crossed, -1 for none, -2 - row where there is no room for a level.

    With room for ``mids`` they are noted instead, crossed or not.
    """
    notes = len(mids) > 0
    for i in range(start, len(kind)):
        if (kind[i] & _BITS) == _DEPTH:
            if kind[i] & _CLEAR:
                counts[0] = counts[1] = 0
            half = 0 if side[i] > 0 else 1
            key = -price[i] if half == 0 else price[i]
            if not _set_level(levels[half], counts, half, key, size[i]):
                return -2 - i
        if kind[i] & _END and counts[0] > 0 and counts[1] > 0:
            bid, ask = -levels[0, counts[0] - 1], levels[1, counts[1] - 1]
            if notes:
                mids[i] = (bid + ask) / 2
            elif bid >= ask:
                return i
    return -1


@compiled
def _set_level(keys: Any, counts: Any, half: int, key: float, size: float) -> bool:
    """Keeps the level, or takes it out when its size is 0; False when there is no room for it."""
    low, high = 0, counts[half]
    while low < high:  # the first place whose key is not above this one
        middle = (low + high) // 2
        if keys[middle] > key:
            low = middle + 1
        else:
            high = middle
    count = counts[half]
    is_there = low < count and keys[low] == key
    if size > 0 and not is_there:
        if count == len(keys):
            return False
        for j in range(count, low, -1):
            keys[j] = keys[j - 1]
        keys[low] = key
        counts[half] = count + 1
    elif size == 0 and is_there:
        for j in range(low, count - 1):
            keys[j] = keys[j + 1]
        counts[half] = count - 1
    return True
