"""Strategies to test with: one that uses everything that a strategy can have, and one that trades on trades."""

import math

import numpy as np

from traider.kernel.events import Bar, Fill, Trade
from traider.kernel.indicators import Atr, Ema, Sma, Std
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param
from traider.kernel.structs import Stateful

SHARE = 0.5


class Range(Stateful):
    """The highest and lowest of the last closes; an author's own part, with a part of its own."""

    def __init__(self, window: int) -> None:
        self.closes = np.zeros(window)
        self.seen = np.zeros(1, np.int64)
        self.smooth = Ema(window)
        self.full = False

    def take(self, close: float) -> float:
        n = int(self.seen[0])
        self.closes[n % len(self.closes)] = close
        self.seen[0] = n + 1
        self.full = n + 1 >= len(self.closes)
        return self.smooth.update(close)

    def middle(self, share: float = SHARE) -> float:
        return self.lowest() + share * (self.highest() - self.lowest())

    def highest(self) -> float:
        return float(self.closes.max())

    def lowest(self) -> float:
        return float(self.closes.min())


class Everything(Strategy):
    """Every kind of attribute, every method of ``ctx``, every handler of bars."""

    window: int = param(5, low=1, high=1000)
    width: float = param(2.0)
    careful: bool = param(True)
    STEP = 7

    def setup(self) -> None:
        self.range = Range(self.window)
        self.means = Sma(self.window)
        self.spread = Std(self.window)
        self.atr = Atr(self.window)
        self.read = np.full(16, math.nan)
        self.orders = np.zeros(16, np.int64)
        self.steps = 0
        self.spent = 0.0
        self.filled = 0
        self.last_fill = 0.0
        self.bought = False

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.means.update(bar.close)
        self.spread.update(bar.close)
        self.atr.update(bar.high, bar.low, bar.close)
        self.range.take(bar.close)
        self.look(ctx)
        step = self.steps % 23
        self.steps += 1
        if not self.range.full:
            return
        if step < 12:
            self.ask(step, bar, ctx)
        elif step == 12:
            ctx.cancel(self.orders[self.STEP])
            ctx.cancel(12345)
        elif step == 15:
            self.orders[15] = ctx.cancel_all()
        elif step == 17 and self.careful:
            ctx.target(0.0)
        elif step == 18:
            ctx.target(self.quantity if self.means.value() > self.range.middle() else -self.quantity)

    def ask(self, step: int, bar: Bar, ctx: Context) -> None:
        near = round(bar.close - self.width, 2)
        far = round(bar.close + self.width, 2)
        size = self.quantity
        order = 0
        if step == 0:
            order = ctx.buy(size)
        elif step == 1:
            order = ctx.sell(size)
        elif step == 2:
            order = ctx.buy_limit(size, near)
        elif step == 3:
            order = ctx.sell_limit(size, far)
        elif step == 4:
            order = ctx.buy_post_only(size, far)
        elif step == 5:
            order = ctx.sell_post_only(size, near)
        elif step == 6:
            order = ctx.buy_ioc(size, far)
        elif step == 7:
            order = ctx.sell_ioc(size, far)
        elif step == 8:
            order = ctx.buy_stop(size, far)
        elif step == 9:
            order = ctx.sell_stop(size, near)
        elif step == 10:
            order = ctx.target(2 * size)
        else:
            for _ in range(70):  # more than one event may ask for
                order = ctx.buy_limit(size, 1.0)
        self.orders[step] = order

    def look(self, ctx: Context) -> None:
        read = self.read
        read[0] = ctx.position()
        read[1] = ctx.position_of(0) + ctx.position_of(-1) + ctx.position_of(1) + ctx.position_of(64)
        read[2] = ctx.average_price()
        read[3] = ctx.price()
        read[4] = ctx.cash()
        read[5] = ctx.equity()
        read[6] = ctx.pending()
        read[7] = ctx.open_orders()
        read[8] = self.means.value()
        read[9] = self.spread.value()
        read[10] = self.atr.value()
        read[11] = self.range.smooth.value()

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        self.filled += 1
        self.last_fill = fill.price
        self.spent += fill.fee + fill.side * fill.price * fill.size * fill.maker
        self.bought = fill.side > 0
        self.orders[14] = fill.order
        self.orders[13] = fill.ts_ns + fill.instrument
        if self.filled % 5 == 0:
            ctx.buy_limit(self.quantity, round(fill.price - 5 * self.width, 2))


class Quoter(Strategy):
    """Rests on both sides of the last trade, moves after each fill, gets out where it has too much. On trades."""

    gap: float = param(2.0, low=0.0, high=1000.0)
    most: float = param(3.0, low=0.0)

    def setup(self) -> None:
        self.bid = 0
        self.ask = 0
        self.side = 0
        self.fills = 0
        self.paid = 0.0

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        self.side += trade.side
        if abs(ctx.position()) >= self.most * self.quantity:
            ctx.cancel_all()
            ctx.target(0.0)
            self.bid = self.ask = 0
        elif self.bid == 0 or self.ask == 0:
            ctx.cancel(self.bid + self.ask)
            self.bid = ctx.buy_limit(self.quantity, round(trade.price - self.gap, 2))
            self.ask = ctx.sell_limit(self.quantity, round(trade.price + self.gap, 2))

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        self.fills += 1
        self.paid += fill.fee
        if fill.order == self.bid:
            self.bid = 0
        if fill.order == self.ask:
            self.ask = 0
