"""The closed sets of words that orders, fills and refusals are described with.

The numbers are part of the kernel's record layout and of the journal: never renumber one.
"""

from enum import IntEnum, StrEnum


class Side(IntEnum):
    """Of an order, or of the taker of a trade."""

    BUY = 1
    SELL = -1


class OrderType(IntEnum):
    MARKET = 0
    LIMIT = 1
    STOP = 2  # becomes a market order when the stop price is touched


class TimeInForce(IntEnum):
    GTC = 0  # good till cancelled
    IOC = 1  # immediate or cancel


class OrderStatus(StrEnum):
    """See ``traider.domain.orders`` for the transitions."""

    PENDING = "pending"  # journalled, the venue's answer not known yet
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"  # sent, never answered; only the venue's own word resolves it


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"


class EventKind(IntEnum):
    """What one row of a market tape is."""

    TRADE = 1  # a = price, b = size, c = taker's side (+1, -1, 0 unknown)
    BAR = 3  # a = open, b = high, c = low, d = close, e = volume; ts is the bar's start


class Reason(IntEnum):
    """Why an order was refused or ended; 0 is none."""

    NONE = 0
    KILL_SWITCH = 1
    MARKET_NOT_ALLOWED = 2
    NO_MARKET_DATA = 3
    PRICE_INCREMENT = 4
    SIZE_INCREMENT = 5
    MIN_SIZE = 6
    MIN_NOTIONAL = 7
    ORDER_NOTIONAL = 8
    OPEN_ORDERS = 9
    POSITION_SIZE = 10
    DAILY_LOSS = 11
    DRAWDOWN = 12
    ORDER_RATE = 13
    INSUFFICIENT_BALANCE = 14
    INVALID_ORDER = 15
    POST_ONLY = 16
    IOC_UNFILLED = 17
    TOO_MANY_REQUESTS = 18
    NOT_SENT = 19
    GUARD_NOT_READY = 20
    REQUESTED = 21

    @property
    def label(self) -> str:
        """In a person's words: the same in the log, the API, the dashboard and the alert."""
        return _LABELS[self]


_LABELS = {
    Reason.NONE: "none",
    Reason.KILL_SWITCH: "kill switch is on",
    Reason.MARKET_NOT_ALLOWED: "market not allowed",
    Reason.NO_MARKET_DATA: "no market data yet",
    Reason.PRICE_INCREMENT: "price is not a multiple of the price increment",
    Reason.SIZE_INCREMENT: "size is not a multiple of the size increment",
    Reason.MIN_SIZE: "below the minimum size",
    Reason.MIN_NOTIONAL: "below the minimum notional",
    Reason.ORDER_NOTIONAL: "order notional above its limit",
    Reason.OPEN_ORDERS: "too many open orders",
    Reason.POSITION_SIZE: "position size above its limit",
    Reason.DAILY_LOSS: "daily loss limit reached",
    Reason.DRAWDOWN: "drawdown limit reached",
    Reason.ORDER_RATE: "too many orders a minute",
    Reason.INSUFFICIENT_BALANCE: "insufficient balance",
    Reason.INVALID_ORDER: "size or price is not a positive number",
    Reason.POST_ONLY: "post-only order would take liquidity",
    Reason.IOC_UNFILLED: "immediate-or-cancel: not filled at once",
    Reason.TOO_MANY_REQUESTS: "too many orders from one event",
    Reason.NOT_SENT: "the guard stopped before it was sent",
    Reason.GUARD_NOT_READY: "the guard is not ready",
    Reason.REQUESTED: "cancelled on request",
}
