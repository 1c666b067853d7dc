"""The market and the account as a strategy sees them: what ``ctx`` can do, compiled and interpreted.

Each method is one function over the engine's record. ``Context`` calls them from Python; ``register`` makes the same
functions the methods of the record in compiled code. Methods without an instrument speak of the one whose event is being
handled. Order methods return the order's number (0: more than 64 requests at one event), which ``cancel`` takes.
"""

from typing import Any

from .jit import compiled, inlined
from .layout import IOC, LIMIT, MARKET, STOP
from .orders import CANCEL_REQUEST, request, request_cancel
from .portfolio import on_grid


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
    """Mark price of the instrument: the last close or trade."""
    return float(desk.positions[desk.account.current].mark_price)


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
    """Signed size of the instrument's orders that are open or just asked for."""
    account = desk.account
    held = desk.positions[account.current]
    total = held.open_buys - held.open_sells
    for i in range(account.requests):
        entry = desk.requests[i]
        if entry.type != CANCEL_REQUEST and entry.inst == account.current:
            total += entry.side * entry.size
    return float(total)


@compiled
def open_orders(desk: Any) -> int:
    """How many orders of the account are open."""
    return int(desk.account.open_orders)


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
def buy_stop(desk: Any, size: float, stop_price: float) -> int:
    """A market order to buy once the price reaches the stop."""
    return request(desk, desk.account.current, 1, STOP, 0, 0, size, 0.0, stop_price)


@compiled
def sell_stop(desk: Any, size: float, stop_price: float) -> int:
    """A market order to sell once the price reaches the stop."""
    return request(desk, desk.account.current, -1, STOP, 0, 0, size, 0.0, stop_price)


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
def cancel(desk: Any, order: int) -> bool:
    """Takes back the order with this number; one that isn't open any more is let be."""
    return request_cancel(desk, order)


@compiled
def cancel_all(desk: Any) -> int:
    """Takes back the instrument's open orders; how many."""
    count = 0
    for i in range(desk.account.open_orders):
        order = desk.orders[i]
        if order.inst == desk.account.current and request_cancel(desk, order.ref):
            count += 1
    return count


METHODS: dict[str, Any] = {
    function.__name__: function
    for function in (
        position,
        position_of,
        average_price,
        price,
        cash,
        equity,
        pending,
        open_orders,
        buy,
        sell,
        buy_limit,
        sell_limit,
        buy_post_only,
        sell_post_only,
        buy_ioc,
        sell_ioc,
        buy_stop,
        sell_stop,
        target,
        cancel,
        cancel_all,
    )
}
