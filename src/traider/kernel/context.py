"""The market and the account as a strategy sees them: what ``ctx`` can do, compiled and interpreted.

Each method is one function over the engine's record. ``Context`` calls them from Python; ``register`` makes the same
functions the methods of the record in compiled code. Methods without an instrument speak of the one whose event is being
handled, or that ``select`` chose. Order methods return the order's number (0: more than 64 requests at one event), which
``cancel`` takes.
"""

import math
from typing import Any

import numpy as np

from .grid import on_grid, size_below
from .jit import compiled, inlined
from .layout import FOK, IOC, LIMIT, MARKET, MAX_TIMERS, NEVER_NS, STOP, STOP_LIMIT, TRAIL_AMOUNT, TRAIL_FRACTION
from .outbox import bracket, expire_at, link_oco, link_oto, request, request_amend, request_cancel, request_trailing

# --- what there is ---------------------------------------------------------------------------------------------------


@inlined
def position(desk: Any) -> float:
    """Size held of the instrument, in base currency; negative is short."""
    return float(desk.positions[desk.account.current].size)


@compiled
def position_of(desk: Any, instrument: int) -> float:
    """Size held of the instrument with this number; 0 where there is none."""
    if instrument < 0 or instrument >= desk.account.instruments:
        return 0.0
    return float(desk.positions[instrument].size)


@compiled
def average_price(desk: Any) -> float:
    """Average entry price of the position; 0 when flat."""
    return float(desk.positions[desk.account.current].average_price)


@inlined
def price(desk: Any) -> float:
    """Mark price of the instrument: the last close or trade, the middle of a quote or of the order book."""
    return float(desk.positions[desk.account.current].mark_price)


@compiled
def price_of(desk: Any, instrument: int) -> float:
    """Mark price of the instrument with this number; 0 where there is none yet."""
    if instrument < 0 or instrument >= desk.account.instruments:
        return 0.0
    return float(desk.positions[instrument].mark_price)


@compiled
def bid(desk: Any) -> float:
    """Best bid of the instrument; 0 where the market data tells none."""
    return float(desk.positions[desk.account.current].bid)


@compiled
def ask(desk: Any) -> float:
    """Best ask of the instrument; 0 where the market data tells none."""
    return float(desk.positions[desk.account.current].ask)


@compiled
def cash(desk: Any) -> float:
    """Cash in quote currency, open orders not taken off."""
    return float(desk.account.cash)


@compiled
def equity(desk: Any) -> float:
    """Cash plus the positions at their marks, in quote currency."""
    return float(desk.account.equity)


@compiled
def pending(desk: Any) -> float:
    """Signed size of the instrument's orders that are open or just asked for; without those that wait for another one's fill."""
    account = desk.account
    held = desk.positions[account.current]
    total = held.open_buys - held.open_sells
    for i in range(account.requests):
        entry = desk.requests[i]
        if entry.type >= MARKET and entry.inst == account.current and entry.parent == 0:
            total += entry.side * entry.size
    return float(total)


@compiled
def open_orders(desk: Any) -> int:
    """How many orders of the account are open."""
    return int(desk.account.open_orders)


@compiled
def is_open(desk: Any, order: int) -> bool:
    """Whether the order with this number is open, or just asked for."""
    for i in range(desk.account.requests):
        if desk.requests[i].ref == order and desk.requests[i].type >= MARKET:
            return True
    for i in range(desk.account.open_orders):
        if desk.orders[i].ref == order:
            return True
    return False


@compiled
def now_ns(desk: Any) -> int:
    """The time: that of the event, and of a bar its end where that is known."""
    return int(desk.account.now_ns + desk.account.lag_ns)


@compiled
def select(desk: Any, instrument: int) -> bool:
    """Lets the other methods speak of the instrument with this number until the handler returns; False where there is none."""
    if instrument < 0 or instrument >= desk.account.instruments:
        return False
    desk.account.current = np.uint64(instrument)
    return True


# --- orders ----------------------------------------------------------------------------------------------------------


@compiled
def buy(desk: Any, size: float) -> int:
    """A market order to buy."""
    return request(desk, desk.account.current, 1, MARKET, 0, 0, size, 0.0, 0.0)


@compiled
def sell(desk: Any, size: float) -> int:
    """A market order to sell."""
    return request(desk, desk.account.current, -1, MARKET, 0, 0, size, 0.0, 0.0)


@compiled
def buy_limit(desk: Any, size: float, limit_price: float) -> int:
    """A limit order to buy, good till cancelled."""
    return request(desk, desk.account.current, 1, LIMIT, 0, 0, size, limit_price, 0.0)


@compiled
def sell_limit(desk: Any, size: float, limit_price: float) -> int:
    """A limit order to sell, good till cancelled."""
    return request(desk, desk.account.current, -1, LIMIT, 0, 0, size, limit_price, 0.0)


