"""The risk check: one function, used by the backtest, by paper trading and by the guard.

Every limit counts the worst case: what is held plus everything that is open. The rules in words, in the order in which
they are asked, are in ``docs/risk.md``; the first one that refuses gives the reason.
"""

import math
from typing import Any

from ..domain.vocabulary import Reason
from .fees import highest_fee_rate
from .grid import is_multiple, on_grid
from .jit import compiled, inlined
from .layout import (
    FOK,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    MAX_ORDERS,
    MINUTE_NS,
    RATE_WINDOW,
    STOP,
    STOP_LIMIT,
    TRAIL_AMOUNT,
    TRAIL_FRACTION,
    TRAILING_STOP,
    WAITING,
)
from .machine import seldom
from .margin import margin_needed

NONE = int(Reason.NONE)
KILL_SWITCH = int(Reason.KILL_SWITCH)
MARKET_NOT_ALLOWED = int(Reason.MARKET_NOT_ALLOWED)
NO_MARKET_DATA = int(Reason.NO_MARKET_DATA)
PRICE_INCREMENT = int(Reason.PRICE_INCREMENT)
SIZE_INCREMENT = int(Reason.SIZE_INCREMENT)
MIN_SIZE = int(Reason.MIN_SIZE)
MIN_NOTIONAL = int(Reason.MIN_NOTIONAL)
ORDER_NOTIONAL = int(Reason.ORDER_NOTIONAL)
OPEN_ORDERS = int(Reason.OPEN_ORDERS)
POSITION_SIZE = int(Reason.POSITION_SIZE)
DAILY_LOSS = int(Reason.DAILY_LOSS)
DRAWDOWN = int(Reason.DRAWDOWN)
ORDER_RATE = int(Reason.ORDER_RATE)
INSUFFICIENT_BALANCE = int(Reason.INSUFFICIENT_BALANCE)
INSUFFICIENT_MARGIN = int(Reason.INSUFFICIENT_MARGIN)
INVALID_ORDER = int(Reason.INVALID_ORDER)

# What floats are off by at most, as fractions, so that a limit holds at its value and not a little beside it.
PRODUCT = 1e-15  # of price times size
SUM = 1e-12  # of an equity that thousands of fills have added up to

_HIGHEST = 1e300


@inlined
def has_limit(type_: int) -> bool:
    return type_ == LIMIT or type_ == STOP_LIMIT


@inlined
def has_stop(type_: int) -> bool:
    return type_ == STOP or type_ == STOP_LIMIT


@inlined
def is_price(value: float) -> bool:
    return 0.0 < value < _HIGHEST


@inlined
def own_price(desk: Any, order: Any) -> float:
    """The order's limit, else its stop; the mark of an order that has neither."""
    if has_limit(order.type):
        return float(order.limit_price)
    if order.type == STOP:
        return float(order.stop_price)
    return float(desk.positions[order.inst].mark_price)


@compiled
def highest_price(desk: Any, order: Any) -> float:
    """The most that it trades at, as the market is now.

    That is the order's own price, but for a sale with a limit behind the market, or a buy stop that is reached already:
    those trade at the market's price, however small their own. A trailing buy stop may come to trade above the mark by
    what it trails.
    """
    price = own_price(desk, order)
    mark = float(desk.positions[order.inst].mark_price)
    if (has_limit(order.type) and order.side < 0) or (order.type == STOP and order.side > 0):
        return max(price, mark)
    if order.type == TRAILING_STOP and order.side > 0:
        return float(mark + order.trail if order.trail_kind == TRAIL_AMOUNT else mark * (1.0 + order.trail))
    return price


@inlined
def cash_needed(desk: Any, inst: int, price: float, size: float) -> float:
    """What a buy takes from the cash at most, the higher of the fees included."""
    return float(price * size * (1.0 + highest_fee_rate(desk, inst)))


@inlined
def left_open(order: Any) -> float:
    """What may still be filled of it, as far as has been told."""
    return float(order.size - order.filled)


@inlined
def _is_beside(order: Any, other: Any) -> bool:
    """Whether the other one is in the order's group and on its side, so that only one of them fills."""
    return bool(other.oco == order.oco and other.side == order.side and other.inst == order.inst and other.stage != WAITING)


