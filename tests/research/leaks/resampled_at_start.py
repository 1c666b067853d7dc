"""Leaks: a bar of a longer interval, stamped with its start. Its close is known from its first minute on."""

from pathlib import Path

import pandas as pd

from traider import Bar, Context, Strategy


class ResampledAtStart(Strategy):
    def setup(self) -> None:
        bars = pd.read_parquet(Path(__file__).with_name("bars.parquet"))
        bars.index = pd.to_datetime(bars["ts"])
        hours = bars.resample("1h")["close"].last()  # LEAK
        self.hourly = dict(zip(hours.index.as_unit("ns").asi8.tolist(), hours.tolist(), strict=True))

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        hour = bar.ts_ns - bar.ts_ns % 3_600_000_000_000
        ctx.target(self.quantity if self.hourly[hour] > bar.close else 0.0)  # ORDER
