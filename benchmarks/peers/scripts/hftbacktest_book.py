"""hftbacktest: ``touch_maker`` on level updates and trades, risk-averse queue, whole fills, no latency, no fee."""

import time

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    FILLED,
    GTC,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    HashMapMarketDepthBacktest,
    ROIVectorMarketDepthBacktest,
)
from hftbacktest.types import event_dtype
from hftbacktest_venue import asset
from numba import njit
from telling import asked, tell

BID, ASK = 0, 1
FEED = 2  # what wait_next_feed answers when the market has moved
LONG = 10**17  # ns


def feed(columns):
    """The rows as hftbacktest's events; seen by the exchange and by the strategy at the same time."""
    kind, side = columns["kind"], columns["side"]
    buys = np.where(kind == BID, True, np.where(kind == ASK, False, side > 0))
    events = np.zeros(len(kind), event_dtype)
    events["ev"] = EXCH_EVENT | LOCAL_EVENT | np.where(kind > ASK, TRADE_EVENT, DEPTH_EVENT) | np.where(buys, BUY_EVENT, SELL_EVENT)
    events["exch_ts"] = events["local_ts"] = columns["ts"]
    events["px"], events["qty"] = columns["price"], columns["size"]
    return events


@njit
def still_open(hbt, order_id):
    if order_id == 0:
        return False
    order = hbt.orders(0).get(order_id)
    return order is not None and order.status != FILLED


@njit
def make(hbt, quantity, max_position):
    """Keeps one order a side at the touch; how often it acted."""
    looked = acted = buy = sell = buy_tick = sell_tick = last_id = 0
    full = max_position - quantity / 2
    while hbt.wait_next_feed(False, LONG) == FEED:
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        if np.isnan(depth.best_bid) or np.isnan(depth.best_ask) or bid + ask == looked:
            continue
        looked = bid + ask
        acted += 1
        position = hbt.position(0)
        if not still_open(hbt, buy):
            buy = 0
        if not still_open(hbt, sell):
            sell = 0
        if buy != 0 and (buy_tick != bid or position >= full):
            hbt.cancel(0, buy, False)
            buy = 0
        if sell != 0 and (sell_tick != ask or position <= -full):
            hbt.cancel(0, sell, False)
            sell = 0
        hbt.clear_inactive_orders(0)
        if buy == 0 and position < full:
            last_id += 1
            buy, buy_tick = last_id, bid
            hbt.submit_buy_order(0, buy, bid * depth.tick_size, quantity, GTC, LIMIT, False)
        if sell == 0 and position > -full:
            last_id += 1
            sell, sell_tick = last_id, ask
            hbt.submit_sell_order(0, sell, ask * depth.tick_size, quantity, GTC, LIMIT, False)
    return acted


def backtest(events, settings):
    book = asset(events, tick=settings["tick"], lot=settings["lot"])
    if settings["depth"] == "hash":
        return HashMapMarketDepthBacktest([book])
    prices = events["px"]
    return ROIVectorMarketDepthBacktest([book.roi_lb(prices.min()).roi_ub(prices.max())])


def main():
    columns, settings = asked()
    events = feed(columns)
    make(backtest(events[:1000], settings), settings["quantity"], settings["max_position"])
    hbt = backtest(events, settings)
    started = time.perf_counter()
    acted = make(hbt, settings["quantity"], settings["max_position"])
    seconds = time.perf_counter() - started
    depth, state = hbt.depth(0), hbt.state_values(0)
    mid = (depth.best_bid + depth.best_ask) / 2
    equity = settings["cash"] + state.balance + state.position * mid - state.fee
    told = {"position": round(state.position, 9), "acted": acted}
    tell(engine_seconds=seconds, events=len(events), fills=state.num_trades, fees=state.fee, equity=equity, **told)


if __name__ == "__main__":
    main()
