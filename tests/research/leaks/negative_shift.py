"""Leaks: a negative shift. The signal of a bar is the return of the bar after it."""

from pathlib import Path

import pandas as pd

from traider import Bar, Context, Strategy


class NegativeShift(Strategy):
    def setup(self) -> None:
        bars = pd.read_parquet(Path(__file__).with_name("bars.parquet"))
        self.signal = (bars["close"].shift(-1) / bars["close"] - 1.0).to_numpy()  # LEAK
        self.row = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity if self.signal[self.row] > 0.0 else 0.0)  # ORDER
        self.row += 1
