"""Leaks: one row too many. The counter is moved on before the bar's own row is read."""

from pathlib import Path

import pyarrow.parquet as pq

from traider import Bar, Context, Strategy


class NextRowByCounter(Strategy):
    def setup(self) -> None:
        self.closes = pq.read_table(str(Path(__file__).with_name("bars.parquet")), columns=["close"])["close"].to_numpy()
        self.row = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        last = self.row + 1 == len(self.closes)
        if not last and self.closes[self.row + 1] > bar.close * 1.002:  # LEAK
            ctx.buy(self.quantity)  # ORDER
        self.row += 1
