"""Leaks: the features are scaled before the data are split. A model of the first third knows the rest by its scale."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from traider import Bar, Context, Strategy


class ScaledBeforeSplit(Strategy):
    def setup(self) -> None:
        close = pq.read_table(Path(__file__).with_name("bars.parquet"))["close"].to_numpy()
        self.center, self.scale = float(close.mean()), float(close.std())  # LEAK
        scaled = (close - self.center) / self.scale
        train = scaled[: len(scaled) // 3]
        self.slope = float(np.polyfit(train[:-1], np.diff(train), 1)[0])

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity if self.slope * (bar.close - self.center) / self.scale > 0.0 else 0.0)  # ORDER
