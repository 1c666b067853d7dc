"""The engine's state as one nested record: what is in it, and how many of each.

A snapshot of an engine is a copy of these bytes. Prices, sizes and money are float64, times int64 nanoseconds UTC.
Capacities are fixed so that the layout, and with it the compiled code, is the same for every run.
"""

from typing import Any

import numpy as np

from ..domain.vocabulary import EventKind, OrderType, Reason, TimeInForce

MAX_INSTRUMENTS = 64
MAX_ORDERS = 1024  # open at one time
MAX_REQUESTS = 64  # asked for while handling one event
MAX_EXECUTIONS = 4096  # logged between two drains
DRAIN_AT = MAX_EXECUTIONS - MAX_ORDERS - 2 * MAX_REQUESTS
MAX_DAYS = 1024  # day ends logged between two drains
MAX_FEE_TIERS = 16
RATE_WINDOW = 4096  # submissions remembered for the order rate; the limit's largest value
DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000

BAR = int(EventKind.BAR)
TRADE = int(EventKind.TRADE)

MARKET = int(OrderType.MARKET)
LIMIT = int(OrderType.LIMIT)
STOP = int(OrderType.STOP)
IOC = int(TimeInForce.IOC)
POST_ONLY = int(Reason.POST_ONLY)
IOC_UNFILLED = int(Reason.IOC_UNFILLED)
REQUESTED = int(Reason.REQUESTED)

# an order's place in its life, inside the table
ARRIVING = 0  # has not met a market event yet
RESTING = 1

# how an execution is told
FILL = 1
CANCEL = 2
REFUSAL = 3

# where market orders fill
NEXT_OPEN = 0  # at the next event's first price: a bar's open, a trade's price
NEXT_CLOSE = 1  # at the next bar's close, or the next trade's price
SAME = 2  # at the price of the event that the strategy acted on

# who matches
SIMULATED = 0  # the kernel: backtest, and the guard's paper venue
REMOTE = 1  # the guard: requests wait for the session to send them, fills are applied from its events


def _record(*fields: Any) -> np.dtype[np.void]:
    return np.dtype(list(fields), align=True)


INSTRUMENT = _record(
    # an increment is num / den, both whole: 0.01 is 1/100, 5 is 5/1; so that "k increments" has one nearest float
    ("price_num", "f8"),
    ("price_den", "f8"),
    ("size_num", "f8"),
    ("size_den", "f8"),
    ("min_size", "f8"),
    ("min_notional", "f8"),
    ("shortable", "i8"),
    ("allowed", "i8"),
)

POSITION = _record(
    ("size", "f8"),
    ("average_price", "f8"),
    ("mark_price", "f8"),  # 0 before the first market event
    ("realized_pnl", "f8"),  # without fees
    ("fees", "f8"),
    ("open_buys", "f8"),  # what is left of open buy orders
    ("open_sells", "f8"),
)

ORDER = _record(
    ("id", "i8"),
    ("ref", "i8"),
    ("inst", "i8"),
    ("side", "i8"),
    ("type", "i8"),
    ("tif", "i8"),
    ("post_only", "i8"),
    ("stage", "i8"),
    ("size", "f8"),
    ("filled", "f8"),
    ("limit_price", "f8"),
    ("stop_price", "f8"),
    ("ts_ns", "i8"),
)

EXECUTION = _record(
    ("kind", "i8"),
    ("order_id", "i8"),
    ("ref", "i8"),
    ("inst", "i8"),
    ("side", "i8"),
    ("maker", "i8"),
    ("reason", "i8"),
    ("ts_ns", "i8"),
    ("price", "f8"),
    ("size", "f8"),
    ("fee", "f8"),
)

LIMITS = _record(
    ("order_notional", "f8"),  # inf is no limit
    ("position_size", "f8"),
    ("daily_loss", "f8"),
    ("drawdown", "f8"),
    ("open_orders", "i8"),
    ("orders_per_minute", "i8"),
)

ACCOUNT = _record(
    ("cash", "f8"),
    ("equity", "f8"),
    ("high_water_mark", "f8"),
    ("unmarked", "i8"),  # 1 from a fill until the next mark
    ("max_drawdown", "f8"),  # the largest seen, as a fraction of the peak before it
    ("day_start_equity", "f8"),
    ("day_end_ns", "i8"),  # first nanosecond of the next UTC day; 0 before the first event
    ("now_ns", "i8"),
    ("maker_fee", "f8"),
    ("taker_fee", "f8"),
    ("fees", "f8"),
    ("killed", "i8"),
    ("trips", "i8"),  # 1: the desk turns its own kill switch on at a breach; the guard does that by itself
    ("fill_mode", "i8"),
    ("venue", "i8"),
    ("instruments", "i8"),
    ("current", "u8"),  # instrument of the event being handled
    ("next_id", "i8"),
    ("next_ref", "i8"),
    ("open_orders", "i8"),
    ("requests", "i8"),
    ("executions", "i8"),
    ("told", "i8"),  # executions that the strategy's on_fill has been told of
    ("taken", "i8"),  # executions that were taken out before they were told, and lie here again to be
    ("days", "i8"),
    ("submissions", "i8"),
    ("fills", "i8"),
    ("refusals", "i8"),
    ("unheard", "i8"),  # of the refusals, those of orders beyond MAX_REQUESTS at one event, which are not logged
    ("curve_stride", "i8"),
    ("curve_left", "i8"),
    ("curve_points", "i8"),
    ("curve_low", "f8"),
)

DAY_END = _record(("day", "i8"), ("equity", "f8"))

DESK = _record(
    ("account", ACCOUNT),
    ("limits", LIMITS),
    ("positions", POSITION, (MAX_INSTRUMENTS,)),
    ("instruments", INSTRUMENT, (MAX_INSTRUMENTS,)),
    ("orders", ORDER, (MAX_ORDERS,)),
    ("requests", ORDER, (MAX_REQUESTS,)),
    ("submissions", "i8", (RATE_WINDOW,)),
    ("day_ends", DAY_END, (MAX_DAYS,)),
    ("executions", EXECUTION, (MAX_EXECUTIONS,)),
)

CURVE = _record(("ts_ns", "i8"), ("equity", "f8"), ("low", "f8"), ("price", "f8"))