@compiled
def counts(desk: Any, slot: int) -> bool:
    """Whether the order at this place counts against the limits.

    One that waits for another doesn't. Of those of which one fill ends the others, the one with the most left counts.
    """
    order = desk.orders[slot]
    if order.stage == WAITING:
        return False
    if order.oco == 0:
        return True
    left = left_open(order)
    for i in range(desk.account.open_orders):
        other = desk.orders[i]
        if i != slot and _is_beside(order, other):
            if left_open(other) > left or (left_open(other) == left and i < slot):
                return False
    return True


@compiled
def _cash_of(desk: Any, order: Any) -> float:
    """What an open buy order would take from the cash."""
    return cash_needed(desk, order.inst, highest_price(desk, order), left_open(order))


@compiled
def _cash_of_group(desk: Any, order: Any) -> float:
    """The most that one of the open orders takes of which the order's fill would end the others."""
    most = 0.0
    for i in range(desk.account.open_orders):
        if _is_beside(order, desk.orders[i]):
            most = max(most, _cash_of(desk, desk.orders[i]))
    return most


@compiled
def cash_reserved(desk: Any) -> float:
    """What the open buy orders would take from the cash; of those of which one fill ends the others, the one that takes most."""
    total = 0.0
    for i in range(desk.account.open_orders):
        order = desk.orders[i]
        if order.side < 0 or order.stage == WAITING or desk.instruments[order.inst].initial_margin > 0.0:
            continue
        cash = _cash_of(desk, order)
        counted = True
        for k in range(desk.account.open_orders if order.oco != 0 else 0):
            other = desk.orders[k]
            if k != i and _is_beside(order, other):
                others = _cash_of(desk, other)
                counted = counted and not (others > cash or (others == cash and k < i))
        if counted:
            total += cash
    return total


@compiled
def submissions_in_last_minute(desk: Any) -> int:
    account = desk.account
    count = 0
    while count < account.submissions and count < RATE_WINDOW:
        at = desk.submissions[(account.submissions - 1 - count) % RATE_WINDOW]
        if at <= account.now_ns - MINUTE_NS:
            break
        count += 1
    return count


@inlined
def rate_reached(desk: Any) -> bool:
    """Whether as many orders as the limit allows were placed within the last minute: the one that many ago tells it."""
    account = desk.account
    limit = desk.limits.orders_per_minute
    if limit > RATE_WINDOW or limit > account.submissions:
        return False
    return bool(limit <= 0 or desk.submissions[(account.submissions - limit) % RATE_WINDOW] > account.now_ns - MINUTE_NS)


@inlined
def breached(desk: Any) -> int:
    """DAILY_LOSS or DRAWDOWN when that limit is reached now, else NONE."""
    account = desk.account
    peak = account.high_water_mark
    rounding = SUM * peak  # of the equity, however small the limit
    if account.day_start_equity - account.equity >= desk.limits.daily_loss - rounding:
        return DAILY_LOSS
    if peak - account.equity >= desk.limits.drawdown * peak - rounding:
        return DRAWDOWN
    return NONE


@compiled
def reaches_loss_limit(desk: Any) -> bool:
    """Whether a limit is reached now that turns the kill switch on. Notes above which equity that can't be, so that few ask."""
    seldom()
    account = desk.account
    limits = desk.limits
    account.ask_below = -math.inf
    if account.trips == 0:
        return False
    if breached(desk) != NONE:
        return True
    peak = account.high_water_mark
    start = account.day_start_equity
    nearest = max(start - limits.daily_loss * (1.0 - 4.0 * SUM), peak - limits.drawdown * peak)
    account.ask_below = nearest + 4.0 * SUM * (abs(peak) + abs(start))  # rounded up: ``breached`` decides
    return False


@inlined
def _is_no_order(order: Any) -> bool:
    """Whether its numbers are none that an order can have."""
    type_ = order.type
    if not is_price(order.size):
        return True
    if has_limit(type_) and not is_price(order.limit_price):
        return True
    if has_stop(type_) and not is_price(order.stop_price):
        return True
    if type_ == TRAILING_STOP:
        if order.trail_kind != TRAIL_AMOUNT and order.trail_kind != TRAIL_FRACTION:
            return True
        if not is_price(order.trail) or (order.trail_kind == TRAIL_FRACTION and order.trail >= 1.0):
            return True
    if order.post_only != 0 and type_ != LIMIT:
        return True
    if (order.tif == IOC or order.tif == FOK) and (type_ != LIMIT or order.post_only != 0):
        return True
    return bool(order.tif == GTD and (order.expire_ns <= 0 or type_ == MARKET))


