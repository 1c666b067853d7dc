"""Controls against orders that no sane strategy would send: wrong prices, repetitions, floods, its own other side.

``check_controls`` is asked after the limits of ``traider.kernel.risk``; the first rule that refuses gives the reason. What it
judges by is told to it: ``see_market`` for each price, ``note_placed``, ``note_accepted``, ``note_amended``, ``note_refused`` and
``note_executed`` for what happens to orders. All state is in one record, so that a backtest, paper trading and the guard come to
the same answers.
"""

from typing import Any

from ..domain.vocabulary import OrderType, Reason
from . import bands
from .bands import record
from .jit import compiled
from .layout import LIMIT, MARKET, MAX_INSTRUMENTS, MINUTE_NS, STOP

STOP_LIMIT = int(OrderType.STOP_LIMIT)
SECOND_NS = 1_000_000_000
RING = 1024  # orders, amendments and executions remembered; the largest limit on them
MAX_RECENT = 256  # orders remembered for the duplicate window

NONE = int(Reason.NONE)
GROSS_EXPOSURE = int(Reason.GROSS_EXPOSURE)
PRICE_BAND = int(Reason.PRICE_BAND)
PRICE_COLLAR = int(Reason.PRICE_COLLAR)
STALE_MARKET_DATA = int(Reason.STALE_MARKET_DATA)
DUPLICATE_ORDER = int(Reason.DUPLICATE_ORDER)
SELF_MATCH = int(Reason.SELF_MATCH)
SAFE_MODE = int(Reason.SAFE_MODE)
ORDER_RATE = int(Reason.ORDER_RATE)
REPEATED_REJECTIONS = int(Reason.REPEATED_REJECTIONS)
REPEATED_EXECUTIONS = int(Reason.REPEATED_EXECUTIONS)

PRODUCT = 1e-12  # what a sum of prices times sizes is off by at most, as a fraction

RECENT = record(
    ("ts_ns", "i8"),
    ("inst", "i8"),
    ("side", "i8"),
    ("type", "i8"),
    ("size", "f8"),
    ("limit_price", "f8"),
    ("stop_price", "f8"),
)

CONTROLS = record(
    # what is asked for; 0 is no such control
    ("on", "i8"),  # 0: none of them
    ("gross_exposure", "f8"),
    ("price_deviation", "f8"),
    ("market_data_age_ns", "i8"),
    ("orders_per_second", "i8"),
    ("amends_per_second", "i8"),
    ("duplicate_window_ns", "i8"),
    ("self_match", "i8"),
    ("safe_mode", "i8"),
    ("rejections_in_a_row", "i8"),
    ("executions_per_minute", "i8"),
    ("band", bands.BAND_SETTINGS),
    # what has happened
    ("halted", "i8"),  # the reason for which nothing goes any more, NONE while there is none
    ("rejections", "i8"),  # in a row
    ("placed", "i8"),
    ("amended", "i8"),
    ("executed", "i8"),
    ("seen_ns", "i8", (MAX_INSTRUMENTS,)),  # the time of the last price; 0 before the first
    ("amended_ns", "i8", (RING,)),
    ("executed_ns", "i8", (RING,)),
    ("placed_ns", "i8", (RING,)),
    ("recent", RECENT, (MAX_RECENT,)),
    ("bands", bands.BAND, (MAX_INSTRUMENTS,)),
)


@compiled
def see_market(controls: Any, inst: int, ts_ns: int, price: float) -> None:
    """The market's price at this time. Times of one instrument don't go back."""
    if controls.on == 0:
        return
    controls.seen_ns[inst] = ts_ns
    if controls.band.multiplier > 0.0:
        bands.see(controls.bands[inst], controls.band, ts_ns, price)


@compiled
def note_placed(controls: Any, now_ns: int, inst: int, side: int, type_: int, size: float, limit_price: float, stop_price: float) -> None:
    """An order has passed and goes out."""
    if controls.on == 0:
        return
    controls.placed_ns[controls.placed % RING] = now_ns
    recent = controls.recent[controls.placed % MAX_RECENT]
    recent.ts_ns = now_ns
    recent.inst = inst
    recent.side = side
    recent.type = type_
    recent.size = size
    recent.limit_price = limit_price
    recent.stop_price = stop_price
    controls.placed += 1


