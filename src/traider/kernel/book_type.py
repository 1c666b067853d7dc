"""``book`` as a strategy is given it: what can be asked of an order book, compiled and interpreted.

Levels are numbered from 0, the best one. A side is 1 for bids and -1 for asks.
"""

import math
from typing import Any

from .book import (
    ASK,
    BID,
    BOOK_TYPE,
    NO_ASK,
    NO_BID,
    has_both,
    mid_price,
    price_at_level,
    price_of,
    size_at,
    size_at_level,
    size_of_levels,
    taking_price,
    tick_of,
)
from .handles import handle
from .jit import compiled


@compiled
def best_bid(book: Any) -> float:
    return price_of(book, book.best[BID]) if book.best[BID] != NO_BID else math.nan


@compiled
def best_ask(book: Any) -> float:
    return price_of(book, book.best[ASK]) if book.best[ASK] != NO_ASK else math.nan


@compiled
def bid(book: Any, level: int) -> float:
    return price_at_level(book, BID, level)


@compiled
def ask(book: Any, level: int) -> float:
    return price_at_level(book, ASK, level)


@compiled
def bid_size(book: Any, level: int) -> float:
    return size_at_level(book, BID, level)


@compiled
def ask_size(book: Any, level: int) -> float:
    return size_at_level(book, ASK, level)


@compiled
def mid(book: Any) -> float:
    return mid_price(book) if has_both(book) else math.nan


@compiled
def spread(book: Any) -> float:
    return (book.best[ASK] - book.best[BID]) * book.price_num / book.price_den if has_both(book) else math.nan


@compiled
def size_of(book: Any, side: int, price: float) -> float:
    return size_at(book, BID if side > 0 else ASK, tick_of(book, price))


@compiled
def imbalance(book: Any, levels: int) -> float:
    bids = size_of_levels(book, BID, levels)
    asks = size_of_levels(book, ASK, levels)
    return (bids - asks) / (bids + asks) if bids + asks > 0.0 else math.nan


@compiled
def vwap(book: Any, side: int, size: float) -> float:
    return taking_price(book, ASK if side > 0 else BID, size)


@compiled
def levels(book: Any, side: int) -> int:
    s = BID if side > 0 else ASK
    return int(book.levels[s] + book.far[s])


METHODS: dict[str, Any] = {
    "best_bid": best_bid,
    "best_ask": best_ask,
    "bid": bid,
    "ask": ask,
    "bid_size": bid_size,
    "ask_size": ask_size,
    "mid": mid,
    "spread": spread,
    "size_at": size_of,
    "imbalance": imbalance,
    "vwap": vwap,
    "levels": levels,
}
as_book = handle("Book", BOOK_TYPE, METHODS)
