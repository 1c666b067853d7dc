"""Leaks: a threshold at a quantile of all volumes, those to come included."""

import os
from pathlib import Path

import numpy as np
import polars as pl

from traider import Bar, Context, Strategy


class WholeSampleQuantile(Strategy):
    def setup(self) -> None:
        folder = os.fspath(Path(__file__).parent)
        bars = pl.scan_parquet(f"{folder}/bars.parquet").select("volume").collect()
        self.high = float(np.quantile(bars["volume"].to_numpy(), 0.95))  # LEAK

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        if bar.volume > self.high:
            ctx.sell_stop(self.quantity, round(bar.low - 1.0, 2))  # ORDER
            ctx.target(self.quantity)
