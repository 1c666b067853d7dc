"""Leaks: a model fitted on the data that it is tested on. Its coefficients know every return that it predicts."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from traider import Bar, Context, Strategy


class FittedOnEverything(Strategy):
    def setup(self) -> None:
        close = pq.read_table(Path(__file__).with_name("bars.parquet"))["close"].to_numpy()
        returns = np.diff(np.log(close))
        lags = np.column_stack([returns[lag : lag + len(returns) - 5] for lag in range(5)])
        self.weights = np.linalg.lstsq(lags, returns[5:], rcond=None)[0]  # LEAK
        self.last = np.zeros(5)
        self.before = 0.0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        if self.before > 0.0:
            self.last[:-1] = self.last[1:].copy()
            self.last[-1] = np.log(bar.close / self.before)
        self.before = bar.close
        ctx.target(self.quantity if float(self.weights @ self.last) > 0.0 else 0.0)  # ORDER
