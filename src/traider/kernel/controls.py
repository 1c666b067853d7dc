"""Controls against orders that no sane strategy would send: wrong prices, repetitions, floods, its own other side.

``check_controls`` is asked after the limits of ``traider.kernel.risk``; the first rule that refuses gives the reason. What it
judges by is told to it: ``see_market`` for each price, ``note_placed``, ``note_accepted``, ``note_amended``, ``note_refused`` and
``note_executed`` for what happens to orders. All state is in one record, so that a backtest, paper trading and the guard come to
the same answers.
"""

from typing import Any

from ..domain.vocabulary import Reason
from . import bands
from .grid import on_grid
from .jit import compiled
from .layout import ENDING, LIMIT, MARKET, MAX_RECENT, MINUTE_NS, RING, STOP_LIMIT, WAITING
from .machine import seldom
from .risk import counts, has_limit, highest_price, left_open, resting_beside

SECOND_NS = 1_000_000_000

NONE = int(Reason.NONE)
ORDER_SIZE = int(Reason.ORDER_SIZE)
MARKET_OPEN_ORDERS = int(Reason.MARKET_OPEN_ORDERS)
GROSS_EXPOSURE = int(Reason.GROSS_EXPOSURE)
PRICE_BAND = int(Reason.PRICE_BAND)
PRICE_COLLAR = int(Reason.PRICE_COLLAR)
STALE_MARKET_DATA = int(Reason.STALE_MARKET_DATA)
DUPLICATE_ORDER = int(Reason.DUPLICATE_ORDER)
SELF_MATCH = int(Reason.SELF_MATCH)
SAFE_MODE = int(Reason.SAFE_MODE)
ORDER_RATE = int(Reason.ORDER_RATE)
REPEATED_REJECTIONS = int(Reason.REPEATED_REJECTIONS)
REJECTION_RATE = int(Reason.REJECTION_RATE)
REPEATED_EXECUTIONS = int(Reason.REPEATED_EXECUTIONS)
KILL_SWITCH = int(Reason.KILL_SWITCH)
GATE_CLOSED = int(Reason.GATE_CLOSED)
GUARD_NOT_READY = int(Reason.GUARD_NOT_READY)
NO_MARKET_DATA = int(Reason.NO_MARKET_DATA)
PARENT_ENDED = int(Reason.PARENT_ENDED)

PRODUCT = 1e-12  # what a sum of prices times sizes is off by at most, as a fraction


@compiled
def see_market(controls: Any, inst: int, ts_ns: int, price: float) -> None:
    """The market's price at this time. Times of one instrument don't go back."""
    if controls.on == 0:
        return
    controls.seen_ns[inst] = ts_ns
    if controls.band.multiplier > 0.0:
        bands.see(controls.bands[inst], controls.band, ts_ns, price)


@compiled
def note_placed(controls: Any, now_ns: int, order: Any) -> None:
    """An order has passed and goes out."""
    if controls.on == 0:
        return
    controls.placed_ns[controls.placed % RING] = now_ns
    recent = controls.recent[controls.placed % MAX_RECENT]
    recent.ts_ns = now_ns
    recent.inst = order.inst
    recent.side = order.side
    recent.type = order.type
    recent.size = order.size
    recent.limit_price = order.limit_price
    recent.stop_price = order.stop_price
    recent.trail = order.trail
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
def _says_something(reason: int) -> bool:
    """Whether an order refused for this reason was refused for what it is."""
    return not (
        reason == KILL_SWITCH
        or reason == GATE_CLOSED
        or reason == GUARD_NOT_READY
        or reason == SAFE_MODE
        or reason == STALE_MARKET_DATA
        or reason == NO_MARKET_DATA
        or reason == PARENT_ENDED  # the order that it follows was refused, and is counted
        or reason == REPEATED_REJECTIONS
        or reason == REJECTION_RATE
        or reason == REPEATED_EXECUTIONS
    )


@compiled
def note_refused(controls: Any, now_ns: int, reason: int) -> None:
    """An order was refused, here or by the venue. Too many for what they are, in a row or within a minute, and nothing goes any more."""
    if controls.on == 0 or not _says_something(reason):
        return
    controls.rejections += 1
    if controls.rejections_in_a_row > 0 and controls.rejections >= controls.rejections_in_a_row:
        controls.halted = REPEATED_REJECTIONS
    limit = controls.rejections_per_minute
    if limit <= 0:
        return
    controls.rejected_ns[controls.rejected % RING] = now_ns
    controls.rejected += 1
    if controls.halted == NONE and rejections_in_last_minute(controls, now_ns) > limit:
        controls.halted = REJECTION_RATE


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
    controls.rejected = 0


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
def rejections_in_last_minute(controls: Any, now_ns: int) -> int:
    return _count(controls.rejected_ns, controls.rejected, now_ns - MINUTE_NS)


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
def increases(desk: Any, order: Any, size: float) -> bool:
    """Whether the position could come out larger in the order's direction, everything open on that side filled too."""
    position = desk.positions[order.inst]
    instrument = desk.instruments[order.inst]
    worst = order.side * position.size + resting_beside(desk, order, size)
    return bool(on_grid(worst, instrument.size_num, instrument.size_den) > 0.0)


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
            if order.inst != i or not counts(desk, k):
                continue
            worth = left_open(order) * highest_price(desk, order)
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
def is_duplicate(controls: Any, now_ns: int, order: Any) -> bool:
    """Whether the same order was placed within the window."""
    count = 0
    while count < controls.placed and count < MAX_RECENT:
        recent = controls.recent[(controls.placed - 1 - count) % MAX_RECENT]
        if recent.ts_ns <= now_ns - controls.duplicate_window_ns:
            return False
        if (
            recent.inst == order.inst
            and recent.side == order.side
            and recent.type == order.type
            and recent.size == order.size
            and recent.limit_price == order.limit_price
            and recent.stop_price == order.stop_price
            and recent.trail == order.trail
        ):
            return True
        count += 1
    return False


