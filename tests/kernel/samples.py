"""Strategies to test with: one that uses everything that a strategy can have, and one that trades on trades."""

import math

import numpy as np

from traider.kernel.events import Bar, Fill, Quote, Timer, Trade
from traider.kernel.indicators import Atr, Ema, Sma, Std
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param
from traider.kernel.order_book import Book
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


class Juggler(Strategy):
    """Every order type and every way to hang orders together, timers, targets, all handlers; on any kind of market data."""

    width: float = param(2.0, low=0.0)

    def setup(self) -> None:
        self.read = np.zeros(32)
        self.steps = 0
        self.order = 0
        self.timers = 0
        self.filled = 0
        self.paid = 0.0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.look(ctx)
        self.ask(bar.close, bar.instrument, ctx)

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        self.read[0] = trade.size * trade.side
        self.ask(trade.price, trade.instrument, ctx)

    def on_quote(self, quote: Quote, ctx: Context) -> None:
        self.look(ctx)
        self.read[1] = quote.bid_size - quote.ask_size
        self.ask(quote.bid, quote.instrument, ctx)

    def on_book(self, book: Book, ctx: Context) -> None:
        self.look(ctx)
        read = self.read
        read[2] = book.best_bid() + book.best_ask()
        read[3] = book.bid(1) + book.ask(2)
        read[4] = book.bid_size(0) - book.ask_size(1)
        read[5] = book.mid() - book.spread()
        read[6] = book.size_at(1, book.bid(3)) + book.size_at(-1, 1.0)
        read[7] = book.imbalance(5)
        read[8] = book.vwap(1, 0.5) - book.vwap(-1, 0.5)
        read[9] = book.levels(1) + book.levels(-1)
        if self.steps % 5 == 0 and ctx.open_orders() < 20:
            ctx.buy_post_only(self.quantity, book.best_bid())
            ctx.sell_post_only(self.quantity, book.best_ask())
        if book.spread() > 0.0:
            self.ask(book.best_bid(), 0, ctx)

    def on_timer(self, timer: Timer, ctx: Context) -> None:
        self.timers += timer.number + 1
        self.read[10] = timer.ts_ns - ctx.now_ns()
        self.read[11] += ctx.position()
        ctx.buy_limit(self.quantity, round(ctx.price() - self.width, 1))
        ctx.set_timer(timer.number, timer.ts_ns + 7_000_000_000 + self.steps)

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        self.filled += 1
        self.paid += fill.fee + fill.side * fill.price
        self.read[12] += ctx.position() * (fill.instrument + 1)
        self.read[13] += ctx.is_open(fill.order)
        ctx.select(1 - fill.instrument)

    def look(self, ctx: Context) -> None:
        read = self.read
        read[14] = ctx.price_of(0) + ctx.price_of(1) + ctx.price_of(2)
        read[15] = ctx.bid() + ctx.ask()
        read[16] = ctx.size_for(1234.5) + ctx.size_for(-0.001)
        read[17] = ctx.now_ns() % 86_400_000_000_000
        read[18] = ctx.is_open(self.order) + ctx.pending() + ctx.position_of(1)

    def ask(self, price: float, instrument: int, ctx: Context) -> None:
        low, high = round(price - self.width, 1), round(price + self.width, 1)
        size = self.quantity
        step = self.steps % 31
        self.steps += 1
        if step < 12:
            self.hang(step, low, high, ctx)
        elif step == 12:
            self.order = ctx.buy_fok(size, high) + ctx.sell_fok(size, low)
        elif step == 13:
            self.order = ctx.buy_notional(1000.0) + ctx.sell_notional(1500.0)
        elif step == 14:
            ctx.target_notional(-2.0 * size * price)
        elif step == 15:
            ctx.target_percent(0.1)
        elif step == 16:
            ctx.target_risk(0.0001, self.width)
        elif step == 17:
            self.read[20] += ctx.set_timer(3, ctx.now_ns() + 2_500_000_000) + ctx.set_timer(16, ctx.now_ns() + 1) + ctx.set_timer(4, 1)
            self.read[21] += ctx.set_timer(5, ctx.now_ns() + 2_500_000_000) + ctx.set_timer(6, ctx.now_ns() + 10**15)
        elif step == 18:
            self.read[22] += ctx.clear_timer(6) + ctx.clear_timer(7)
        elif step == 19:
            self.read[23] += ctx.select(1 - instrument) + ctx.select(64)
            self.read[24] += ctx.price() + ctx.buy(size)
        elif step == 20:
            ctx.cancel(self.order)
        elif step == 27:
            ctx.cancel_all()
        elif step == 29:
            ctx.target(0.0)

    def hang(self, step: int, low: float, high: float, ctx: Context) -> None:
        size = self.quantity
        if step == 0:
            self.read[25] += ctx.protect(ctx.buy(size), high, low)
        elif step == 1:
            self.read[26] += ctx.oco(ctx.buy_limit(size, low), ctx.sell_limit(size, high))
        elif step == 2:
            self.read[27] += ctx.oto(ctx.buy_limit(size, low), ctx.sell_stop(size, round(low - self.width, 1)))
        elif step == 3:
            self.order = ctx.buy_stop_limit(size, high, round(high + self.width, 1))
            ctx.sell_stop_limit(size, low, low)
        elif step == 4:
            ctx.amend(self.order, 2.0 * size, 0.0)
        elif step == 5:
            self.order = ctx.sell_limit(size, high)
            self.read[28] += ctx.good_till(self.order, ctx.now_ns() + 3_000_000_000) + ctx.good_till(1, ctx.now_ns())
        elif step == 6:
            ctx.sell_trailing_stop(size, self.width)
        elif step == 7:
            ctx.buy_trailing_fraction(size, 0.0005)
        elif step == 8:
            ctx.amend(self.order, 0.0, round(high - 0.1, 1))
        elif step == 9:
            self.read[29] += ctx.oco(ctx.buy(size), ctx.buy(size)) + ctx.oto(ctx.sell(size), ctx.buy(size))
        elif step == 10:
            ctx.oto(ctx.sell_post_only(size, high), ctx.buy_trailing_stop(size, self.width))
            ctx.sell_trailing_fraction(size, 0.0005)
        else:
            ctx.oto(ctx.buy_ioc(size, high), ctx.sell_ioc(size, high))
