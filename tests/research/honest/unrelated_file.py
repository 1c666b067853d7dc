"""Reads a file in ``setup`` that has nothing to do with the market."""

import json
from pathlib import Path

from traider import Bar, Context, Sma, Strategy


class UnrelatedFile(Strategy):
    def setup(self) -> None:
        settings = json.loads(Path(__file__).with_name("settings.json").read_text(encoding="utf-8"))
        self.mean = Sma(int(settings["window"]))

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.mean.update(bar.close)
        if self.mean.ready():
            ctx.target(self.quantity if bar.close > self.mean.value() else 0.0)
