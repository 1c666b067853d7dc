"""What market making in an order book is measured against: a loop written by hand, with queue positions and nothing else.

Both sides of the book are dense arrays of sizes by tick; the touch is followed, and looked for level by level when it goes.
The maker keeps one order a side at the touch. Orders rest behind what their level showed when they came; trades at their
price and a smaller level bring them forward; they fill whole. No latency, no fee.
"""

from typing import Any, NamedTuple

import numba
import numpy as np

BID, ASK = 0, 1  # of ``kind``; anything else is a trade


class Book(NamedTuple):
    """Rows in the order of arrival; of a trade ``side`` is the taker's, +1 or -1."""

    ts_ns: Any
    kind: Any
    price: Any
    size: Any
    side: Any


def touch_maker(
    book: Book, ticks_per_unit: float, lots_per_unit: float, quantity: float, max_position: float
) -> tuple[float, int, float, int]:
    """Profit (open position at the mid), fills, final position, and at how many moments the maker acted."""
    first = int(np.rint(book.price.min() * ticks_per_unit)) - 1
    levels = int(np.rint(book.price.max() * ticks_per_unit)) - first + 2
    most = round(max_position / quantity)
    fills, steps, cash, mid, acted = _touch_maker(*book, first, levels, ticks_per_unit, lots_per_unit, most)
    return (cash + steps * mid) / 2 / ticks_per_unit * quantity, fills, steps * quantity, acted


@numba.njit
def _touch_maker(
    ts_ns: Any, kind: Any, price: Any, size: Any, side: Any, first: int, levels: int, per_price: float, per_size: float, most: int
) -> tuple[int, int, int, int, int]:
    """Fills, position in orders, cash and mid in half ticks, and how often it acted."""
    bids, asks = np.zeros(levels), np.zeros(levels)
    bid, ask = 0, levels - 1  # the touch; at the ends there is none
    buy, sell = -1, -1  # the ticks of the own orders, -1 for none
    buy_queue = sell_queue = 0.0
    fills = steps = cash = looked = acted = 0
    rows = len(kind)
    for i in range(rows):
        at = int(np.rint(price[i] * per_price)) - first
        amount = size[i]
        if kind[i] == BID:
            bids[at] = amount
            if at == buy and amount < buy_queue:
                buy_queue = amount
            if amount > 0.0:
                if at > bid:
                    bid = at
                    if sell >= 0 and bid >= sell:
                        cash += 2 * (sell + first)
                        steps, fills, sell = steps - 1, fills + 1, -1
                    if bid >= ask:  # the other side is out of date there
                        ask = bid + 1
                        while ask < levels - 1 and asks[ask] == 0.0:
                            ask += 1
            elif at == bid:
                while bid > 0 and bids[bid] == 0.0:
                    bid -= 1
        elif kind[i] == ASK:
            asks[at] = amount
            if at == sell and amount < sell_queue:
                sell_queue = amount
            if amount > 0.0:
                if at < ask:
                    ask = at
                    if buy >= 0 and ask <= buy:
                        cash -= 2 * (buy + first)
                        steps, fills, buy = steps + 1, fills + 1, -1
                    if ask <= bid:
                        bid = ask - 1
                        while bid > 0 and bids[bid] == 0.0:
                            bid -= 1
            elif at == ask:
                while ask < levels - 1 and asks[ask] == 0.0:
                    ask += 1
        elif side[i] < 0.0:
            if at == buy:
                buy_queue -= amount
            if buy >= 0 and (at < buy or (at == buy and -buy_queue * per_size >= 0.5)):
                cash -= 2 * (buy + first)
                steps, fills, buy = steps + 1, fills + 1, -1
        else:
            if at == sell:
                sell_queue -= amount
            if sell >= 0 and (at > sell or (at == sell and -sell_queue * per_size >= 0.5)):
                cash += 2 * (sell + first)
                steps, fills, sell = steps - 1, fills + 1, -1
        if i + 1 < rows and ts_ns[i + 1] == ts_ns[i]:
            continue
        if bid + ask == looked or bid == 0 or ask == levels - 1:
            continue
        looked = bid + ask
        acted += 1
        if buy >= 0 and (buy != bid or steps >= most):
            buy = -1
        if sell >= 0 and (sell != ask or steps <= -most):
            sell = -1
        if buy < 0 and steps < most:
            buy, buy_queue = bid, bids[bid]
        if sell < 0 and steps > -most:
            sell, sell_queue = ask, asks[ask]
    return fills, steps, cash, bid + ask + 2 * first, acted