@compiled
def note_accepted(controls: Any) -> None:
    """The venue has taken an order: that ends a row of refusals."""
    controls.rejections = 0


@compiled
def note_amended(controls: Any, now_ns: int) -> None:
    """An amendment has passed and goes out."""
    if controls.on == 0:
        return
    controls.amended_ns[controls.amended % RING] = now_ns
    controls.amended += 1


@compiled
def note_refused(controls: Any) -> None:
    """An order was refused for what it is, here or by the venue; so many in a row, and nothing goes any more."""
    if controls.on == 0:
        return
    controls.rejections += 1
    if controls.rejections_in_a_row > 0 and controls.rejections >= controls.rejections_in_a_row:
        controls.halted = REPEATED_REJECTIONS


@compiled
def note_executed(controls: Any, now_ns: int) -> None:
    """An order was filled, in whole or in part; more fills than allowed within a minute, and nothing goes any more."""
    if controls.on == 0:
        return
    controls.executed_ns[controls.executed % RING] = now_ns
    controls.executed += 1
    limit = controls.executions_per_minute
    if limit > 0 and executions_in_last_minute(controls, now_ns) > limit:
        controls.halted = REPEATED_EXECUTIONS


@compiled
def resume(controls: Any) -> None:
    """Lets orders go again after a halt; what led to it is forgotten."""
    controls.halted = NONE
    controls.rejections = 0
    controls.executed = 0


@compiled
def _count(times_ns: Any, written: int, after_ns: int) -> int:
    """How many of the newest entries of a ring are younger than this."""
    count = 0
    while count < written and count < RING and times_ns[(written - 1 - count) % RING] > after_ns:
        count += 1
    return count


@compiled
def orders_in_last_second(controls: Any, now_ns: int) -> int:
    return _count(controls.placed_ns, controls.placed, now_ns - SECOND_NS)


@compiled
def amends_in_last_second(controls: Any, now_ns: int) -> int:
    return _count(controls.amended_ns, controls.amended, now_ns - SECOND_NS)


@compiled
def executions_in_last_minute(controls: Any, now_ns: int) -> int:
    return _count(controls.executed_ns, controls.executed, now_ns - MINUTE_NS)


@compiled
def amend_reason(controls: Any, now_ns: int) -> int:
    """NONE, or why no order may be amended now. Amendments have a budget of their own; cancels need none."""
    if controls.on == 0:
        return NONE
    if controls.halted != NONE:
        return int(controls.halted)
    if controls.amends_per_second > 0 and amends_in_last_second(controls, now_ns) >= controls.amends_per_second:
        return ORDER_RATE
    return NONE


@compiled
def worst_price(mark: float, side: int, type_: int, limit_price: float, stop_price: float) -> float:
    """The most that the order trades at, as ``risk.highest_price`` has it for one that is not placed yet."""
    if type_ == LIMIT or type_ == STOP_LIMIT:
        return limit_price if side > 0 else max(limit_price, mark)
    if type_ == STOP:
        return max(stop_price, mark) if side > 0 else stop_price
    return mark


@compiled
def exposure_with(desk: Any, inst: int, side: int, notional: float) -> float:
    """Gross exposure if everything open fills to the account's harm, and an order of this notional too.

    Of each instrument counts the larger of two: what is held with all open buys filled, and what is short with all open sells.
    An order whose fate is unknown is in the table, and so it counts in full. With ``inst`` -1 it is the exposure as it is.
    """
    total = 0.0
    for i in range(desk.account.instruments):
        mark = desk.positions[i].mark_price
        held = desk.positions[i].size * mark
        long = held
        short = -held
        for k in range(desk.account.open_orders):
            order = desk.orders[k]
            if order.inst != i:
                continue
            worth = (order.size - order.filled) * worst_price(mark, order.side, order.type, order.limit_price, order.stop_price)
            if order.side > 0:
                long += worth
            else:
                short += worth
        if i == inst and side > 0:
            long += notional
        elif i == inst:
            short += notional
        total += max(0.0, max(long, short))
    return total


