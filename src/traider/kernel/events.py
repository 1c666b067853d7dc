"""What a strategy is handed: immutable rows, the same compiled and interpreted."""

from typing import NamedTuple


class Bar(NamedTuple):
    """One bar, handed over when it is complete. ``ts_ns`` is its start; ``volume`` in base currency."""

    ts_ns: int
    instrument: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Trade(NamedTuple):
    """One trade of the market. ``side`` is the taker's: 1 bought, -1 sold, 0 not known."""

    ts_ns: int
    instrument: int
    price: float
    size: float
    side: int


class Fill(NamedTuple):
    """One fill of an own order; ``fee`` in quote currency, ``maker`` 1 or 0, ``order`` what the order method returned."""

    ts_ns: int
    instrument: int
    order: int
    side: int
    price: float
    size: float
    fee: float
    maker: int


class Quote(NamedTuple):
    """The best bid and ask, and their sizes in base currency."""

    ts_ns: int
    instrument: int
    bid: float
    bid_size: float
    ask: float
    ask_size: float


class Timer(NamedTuple):
    """A timer that the strategy set is due. ``number`` is the one that it was set with."""

    ts_ns: int
    number: int
