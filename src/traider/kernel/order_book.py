"""An order book for code that is not compiled: a feed's, a test's, and what an interpreted strategy is given."""

from fractions import Fraction
from typing import Any

from ..domain.errors import DataError
from . import book, book_type
from .book import ASK, BID, FAR_LIMIT, book_at
from .jit import compiled


@compiled
def _set_level(address: int, s: int, price: float, size: float) -> float:
    there = book_at(address)
    return book.apply(there, s, book.tick_of(there, price), size)


@compiled
def _clear(address: int) -> None:
    book.clear(book_at(address))


@compiled
def _best_bid(address: int) -> float:
    return book_type.best_bid(book_at(address))


@compiled
def _best_ask(address: int) -> float:
    return book_type.best_ask(book_at(address))


@compiled
def _bid(address: int, level: int) -> float:
    return book_type.bid(book_at(address), level)


@compiled
def _ask(address: int, level: int) -> float:
    return book_type.ask(book_at(address), level)


@compiled
def _bid_size(address: int, level: int) -> float:
    return book_type.bid_size(book_at(address), level)


@compiled
def _ask_size(address: int, level: int) -> float:
    return book_type.ask_size(book_at(address), level)


@compiled
def _mid(address: int) -> float:
    return book_type.mid(book_at(address))


@compiled
def _spread(address: int) -> float:
    return book_type.spread(book_at(address))


@compiled
def _size_at(address: int, side: int, price: float) -> float:
    return book_type.size_of(book_at(address), side, price)


@compiled
def _imbalance(address: int, levels: int) -> float:
    return book_type.imbalance(book_at(address), levels)


@compiled
def _vwap(address: int, side: int, size: float) -> float:
    return book_type.vwap(book_at(address), side, size)


@compiled
def _levels(address: int, side: int) -> int:
    return book_type.levels(book_at(address), side)


class Book:
    """The levels of one instrument's order book. Levels are numbered from 0, the best one; a side is 1 for bids and -1 for asks."""

    __slots__ = ("_address",)

    def __init__(self, address: int) -> None:
        self._address = address

    def best_bid(self) -> float:
        """The highest bid; nan where there is none."""
        return _best_bid(self._address)

    def best_ask(self) -> float:
        """The lowest ask; nan where there is none."""
        return _best_ask(self._address)

    def bid(self, level: int) -> float:
        """Price of a bid level; nan where there are not so many."""
        return _bid(self._address, level)

    def ask(self, level: int) -> float:
        """Price of an ask level; nan where there are not so many."""
        return _ask(self._address, level)

    def bid_size(self, level: int) -> float:
        """Size of a bid level in base currency; 0 where there are not so many."""
        return _bid_size(self._address, level)

    def ask_size(self, level: int) -> float:
        """Size of an ask level in base currency; 0 where there are not so many."""
        return _ask_size(self._address, level)

    def mid(self) -> float:
        """The middle of best bid and ask; nan where one is missing."""
        return _mid(self._address)

    def spread(self) -> float:
        """Best ask minus best bid; nan where one is missing."""
        return _spread(self._address)

    def size_at(self, side: int, price: float) -> float:
        """Size of the level at this price; 0 where there is none."""
        return _size_at(self._address, side, float(price))

    def imbalance(self, levels: int) -> float:
        """(bids - asks) / (bids + asks), the sizes of the best so many levels of each side: from -1 to 1, nan for an empty book."""
        return _imbalance(self._address, levels)

    def vwap(self, side: int, size: float) -> float:
        """Average price of buying (side 1) or selling (-1) this size at once; nan where the book holds less."""
        return _vwap(self._address, side, float(size))

    def levels(self, side: int) -> int:
        """How many levels the side has."""
        return _levels(self._address, side)


class OrderBook(Book):
    """A book that owns its memory and can be changed."""

    __slots__ = ("_books",)

    def __init__(self, price_increment: Any) -> None:
        increment = Fraction(price_increment)
        self._books = book.new_books(1, [(float(increment.numerator), float(increment.denominator))])
        super().__init__(int(self._books.ctypes.data))

    def set_level(self, side: int, price: float, size: float) -> float:
        """Sets a level's size, 0 removes it; the size that it had. DataError where the book has no room for it."""
        s = BID if side > 0 else ASK
        before: float = _set_level(self._address, s, float(price), float(size))
        if self._books[0]["far"][s] > FAR_LIMIT:
            raise DataError(f"an order book of more than {FAR_LIMIT:,} levels far from its best price is not supported")
        return before

    def clear(self) -> None:
        """Takes every level out."""
        _clear(self._address)