@compiled
def buy_post_only(desk: Any, size: float, limit_price: float) -> int:
    """A limit order to buy that is cancelled rather than take liquidity."""
    return request(desk, desk.account.current, 1, LIMIT, 0, 1, size, limit_price, 0.0)


@compiled
def sell_post_only(desk: Any, size: float, limit_price: float) -> int:
    """A limit order to sell that is cancelled rather than take liquidity."""
    return request(desk, desk.account.current, -1, LIMIT, 0, 1, size, limit_price, 0.0)


@compiled
def buy_ioc(desk: Any, size: float, limit_price: float) -> int:
    """A limit order to buy at once; what doesn't fill at once is cancelled."""
    return request(desk, desk.account.current, 1, LIMIT, IOC, 0, size, limit_price, 0.0)


@compiled
def sell_ioc(desk: Any, size: float, limit_price: float) -> int:
    """A limit order to sell at once; what doesn't fill at once is cancelled."""
    return request(desk, desk.account.current, -1, LIMIT, IOC, 0, size, limit_price, 0.0)


@compiled
def buy_fok(desk: Any, size: float, limit_price: float) -> int:
    """A limit order to buy at once and whole, or not at all."""
    return request(desk, desk.account.current, 1, LIMIT, FOK, 0, size, limit_price, 0.0)


@compiled
def sell_fok(desk: Any, size: float, limit_price: float) -> int:
    """A limit order to sell at once and whole, or not at all."""
    return request(desk, desk.account.current, -1, LIMIT, FOK, 0, size, limit_price, 0.0)


@compiled
def buy_stop(desk: Any, size: float, stop_price: float) -> int:
    """A market order to buy once the price reaches the stop."""
    return request(desk, desk.account.current, 1, STOP, 0, 0, size, 0.0, stop_price)


@compiled
def sell_stop(desk: Any, size: float, stop_price: float) -> int:
    """A market order to sell once the price reaches the stop."""
    return request(desk, desk.account.current, -1, STOP, 0, 0, size, 0.0, stop_price)


@compiled
def buy_stop_limit(desk: Any, size: float, stop_price: float, limit_price: float) -> int:
    """A limit order to buy once the price reaches the stop."""
    return request(desk, desk.account.current, 1, STOP_LIMIT, 0, 0, size, limit_price, stop_price)


@compiled
def sell_stop_limit(desk: Any, size: float, stop_price: float, limit_price: float) -> int:
    """A limit order to sell once the price reaches the stop."""
    return request(desk, desk.account.current, -1, STOP_LIMIT, 0, 0, size, limit_price, stop_price)


@compiled
def buy_trailing_stop(desk: Any, size: float, distance: float) -> int:
    """A stop to buy that stays this far, in quote currency, above the lowest price since it was placed."""
    return request_trailing(desk, desk.account.current, 1, size, distance, TRAIL_AMOUNT)


@compiled
def sell_trailing_stop(desk: Any, size: float, distance: float) -> int:
    """A stop to sell that stays this far, in quote currency, below the highest price since it was placed."""
    return request_trailing(desk, desk.account.current, -1, size, distance, TRAIL_AMOUNT)


@compiled
def buy_trailing_fraction(desk: Any, size: float, fraction: float) -> int:
    """A stop to buy that stays this fraction of it above the lowest price since it was placed."""
    return request_trailing(desk, desk.account.current, 1, size, fraction, TRAIL_FRACTION)


@compiled
def sell_trailing_fraction(desk: Any, size: float, fraction: float) -> int:
    """A stop to sell that stays this fraction of it below the highest price since it was placed."""
    return request_trailing(desk, desk.account.current, -1, size, fraction, TRAIL_FRACTION)


@compiled
def good_till(desk: Any, order: int, ts_ns: int) -> bool:
    """Lets an order that was asked for at this event, and is good till cancelled, end at this time; else False."""
    return expire_at(desk, order, ts_ns)


@compiled
def oco(desk: Any, first: int, second: int) -> bool:
    """Of two orders asked for at this event, what one fills is taken from the other; False where one was not."""
    return link_oco(desk, first, second)


@compiled
def oto(desk: Any, parent: int, child: int) -> bool:
    """Of two orders asked for at this event, the second waits until the first is filled; False where one was not."""
    return link_oto(desk, parent, child)


@compiled
def protect(desk: Any, order: int, take_profit: float, stop_loss: float) -> bool:
    """A bracket around an order asked for at this event: once it is filled, a limit order and a stop close it, one or the other."""
    return bracket(desk, order, take_profit, stop_loss)


@compiled
def cancel(desk: Any, order: int) -> bool:
    """Takes back the order with this number; one that isn't open any more is let be."""
    return request_cancel(desk, order)


@compiled
def amend(desk: Any, order: int, size: float, price: float) -> bool:
    """Gives the order another size and price (of a stop, its stop price); 0 leaves one as it is."""
    return request_amend(desk, order, size, price)


