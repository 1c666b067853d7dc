"""Leaks: gaps filled backwards. What is known once an hour is known all through the hour before."""

from pathlib import Path

import pandas as pd

from traider import Bar, Context, Strategy


class BackwardFill(Strategy):
    def setup(self) -> None:
        bars = pd.read_parquet(Path(__file__).with_name("bars.parquet"))
        hourly = bars["close"].where(bars["ts"] % 3_600_000_000_000 == 0)
        self.level = hourly.bfill().to_numpy()  # LEAK
        self.row = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        level = self.level[self.row]
        self.row += 1
        if bar.close < level - 5.0 and ctx.position() == 0.0:
            ctx.buy_limit(self.quantity, bar.close)  # ORDER
        elif bar.close > level and ctx.position() > 0.0:
            ctx.sell_limit(ctx.position(), bar.close)  # ORDER
