"""hftbacktest: ``ema_band`` on trades.

It fills a market order from its book, so each change of the price comes with the touch that goes with it: the ask at the
trade's price, the bid one tick below. A buy then fills at the trade's price, a sale one tick under it.
"""

import time

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    MARKET,
    SELL_EVENT,
    TRADE_EVENT,
    ROIVectorMarketDepthBacktest,
)
from hftbacktest.order import IOC
from hftbacktest.types import event_dtype
from hftbacktest_venue import asset
from numba import njit
from telling import asked, tell

FEED = 2  # what wait_next_feed answers when the market has moved
LONG = 10**17  # ns
DEEP = 1e6  # the size at the touch


def feed(columns, tick):
    """Before a trade at another price the old touch goes and the new one comes, at the trade's time."""
    price, ts_ns = columns["price"], columns["ts"]
    moved = np.concatenate(([True], price[1:] != price[:-1]))
    before = np.concatenate(([price[0]], price[:-1]))
    rows = np.where(moved, 5, 1)
    ends = np.cumsum(rows) - 1
    events = np.zeros(ends[-1] + 1, event_dtype)
    events["exch_ts"] = events["local_ts"] = np.repeat(ts_ns, rows)
    sides = (BUY_EVENT, SELL_EVENT)
    everywhere = EXCH_EVENT | LOCAL_EVENT
    for ahead, (side, of, size) in enumerate(((1, price, DEEP), (0, price - tick, DEEP), (1, before, 0.0), (0, before - tick, 0.0)), 1):
        at = ends[moved] - ahead
        events["ev"][at] = everywhere | DEPTH_EVENT | sides[side]
        events["px"][at], events["qty"][at] = of[moved], size
    events["ev"][ends] = everywhere | TRADE_EVENT | np.where(columns["side"] < 0, SELL_EVENT, BUY_EVENT)
    events["px"][ends], events["qty"][ends] = price, columns["size"]
    return events


@njit
def trade(hbt, span, band, quantity):
    """The price of the last trade."""
    alpha = 2.0 / (span + 1.0)
    mean, price = np.nan, np.nan
    long = False
    last_id = 0
    while hbt.wait_next_feed(False, LONG) == FEED:
        for row in hbt.last_trades(0):
            price = row.px
            if np.isnan(mean):
                mean = price
                continue
            mean += alpha * (price - mean)
            if not long:
                if price > mean * (1.0 + band):
                    last_id += 1
                    hbt.submit_buy_order(0, last_id, price, quantity, IOC, MARKET, False)
                    long = True
            elif price < mean * (1.0 - band):
                last_id += 1
                hbt.submit_sell_order(0, last_id, price, quantity, IOC, MARKET, False)
                long = False
        hbt.clear_last_trades(0)
    return price


def backtest(events, settings):
    prices = events["px"]
    book = asset(events, tick=settings["tick"], lot=1e-8, fee=settings["fee"])
    bounded = book.last_trades_capacity(100).roi_lb(prices.min() - 1.0).roi_ub(prices.max() + 1.0)
    return ROIVectorMarketDepthBacktest([bounded])


def main():
    columns, settings = asked()
    events = feed(columns, settings["tick"])
    asked_for = settings["span"], settings["band"], settings["quantity"]
    trade(backtest(events[:1000], settings), *asked_for)
    hbt = backtest(events, settings)
    started = time.perf_counter()
    price = trade(hbt, *asked_for)
    seconds = time.perf_counter() - started
    state = hbt.state_values(0)
    equity = settings["cash"] + state.balance + state.position * price - state.fee
    rows = len(columns["price"])
    tell(engine_seconds=seconds, events=rows, fills=state.num_trades, fees=state.fee, equity=equity, feed_events=len(events))


if __name__ == "__main__":
    main()
