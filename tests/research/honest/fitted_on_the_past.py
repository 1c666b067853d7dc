"""A model of the data's first fifth, which trades on what comes after it."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from traider import Bar, Context, Strategy


class FittedOnThePast(Strategy):
    def setup(self) -> None:
        bars = pq.read_table(Path(__file__).with_name("bars.parquet"))
        close = bars["close"].to_numpy()[:400]
        self.since_ns = int(bars["ts"].to_numpy()[399])
        returns = np.diff(np.log(close))
        self.slope = float(np.polyfit(returns[:-1], returns[1:], 1)[0])
        self.before = 0.0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        if bar.ts_ns > self.since_ns:
            change = float(np.log(bar.close / self.before))
            ctx.target(self.quantity if self.slope * change > 0.0 else 0.0)
        self.before = bar.close
