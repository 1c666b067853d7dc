"""Leaks: a z-score over the full sample. Mean and deviation are those of all bars, those to come included."""

from pathlib import Path

import pyarrow.parquet as pq

from traider import Bar, Context, Strategy


class FullSampleScore(Strategy):
    def setup(self) -> None:
        close = pq.read_table(Path(__file__).with_name("bars.parquet"))["close"].to_numpy()
        self.mean, self.deviation = float(close.mean()), float(close.std())  # LEAK

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        score = (bar.close - self.mean) / self.deviation
        ctx.target(self.quantity if score < -1.0 else 0.0)  # ORDER