@compiled
def cancel_all(desk: Any) -> int:
    """Takes back the instrument's open orders; how many."""
    count = 0
    for i in range(desk.account.open_orders):
        order = desk.orders[i]
        if order.inst == desk.account.current and request_cancel(desk, order.ref):
            count += 1
    return count


# --- targets ---------------------------------------------------------------------------------------------------------


@inlined
def target(desk: Any, size: float) -> int:
    """A market order for what is missing to this position, open orders counted; 0 when nothing is missing."""
    account = desk.account
    missing = size - desk.positions[account.current].size
    if account.open_orders > 0 or account.requests > 0:
        missing -= pending(desk)
    if missing == 0.0:
        return 0
    instrument = desk.instruments[account.current]
    missing = on_grid(missing, instrument.size_num, instrument.size_den)
    if missing > 0.0:
        return request(desk, account.current, 1, MARKET, 0, 0, missing, 0.0, 0.0)
    if missing < 0.0:
        return request(desk, account.current, -1, MARKET, 0, 0, -missing, 0.0, 0.0)
    return 0


@compiled
def size_for(desk: Any, notional: float) -> float:
    """The largest size, in whole increments, that this much of the quote currency is worth at the mark; 0 before the first price."""
    at = desk.positions[desk.account.current].mark_price
    if not at > 0.0 or not abs(notional) < math.inf:
        return 0.0
    size = size_below(desk, desk.account.current, abs(notional) / at)
    return size if notional > 0.0 else -size


@compiled
def buy_notional(desk: Any, notional: float) -> int:
    """A market order to buy for so much of the quote currency at the mark; 0 when that is less than one increment."""
    size = size_for(desk, notional)
    return buy(desk, size) if size > 0.0 else 0


@compiled
def sell_notional(desk: Any, notional: float) -> int:
    """A market order to sell for so much of the quote currency at the mark; 0 when that is less than one increment."""
    size = size_for(desk, notional)
    return sell(desk, size) if size > 0.0 else 0


@compiled
def target_notional(desk: Any, notional: float) -> int:
    """As ``target``, with the position's worth at the mark."""
    return target(desk, size_for(desk, notional))


@compiled
def target_percent(desk: Any, fraction: float) -> int:
    """As ``target``, with the position's worth as a fraction of the equity: 0.5 is half of it."""
    return target(desk, size_for(desk, fraction * desk.account.equity))


@compiled
def target_risk(desk: Any, fraction: float, volatility: float) -> int:
    """As ``target``, with a position that wins or loses this fraction of the equity when the price moves by ``volatility``.

    ``volatility`` is in quote currency: an average true range, or a standard deviation of price changes. At 0 or below
    nothing is asked for.
    """
    if not volatility > 0.0:
        return 0
    at = desk.positions[desk.account.current].mark_price
    return target(desk, size_for(desk, fraction * desk.account.equity / volatility * at))


# --- time ------------------------------------------------------------------------------------------------------------


@compiled
def set_timer(desk: Any, number: int, ts_ns: int) -> bool:
    """Lets ``on_timer`` be called at this time, before any event of it; False for a time that is over, or a number beyond 15."""
    account = desk.account
    if number < 0 or number >= MAX_TIMERS or ts_ns <= account.now_ns + account.lag_ns:
        return False
    desk.timers[number] = ts_ns
    _note_first_timer(desk)
    return True


@compiled
def clear_timer(desk: Any, number: int) -> bool:
    """Takes the timer back; False where it was not set."""
    if number < 0 or number >= MAX_TIMERS or desk.timers[number] == NEVER_NS:
        return False
    desk.timers[number] = NEVER_NS
    _note_first_timer(desk)
    return True


@compiled
def _note_first_timer(desk: Any) -> None:
    first = NEVER_NS
    for i in range(MAX_TIMERS):
        first = min(first, desk.timers[i])
    desk.account.timer_ns = first


METHODS: dict[str, Any] = {
    function.__name__: function
    for function in (
        position,
        position_of,
        average_price,
        price,
        price_of,
        bid,
        ask,
        cash,
        equity,
        pending,
        open_orders,
        is_open,
        now_ns,
        select,
        buy,
        sell,
        buy_limit,
        sell_limit,
        buy_post_only,
        sell_post_only,
        buy_ioc,
        sell_ioc,
        buy_fok,
        sell_fok,
        buy_stop,
        sell_stop,
        buy_stop_limit,
        sell_stop_limit,
        buy_trailing_stop,
        sell_trailing_stop,
        buy_trailing_fraction,
        sell_trailing_fraction,
        good_till,
        oco,
        oto,
        protect,
        cancel,
        amend,
        cancel_all,
        target,
        size_for,
        buy_notional,
        sell_notional,
        target_notional,
        target_percent,
        target_risk,
        set_timer,
        clear_timer,
    )
}
