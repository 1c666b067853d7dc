"""A compiled reader of ``l2_data`` frames: from the socket's bytes to the kernel's books, with no JSON decoder between.

It knows one layout, the one that the venue writes, and takes a frame only when all of it is of that layout, of a book that is valid
or begins with this frame, and is the next one of the connection. Everything else it leaves untouched to the readers that know all of
JSON: what it takes, they would take, to the same ticks and sizes.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numba import types
from numba.np import numpy_support

from traider.kernel import book as kernel_book
from traider.kernel.book import book_at
from traider.kernel.machine import record_at

from .book import Top
from .compiled import compiled, compiled_at_once, inlined
from .compiled_book import MOST_OF_SIDE, CompiledBook, set_level, top_of
from .frame_bytes import FRAME, after, eight_at, letter_at
from .frame_numbers import TENS, decimal_at, moment_at, string_end, tick_of, whole_at
from .ticks import TickGrid

MOST_PRODUCTS = 64
MOST_LEVELS = 1 << 16  # of one frame
_NAME = 32

# what became of a frame, if it is not the number of a product whose best levels are now others
SAME = -1  # taken; the best levels are what they were
OTHER = -2  # left untouched
FULL = -3  # more levels than a book has room for: it is not to be used

READER = np.dtype(
    [
        ("count", "i8"),
        ("names", "u1", (MOST_PRODUCTS * _NAME,)),
        ("lengths", "i8", (MOST_PRODUCTS,)),
        ("heads", "u8", (MOST_PRODUCTS,)),  # the first eight letters as one number
        ("decimals", "i8", (MOST_PRODUCTS,)),
        ("units", "i8", (MOST_PRODUCTS,)),
        ("valid", "i8", (MOST_PRODUCTS,)),
        ("books", "i8", (MOST_PRODUCTS,)),
        ("bid_ticks", "i8", (MOST_PRODUCTS,)),  # the best levels as they were last told
        ("ask_ticks", "i8", (MOST_PRODUCTS,)),
        ("bid_sizes", "f8", (MOST_PRODUCTS,)),
        ("ask_sizes", "f8", (MOST_PRODUCTS,)),
        ("ts_ns", "i8"),  # of the last message that was taken
        ("second_text", "u8", (3,)),  # the second of the last time that was read
        ("second_ns", "i8"),
        ("ticks", "i8", (MOST_LEVELS,)),
        ("sizes", "f8", (MOST_LEVELS,)),
        ("sides", "i8", (MOST_LEVELS,)),
    ],
    align=True,
)
reader_at = record_at(numpy_support.from_dtype(READER))

_CHANNEL, _CLIENT, _CLIENT_END, _TIME = after('{"channel":"l2_data",'), after('"client_id":"'), after('",'), after('"timestamp":"')
_NUMBER, _EVENTS = after('","sequence_num":'), after(',"events":[{"type":"')
_SNAPSHOT, _UPDATE, _UPDATES = after('snapshot","product_id":"'), after('update","product_id":"'), after('","updates":[')
_BID, _OFFER, _PRICE = after('{"side":"bid","event_time":"'), after('{"side":"offer","event_time":"'), after('","price_level":"')
_SIZE, _LEVEL_END, _END = after('","new_quantity":"'), after('"}'), after("}]}")
_B, _C, _S, _COMMA, _BRACKET = (ord(letter) for letter in "bcs,]")
_SHORTEST = len('{"channel":"l2_data","timestamp":""')  # enough for every look ahead of the first letters

Quote = tuple[int, float, float, float, float]  # the message's time, bid, its size, ask, its size


@inlined
def _product_of(reader: Any, start: int, behind: int) -> int:
    """The product of this name. After a name eight letters more are there to be read."""
    size = behind - start
    mask = ~np.uint64(0) if size >= 8 else (np.uint64(1) << np.uint64(8 * size)) - np.uint64(1)
    head = eight_at(start) & mask
    for product in range(reader.count):
        if reader.heads[product] == head and reader.lengths[product] == size:
            k = 8
            while k < size and reader.names[product * _NAME + k] == letter_at(start + k):
                k += 1
            if k >= size:
                return int(product)
    return OTHER


@inlined
def _levels(reader: Any, at: int, end: int, product: int) -> tuple[int, int]:
    """How many levels were read into the columns, and the place after their closing bracket (0: not of the known layout)."""
    no, count = (0, 0), 0
    decimals, units = reader.decimals[product], reader.units[product]
    while count < MOST_LEVELS and at + 9 < end:
        is_bid = letter_at(at + 9) == _B
        at = _BID(at, end) if is_bid else _OFFER(at, end)
        at = _PRICE(string_end(at, end), end)
        value, places, at = decimal_at(at, end)
        if at == 0:
            return no
        tick = tick_of(value, places, decimals, units)
        value, places, at = decimal_at(_SIZE(at, end), end)
        at = _LEVEL_END(at, end)
        if tick < 0 or at == 0 or at >= end:
            return no
        reader.ticks[count] = tick
        # both are exact, so that their quotient is the float nearest to the text
        reader.sizes[count] = float(value) / float(TENS[places])
        reader.sides[count] = 0 if is_bid else 1
        count += 1
        letter = letter_at(at)
        at += 1
        if letter == _BRACKET:
            return count, at
        if letter != _COMMA:
            return no
    return no


@compiled_at_once
def _take(address: int, frame: Any, expected: int) -> int:
    reader = reader_at(address)
    end = frame.end
    if end - frame.start < _SHORTEST:
        return OTHER
    at = _CHANNEL(frame.start, end)
    if at == 0:
        return OTHER
    if letter_at(at + 1) == _C:  # client_id is in the documents, and was not in what was recorded
        at = _CLIENT_END(string_end(_CLIENT(at, end), end), end)
    ts_ns, at = moment_at(reader, _TIME(at, end), end)
    number, at = whole_at(_NUMBER(at, end), end)
    at = _EVENTS(at, end)
    if at == 0 or at >= end or number != expected:
        return OTHER
    is_snapshot = letter_at(at) == _S
    start = _SNAPSHOT(at, end) if is_snapshot else _UPDATE(at, end)
    behind = string_end(start, end)
    at = _UPDATES(behind, end)
    product = _product_of(reader, start, behind) if at != 0 else OTHER
    if product < 0 or not (is_snapshot or reader.valid[product]):
        return OTHER
    count, at = _levels(reader, at, end, product)
    if _END(at, end) != end:
        return OTHER
    there = book_at(reader.books[product])
    if is_snapshot:
        kernel_book.clear(there)
    for k in range(count):
        if set_level(there, reader.sides[k], reader.ticks[k], reader.sizes[k]) > MOST_OF_SIDE:
            reader.valid[product] = 0
            return FULL
    reader.valid[product] = 1
    reader.ts_ns = ts_ns
    bid_tick, bid_size, ask_tick, ask_size = top_of(reader.books[product])
    return product if _tell(reader, product, bid_tick, bid_size, ask_tick, ask_size) else SAME


@compiled_at_once
def _quote(address: int, product: int) -> Quote:
    reader = reader_at(address)
    there = book_at(reader.books[product])
    bid, ask = kernel_book.price_of(there, reader.bid_ticks[product]), kernel_book.price_of(there, reader.ask_ticks[product])
    return reader.ts_ns, bid, reader.bid_sizes[product], ask, reader.ask_sizes[product]


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


def _entry(dispatcher: Any, *signature: Any) -> Any:
    """Compiled now, not when the first frame is waiting; to be called past the dispatcher, which would look at each argument's type."""
    dispatcher.compile(signature)
    return dispatcher.overloads[signature].entry_point


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
            reader["heads"][number] = int.from_bytes(letters[:8], "little")
            reader["decimals"][number], reader["units"][number] = grid.decimals, grid.units
            reader["books"][number] = book.address
        self.valid: Any = reader["valid"]
        self.take: Callable[[bytes, int], int] = self._bound(_entry(_take, types.int64, FRAME, types.int64))
        """What became of a frame that should have this number: a product whose best levels are others, ``SAME``, ``OTHER``, ``FULL``."""
        self.quote: Callable[[int], Quote] = self._bound(_entry(_quote, types.int64, types.int64))
        """The time of the last message that was taken, and a product's best bid and ask with their sizes."""

    def tell(self, product: int, top: Top) -> bool:
        """Whether these best levels are others than were last told, by whichever reader; from now on they are those."""
        return _tell_at(self._address, product, *top)

    def _bound(self, entry: Any) -> Any:
        """Such a function of this reader. It is called without a method of Python's between, and keeps the memory alive by itself."""
        bound = functools.partial(entry, self._address)
        bound.__dict__["keeps"] = self._memory, self._books
        return bound
