"""An order book of price levels: the best bid and ask in constant time under updates, every level kept.

Each side has a window of 2**18 price increments around its best level, as a dense array of sizes with a bitmap of three
storeys above it: one bit a level, one bit a word of those, one bit a word of these. The next best level is then found by
three counts of zero bits. Levels farther away lie in a hash table (linear probing, with removal by moving back, so there
are no gravestones). The window follows the price: when the best level leaves it, or nears its end, it is laid anew.

What holds at all times: every level outside of the window is worse than every level inside, and there is nothing outside
of it while it is empty.
"""

import math
from typing import Any

import numpy as np
from numba.cpython.unsafe.numbers import leading_zeros, trailing_zeros
from numba.np import numpy_support

from .jit import compiled, inlined
from .machine import record_at, seldom

WINDOW = 1 << 18
_WORDS = WINDOW >> 6
_GROUPS = _WORDS >> 6  # 64: their bits fit into one word
FAR = 1 << 17
FAR_LIMIT = FAR * 3 // 4
_OVERFULL = 1 << 40  # levels were lost: far above the limit, whatever is taken out later
_ROOM = WINDOW >> 2  # between a best level and the end of its window where better ones come
_NEAR_END = WINDOW >> 3
NO_BID = -(1 << 62)
NO_ASK = 1 << 62
_EMPTY = NO_BID - 1
_HASH = 0x9E3779B97F4A7C15 - (1 << 64)  # 2**64 divided by the golden ratio (Knuth, TAOCP 6.4), as a signed number
_SHIFT = np.uint64(64 - 17)

BOOK = np.dtype(
    [
        ("price_num", "f8"),
        ("price_den", "f8"),
        ("base", "i8", (2,)),  # the window's first tick; 0 bids, 1 asks
        ("best", "i8", (2,)),  # NO_BID, NO_ASK where there is none
        ("levels", "i8", (2,)),  # inside of the window
        ("far", "i8", (2,)),  # outside
        ("top", "u8", (2,)),
        ("groups", "u8", (2 * _GROUPS,)),
        ("words", "u8", (2 * _WORDS,)),
        ("sizes", "f8", (2 * WINDOW,)),
        ("far_ticks", "i8", (2 * FAR,)),
        ("far_sizes", "f8", (2 * FAR,)),
    ],
    align=True,
)
BOOK_BYTES = BOOK.itemsize
BOOK_TYPE = numpy_support.from_dtype(BOOK)
book_at = record_at(BOOK_TYPE)

BID, ASK = 0, 1


def new_books(count: int, increments: Any) -> np.ndarray[Any, np.dtype[np.void]]:
    """Empty books; ``increments`` are (num, den) of each one's price increment. Memory is taken as levels come."""
    books = np.zeros(count, BOOK)
    for book, (num, den) in zip(books, increments, strict=True):
        book["price_num"], book["price_den"] = num, den
        book["best"][:] = NO_BID, NO_ASK
        book["far_ticks"][:] = _EMPTY
    return books


@inlined
def tick_of(book: Any, price: float) -> int:
    """The price in whole increments, the nearest."""
    return int(np.rint(price * book.price_den / book.price_num))


@inlined
def price_of(book: Any, tick: int) -> float:
    return float(tick * book.price_num / book.price_den)


@inlined
def size_at(book: Any, s: int, tick: int) -> float:
    """Size of the level; 0 where there is none."""
    i = tick - book.base[s]
    if 0 <= i < WINDOW:
        return float(book.sizes[s * WINDOW + i])
    return _far_size(book, s, tick)


@inlined
def apply(book: Any, s: int, tick: int, size: float) -> float:
    """Sets the level's size, 0 removes it; the size that it had. ``book.far`` above FAR_LIMIT: the caller has to stop."""
    i = tick - book.base[s]
    if i < 0 or i >= WINDOW:
        return _apply_outside(book, s, tick, size)
    before = book.sizes[s * WINDOW + i]
    book.sizes[s * WINDOW + i] = size
    if size != 0.0:
        if before == 0.0:
            _set_bit(book, s, i)
            if (tick > book.best[BID]) if s == BID else (tick < book.best[ASK]):
                book.best[s] = tick
    elif before != 0.0:
        _clear_bit(book, s, i)
        if tick == book.best[s]:
            _find_best(book, s, i)
    return float(before)