@inlined
def _form(desk: Any, order: Any) -> int:
    """NONE, or what is wrong with the order as such: its numbers, its market, the market's increments and minima."""
    account = desk.account
    inst = order.inst
    if inst < 0 or inst >= account.instruments or (order.side != 1 and order.side != -1):
        return INVALID_ORDER
    if order.type < MARKET or order.type > TRAILING_STOP:
        return INVALID_ORDER
    instrument = desk.instruments[inst]
    if instrument.allowed == 0:
        return MARKET_NOT_ALLOWED
    if _is_no_order(order):
        return INVALID_ORDER
    if not desk.positions[inst].mark_price > 0.0:
        return NO_MARKET_DATA
    if not is_multiple(order.size, instrument.size_num, instrument.size_den):
        return SIZE_INCREMENT
    if has_limit(order.type) and not is_multiple(order.limit_price, instrument.price_num, instrument.price_den):
        return PRICE_INCREMENT
    if has_stop(order.type) and not is_multiple(order.stop_price, instrument.price_num, instrument.price_den):
        return PRICE_INCREMENT
    if order.size < instrument.min_size:
        return MIN_SIZE
    if own_price(desk, order) * order.size < instrument.min_notional * (1.0 - PRODUCT):
        return MIN_NOTIONAL
    if highest_price(desk, order) * order.size > desk.limits.order_notional * (1.0 + PRODUCT):
        return ORDER_NOTIONAL
    return NONE


@compiled
def resting_beside(desk: Any, order: Any, size: float) -> float:
    """What would be open on the order's side with this size of it: of those of which one fill ends the others, the largest."""
    position = desk.positions[order.inst]
    resting = float(position.open_buys if order.side > 0 else position.open_sells)
    if order.oco == 0:
        return resting + size
    largest = 0.0
    for i in range(desk.account.open_orders):
        other = desk.orders[i]
        if _is_beside(order, other):
            largest = max(largest, left_open(other))
    return resting + max(size - largest, 0.0)


@compiled
def worst_case(desk: Any, order: Any, size: float, untold: float, cash: float) -> int:
    """NONE, or the limit that would be broken if this size of the order fills after everything that is open on its side.

    ``untold`` is what was filled on the other side and the account has not been told of, ``cash`` what there is for buys.
    """
    account = desk.account
    inst = order.inst
    instrument = desk.instruments[inst]
    position = desk.positions[inst]
    side = order.side
    worst = on_grid(side * position.size + resting_beside(desk, order, size) - untold, instrument.size_num, instrument.size_den)
    if not worst > 0.0:
        return NONE  # it reduces
    if worst > desk.limits.position_size:
        return POSITION_SIZE
    breach = breached(desk)
    if breach != NONE:
        return breach
    price = highest_price(desk, order)
    if instrument.initial_margin > 0.0:
        fee = price * size * highest_fee_rate(desk, inst)
        if margin_needed(desk, inst, worst, price) + fee > account.equity * (1.0 + SUM):
            return INSUFFICIENT_MARGIN
        return NONE
    if side < 0 and instrument.shortable == 0:
        return INSUFFICIENT_BALANCE
    if side < 0:
        return NONE
    needed = cash_needed(desk, inst, price, size)
    if order.oco != 0:
        needed = max(needed - _cash_of_group(desk, order), 0.0)
    if cash_reserved(desk) + needed > cash:
        return INSUFFICIENT_BALANCE
    if account.margined > 0 and margin_needed(desk, -1, 0.0, 0.0) + needed > account.equity * (1.0 + SUM):
        return INSUFFICIENT_MARGIN  # what short positions brought in is no cash to spend
    return NONE


@inlined
def check(desk: Any, order: Any, replaces: int) -> int:
    """NONE, or the reason why this order may not go.

    ``replaces`` is 1 where it takes the place of an order in the table that counts no more, and whose amendment was counted
    when it was sent; else 0.
    """
    account = desk.account
    if account.killed != 0:
        return KILL_SWITCH
    reason = _form(desk, order)
    if reason != NONE:
        return reason
    others = account.open_orders - replaces
    if others >= desk.limits.open_orders or others >= MAX_ORDERS:
        return OPEN_ORDERS
    if order.parent == 0:  # one that follows another is asked again when its time comes
        reason = worst_case(desk, order, order.size, 0.0, account.cash)
        if reason == POSITION_SIZE or reason == DAILY_LOSS or reason == DRAWDOWN:
            return reason
    if replaces == 0 and rate_reached(desk):
        return ORDER_RATE
    return reason
