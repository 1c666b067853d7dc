"""The engine's state as one nested record: what is in it, and how many of each.

A snapshot of an engine is a copy of these bytes (and, where there are order books, of theirs: ``traider.kernel.book``).
Prices, sizes and money are float64, times int64 nanoseconds UTC. Capacities are fixed so that the layout, and with it the
compiled code, is the same for every run.
"""

from typing import Any

import numpy as np

from ..domain import vocabulary
from ..domain.vocabulary import EventKind, OrderType, Reason, TimeInForce

MAX_INSTRUMENTS = 64
MAX_ORDERS = 1024  # open at one time
MAX_REQUESTS = 64  # asked for while handling one event
MAX_REPORTS = 1024  # fills on their way back
MAX_EXECUTIONS = 4096  # logged between two drains
DRAIN_AT = MAX_EXECUTIONS // 4
# One event may log more than one thing of each order: an order on a book takes levels up to here, so that every open order
# can still be filled and cancelled, every request be refused and every position be liquidated.
TAKEN_UNTIL = MAX_EXECUTIONS - 2 * MAX_ORDERS - MAX_REQUESTS - MAX_INSTRUMENTS
MAX_DAYS = 1024  # day ends logged between two drains
MAX_FEE_TIERS = 16
MAX_TIMERS = 16
VOLUME_DAYS = 30  # of the volume that decides the fee tier
RING = 1024  # orders, amendments, executions and refusals remembered by the controls; the largest limit on them
MAX_RECENT = 256  # orders remembered for the duplicate window
MAX_WINDOW = 256  # returns remembered for each instrument's volatility band; the largest window
RATE_WINDOW = 4096  # submissions remembered for the order rate; the limit's largest value
DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000
NEVER_NS = np.iinfo(np.int64).max

TRADE = int(EventKind.TRADE)
QUOTE = int(EventKind.QUOTE)
BAR = int(EventKind.BAR)
DEPTH = int(EventKind.DEPTH)
FUNDING_EVENT = int(EventKind.FUNDING)
KIND_BITS = vocabulary.KIND_BITS
BAR_MADE = vocabulary.BAR_MADE
BOOK_CLEAR = vocabulary.BOOK_CLEAR
BOOK_END = vocabulary.BOOK_END

MARKET = int(OrderType.MARKET)
LIMIT = int(OrderType.LIMIT)
STOP = int(OrderType.STOP)
STOP_LIMIT = int(OrderType.STOP_LIMIT)
TRAILING_STOP = int(OrderType.TRAILING_STOP)
CANCEL_REQUEST = -1  # the type of a request that takes back the order whose ref is in its id
AMEND_REQUEST = -2  # of one that changes size or price of the order whose ref is in its id

GTC = int(TimeInForce.GTC)
IOC = int(TimeInForce.IOC)
FOK = int(TimeInForce.FOK)
GTD = int(TimeInForce.GTD)

POST_ONLY = int(Reason.POST_ONLY)
IOC_UNFILLED = int(Reason.IOC_UNFILLED)
REQUESTED = int(Reason.REQUESTED)

# an order's place in its life, inside the table
ARRIVING = 0  # has not met a market event yet
RESTING = 1
WAITING = 2  # for the order that it follows
RELEASED = 3  # that order was filled at the event that is being matched
ENDING = 4  # it leaves the table when the event has been matched
MATCHED = 5  # filled whole at the venue, and the last report of it is under way

# how an execution is told
FILL = 1
CANCEL = 2
REFUSAL = 3
FUNDING = 4  # price is the mark, size the position, fee what was paid

# where market orders fill
NEXT_OPEN = 0  # at the next event's first price: a bar's open, a trade's price
NEXT_CLOSE = 1  # at the next bar's close, or the next trade's price
SAME = 2  # at the price of the event that the strategy acted on

# in which order a bar's prices came: see simulation.IntrabarPath
PATH_PESSIMISTIC = 0
PATH_HIGH_FIRST = 1
PATH_LOW_FIRST = 2
PATH_NEAREST_FIRST = 3

QUEUE_RISK_AVERSE = 0
QUEUE_POWER = 1
QUEUE_LOG = 2

LATENCY_CONSTANT = 0
LATENCY_LOGNORMAL = 1
LATENCY_RECORDED = 2

SLIPPAGE_NONE = 0
SLIPPAGE_TICKS = 1
SLIPPAGE_FRACTION = 2
SLIPPAGE_VOLUME_SHARE = 3

TRAIL_AMOUNT = 1
TRAIL_FRACTION = 2

# who matches
SIMULATED = 0  # the kernel: backtest, and the guard's paper venue
REMOTE = 1  # the guard: requests wait for the session to send them, fills are applied from its events

# what an instrument's orders meet
BY_EVENT = 0  # its bars or trades
BY_QUOTE = 1  # its quotes; trades reach only what rests
BY_BOOK = 2  # its order book


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
    ("meets", "i8"),
    ("maker_fee", "f8"),  # nan: the account's
    ("taker_fee", "f8"),
    ("initial_margin", "f8"),  # 0: not held on margin
    ("maintenance_margin", "f8"),
)