@compiled
def is_duplicate(controls: Any, now_ns: int, inst: int, side: int, type_: int, size: float, limit_price: float, stop_price: float) -> bool:
    """Whether the same order was placed within the window."""
    count = 0
    while count < controls.placed and count < MAX_RECENT:
        recent = controls.recent[(controls.placed - 1 - count) % MAX_RECENT]
        if recent.ts_ns <= now_ns - controls.duplicate_window_ns:
            return False
        if (
            recent.inst == inst
            and recent.side == side
            and recent.type == type_
            and recent.size == size
            and recent.limit_price == limit_price
            and recent.stop_price == stop_price
        ):
            return True
        count += 1
    return False


@compiled
def matches_itself(controls: Any, desk: Any, inst: int, side: int, type_: int, limit_price: float) -> bool:
    """Whether the order could trade with a limit order of this account that rests on the other side.

    A limit order reaches as far as its price. A market order reaches as far as the collar lets a price be, without a collar as
    far as it takes. Stop orders are not in anybody's book, on either side, until they are reached.
    """
    if type_ != LIMIT and type_ != MARKET:
        return False
    reach = limit_price
    for k in range(desk.account.open_orders):
        order = desk.orders[k]
        if order.inst != inst or order.side == side or order.type != LIMIT:
            continue
        if type_ == MARKET:
            if controls.price_deviation <= 0.0:
                return True
            reach = desk.positions[inst].mark_price * (1.0 + side * controls.price_deviation)
        if (reach - order.limit_price) * side >= 0.0:
            return True
    return False


@compiled
def _price_reason(controls: Any, inst: int, mark: float, type_: int, limit_price: float, stop_price: float, increases: bool) -> int:
    """Collar and band, for the price that an order with a limit would trade at."""
    if type_ != LIMIT and type_ != STOP_LIMIT:
        return NONE
    around = stop_price if type_ == STOP_LIMIT else mark  # a stop-limit order meets the market where its stop is reached
    if controls.price_deviation > 0.0 and bands.is_outside(limit_price, around, controls.price_deviation):
        return PRICE_COLLAR
    if controls.band.multiplier > 0.0:
        half = bands.width(controls.bands[inst], controls.band)
        if half == bands.UNKNOWN:
            return PRICE_BAND if increases else NONE
        if bands.is_outside(limit_price, around, half):
            return PRICE_BAND
    return NONE


@compiled
def check_controls(
    controls: Any,
    desk: Any,
    now_ns: int,
    inst: int,
    side: int,
    type_: int,
    size: float,
    limit_price: float,
    stop_price: float,
    price: float,
    increases: bool,
) -> int:
    """NONE, or the reason why this order may not go. Nothing changes.

    The order has passed the checks of ``risk.check``; ``price`` is the most that it trades at, ``increases`` tells whether the
    position could come out larger in the order's direction.
    """
    if controls.on == 0:
        return NONE
    if controls.halted != NONE:
        return int(controls.halted)
    if increases and controls.safe_mode != 0:
        return SAFE_MODE
    if increases and controls.market_data_age_ns > 0 and now_ns - controls.seen_ns[inst] > controls.market_data_age_ns:
        return STALE_MARKET_DATA
    mark = desk.positions[inst].mark_price
    reason = _price_reason(controls, inst, mark, type_, limit_price, stop_price, increases)
    if reason != NONE:
        return reason
    if controls.duplicate_window_ns > 0 and is_duplicate(controls, now_ns, inst, side, type_, size, limit_price, stop_price):
        return DUPLICATE_ORDER
    if controls.self_match != 0 and matches_itself(controls, desk, inst, side, type_, limit_price):
        return SELF_MATCH
    if increases and controls.gross_exposure > 0.0:
        worst = exposure_with(desk, inst, side, price * size)
        if worst > controls.gross_exposure * (1.0 + PRODUCT):
            return GROSS_EXPOSURE
    if controls.orders_per_second > 0 and orders_in_last_second(controls, now_ns) >= controls.orders_per_second:
        return ORDER_RATE
    return NONE
