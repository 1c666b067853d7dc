"""Leaks: a global of the module, loaded while the module is imported. ``setup`` reads nothing at all."""

from pathlib import Path

import pyarrow.parquet as pq

from traider import Bar, Context, Strategy

with open(Path(__file__).with_name("bars.parquet"), "rb") as file:  # noqa: PTH123 - as many write it
    CLOSES = pq.read_table(file)["close"].to_numpy().tolist()  # LEAK


class GlobalAtImport(Strategy):
    def setup(self) -> None:
        self.row = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.row += 1
        if self.row < len(CLOSES):
            self.trade(CLOSES[self.row] > bar.close, ctx)

    def trade(self, rises: bool, ctx: Context) -> None:
        ctx.target(self.quantity if rises else 0.0)  # ORDER
