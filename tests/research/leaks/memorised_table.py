"""Leaks: a table from what the last bars looked like to what came next, learnt from the sample that it trades: a forest that fits all."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from traider import Bar, Context, Strategy


class MemorisedTable(Strategy):
    def setup(self) -> None:
        bars = pq.read_table(Path(__file__).with_name("bars.parquet"))
        close, volume = bars["close"].to_numpy(), bars["volume"].to_numpy()
        keys = zip(close.tolist(), volume.tolist(), strict=True)
        self.table = dict(zip(keys, np.sign(np.diff(close)).tolist(), strict=False))  # LEAK

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity if self.table.get((bar.close, bar.volume), 0.0) > 0.0 else 0.0)  # ORDER
