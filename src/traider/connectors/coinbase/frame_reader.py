"""A compiled reader of ``l2_data`` frames: from the socket's bytes to the kernel's books, with no JSON decoder between.

It knows one layout, the one that the venue writes, and takes a frame only when all of it is of that layout, of a book that is valid
or begins with this frame, and is the next one of the connection. Everything else it leaves untouched to the readers that know all of
JSON: what it takes, they would take, to the same ticks and sizes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np import numpy_support

from traider.kernel import book as kernel_book
from traider.kernel.book import FAR_LIMIT, book_at
from traider.kernel.machine import record_at

from .book import Top
from .compiled import compiled, inlined
from .compiled_book import CompiledBook, top_of
from .ticks import TickGrid

MOST_PRODUCTS = 64
MOST_LEVELS = 1 << 16  # of one frame
_NAME = 32
_DIGITS = 15  # of a number: so many are exact in 64 bits, and in a float's mantissa

OTHER = -1  # left untouched
FULL = -2  # the book has no room: it is not to be used

READER = np.dtype(
    [
        ("count", "i8"),
        ("names", "u1", (MOST_PRODUCTS * _NAME,)),
        ("lengths", "i8", (MOST_PRODUCTS,)),
        ("decimals", "i8", (MOST_PRODUCTS,)),
        ("units", "i8", (MOST_PRODUCTS,)),
        ("valid", "i8", (MOST_PRODUCTS,)),
        ("books", "i8", (MOST_PRODUCTS,)),
        ("bid_ticks", "i8", (MOST_PRODUCTS,)),  # the best levels as they were last told
        ("ask_ticks", "i8", (MOST_PRODUCTS,)),
        ("bid_sizes", "f8", (MOST_PRODUCTS,)),
        ("ask_sizes", "f8", (MOST_PRODUCTS,)),
        ("ticks", "i8", (MOST_LEVELS,)),
        ("sizes", "f8", (MOST_LEVELS,)),
        ("sides", "i8", (MOST_LEVELS,)),
    ],
    align=True,
)
reader_at = record_at(numpy_support.from_dtype(READER))


def _text(text: str) -> Any:
    return np.frombuffer(text.encode(), np.uint8).copy()


@intrinsic
def _eight(typing_context: Any, letters: Any, at: Any) -> Any:
    """Eight letters from ``at`` on as one number; the caller has made sure that they are there."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.bitcast(builder.gep(array.data, [args[1]]), ir.IntType(64).as_pointer())
        return builder.load(place, align=1)

    return types.uint64(letters, types.int64), generate


_QUOTES, _BACKSLASHES = np.uint64(0x2222222222222222), np.uint64(0x5C5C5C5C5C5C5C5C)
_ONES, _HIGHS, _SPACES, _DELETES = (
    np.uint64(0x0101010101010101),
    np.uint64(0x8080808080808080),
    np.uint64(0x2020202020202020),
    np.uint64(0x7F7F7F7F7F7F7F7F),
)


@inlined
def _has_zero(word: Any) -> Any:
    return (word - _ONES) & ~word & _HIGHS


@inlined
def _is_plain(word: Any) -> bool:
    """Whether none of the eight letters is a quote, a backslash, a control character, or beyond ASCII's printable ones."""
    # the bit tricks may see a letter too much, never one too little: what they stop at is then looked at letter by letter
    below_space = (word - _SPACES) & ~word & _HIGHS
    return bool(
        (_has_zero(word ^ _QUOTES) | _has_zero(word ^ _BACKSLASHES) | _has_zero(word ^ _DELETES) | below_space | (word & _HIGHS)) == 0
    )


_CHANNEL, _CLIENT, _TIME = _text('{"channel":"l2_data",'), _text('"client_id":"'), _text('"timestamp":"')
_NUMBER, _EVENTS = _text('","sequence_num":'), _text(',"events":[{"type":"')
_SNAPSHOT, _UPDATE, _PRODUCT = _text('snapshot","product_id":"'), _text('update","product_id":"'), _text('","updates":[')
_BID, _OFFER, _PRICE = _text('{"side":"bid","event_time":"'), _text('{"side":"offer","event_time":"'), _text('","price_level":"')
_SIZE, _LEVEL_END, _END = _text('","new_quantity":"'), _text('"}'), _text("}]}")
_TENS = np.array([10**power for power in range(19)], np.int64)
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
_AFTER_CLIENT = _text('",')


# product (a number, OTHER or FULL), whether its best levels are others than before, the message's time, bid, its size, ask, its size
Taken = tuple[int, bool, int, float, float, float, float]


@inlined
def _after(frame: Any, at: int, text: Any) -> int:
    """The place after this text, -1 where it does not stand there."""
    if at < 0 or at + len(text) > len(frame):
        return -1
    k = 0
    while k + 8 <= len(text):
        if _eight(frame, at + k) != _eight(text, k):
            return -1
        k += 8
    while k < len(text):
        if frame[at + k] != text[k]:
            return -1
        k += 1
    return at + len(text)


