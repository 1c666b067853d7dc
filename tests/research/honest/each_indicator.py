"""One strategy for each of the kit's first indicators."""

from traider import Atr, Bar, Context, Ema, Sma, Std, Strategy


class OnSma(Strategy):
    def setup(self) -> None:
        self.fast, self.slow = Sma(5), Sma(30)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.fast.update(bar.close)
        self.slow.update(bar.close)
        if self.slow.ready():
            ctx.target(self.quantity if self.fast.above(self.slow) else 0.0)


class OnEma(Strategy):
    def setup(self) -> None:
        self.mean = Ema(20)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity if bar.close > self.mean.update(bar.close) else 0.0)


class OnStd(Strategy):
    def setup(self) -> None:
        self.mean, self.spread = Sma(20), Std(20)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        mean, spread = self.mean.update(bar.close), self.spread.update(bar.close)
        if self.mean.ready():
            ctx.target(self.quantity if bar.close < mean - spread else 0.0)


class OnAtr(Strategy):
    def setup(self) -> None:
        self.range = Atr(14)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        reach = self.range.update(bar.high, bar.low, bar.close)
        if self.range.ready() and ctx.position() == 0.0 and ctx.open_orders() == 0:
            ctx.buy_stop(self.quantity, round(bar.close + reach, 2))
        elif ctx.position() > 0.0 and bar.high - bar.low > 1.5 * reach:
            ctx.target(0.0)
