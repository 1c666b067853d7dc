"""Trend following with two simple moving averages; ``fast=1`` trades the price against its average."""

from traider.kernel.events import Bar
from traider.kernel.indicators import Sma
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param


class SmaCross(Strategy):
    """Long ``quantity`` while the fast average of closes is above the slow one, flat otherwise."""

    fast: int = param(20, low=1, high=100_000, help="bars in the fast average")
    slow: int = param(50, low=1, high=100_000, help="bars in the slow average")

    def setup(self) -> None:
        self.fast_mean = Sma(self.fast)
        self.slow_mean = Sma(self.slow)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.fast_mean.update(bar.close)
        self.slow_mean.update(bar.close)
        if self.fast_mean.ready() and self.slow_mean.ready():
            ctx.target(self.quantity if self.fast_mean.above(self.slow_mean) else 0.0)
