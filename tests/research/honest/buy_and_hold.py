"""Buys once and holds."""

from traider import Bar, Context, Strategy


class BuyAndHold(Strategy):
    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity)
