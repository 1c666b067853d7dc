"""Recorded frames, damaged, before the compiled reader and before the JSON readers: ``python -m tests.connectors.coinbase.fuzz_frames``.

What the compiled reader takes, the others have to take too, to the same books. The argument is the number of frames, a million by default.
"""

import random
import sys
from decimal import Decimal

from tests.connectors.coinbase.recorded import frames
from traider.connectors.coinbase.amounts import moment_ns
from traider.connectors.coinbase.book import ASK, BID, DictBook, Top
from traider.connectors.coinbase.book_keeper import BookKeeper
from traider.connectors.coinbase.compiled_book import CompiledBooks
from traider.connectors.coinbase.frame_reader import OTHER, SAME, FrameReader
from traider.connectors.coinbase.malformed import MalformedError
from traider.connectors.coinbase.messages import BookMessage, BrokenMessageError, read_message
from traider.connectors.coinbase.ticks import TickGrid

CENT = Decimal("0.01")
PRODUCTS = ("BTC-USD", "ETH-USD")
BOOK_FRAMES = [frame for frame in frames() if frame.startswith(b'{"channel":"l2_data"')]
SNAPSHOTS = [frame for frame in BOOK_FRAMES if b'"type":"snapshot"' in frame[:120]]
SHORT = sorted(BOOK_FRAMES, key=len)[:60]
LETTERS = b'0123456789.",:{}[]\\eE-+ \n\x00\x7f\xc3'
DAMAGES = ("change", "insert", "remove", "double", "swap")


class Pair:
    """The same books twice: read by the compiled reader, and through JSON."""

    def __init__(self) -> None:
        books = CompiledBooks([CENT, CENT]).books
        self.compiled = dict(zip(PRODUCTS, books, strict=True))
        self.reader = FrameReader({name: (book, TickGrid(CENT)) for name, book in self.compiled.items()})
        self.told: dict[int, Top | None] = {}
        self.plain = {name: BookKeeper(DictBook(), TickGrid(CENT)) for name in PRODUCTS}

    def feed(self, frame: bytes) -> bool:
        """Whether the compiled reader took it; what it took, JSON must have been able to take, to the same end."""
        expected = number_of(frame)
        told = self.reader.take(frame, -1 if expected is None else expected)
        if told == OTHER:
            return False
        message = read_message(frame)
        assert isinstance(message, BookMessage)
        (event,) = message.events
        product = PRODUCTS.index(event.product_id)
        keeper = self.plain[event.product_id]
        before = self.told.get(product)
        assert keeper.take(event) is not None
        top = self.told[product] = keeper.top()
        assert top is not None
        assert top == self.compiled[event.product_id].top()
        assert told == (SAME if top == before else product)
        price = keeper.grid.price
        quote = (moment_ns(message.timestamp, "timestamp"), price(top.bid_tick), top.bid_size, price(top.ask_tick), top.ask_size)
        assert self.reader.quote(product) == quote
        return True

    def same_levels(self) -> bool:
        return all(self.compiled[name].levels(side) == _plain(self.plain[name]).levels(side) for name in PRODUCTS for side in (BID, ASK))


def damaged(frame: bytes, chance: random.Random) -> bytes:
    """The frame with one to three small injuries."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        place = chance.randrange(len(frame))
        letter = bytes([chance.choice((chance.choice(LETTERS), chance.randrange(256)))])
        match chance.choice(DAMAGES):
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
    taken = sum(pair.feed(damaged(chance.choice(SHORT), chance)) for _ in range(count))
    return taken, count - taken


def number_of(frame: bytes) -> int | None:
    """The message's number, as far as it can be read."""
    try:
        message = read_message(frame)
    except BrokenMessageError as error:
        return error.sequence_num
    except MalformedError:
        return None
    return getattr(message, "sequence_num", None)


def _plain(keeper: BookKeeper) -> DictBook:
    assert isinstance(keeper.book, DictBook)
    return keeper.book


if __name__ == "__main__":
    taken, left_alone = fuzz(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, seed=2)
    print(f"taken {taken:,}, left alone {left_alone:,}")
