"""Strategies that use every kind of order and remember things, so that a restart that forgot something would show."""

from traider.kernel.events import Bar, Fill
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param


class Restless(Strategy):
    """Market, limit, post-only, IOC and stop orders in turn; what it does next depends on its fills and its open orders."""

    every: int = param(3, low=1, high=1000)

    def setup(self) -> None:
        self.bars = 0
        self.fills = 0
        self.spent = 0.0
        self.last_order = 0

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        self.fills += 1
        self.spent += fill.side * fill.price * fill.size + fill.fee

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.bars += 1
        if self.bars % self.every != 0:
            return
        turn = (self.bars // self.every + self.fills) % 7
        held = ctx.position()
        if turn == 0:
            self.last_order = ctx.buy(self.quantity)
        elif turn == 1:
            self.last_order = ctx.buy_limit(self.quantity, bar.low)
        elif turn == 2 and held > 0.0:
            self.last_order = ctx.sell_limit(held, bar.high)
        elif turn == 3:
            ctx.cancel(self.last_order)
            self.last_order = ctx.buy_post_only(self.quantity, bar.low)
        elif turn == 4 and held > 0.0:
            ctx.cancel_all()
            self.last_order = ctx.sell_stop(held, bar.low)
        elif turn == 5:
            self.last_order = ctx.buy_ioc(self.quantity, bar.close)
        elif held > self.quantity * 3.0 or self.spent > 40_000.0:
            ctx.cancel_all()
            self.last_order = ctx.sell(held)
            self.spent = 0.0
