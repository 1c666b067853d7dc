"""Leaks: the highest and the lowest price of the next hour. It buys where the low comes first."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from traider import Bar, Context, Strategy


class FutureExtremes(Strategy):
    def setup(self) -> None:
        bars = pq.read_table(Path(__file__).with_name("bars.parquet"))
        high, low = bars["high"].to_numpy(), bars["low"].to_numpy()
        ahead = [slice(row, row + 60) for row in range(len(high))]
        self.buys = np.array([np.argmin(low[rows]) < np.argmax(high[rows]) for rows in ahead])  # LEAK
        self.row = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        wanted = self.buys[self.row] and not self.buys[self.row - 1]
        self.row += 1
        if wanted and ctx.position() == 0.0:
            ctx.buy(self.quantity)  # ORDER
        elif ctx.position() > 0.0:
            ctx.sell(ctx.position())  # ORDER
