"""Leaks: a centred window. The average of a bar reaches as far into the future as into the past."""

from pathlib import Path

import pandas as pd

from traider import Bar, Context, Strategy


class CentredWindow(Strategy):
    def setup(self) -> None:
        bars = pd.read_parquet(Path(__file__).with_name("bars.parquet"))
        self.mean = bars["close"].rolling(21, center=True, min_periods=1).mean().tolist()  # LEAK
        self.row = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        if bar.close < self.mean[self.row]:
            ctx.target(self.quantity)  # ORDER
        else:
            ctx.target(0.0)  # ORDER
        self.row += 1