@compiled
def clear(book: Any) -> None:
    """Takes every level out."""
    seldom()
    for s in range(2):
        _empty_window(book, s, False)
        if book.far[s] > 0:
            book.far_ticks[s * FAR : (s + 1) * FAR] = _EMPTY
            book.far[s] = 0
        book.best[s] = NO_BID if s == BID else NO_ASK


@compiled
def next_level(book: Any, s: int, tick: int) -> int:
    """The next level behind this one, NO_BID or NO_ASK where there is none. Outside of the window it is searched for."""
    if s == BID:
        if tick == NO_BID:
            return NO_BID
        i = min(tick - book.base[s], WINDOW)
        found = _last_below(book, s, i) if i > 0 else -1
    else:
        if tick == NO_ASK:
            return NO_ASK
        i = max(tick - book.base[s], -1)
        found = _first_above(book, s, i) if i < WINDOW - 1 else -1
    if found >= 0:
        return int(book.base[s] + found)
    return int(_far_behind(book, s, tick))


# --- inside of the window --------------------------------------------------------------------------------------------


@inlined
def _set_bit(book: Any, s: int, i: Any) -> None:
    word = i >> 6
    group = word >> 6
    book.words[s * _WORDS + word] |= np.uint64(1) << np.uint64(i & 63)
    book.groups[s * _GROUPS + group] |= np.uint64(1) << np.uint64(word & 63)
    book.top[s] |= np.uint64(1) << np.uint64(group)
    book.levels[s] += 1


@inlined
def _clear_bit(book: Any, s: int, i: Any) -> None:
    word = i >> 6
    group = word >> 6
    book.levels[s] -= 1
    book.words[s * _WORDS + word] &= ~(np.uint64(1) << np.uint64(i & 63))
    if book.words[s * _WORDS + word] == 0:
        book.groups[s * _GROUPS + group] &= ~(np.uint64(1) << np.uint64(word & 63))
        if book.groups[s * _GROUPS + group] == 0:
            book.top[s] &= ~(np.uint64(1) << np.uint64(group))


@inlined
def _below(bits: Any, position: Any) -> Any:
    """The bits under this position."""
    return bits & ((np.uint64(1) << np.uint64(position)) - np.uint64(1))


@inlined
def _above(bits: Any, position: Any) -> Any:
    """The bits over this position; a position of 63 leaves none."""
    return bits & ~((np.uint64(2) << np.uint64(position)) - np.uint64(1))


@compiled
def _last_below(book: Any, s: int, i: int) -> Any:
    """The highest level under index i, -1 where there is none."""
    word: Any = i >> 6
    if word < _WORDS:
        bits = _below(book.words[s * _WORDS + word], i & 63)
        if bits != 0:
            return (word << 6) + 63 - np.int64(leading_zeros(bits))
    group: Any = word >> 6
    if group < _GROUPS:
        bits = _below(book.groups[s * _GROUPS + group], word & 63)
        if bits != 0:
            word = (group << 6) + 63 - np.int64(leading_zeros(bits))
            return (word << 6) + 63 - np.int64(leading_zeros(book.words[s * _WORDS + word]))
    bits = _below(book.top[s], group) if group < 64 else book.top[s]
    if bits == 0:
        return -1
    group = 63 - np.int64(leading_zeros(bits))
    word = (group << 6) + 63 - np.int64(leading_zeros(book.groups[s * _GROUPS + group]))
    return (word << 6) + 63 - np.int64(leading_zeros(book.words[s * _WORDS + word]))


