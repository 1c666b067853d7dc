"""The risk check: one function, used by the backtest, by paper trading and by the guard.

Every limit counts the worst case: what is held plus everything that is open. The rules in words, in the order in which
they are asked, are in ``docs/risk.md``; the first one that refuses gives the reason.
"""

from typing import Any

from ..domain.vocabulary import Reason
from .jit import compiled, inlined
from .layout import IOC, LIMIT, MARKET, MAX_ORDERS, MINUTE_NS, RATE_WINDOW, STOP
from .portfolio import on_grid

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
INVALID_ORDER = int(Reason.INVALID_ORDER)

# What floats are off by at most, as fractions, so that a limit holds at its value and not a little beside it.
PRODUCT = 1e-15  # of price times size
SUM = 1e-12  # of an equity that thousands of fills have added up to


@compiled
def is_multiple(value: float, num: float, den: float) -> bool:
    """Whether the value is the float nearest to a whole number of increments num/den."""
    return bool(on_grid(value, num, den) == value)


@compiled
def own_price(desk: Any, inst: int, type_: int, limit_price: float, stop_price: float) -> float:
    """The order's limit or stop; the mark of an order that has neither."""
    if type_ == LIMIT:
        return limit_price
    if type_ == STOP:
        return stop_price
    return float(desk.positions[inst].mark_price)


@compiled
def highest_price(desk: Any, inst: int, side: int, type_: int, limit_price: float, stop_price: float) -> float:
    """The most that it trades at, as the market is now.

    That is the order's own price, but for a sale with a limit behind the market, or a buy stop that is reached already:
    those trade at the market's price, however small their own.
    """
    price = own_price(desk, inst, type_, limit_price, stop_price)
    if (type_ == LIMIT and side < 0) or (type_ == STOP and side > 0):
        return max(price, float(desk.positions[inst].mark_price))
    return price


@compiled
def cash_needed(desk: Any, price: float, size: float) -> float:
    """What a buy takes from the cash at most, the higher of the fees included."""
    return float(price * size * (1.0 + max(desk.account.taker_fee, desk.account.maker_fee)))


@compiled
def cash_reserved(desk: Any) -> float:
    """What the open buy orders would take from the cash."""
    total = 0.0
    for i in range(desk.account.open_orders):
        order = desk.orders[i]
        if order.side > 0:
            price = highest_price(desk, order.inst, order.side, order.type, order.limit_price, order.stop_price)
            total += cash_needed(desk, price, order.size - order.filled)
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
def check(desk: Any, inst: int, side: int, type_: int, tif: int, post_only: int, size: float, limit_price: float, stop_price: float) -> int:
    """NONE, or the reason why this order may not go."""
    account = desk.account
    limits = desk.limits
    if account.killed != 0:
        return KILL_SWITCH
    if inst < 0 or inst >= account.instruments or (side != 1 and side != -1) or type_ < MARKET or type_ > STOP:
        return INVALID_ORDER
    instrument = desk.instruments[inst]
    position = desk.positions[inst]
    if instrument.allowed == 0:
        return MARKET_NOT_ALLOWED
    if not (size > 0.0 and size < 1e300):
        return INVALID_ORDER
    if type_ == LIMIT and not (limit_price > 0.0 and limit_price < 1e300):
        return INVALID_ORDER
    if type_ == STOP and not (stop_price > 0.0 and stop_price < 1e300):
        return INVALID_ORDER
    if type_ != LIMIT and (post_only != 0 or tif == IOC):
        return INVALID_ORDER
    if not position.mark_price > 0.0:
        return NO_MARKET_DATA
    if not is_multiple(size, instrument.size_num, instrument.size_den):
        return SIZE_INCREMENT
    if type_ == LIMIT and not is_multiple(limit_price, instrument.price_num, instrument.price_den):
        return PRICE_INCREMENT
    if type_ == STOP and not is_multiple(stop_price, instrument.price_num, instrument.price_den):
        return PRICE_INCREMENT
    if size < instrument.min_size:
        return MIN_SIZE
    if own_price(desk, inst, type_, limit_price, stop_price) * size < instrument.min_notional * (1.0 - PRODUCT):
        return MIN_NOTIONAL
    price = highest_price(desk, inst, side, type_, limit_price, stop_price)
    if price * size > limits.order_notional * (1.0 + PRODUCT):
        return ORDER_NOTIONAL
    if account.open_orders >= limits.open_orders or account.open_orders >= MAX_ORDERS:
        return OPEN_ORDERS
    # the position in the order's direction if everything open on that side fills too
    resting = position.open_buys if side > 0 else position.open_sells
    worst = on_grid(side * position.size + resting + size, instrument.size_num, instrument.size_den)
    increases = worst > 0.0
    if increases and worst > limits.position_size:
        return POSITION_SIZE
    if increases:
        breach = breached(desk)
        if breach != NONE:
            return breach
    if submissions_in_last_minute(desk) >= limits.orders_per_minute:
        return ORDER_RATE
    if side < 0 and instrument.shortable == 0 and increases:
        return INSUFFICIENT_BALANCE
    if side > 0 and increases and cash_reserved(desk) + cash_needed(desk, price, size) > account.cash:
        return INSUFFICIENT_BALANCE
    return NONE
