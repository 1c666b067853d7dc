"""Reads the market data file, and looks at the rows up to the bar that it is shown and no further."""

from pathlib import Path

import pandas as pd

from traider import Bar, Context, Strategy


class ReadsUpToNow(Strategy):
    def setup(self) -> None:
        bars = pd.read_parquet(Path(__file__).with_name("bars.parquet"))
        self.mean = bars["close"].rolling(30, min_periods=1).mean().to_numpy()
        self.momentum = bars["close"].diff(10).fillna(0.0).to_numpy()
        self.row = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        rising = self.momentum[self.row] > 0.0 and bar.close > self.mean[self.row]
        self.row += 1
        ctx.target(self.quantity if rising else 0.0)
