"""A market at the scripted Coinbase whose every state is remembered, so that a client's book can be held against it."""

import random
from collections.abc import Sequence
from decimal import Decimal

from tests.connectors.coinbase.fake_socket import Event, FakeSocket
from traider.connectors.coinbase.book import ASK, BID, DictBook
from traider.connectors.coinbase.book_keeper import BookKeeper
from traider.connectors.coinbase.compiled_book import CompiledBook
from traider.connectors.coinbase.market_feed import MarketFeed

Levels = dict[tuple[int, int], str]  # by side and tick
_SIDES = {BID: "bid", ASK: "offer"}


class MarketTruth:
    """Books that change at random, and tell so on ``level2``."""

    def __init__(self, socket: FakeSocket, *, products: tuple[str, ...] = ("BTC-USD", "ETH-USD"), seed: int = 0) -> None:
        self._socket = socket
        self._random = random.Random(seed)
        self.books: dict[str, Levels] = {}
        self._states: dict[str, list[Levels]] = {}
        for product in products:
            self.add(product)
        socket.snapshots["level2"] = lambda wanted: [self._snapshot(product) for product in wanted if product in self.books]

    def add(self, product: str) -> None:
        """Another product, with a book of its own."""
        self.books[product] = {(BID, 1000 - step): "1.5" for step in range(20)} | {(ASK, 1001 + step): "2.5" for step in range(20)}
        self._states[product] = [dict(self.books[product])]

    def change(self, product: str, levels: int) -> None:
        """Sets so many levels to something else, and tells it in one message."""
        book, rows = self.books[product], []
        for _ in range(levels):
            side = self._random.choice((BID, ASK))
            tick = self._random.randint(970, 1000) if side == BID else self._random.randint(1001, 1031)
            size = self._random.choice(("0", "0.00", "0.25", "1", "7.12345678"))
            if float(size):
                book[side, tick] = size
            else:
                book.pop((side, tick), None)
            rows.append((_SIDES[side], tick / 100, size))
        self._states[product].append(dict(book))
        self._socket.push("level2", [self.event(product, "update", rows)])

    def equals(self, product: str, keeper: BookKeeper) -> bool:
        """Whether the client's book is the market's now."""
        return keeper.valid and _levels(keeper) == _floats(self.books[product])

    def check_history(self, feed: MarketFeed) -> None:
        """A book that is said to be valid is one that the market has had, if not the latest."""
        for product, keeper in feed.keepers.items():
            if keeper.valid:
                assert _levels(keeper) in [_floats(state) for state in self._states[product]], f"{product} was never so"

    def event(self, product: str, type: str, rows: Sequence[tuple[str, float, str | int]]) -> Event:
        """A message's event, each row a level."""
        updates = [
            {"side": side, "event_time": "1970-01-01T00:00:00Z", "price_level": str(Decimal(str(price))), "new_quantity": str(size)}
            for side, price, size in rows
        ]
        return {"type": type, "product_id": product, "updates": updates}

    def _snapshot(self, product: str) -> Event:
        return self.event(product, "snapshot", [(_SIDES[side], tick / 100, size) for (side, tick), size in self.books[product].items()])


def _levels(keeper: BookKeeper) -> dict[tuple[int, int], float]:
    book = keeper.book
    assert isinstance(book, DictBook | CompiledBook)
    return {(side, tick): size for side in (BID, ASK) for tick, size in book.levels(side).items()}


def _floats(levels: Levels) -> dict[tuple[int, int], float]:
    return {place: float(size) for place, size in levels.items()}