@compiled
def _first_above(book: Any, s: int, i: int) -> Any:
    """The lowest level over index i, -1 where there is none; i may be -1."""
    j = i + 1
    word: Any = j >> 6
    bits = book.words[s * _WORDS + word] & ~_below(~np.uint64(0), j & 63)
    if bits != 0:
        return (word << 6) + np.int64(trailing_zeros(bits))
    group: Any = word >> 6
    bits = _above(book.groups[s * _GROUPS + group], word & 63)
    if bits != 0:
        word = (group << 6) + np.int64(trailing_zeros(bits))
        return (word << 6) + np.int64(trailing_zeros(book.words[s * _WORDS + word]))
    bits = _above(book.top[s], group)
    if bits == 0:
        return -1
    group = np.int64(trailing_zeros(bits))
    word = (group << 6) + np.int64(trailing_zeros(book.groups[s * _GROUPS + group]))
    return (word << 6) + np.int64(trailing_zeros(book.words[s * _WORDS + word]))


@compiled
def _find_best(book: Any, s: int, i: int) -> None:
    """After the best level, at index i, was removed."""
    found = _last_below(book, s, i) if s == BID else _first_above(book, s, i)
    if found >= 0:
        book.best[s] = book.base[s] + found
        near_end = found < _NEAR_END if s == BID else found >= WINDOW - _NEAR_END
        if near_end and book.far[s] > 0:
            _lay_window(book, s, book.best[s])
        return
    best = _far_behind(book, s, book.best[s])
    book.best[s] = best
    if best != NO_BID and best != NO_ASK:
        _lay_window(book, s, best)


# --- outside of it ---------------------------------------------------------------------------------------------------


@compiled
def _apply_outside(book: Any, s: int, tick: int, size: float) -> float:
    seldom()
    better = tick > book.best[BID] if s == BID else tick < book.best[ASK]
    if better:
        if size != 0.0:
            _lay_window(book, s, tick)
            i = tick - book.base[s]
            book.sizes[s * WINDOW + i] = size
            _set_bit(book, s, i)
            book.best[s] = tick
        return 0.0
    before = _far_remove(book, s, tick)
    if size != 0.0:
        _far_put(book, s, tick, size)
    return before


@compiled
def _lay_window(book: Any, s: int, best: int) -> None:
    """Moves the window so that this tick has room on the side where better ones come; nothing is lost."""
    seldom()
    _empty_window(book, s, True)
    base = best + _ROOM - WINDOW if s == BID else best - _ROOM
    book.base[s] = base
    if book.far[s] == 0:
        return
    start = s * FAR
    at = 0
    while at < FAR:
        tick = book.far_ticks[start + at]
        i = tick - base
        if tick != _EMPTY and 0 <= i < WINDOW:
            size = _far_remove(book, s, tick)  # which may move another one to this place
            book.sizes[s * WINDOW + i] = size
            _set_bit(book, s, i)
        else:
            at += 1
    # what was moved back over the table's end lies behind the scan
    for at in range(FAR):
        tick = book.far_ticks[start + at]
        i = tick - base
        if tick != _EMPTY and 0 <= i < WINDOW:
            book.sizes[s * WINDOW + i] = _far_remove(book, s, tick)
            _set_bit(book, s, i)


@compiled
def _empty_window(book: Any, s: int, keep: bool) -> None:
    """Takes every level out of the window; with ``keep`` they go into the table."""
    while book.top[s] != 0:
        group = np.int64(trailing_zeros(book.top[s]))
        word = (group << 6) + np.int64(trailing_zeros(book.groups[s * _GROUPS + group]))
        i = (word << 6) + np.int64(trailing_zeros(book.words[s * _WORDS + word]))
        if keep:
            _far_put(book, s, book.base[s] + i, book.sizes[s * WINDOW + i])
        book.sizes[s * WINDOW + i] = 0.0
        _clear_bit(book, s, i)


@inlined
def _home(tick: int) -> Any:
    return np.int64(np.uint64(tick * _HASH) >> _SHIFT)


@compiled
def _far_find(book: Any, s: int, tick: int) -> Any:
    at = _home(tick)
    while True:
        there = book.far_ticks[s * FAR + at]
        if there == tick:
            return s * FAR + at
        if there == _EMPTY:
            return -1
        at = (at + 1) & (FAR - 1)


@compiled
def _far_size(book: Any, s: int, tick: int) -> float:
    at = _far_find(book, s, tick)
    return float(book.far_sizes[at]) if at >= 0 else 0.0


