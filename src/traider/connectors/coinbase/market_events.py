"""The venue's market messages as the kernel's events."""

from collections.abc import Iterator

import msgspec

from traider.domain.guard_protocol import MarketEvent
from traider.domain.vocabulary import BOOK_CLEAR, BOOK_END, EventKind

from .amounts import moment_ns, positive_amount
from .book import BID, Top
from .book_keeper import Row
from .malformed import MalformedError
from .messages import CandlePart, TickerPart, TradePart
from .read_market import start_ns, taker_side
from .ticks import TickGrid, size_of


class Draft(msgspec.Struct, frozen=True, gc=False):
    """An event without its place in the stream."""

    kind: EventKind
    symbol: str
    ts_ns: int
    a: float
    b: float
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    flags: int = 0

    def of(self, symbol: str) -> "Draft":
        """The same of another market."""
        return Draft(self.kind, symbol, self.ts_ns, self.a, self.b, self.c, self.d, self.e, self.flags)

    def at(self, index: int, *, ts_ns: int, received_ts_ns: int) -> MarketEvent:
        """The event at its place."""
        return MarketEvent(
            index=index, kind=self.kind, symbol=self.symbol, ts_ns=ts_ns, a=self.a, b=self.b, c=self.c, d=self.d, e=self.e,
            flags=self.flags, received_ts_ns=received_ts_ns,
        )  # fmt: skip


def trade_draft(trade: TradePart) -> Draft:
    """A trade at its own time, with the side of who took: the opposite of the one that the venue names."""
    what = f"trade {trade.trade_id} of {trade.product_id}"
    return Draft(
        EventKind.TRADE,
        trade.product_id,
        moment_ns(trade.time, f"{what}: time"),
        float(positive_amount(trade.price, f"{what}: price")),
        float(positive_amount(trade.size, f"{what}: size")),
        float(taker_side(trade.side, f"{what}: side")),
    )


def depth_drafts(symbol: str, ts_ns: int, rows: list[Row], grid: TickGrid, *, snapshot: bool) -> Iterator[Draft]:
    """The levels of one message. The first of a snapshot clears the book, the last of any message ends its moment."""
    if snapshot and not rows:
        # An empty book is told by the removal of a level that was not there.
        yield Draft(EventKind.DEPTH, symbol, ts_ns, 0.0, 0.0, float(BID), flags=BOOK_CLEAR | BOOK_END)
    last = len(rows) - 1
    for place, (side, tick, size) in enumerate(rows):
        flags = (BOOK_CLEAR if snapshot and place == 0 else 0) | (BOOK_END if place == last else 0)
        yield Draft(EventKind.DEPTH, symbol, ts_ns, grid.price(tick), size, float(side), flags=flags)


def top_draft(symbol: str, ts_ns: int, top: Top, grid: TickGrid) -> Draft | None:
    """Best bid and ask of a book, None while one of its sides is empty."""
    if not (top.bid_size and top.ask_size):
        return None
    return Draft(EventKind.QUOTE, symbol, ts_ns, grid.price(top.bid_tick), top.bid_size, grid.price(top.ask_tick), top.ask_size)


def ticker_draft(ticker: TickerPart, ts_ns: int) -> Draft | None:
    """Best bid and ask of a ticker, None where it does not name them."""
    if not (ticker.best_bid and ticker.best_ask):
        return None
    what = f"ticker of {ticker.product_id}"
    return Draft(
        EventKind.QUOTE,
        ticker.product_id,
        ts_ns,
        float(positive_amount(ticker.best_bid, f"{what}: best_bid")),
        size_of(str(ticker.best_bid_quantity or "0")),
        float(positive_amount(ticker.best_ask, f"{what}: best_ask")),
        size_of(str(ticker.best_ask_quantity or "0")),
    )


def candle_draft(candle: CandlePart) -> Draft:
    """A bar of five minutes; its time is its start."""
    what = f"candle {candle.start} of {candle.product_id}"
    return Draft(
        EventKind.BAR,
        candle.product_id,
        start_ns(candle.start, f"{what}: start"),
        float(positive_amount(candle.open, f"{what}: open")),
        float(positive_amount(candle.high, f"{what}: high")),
        float(positive_amount(candle.low, f"{what}: low")),
        float(positive_amount(candle.close, f"{what}: close")),
        size_of(candle.volume),
    )


def trade_number(trade: TradePart) -> int:
    """The trade's id as the number that it is: it grows with every trade of its product."""
    if not trade.trade_id.isdecimal():
        raise MalformedError(f"a trade of {trade.product_id} whose id is no number: {trade.trade_id[:40]!r}")
    return int(trade.trade_id)
