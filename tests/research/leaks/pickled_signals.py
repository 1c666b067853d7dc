"""Leaks: signals that another program made from the whole sample. No market data file is opened here."""

import pickle
from pathlib import Path

from traider import Bar, Context, Strategy


class PickledSignals(Strategy):
    def setup(self) -> None:
        with Path(__file__).with_name("signals.pkl").open("rb") as file:  # READ
            self.signals: dict[int, float] = pickle.load(file)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity if self.signals[bar.ts_ns] > 0.0 else 0.0)
