"""The market feed with compiled books: best bid and ask straight from the socket's bytes."""

from collections.abc import Callable

from traider.domain.guard_protocol import MarketEvent
from traider.domain.vocabulary import EventKind

from .book import Top
from .book_keeper import BookKeeper
from .compiled_book import MOST_OF_SIDE, CompiledBooks
from .frame_reader import FULL, OTHER, SAME, FrameReader
from .malformed import MalformedError
from .market_feed import MarketFeed
from .ticks import TickGrid

_QUOTE = EventKind.QUOTE  # looked up once: an enum finds its members slowly


def _leave(frame: bytes, expected: int) -> int:
    """Leaves every frame to the readers that know all of JSON."""
    return OTHER


class CompiledMarketFeed(MarketFeed):
    """As ``MarketFeed``. Where the rows of the books are not asked for (``depth=False``), their frames take the short way.

    The first one of a machine compiles for a few seconds; the code is kept on disk.
    """

    _reader: FrameReader
    _take: Callable[[bytes, int], int] = staticmethod(_leave)

    def _make_keepers(self) -> dict[str, BookKeeper]:
        instruments = list(self._instruments.values())
        books = CompiledBooks(instrument.price_increment for instrument in instruments).books
        grids = [TickGrid(instrument.price_increment) for instrument in instruments]
        self._symbols = tuple(instrument.symbol for instrument in instruments)
        # A name that stands for several of our symbols, or for one of another name, is left to the readers that know all of JSON.
        short = {symbol for symbol in self._symbols if self._targets[symbol] == (symbol,)} - self._aliased()
        names = [symbol if symbol in short else f" {symbol}" for symbol in self._symbols]
        self._reader = FrameReader({name: (book, grid) for name, book, grid in zip(names, books, grids, strict=True)})
        if not self._depth:
            self._take = self._reader.take
        return {
            symbol: BookKeeper(book, grid, self._reader.valid, place)
            for place, (symbol, book, grid) in enumerate(zip(self._symbols, books, grids, strict=True))
        }

    def take_frame(self, frame: bytes, expected: int, received_ts_ns: int) -> bool:
        """Takes a message of a book out of its bytes, where it is the expected one and of the usual layout."""
        told = self._take(frame, expected)
        if told == SAME:
            return True
        if told < 0:
            if told == FULL:
                raise MalformedError(f"an order book with more than {MOST_OF_SIDE:,} levels on a side")
            return False
        ts_ns, bid, bid_size, ask, ask_size = self._reader.quote(told)
        if bid_size and ask_size:
            # the same event that the long way would make, made at once
            if ts_ns < self._last_ts_ns:
                ts_ns = self._last_ts_ns
            self._last_ts_ns = ts_ns
            event = MarketEvent(
                index=self._index,
                kind=_QUOTE,
                symbol=self._symbols[told],
                ts_ns=ts_ns,
                a=bid,
                b=bid_size,
                c=ask,
                d=ask_size,
                received_ts_ns=received_ts_ns,
            )
            self._index += 1
            self._put(event)
        return True

    def _is_told(self, symbol: str, top: Top) -> bool:
        return not self._reader.tell(self._symbols.index(symbol), top)

    def _aliased(self) -> set[str]:
        """Symbols that answers of another name are for."""
        return {symbol for name, symbols in self._targets.items() for symbol in symbols if name != symbol}
