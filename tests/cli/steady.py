"""A strategy that trades every few prints, always has an order resting far below, and counts what it has seen."""

from traider.kernel.events import Trade
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param

RESTS_AT = 20_000.0  # no generated market that begins at 65,000 comes there in a test


class Steady(Strategy):
    every: int = param(4, low=1, high=1000, help="prints from one market order to the next")

    def setup(self) -> None:
        self.seen = 0
        self.resting = 0

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        self.seen += 1
        if not ctx.is_open(self.resting):
            self.resting = ctx.buy_limit(self.quantity, RESTS_AT)
        if self.seen % self.every == 0:
            if ctx.position() > 0.0:
                ctx.sell(ctx.position())
            else:
                ctx.buy(self.quantity)
