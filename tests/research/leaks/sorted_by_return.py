"""Leaks: bars chosen by the return that follows them. It trades the best tenth of them."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from traider import Bar, Context, Strategy


class SortedByReturn(Strategy):
    def setup(self) -> None:
        bars = pq.read_table(Path(__file__).with_name("bars.parquet"))
        following = np.diff(bars["close"].to_numpy())
        best = np.argsort(following)[-len(following) // 10 :]  # LEAK
        self.good = {int(ts) for ts in bars["ts"].to_numpy()[best]}

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        if bar.ts_ns in self.good:
            ctx.buy(self.quantity)  # ORDER
        elif ctx.position() > 0.0:
            ctx.sell(ctx.position())  # ORDER