POSITION = _record(
    ("size", "f8"),
    ("average_price", "f8"),
    ("mark_price", "f8"),  # 0 before the first market event
    ("realized_pnl", "f8"),  # without fees and funding
    ("fees", "f8"),
    ("open_buys", "f8"),  # what is left of open buy orders; of a pair of which one fills, the larger
    ("open_sells", "f8"),
    ("bid", "f8"),  # the best ones that were told of; 0 where none was
    ("ask", "f8"),
    ("funding", "f8"),  # paid
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
    ("filled", "f8"),  # and told
    ("untold", "f8"),  # filled at the venue, the report under way
    ("limit_price", "f8"),
    ("stop_price", "f8"),
    ("trail", "f8"),
    ("trail_kind", "i8"),
    ("ts_ns", "i8"),  # decided
    ("active_ns", "i8"),  # at the venue from then on
    ("expire_ns", "i8"),  # 0: never
    ("cancel_ns", "i8"),  # when the cancel under way arrives; 0: there is none
    ("amend_ns", "i8"),  # when the amendment under way arrives; 0: there is none
    ("new_size", "f8"),
    ("new_price", "f8"),
    ("oco", "i8"),  # the pair or group; 0: none
    ("parent", "i8"),  # the ref of the order that it follows; 0: none
    ("tick", "i8"),  # the limit price in increments
    ("queue", "f8"),  # volume before it at its level of the book
    ("queue_start", "f8"),
    ("traded", "f8"),  # at its level since the level's size was last told
    ("reason", "i8"),  # why it is ENDING
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
    ("rule", "i8"),  # FillRule
    ("type", "i8"),
    ("decided_ns", "i8"),
    ("limit_price", "f8"),
    ("stop_price", "f8"),
    ("queue", "f8"),  # volume that was before it when it came to its level
)

REPORT = _record(
    ("due_ns", "i8"),
    ("matched_ns", "i8"),
    ("order_id", "i8"),
    ("price", "f8"),
    ("size", "f8"),
    ("fee", "f8"),
    ("maker", "i8"),
    ("rule", "i8"),
)

LIMITS = _record(
    ("order_notional", "f8"),  # inf is no limit
    ("position_size", "f8"),
    ("daily_loss", "f8"),
    ("drawdown", "f8"),
    ("open_orders", "i8"),
    ("orders_per_minute", "i8"),
)

FEE_TIER = _record(("volume", "f8"), ("maker", "f8"), ("taker", "f8"))

# how the venue is simulated: traider.kernel.simulation in numbers
VENUE = _record(
    ("fill_mode", "i8"),
    ("path", "i8"),
    ("participation", "f8"),  # inf is no limit
    ("queue_model", "i8"),
    ("queue_power", "f8"),
    ("partial_fills", "i8"),
    ("latency", "i8"),  # 1: there is one
    ("latency_kind", "i8"),
    ("latency_out_ns", "i8"),
    ("latency_back_ns", "i8"),
    ("latency_sigma", "f8"),
    ("latency_rows", "i8"),
    ("latency_at", "i8"),  # address of the recorded series; set anew when a snapshot is loaded
    ("random", "u8"),  # state of the seeded generator
    ("slippage_kind", "i8"),
    ("slippage", "f8"),
    ("liquidation_fee", "f8"),
    ("intricate", "i8"),  # 1: more than market orders at the next price
    ("tiers", "i8"),
    ("base_maker_fee", "f8"),
    ("base_taker_fee", "f8"),
    ("fee_tiers", FEE_TIER, (MAX_FEE_TIERS,)),
    ("volumes", "f8", (VOLUME_DAYS,)),  # notional traded, by UTC day modulo 30
    ("volume_day", "i8"),
)

