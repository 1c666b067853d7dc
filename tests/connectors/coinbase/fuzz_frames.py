"""Recorded frames, damaged, before the compiled reader and before the JSON readers: ``make fuzz``.

What the compiled reader takes, the others have to take too, to the same books. The argument is the number of frames, a million by default.
"""

import random
import re
import sys
from decimal import Decimal

from tests.connectors.coinbase.recorded import frames
from traider.connectors.coinbase.amounts import moment_ns
from traider.connectors.coinbase.book import ASK, BID, DictBook, Top
from traider.connectors.coinbase.book_keeper import BookKeeper, Row
from traider.connectors.coinbase.compiled_book import CompiledBooks
from traider.connectors.coinbase.frame_reader import OTHER, SAME, FrameReader
from traider.connectors.coinbase.malformed import MalformedError
from traider.connectors.coinbase.messages import BookEvent, BookMessage, BrokenMessageError, read_message
from traider.connectors.coinbase.ticks import TickGrid

CENT = Decimal("0.01")
PRODUCTS = ("BTC-USD", "ETH-USD")
BOOK_FRAMES = [frame for frame in frames() if frame.startswith(b'{"channel":"l2_data"')]
SNAPSHOTS = [frame for frame in BOOK_FRAMES if b'"type":"snapshot"' in frame[:120]]
UPDATES = sorted((frame for frame in BOOK_FRAMES if frame not in SNAPSHOTS), key=len)
LETTERS = b'0123456789.",:{}[]\\eE-+ \n\x00\x7f\xc3'
DAMAGES = ("digit", "digit", "change", "insert", "remove", "double", "swap")
_DIGITS = re.compile(rb"\d")


class Pair:
    """The same books twice: read by the compiled reader with the JSON readers behind it, as in the feed, and by the JSON readers alone."""

    def __init__(self) -> None:
        books = CompiledBooks([CENT, CENT]).books
        self.compiled = dict(zip(PRODUCTS, books, strict=True))
        self.reader = FrameReader({name: (book, TickGrid(CENT)) for name, book in self.compiled.items()})
        self.behind = {
            name: BookKeeper(book, TickGrid(CENT), self.reader.valid, place) for place, (name, book) in enumerate(self.compiled.items())
        }
        self.plain = {name: BookKeeper(DictBook(), TickGrid(CENT)) for name in PRODUCTS}
        self.told: dict[str, Top | None] = {}

    def feed(self, frame: bytes, number: int = -1) -> bool:
        """Whether the compiled reader took it; what it took, JSON must have been able to take, to the same end.

        What it left alone is given to the JSON readers, into its books too. ``number`` is expected where none can be read in the frame.
        """
        message = _read(frame)
        told = self.reader.take(frame, number if (own := getattr(message, "sequence_num", None)) is None else own)
        if told == OTHER:
            self._take_both(message)
            return False
        assert isinstance(message, BookMessage), "taken, though it can't be read"
        (event,) = message.events
        assert self.plain[event.product_id].take(event) is not None
        top = self._same_top(event.product_id)
        product = PRODUCTS.index(event.product_id)
        assert told == (product if self._is_new(event.product_id, top) else SAME)
        price = self.plain[event.product_id].grid.price
        quote = (moment_ns(message.timestamp, "timestamp"), price(top.bid_tick), top.bid_size, price(top.ask_tick), top.ask_size)
        assert self.reader.quote(product) == quote
        return True

    def _take_both(self, message: object) -> None:
        for event in message.events if isinstance(message, BookMessage) else ():
            if event.product_id in self.plain:
                taken = [_taken(keepers[event.product_id], event) for keepers in (self.plain, self.behind)]
                assert taken[0] == taken[1]
                if self.plain[event.product_id].valid:
                    top = self._same_top(event.product_id)
                    product = PRODUCTS.index(event.product_id)
                    assert self.reader.tell(product, top) == self._is_new(event.product_id, top)

    def _same_top(self, name: str) -> Top:
        top = self.plain[name].top()
        assert top is not None
        assert top == self.compiled[name].top() == self.behind[name].top()
        return top

    def _is_new(self, name: str, top: Top) -> bool:
        before, self.told[name] = self.told.get(name, Top(0, 0.0, 0, 0.0)), top
        return top != before

    def invalidate(self, name: str) -> None:
        self.plain[name].invalidate()
        self.behind[name].invalidate()

    def same_levels(self) -> bool:
        return all(self.compiled[name].levels(side) == _plain(self.plain[name]).levels(side) for name in PRODUCTS for side in (BID, ASK))


def damaged(frame: bytes, chance: random.Random) -> bytes:
    """The frame with one to three small injuries."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        place = chance.randrange(len(frame))
        letter = bytes([chance.choice((chance.choice(LETTERS), chance.randrange(256)))])
        match chance.choice(DAMAGES):
            case "digit":  # of a number or a time: most of these frames stay good
                place = chance.choice([match.start() for match in _DIGITS.finditer(frame)] or [place])
                frame = frame[:place] + chance.choice((b"%d" % chance.randrange(10), letter, b"", b"00")) + frame[place + 1 :]
            case "change":
                frame = frame[:place] + letter + frame[place + 1 :]
            case "insert":
                frame = frame[:place] + letter + frame[place:]
            case "remove":
                frame = frame[:place] + frame[place + 1 :]
            case "double":
                frame = frame[:place] + frame[max(0, place - chance.randrange(200)) :]
            case _:
                other = chance.randrange(len(frame))
                frame = frame[:place] + frame[other : other + 12] + frame[place + 12 :]
    return frame


def fuzz(count: int, *, seed: int) -> tuple[int, int]:
    """How many damaged frames the compiled reader took, and how many it left alone; ``AssertionError`` at the first difference."""
    pair, chance = Pair(), random.Random(seed)
    for snapshot in SNAPSHOTS:
        assert pair.feed(snapshot)
    taken = 0
    for number in range(1, count + 1):
        # mostly short ones, in which a single injury matters more
        frames = UPDATES[:60] if chance.random() < 0.8 else UPDATES
        if number % 100 == 0:
            frames = SNAPSHOTS
        whole = chance.choice(frames)
        taken += pair.feed(damaged(whole, chance), number_of(whole) or 0)
        if number % 10_000 == 0:
            pair.invalidate(chance.choice(PRODUCTS))
        if number % 2_000 == 0:
            assert pair.same_levels()
    return taken, count - taken


def number_of(frame: bytes) -> int | None:
    """The message's number, as far as it can be read."""
    number: int | None = getattr(_read(frame), "sequence_num", None)
    return number


def _read(frame: bytes) -> object:
    """The message, or the error that says why it is none; None where nothing at all can be read."""
    try:
        return read_message(frame)
    except BrokenMessageError as error:
        return error
    except MalformedError:
        return None


def _taken(keeper: BookKeeper, event: BookEvent) -> list[Row] | str | None:
    try:
        return keeper.take(event)
    except MalformedError as error:
        return str(error)


def _plain(keeper: BookKeeper) -> DictBook:
    assert isinstance(keeper.book, DictBook)
    return keeper.book


if __name__ == "__main__":
    taken, left_alone = fuzz(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, seed=2)
    print(f"taken {taken:,}, left alone {left_alone:,}")
