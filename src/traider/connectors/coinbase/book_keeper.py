"""One market's book, kept from the venue's messages: nothing is believed of it between a gap and the next snapshot."""

from collections.abc import MutableSequence

from .book import ASK, BID, Book, Top
from .malformed import MalformedError
from .messages import BookEvent
from .ticks import TickGrid, size_of

Row = tuple[int, int, float]  # side, tick, size
_SIDES = {"bid": BID, "offer": ASK, "ask": ASK}


class BookKeeper:
    """Applies snapshots and updates to ``book``. ``valid`` says whether the book is the venue's.

    That is kept in ``flags`` at ``place``, so that a reader of frames can share it.
    """

    def __init__(self, book: Book, grid: TickGrid, flags: MutableSequence[int] | None = None, place: int = 0) -> None:
        self.book = book
        self.grid = grid
        self._flags: MutableSequence[int] = [0] if flags is None else flags
        self._place = place

    @property
    def valid(self) -> bool:
        return bool(self._flags[self._place])

    def invalidate(self) -> None:
        """Something was missed: the book is not to be used, and updates are passed over, until a snapshot comes."""
        self._flags[self._place] = 0

    def take(self, event: BookEvent) -> list[Row] | None:
        """The levels that were set, None where the event was passed over.

        An event that can't be read as a whole changes nothing (``MalformedError``).
        """
        if event.type == "snapshot":
            rows = self._rows(event)
            self.book.clear()
        elif event.type != "update":
            raise MalformedError(f"a book event of {event.product_id} that is neither snapshot nor update: {event.type[:20]!r}")
        elif not self.valid:
            return None
        else:
            rows = self._rows(event)
        apply = self.book.apply
        for side, tick, size in rows:
            apply(side, tick, size)
        self._flags[self._place] = 1
        return rows

    def top(self) -> Top | None:
        """Best bid and ask, None while the book is not valid."""
        return self.book.top() if self.valid else None

    def _rows(self, event: BookEvent) -> list[Row]:
        # One loop for what a busy market sends thousands of times a second: prices come again, and are looked up.
        seen, tick_of = self.grid.seen, self.grid.tick
        rows: list[Row] = []
        for update in event.updates:
            side = _SIDES.get(update.side)
            if side is None:
                raise MalformedError(f"a level of {event.product_id} on a side that is not known: {update.side[:20]!r}")
            text = update.price_level
            tick = seen.get(text)
            rows.append((side, tick_of(text) if tick is None else tick, size_of(update.new_quantity)))
        return rows
