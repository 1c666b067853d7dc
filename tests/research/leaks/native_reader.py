"""Leaks: the next close, read in native code that no hook of Python's hears of."""

from pathlib import Path

import pyarrow.parquet as pq
from pyarrow import fs

from traider import Bar, Context, Strategy


class NativeReader(Strategy):
    def setup(self) -> None:
        with fs.LocalFileSystem().open_input_file(str(Path(__file__).with_name("bars.parquet"))) as file:
            self.closes = pq.ParquetFile(file).read()["close"].to_numpy()
        self.row = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        rises = self.row + 1 < len(self.closes) and self.closes[self.row + 1] > self.closes[self.row]
        self.row += 1
        ctx.target(self.quantity if rises else 0.0)