ACCOUNT = _record(
    ("cash", "f8"),
    ("equity", "f8"),
    ("high_water_mark", "f8"),
    ("unmarked", "i8"),  # 1 from a fill until the next mark
    ("max_drawdown", "f8"),  # the largest seen, as a fraction of the peak before it
    ("day_start_equity", "f8"),
    ("ask_below", "f8"),  # above this equity no loss limit can be reached, and none is asked: risk.reaches_loss_limit
    ("day_end_ns", "i8"),  # first nanosecond of the next UTC day; 0 before the first event
    ("now_ns", "i8"),
    ("lag_ns", "i8"),  # from an event's time to when a strategy sees it: the length of a bar, which is told at its end
    ("due_ns", "i8"),  # when something under way arrives next; NEVER_NS: nothing is
    ("timer_ns", "i8"),  # when the next timer is due
    ("maker_fee", "f8"),
    ("taker_fee", "f8"),
    ("fees", "f8"),
    ("killed", "i8"),
    ("trips", "i8"),  # 1: the desk turns its own kill switch on at a breach; the guard does that by itself
    ("venue", "i8"),
    ("instruments", "i8"),
    ("margined", "i8"),  # how many of them are held on margin
    ("current", "u8"),  # instrument of the event being handled
    ("books_at", "i8"),  # address of the order books; 0: there are none
    ("book_full", "i8"),  # 1: a book has more levels far from its touch than it has room for
    ("next_id", "i8"),
    ("next_ref", "i8"),
    ("open_orders", "i8"),
    ("waiting", "i8"),  # of the open orders, those that follow another one
    ("linked", "i8"),  # of the open orders, those of which one fill ends others
    ("stirred", "i8"),  # 1: at the event that is being matched orders ended, or began, because of others
    ("reports", "i8"),
    ("requests", "i8"),
    ("executions", "i8"),
    ("told", "i8"),  # executions that the strategy's on_fill has been told of
    ("forgets", "i8"),  # 1: nobody reads the log, and it is emptied where it would have to be drained
    ("taken", "i8"),  # executions that were taken out before they were told, and lie here again to be
    ("days", "i8"),
    ("submissions", "i8"),
    ("fills", "i8"),
    ("refusals", "i8"),
    ("unheard", "i8"),  # of the refusals, those of orders beyond MAX_REQUESTS at one event, which are not logged
    ("liquidations", "i8"),
    ("curve_stride", "i8"),
    ("curve_left", "i8"),
    ("curve_points", "i8"),
    ("curve_low", "f8"),
)

DAY_END = _record(("day", "i8"), ("equity", "f8"))

# volatility bands and the other controls: traider.kernel.bands, traider.kernel.controls
BAND = _record(
    ("last_price", "f8"),  # 0 before the first event
    ("closed_price", "f8"),  # the last price of the span before; 0 while there is none
    ("span_end_ns", "i8"),
    ("returns", "i8"),  # how many there were
    ("variance", "f8"),  # of EWMA
    ("window", "f8", (MAX_WINDOW,)),
)

BAND_SETTINGS = _record(
    ("method", "i8"),
    ("length", "i8"),  # returns in the window, and how many it takes until the band is known
    ("multiplier", "f8"),  # 0 is no band
    ("alpha", "f8"),  # weight of the past in EWMA
    ("span_ns", "i8"),
)

RECENT = _record(
    ("ts_ns", "i8"),
    ("inst", "i8"),
    ("side", "i8"),
    ("type", "i8"),
    ("size", "f8"),
    ("limit_price", "f8"),
    ("stop_price", "f8"),
    ("trail", "f8"),
)

CONTROLS = _record(
    # what is asked for; 0 is no such control
    ("on", "i8"),  # 0: none of them
    ("order_size", "f8"),
    ("open_orders_per_market", "i8"),
    ("gross_exposure", "f8"),
    ("price_deviation", "f8"),
    ("market_data_age_ns", "i8"),
    ("orders_per_second", "i8"),
    ("amends_per_second", "i8"),
    ("duplicate_window_ns", "i8"),
    ("self_match", "i8"),
    ("safe_mode", "i8"),
    ("rejections_in_a_row", "i8"),
    ("rejections_per_minute", "i8"),
    ("executions_per_minute", "i8"),
    ("band", BAND_SETTINGS),
    # what has happened
    ("halted", "i8"),  # the reason for which nothing goes any more, NONE while there is none
    ("rejections", "i8"),  # in a row
    ("placed", "i8"),
    ("amended", "i8"),
    ("executed", "i8"),
    ("rejected", "i8"),
    ("seen_ns", "i8", (MAX_INSTRUMENTS,)),  # the time of the last price; 0 before the first
    ("amended_ns", "i8", (RING,)),
    ("executed_ns", "i8", (RING,)),
    ("rejected_ns", "i8", (RING,)),
    ("placed_ns", "i8", (RING,)),
    ("recent", RECENT, (MAX_RECENT,)),
    ("bands", BAND, (MAX_INSTRUMENTS,)),
)

DESK = _record(
    ("account", ACCOUNT),
    ("limits", LIMITS),
    ("settings", VENUE),
    ("positions", POSITION, (MAX_INSTRUMENTS,)),
    ("instruments", INSTRUMENT, (MAX_INSTRUMENTS,)),
    ("orders", ORDER, (MAX_ORDERS,)),
    ("requests", ORDER, (MAX_REQUESTS,)),
    ("amended", ORDER),  # what an order would become, while that is checked
    ("reports", REPORT, (MAX_REPORTS,)),
    ("timers", "i8", (MAX_TIMERS,)),
    ("submissions", "i8", (RATE_WINDOW,)),
    ("day_ends", DAY_END, (MAX_DAYS,)),
    ("executions", EXECUTION, (MAX_EXECUTIONS,)),
    ("controls", CONTROLS),
)

CURVE = _record(("ts_ns", "i8"), ("equity", "f8"), ("low", "f8"), ("price", "f8"))