@compiled
def _far_put(book: Any, s: int, tick: int, size: float) -> None:
    """Adds a level that is not there.

    The caller stops long before the table is full, but a window that is laid anew may put more into it at once than there is room for.
    """
    if book.far[s] >= FAR - 1:  # one place stays empty, at which searches end
        book.far[s] = _OVERFULL
        return
    at = _home(tick)
    while book.far_ticks[s * FAR + at] != _EMPTY:
        at = (at + 1) & (FAR - 1)
    book.far_ticks[s * FAR + at] = tick
    book.far_sizes[s * FAR + at] = size
    book.far[s] += 1


@compiled
def _far_remove(book: Any, s: int, tick: int) -> float:
    """Removes a level; its size, 0 where there is none. Later ones of its run move back (Knuth, TAOCP 6.4, algorithm R)."""
    found = _far_find(book, s, tick)
    if found < 0:
        return 0.0
    start = s * FAR
    size = float(book.far_sizes[found])
    hole = found - start
    at = hole
    while True:
        at = (at + 1) & (FAR - 1)
        there = book.far_ticks[start + at]
        if there == _EMPTY:
            break
        home = _home(there)
        # it may move back unless its home lies after the hole, up to where it is
        if ((at - home) & (FAR - 1)) >= ((at - hole) & (FAR - 1)):
            book.far_ticks[start + hole] = there
            book.far_sizes[start + hole] = book.far_sizes[start + at]
            hole = at
    book.far_ticks[start + hole] = _EMPTY
    book.far[s] -= 1
    return size


@compiled
def _far_behind(book: Any, s: int, tick: int) -> int:
    """The best level outside of the window that is worse than this tick."""
    found = NO_BID if s == BID else NO_ASK
    if book.far[s] == 0:
        return found
    for at in range(s * FAR, (s + 1) * FAR):
        there = book.far_ticks[at]
        if there == _EMPTY:
            continue
        if s == BID:
            if there < tick and there > found:
                found = there
        elif there > tick and there < found:
            found = there
    return found


# --- what is asked of it ---------------------------------------------------------------------------------------------


@inlined
def has_both(book: Any) -> bool:
    return bool(book.best[BID] != NO_BID and book.best[ASK] != NO_ASK)


@inlined
def mid_price(book: Any) -> float:
    """Of the best bid and ask; only where ``has_both``."""
    return float((book.best[BID] + book.best[ASK]) * book.price_num / (2.0 * book.price_den))


@compiled
def level(book: Any, s: int, number: int) -> int:
    """The tick of the number-th best level from 0 on."""
    tick = int(book.best[s])
    for _ in range(number):
        tick = next_level(book, s, tick)
    return tick


@compiled
def price_at_level(book: Any, s: int, number: int) -> float:
    if number < 0:
        return math.nan
    tick = level(book, s, number)
    return math.nan if tick == NO_BID or tick == NO_ASK else price_of(book, tick)


@compiled
def size_at_level(book: Any, s: int, number: int) -> float:
    if number < 0:
        return 0.0
    tick = level(book, s, number)
    return 0.0 if tick == NO_BID or tick == NO_ASK else size_at(book, s, tick)


@compiled
def size_of_levels(book: Any, s: int, count: int) -> float:
    """Sum of the sizes of the best ``count`` levels."""
    total = 0.0
    tick = int(book.best[s])
    for _ in range(count):
        if tick == NO_BID or tick == NO_ASK:
            break
        total += size_at(book, s, tick)
        tick = next_level(book, s, tick)
    return total


@compiled
def taking_price(book: Any, s: int, size: float) -> float:
    """Average price of taking this size from the side's levels, best first; nan where they hold less."""
    left = size
    paid = 0.0
    tick = int(book.best[s])
    while left > 0.0:
        if tick == NO_BID or tick == NO_ASK:
            return math.nan
        part = min(left, size_at(book, s, tick))
        paid += part * price_of(book, tick)
        left -= part
        tick = next_level(book, s, tick)
    return paid / size if size > 0.0 else math.nan
