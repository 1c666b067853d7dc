"""Leaks: scaling between the lowest and the highest price of the whole sample."""

from pathlib import Path

import polars as pl

from traider import Bar, Context, Strategy


class MinMaxOverAll(Strategy):
    def setup(self) -> None:
        bars = pl.read_parquet(Path(__file__).with_name("bars.parquet"))
        self.lowest = float(bars["low"].to_numpy().min())  # LEAK
        self.highest = float(bars["high"].to_numpy().max())

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        scaled = (bar.close - self.lowest) / (self.highest - self.lowest)
        ctx.target(self.quantity if scaled < 0.3 else 0.0)  # ORDER
