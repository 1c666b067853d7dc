"""The kernel's order books, several of them side by side, as books of the feed."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from traider.kernel import book as kernel_book
from traider.kernel.book import BOOK_BYTES, FAR_LIMIT, NO_ASK, NO_BID, book_at

from .book import BID, Top
from .compiled import compiled, inlined
from .malformed import MalformedError

MOST_OF_SIDE = FAR_LIMIT  # levels, wherever they are: a price that moves may put all of them outside of the book's window


@inlined
def set_level(there: Any, s: int, tick: int, size: float) -> int:
    """How many levels the side has after this."""
    kernel_book.apply(there, s, tick, size)
    return int(there.levels[s] + there.far[s])


@compiled
def _apply(address: int, s: int, tick: int, size: float) -> int:
    return set_level(book_at(address), s, tick, size)


@compiled
def _clear(address: int) -> None:
    kernel_book.clear(book_at(address))


@compiled
def top_of(address: int) -> tuple[int, float, int, float]:
    """Best bid and ask with their sizes; of a side without a level 0 and 0."""
    there = book_at(address)
    bid, ask = there.best[0], there.best[1]
    bid_size = kernel_book.size_at(there, 0, bid) if bid != NO_BID else 0.0
    ask_size = kernel_book.size_at(there, 1, ask) if ask != NO_ASK else 0.0
    return bid if bid != NO_BID else 0, bid_size, ask if ask != NO_ASK else 0, ask_size


@compiled
def _best(address: int, s: int) -> int:
    return int(book_at(address).best[s])


@compiled
def _size_at(address: int, s: int, tick: int) -> float:
    return kernel_book.size_at(book_at(address), s, tick)


@compiled
def _next_level(address: int, s: int, tick: int) -> int:
    return kernel_book.next_level(book_at(address), s, tick)


@compiled
def _reach(address: int, s: int, size: float) -> int:
    there = book_at(address)
    tick, none = there.best[s], NO_BID if s == 0 else NO_ASK
    while tick != none:
        size -= kernel_book.size_at(there, s, tick)
        if size <= 0.0:
            return int(tick)
        tick = kernel_book.next_level(there, s, tick)
    return int(none)


class CompiledBooks:
    """Memory for so many books; each is a ``Book`` (``CompiledBook``) at an address."""

    def __init__(self, price_increments: Iterable[Decimal]) -> None:
        increments = [Fraction(increment) for increment in price_increments]
        self._memory = kernel_book.new_books(len(increments), [(float(step.numerator), float(step.denominator)) for step in increments])
        self.books = [CompiledBook(self, int(self._memory.ctypes.data) + number * BOOK_BYTES) for number in range(len(increments))]


class CompiledBook:
    """A book of the kernel's: best bid and ask in constant time, its window follows the price."""

    __slots__ = ("_owner", "address")

    def __init__(self, owner: Any, address: int) -> None:
        self._owner = owner  # keeps the memory alive
        self.address = address

    def clear(self) -> None:
        """Nothing is there any more."""
        _clear(self.address)

    def apply(self, side: int, price_tick: int, size: float) -> None:
        """The level's size from now on; ``MalformedError`` where the book has no room for so many levels."""
        if _apply(self.address, 0 if side == BID else 1, price_tick, size) > MOST_OF_SIDE:
            raise MalformedError(f"an order book with more than {MOST_OF_SIDE:,} levels on a side")

    def top(self) -> Top:
        """Best bid and best ask; a side without a level has size 0."""
        return Top(*top_of(self.address))

    def reach(self, side: int, size: float) -> int | None:
        """The level at which all of ``size`` is had; None where the side has less."""
        tick = _reach(self.address, 0 if side == BID else 1, size)
        return None if tick in (NO_BID, NO_ASK) else tick

    def levels(self, side: int) -> dict[int, float]:
        """A copy of one side: size by tick, best first."""
        s = 0 if side == BID else 1
        found: dict[int, float] = {}
        tick = _best(self.address, s)
        while tick not in (NO_BID, NO_ASK):
            found[tick] = _size_at(self.address, s, tick)
            tick = _next_level(self.address, s, tick)
        return found