@inlined
def _string_end(frame: Any, at: int) -> int:
    """The place of the quote that ends the string; -1 where it holds anything but plain letters, which JSON may write differently."""
    if at < 0:
        return -1
    while at + 8 <= len(frame) and _is_plain(_eight(frame, at)):
        at += 8
    while at < len(frame):
        c = frame[at]
        if c == 34:
            return at
        if c < 32 or c > 126 or c == 92:
            return -1
        at += 1
    return -1


@inlined
def _number(frame: Any, at: int) -> tuple[int, int, int]:
    """Digits as a whole number, how many of them stand after the point, and the place of the quote that ends them (-1: no such number)."""
    value, places, digits, point = 0, 0, 0, False
    no = (0, 0, -1)
    if at < 0:
        return no
    while at < len(frame):
        c = frame[at]
        if 48 <= c <= 57:
            value = value * 10 + int(c) - 48
            digits += 1
            places += 1 if point else 0
            if digits > _DIGITS:
                return no
        elif c == 46:
            if point or digits == 0:
                return no
            point = True
        elif c == 34:
            if digits == 0 or (point and places == 0):
                return no
            return value, places, at
        else:
            return no
        at += 1
    return no


@inlined
def _tick(value: int, places: int, decimals: int, units: int) -> int:
    """The price's tick, -1 where it lies between two."""
    while places > decimals:
        if value % 10 != 0:
            return -1
        value //= 10
        places -= 1
    if places < decimals:
        if decimals - places > 18 - _DIGITS and value >= _TENS[18 - (decimals - places)]:
            return -1
        value *= _TENS[decimals - places]
    return value // units if value % units == 0 else -1


@inlined
def _whole(frame: Any, at: int) -> tuple[int, int]:
    """A whole number as JSON writes it, and the place after it (-1: none)."""
    value, start = 0, at
    if at < 0:
        return 0, -1
    while at < len(frame) and 48 <= frame[at] <= 57:
        value = value * 10 + int(frame[at]) - 48
        at += 1
    if at == start or at - start > 18 or (frame[start] == 48 and at - start > 1):
        return 0, -1
    return value, at


@inlined
def _digits(frame: Any, at: int, count: int) -> int:
    """So many digits as a whole number, -1 where something else stands among them."""
    value = 0
    for k in range(count):
        c = frame[at + k]
        if c < 48 or c > 57:
            return -1
        value = value * 10 + int(c) - 48
    return value


@inlined
def _moment_ns(frame: Any, at: int, end: int) -> int:
    """Nanoseconds since the epoch of a time in UTC with a fraction, as the venue writes it; -1 where it is written differently."""
    places = end - at - 21
    if at < 0 or places < 1 or places > 9:
        return -1
    if frame[at + 4] != 45 or frame[at + 7] != 45 or frame[at + 10] != 84 or frame[at + 13] != 58 or frame[at + 16] != 58:
        return -1
    if frame[at + 19] != 46 or frame[end - 1] != 90:
        return -1
    year, month, day = _digits(frame, at, 4), _digits(frame, at + 5, 2), _digits(frame, at + 8, 2)
    hour, minute, second = _digits(frame, at + 11, 2), _digits(frame, at + 14, 2), _digits(frame, at + 17, 2)
    fraction = _digits(frame, at + 20, places)
    if year < 1970 or year > 2200 or month < 1 or month > 12:
        return -1
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day < 1 or day > _MONTH_DAYS[month] + (1 if month == 2 and is_leap else 0):
        return -1
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59 or fraction < 0:
        return -1
    # counted in years that begin with March, so that the leap day is the last one
    y = year - (1 if month <= 2 else 0)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = y * 365 + y // 4 - y // 100 + y // 400 + of_year - 719468
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000_000 + int(fraction * _TENS[9 - places])


@inlined
def _product_at(reader: Any, frame: Any, start: int, end: int) -> int:
    for product in range(reader.count):
        if reader.lengths[product] == end - start:
            same = True
            for k in range(end - start):
                if reader.names[product * _NAME + k] != frame[start + k]:
                    same = False
                    break
            if same:
                return int(product)
    return OTHER


@inlined
def _levels(reader: Any, frame: Any, at: int, product: int) -> tuple[int, int]:
    """How many levels were read into the columns, and the place after their closing bracket (-1: not of the known layout)."""
    count = 0
    decimals, units = reader.decimals[product], reader.units[product]
    if at < len(frame) and frame[at] == 93:
        return 0, at + 1
    while True:
        if count >= MOST_LEVELS or at + 9 >= len(frame):
            return 0, -1
        is_bid = frame[at + 9] == 98
        at = _after(frame, at, _BID) if is_bid else _after(frame, at, _OFFER)
        at = _after(frame, _string_end(frame, at), _PRICE)
        value, places, at = _number(frame, at)
        tick = _tick(value, places, decimals, units) if at >= 0 else -1
        at = _after(frame, at, _SIZE)
        value, places, at = _number(frame, at)
        at = _after(frame, at, _LEVEL_END)
        if tick < 0 or at < 0 or at >= len(frame):
            return 0, -1
        reader.ticks[count] = tick
        # both are exact, so that their quotient is the float nearest to the text
        reader.sizes[count] = float(value) / float(_TENS[places])
        reader.sides[count] = 0 if is_bid else 1
        count += 1
        c = frame[at]
        at += 1
        if c == 93:
            return count, at
        if c != 44:
            return 0, -1


