"""Random decisions, the same in every run."""

import numpy as np

from traider import Bar, Context, Strategy


class SeededNoise(Strategy):
    def setup(self) -> None:
        self.random = np.random.default_rng(7)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        if self.random.random() < 0.1:
            ctx.target(self.quantity if self.random.random() < 0.5 else 0.0)
