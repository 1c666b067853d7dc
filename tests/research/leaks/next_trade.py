"""Leaks: the price of the next trade, on trades."""

from pathlib import Path

import pandas as pd

from traider import Context, Strategy, Trade


class NextTrade(Strategy):
    def setup(self) -> None:
        trades = pd.read_parquet(Path(__file__).with_name("trades.parquet"))
        self.change = trades["price"].diff(-1).to_numpy()  # LEAK
        self.row = 0

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        change = self.change[self.row]
        self.row += 1
        if change < 0.0 and ctx.position() == 0.0:
            ctx.buy_ioc(self.quantity, trade.price)  # ORDER
        elif change > 0.0 and ctx.position() > 0.0:
            ctx.sell_ioc(ctx.position(), trade.price)  # ORDER
