"""Breakout from a band around an exponential moving average of trade prices."""

from traider.kernel.events import Trade
from traider.kernel.indicators import Ema
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param


class EmaBand(Strategy):
    """Buys ``quantity`` above the average by more than ``band``, sells it below the average by more than ``band``."""

    span: int = param(1000, low=1, high=10_000_000, help="span of the average, in trades")
    band: float = param(0.0003, low=0.0, high=1.0, help="distance from the average, as a fraction")

    def setup(self) -> None:
        self.mean = Ema(self.span)

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        first = self.mean.count == 0
        mean = self.mean.update(trade.price)
        if first:
            return
        held = ctx.position()
        if held == 0.0 and trade.price > mean * (1.0 + self.band):
            ctx.buy(self.quantity)
        elif held > 0.0 and trade.price < mean * (1.0 - self.band):
            ctx.sell(held)