@compiled
def _take(address: int, frame: Any, expected: int) -> Taken:
    reader = reader_at(address)
    no = (OTHER, False, 0, 0.0, 0.0, 0.0, 0.0)
    at = _after(frame, 0, _CHANNEL)
    if at < 0 or at + 1 >= len(frame):
        return no
    if frame[at + 1] == 99:  # client_id is in the documents, and was not in what was recorded
        at = _after(frame, _string_end(frame, _after(frame, at, _CLIENT)), _AFTER_CLIENT)
    start = _after(frame, at, _TIME)
    end = _string_end(frame, start)
    ts_ns = _moment_ns(frame, start, end)
    number, at = _whole(frame, _after(frame, end, _NUMBER))
    at = _after(frame, at, _EVENTS)
    if ts_ns < 0 or at < 0 or at >= len(frame) or number != expected:
        return no
    is_snapshot = frame[at] == 115
    start = _after(frame, at, _SNAPSHOT) if is_snapshot else _after(frame, at, _UPDATE)
    end = _string_end(frame, start)
    product = _product_at(reader, frame, start, end) if end >= 0 else OTHER
    if product < 0 or not (is_snapshot or reader.valid[product]):
        return no
    at = _after(frame, end, _PRODUCT)
    if at < 0:
        return no
    count, at = _levels(reader, frame, at, product)
    if _after(frame, at, _END) != len(frame):
        return no
    there = book_at(reader.books[product])
    if is_snapshot:
        kernel_book.clear(there)
    for k in range(count):
        kernel_book.apply(there, reader.sides[k], reader.ticks[k], reader.sizes[k])
    if there.far[0] > FAR_LIMIT or there.far[1] > FAR_LIMIT:
        reader.valid[product] = 0
        return (FULL, False, ts_ns, 0.0, 0.0, 0.0, 0.0)
    reader.valid[product] = 1
    bid_tick, bid_size, ask_tick, ask_size = top_of(reader.books[product])
    changed = _tell(reader, product, bid_tick, bid_size, ask_tick, ask_size)
    return product, changed, ts_ns, kernel_book.price_of(there, bid_tick), bid_size, kernel_book.price_of(there, ask_tick), ask_size


@inlined
def _tell(reader: Any, product: int, bid_tick: int, bid_size: float, ask_tick: int, ask_size: float) -> bool:
    """Whether these are others than the best levels that were last told; from now on they are those."""
    same_bid = reader.bid_ticks[product] == bid_tick and reader.bid_sizes[product] == bid_size
    if same_bid and reader.ask_ticks[product] == ask_tick and reader.ask_sizes[product] == ask_size:
        return False
    reader.bid_ticks[product], reader.bid_sizes[product] = bid_tick, bid_size
    reader.ask_ticks[product], reader.ask_sizes[product] = ask_tick, ask_size
    return True


@compiled
def _tell_at(address: int, product: int, bid_tick: int, bid_size: float, ask_tick: int, ask_size: float) -> bool:
    return _tell(reader_at(address), product, bid_tick, bid_size, ask_tick, ask_size)


# by its exact types, so that it can be called past the dispatcher, which would look at each argument again with every frame
_SIGNATURE = (types.int64, types.Array(types.uint8, 1, "C", readonly=True), types.int64)


class FrameReader:
    """Reads frames into these books, by their names on the wire. ``valid`` tells of each, by its place, whether updates may be applied."""

    def __init__(self, books: Mapping[str, tuple[CompiledBook, TickGrid]]) -> None:
        if len(books) > MOST_PRODUCTS or any(len(name.encode()) > _NAME for name in books):
            raise ValueError(f"a reader has room for {MOST_PRODUCTS} products with names of at most {_NAME} letters")
        self._books = tuple(book for book, _ in books.values())  # keeps their memory alive
        self._memory = np.zeros(1, READER)
        self._address = int(self._memory.ctypes.data)
        reader = self._memory[0]
        reader["count"] = len(books)
        for number, (name, (book, grid)) in enumerate(books.items()):
            letters = name.encode()
            reader["names"][number * _NAME : number * _NAME + len(letters)] = np.frombuffer(letters, np.uint8)
            reader["lengths"][number] = len(letters)
            reader["decimals"][number], reader["units"][number] = grid.decimals, grid.units
            reader["books"][number] = book.address
        self.valid: Any = reader["valid"]
        dispatcher: Any = _take
        dispatcher.compile(_SIGNATURE)  # now, not when the first frame is waiting
        self._entry = dispatcher.overloads[_SIGNATURE].entry_point

    def take(self, frame: bytes, expected: int) -> Taken:
        """What became of it; of product ``OTHER`` nothing at all was done."""
        taken: Taken = self._entry(self._address, np.frombuffer(frame, np.uint8), expected)
        return taken

    def tell(self, product: int, top: Top) -> bool:
        """Whether these best levels are others than were last told, by whichever reader; from now on they are those."""
        return _tell_at(self._address, product, *top)
