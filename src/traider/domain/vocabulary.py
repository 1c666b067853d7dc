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
    STOP_LIMIT = 3  # becomes a limit order when the stop price is touched
    TRAILING_STOP = 4  # a stop that follows the best price at a distance, and never moves back


class TimeInForce(IntEnum):
    GTC = 0  # good till cancelled
    IOC = 1  # immediate or cancel
    FOK = 2  # fill or kill: whole at once, or not at all
    GTD = 3  # good till date


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
    """What one row of a market tape is; its lower five bits. The flags below may be set beside it."""

    TRADE = 1  # a = price, b = size, c = taker's side (+1, -1, 0 unknown)
    QUOTE = 2  # a = best bid, b = its size, c = best ask, d = its size
    BAR = 3  # a = open, b = high, c = low, d = close, e = volume; ts is the bar's start
    DEPTH = 4  # a = price, b = new size of the level (0 removes it), c = +1 bid, -1 ask
    FUNDING = 5  # a = rate: what a long position pays of its notional; a negative rate is paid by shorts


KIND_BITS = 0x1F
BAR_MADE = 0x20  # of a bar: it was made of the trades in the same stream, so it tells and nothing is matched against it
BOOK_CLEAR = 0x40  # of a depth row: the first of a snapshot; what the book held before is gone
BOOK_END = 0x80  # the book's message, or its moment, ends with this row (which may be a trade): strategies see the book now


class FillRule(IntEnum):
    """Which rule of ``docs/matching.md`` a simulated fill follows from; 0 is a fill that was not simulated."""

    NONE = 0
    NEXT_OPEN = 1
    NEXT_CLOSE = 2
    SAME_PRICE = 3
    NEXT_TRADE = 4
    STOP_REACHED = 5
    STOP_GAPPED = 6
    LIMIT_AT_ARRIVAL = 7
    TRADED_THROUGH = 8
    QUEUE_REACHED = 9
    BOOK_CROSSED = 10
    BOOK_TAKEN = 11
    QUOTE_TAKEN = 12
    QUOTE_CROSSED = 13
    LIQUIDATION = 14


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
    FOK_UNFILLED = 22
    EXPIRED = 23
    OCO = 24
    PARENT_ENDED = 25
    NO_LIQUIDITY = 26
    INSUFFICIENT_MARGIN = 27
    LIQUIDATION = 28
    GROSS_EXPOSURE = 29
    PRICE_BAND = 30
    PRICE_COLLAR = 31
    STALE_MARKET_DATA = 32
    DUPLICATE_ORDER = 33
    SELF_MATCH = 34
    SAFE_MODE = 35
    VENUE_REJECTED = 36
    REPEATED_REJECTIONS = 37
    GATE_CLOSED = 38
    REPEATED_EXECUTIONS = 39
    ORDER_SIZE = 40
    MARKET_OPEN_ORDERS = 41
    REJECTION_RATE = 42

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
    Reason.FOK_UNFILLED: "fill-or-kill: not there in full at once",
    Reason.EXPIRED: "its time in force is over",
    Reason.OCO: "the other order of its pair was filled",
    Reason.PARENT_ENDED: "the order that it was to follow ended without a fill",
    Reason.NO_LIQUIDITY: "the book holds no more",
    Reason.INSUFFICIENT_MARGIN: "insufficient margin",
    Reason.LIQUIDATION: "the account was liquidated",
    Reason.GROSS_EXPOSURE: "gross exposure above its limit",
    Reason.PRICE_BAND: "price outside its volatility band",
    Reason.PRICE_COLLAR: "price too far from the market",
    Reason.STALE_MARKET_DATA: "market data is stale",
    Reason.DUPLICATE_ORDER: "the same order was sent a moment ago",
    Reason.SELF_MATCH: "it would trade with an order of its own account",
    Reason.SAFE_MODE: "safe mode is on: only orders that reduce a position may go",
    Reason.VENUE_REJECTED: "rejected by the exchange",
    Reason.REPEATED_REJECTIONS: "too many refusals in a row",
    Reason.GATE_CLOSED: "the guard's gate is closed",
    Reason.REPEATED_EXECUTIONS: "too many fills within a minute",
    Reason.ORDER_SIZE: "order size above its limit",
    Reason.MARKET_OPEN_ORDERS: "too many open orders in this market",
    Reason.REJECTION_RATE: "too many refusals within a minute",
}