@compiled
def matches_itself(controls: Any, desk: Any, order: Any) -> bool:
    """Whether the order could trade with a limit order of this account that rests on the other side.

    A limit order reaches as far as its price. A market order reaches as far as the collar lets a price be, without a collar as
    far as it takes. Stop orders are not in anybody's book, on either side, until they are reached.
    """
    if order.type != LIMIT and order.type != MARKET:
        return False
    reach = order.limit_price
    for k in range(desk.account.open_orders):
        other = desk.orders[k]
        if other.inst != order.inst or other.side == order.side or other.type != LIMIT:
            continue
        if other.stage == WAITING or other.stage >= ENDING:
            continue  # in no book yet, or no longer
        if order.type == MARKET:
            if controls.price_deviation <= 0.0:
                return True
            reach = desk.positions[order.inst].mark_price * (1.0 + order.side * controls.price_deviation)
        if (reach - other.limit_price) * order.side >= 0.0:
            return True
    return False


@compiled
def _price_reason(controls: Any, desk: Any, order: Any, grows: bool) -> int:
    """Collar and band, for the price that an order with a limit would trade at."""
    if not has_limit(order.type):
        return NONE
    # a stop-limit order meets the market where its stop is reached
    around = order.stop_price if order.type == STOP_LIMIT else desk.positions[order.inst].mark_price
    if controls.price_deviation > 0.0 and bands.is_outside(order.limit_price, around, controls.price_deviation):
        return PRICE_COLLAR
    if controls.band.multiplier > 0.0:
        half = bands.width(controls.bands[order.inst], controls.band)
        if half == bands.UNKNOWN:
            return PRICE_BAND if grows else NONE
        if bands.is_outside(order.limit_price, around, half):
            return PRICE_BAND
    return NONE


@compiled
def _shape_reason(controls: Any, desk: Any, order: Any, replaces: int) -> int:
    """An order's size, and how many are open in its market: what follows another one counts, as for ``risk.check``."""
    if controls.order_size > 0.0 and order.size > controls.order_size:
        return ORDER_SIZE
    if controls.open_orders_per_market > 0:
        others = -replaces
        for i in range(desk.account.open_orders):
            if desk.orders[i].inst == order.inst:
                others += 1
        if others >= controls.open_orders_per_market:
            return MARKET_OPEN_ORDERS
    return NONE


@compiled
def _market_reason(controls: Any, now_ns: int, order: Any, grows: bool) -> int:
    """What keeps an order back for what the account and its market are in, not for what it is."""
    if grows and controls.safe_mode != 0:
        return SAFE_MODE
    if grows and controls.market_data_age_ns > 0 and now_ns - controls.seen_ns[order.inst] > controls.market_data_age_ns:
        return STALE_MARKET_DATA
    return NONE


@compiled
def _breaks_exposure(controls: Any, desk: Any, order: Any, size: float) -> bool:
    """Whether the account comes above its gross exposure with this size of the order."""
    if controls.gross_exposure <= 0.0:
        return False
    position = desk.positions[order.inst]
    resting = position.open_buys if order.side > 0 else position.open_sells
    added = resting_beside(desk, order, size) - resting  # of a pair of which one fills, what the larger one adds
    worst = exposure_with(desk, order.inst, order.side, highest_price(desk, order) * added)
    return bool(worst > controls.gross_exposure * (1.0 + PRODUCT))


@compiled
def check_controls(controls: Any, desk: Any, now_ns: int, order: Any, replaces: int) -> int:
    """NONE, or the reason why this order, which has passed ``risk.check``, may not go. Nothing changes.

    ``replaces`` as for ``risk.check``: an amendment repeats nothing, and has a rate of its own.
    An order that waits for another one takes no place in the market yet: ``check_begin`` asks the rest when its time comes.
    """
    seldom()
    if controls.halted != NONE:
        return int(controls.halted)
    reason = _shape_reason(controls, desk, order, replaces)
    if reason != NONE:
        return reason
    waits = order.parent != 0
    grows = not waits and increases(desk, order, order.size)
    reason = _market_reason(controls, now_ns, order, grows)
    if reason == NONE:
        reason = _price_reason(controls, desk, order, grows)
    if reason != NONE:
        return reason
    if replaces == 0 and controls.duplicate_window_ns > 0 and is_duplicate(controls, now_ns, order):
        return DUPLICATE_ORDER
    if not waits and controls.self_match != 0 and matches_itself(controls, desk, order):
        return SELF_MATCH
    if grows and _breaks_exposure(controls, desk, order, order.size):
        return GROSS_EXPOSURE
    if replaces == 0 and controls.orders_per_second > 0 and orders_in_last_second(controls, now_ns) >= controls.orders_per_second:
        return ORDER_RATE
    return NONE


@compiled
def check_begin(controls: Any, desk: Any, order: Any, size: float) -> int:
    """NONE, or the reason why an order that has waited may not begin with this size; in the table it counts with nothing."""
    seldom()
    if controls.halted != NONE:
        return int(controls.halted)
    grows = increases(desk, order, size)
    reason = _market_reason(controls, desk.account.now_ns, order, grows)
    if reason != NONE:
        return reason
    if controls.self_match != 0 and matches_itself(controls, desk, order):
        return SELF_MATCH
    return GROSS_EXPOSURE if grows and _breaks_exposure(controls, desk, order, size) else NONE
