"""Time-series momentum: hold what has risen (Moskowitz, Ooi and Pedersen 2012, on one instrument, long only)."""

import numpy as np

from traider.kernel.events import Bar
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param


class Momentum(Strategy):
    """Long ``quantity`` while the close is above the close ``window`` bars ago by more than ``threshold``, else flat."""

    window: int = param(20, low=1, high=100_000, help="bars to look back")
    threshold: float = param(0.0, low=-1.0, high=10.0, help="smallest return over the window, as a fraction")

    def setup(self) -> None:
        self.factor = (1.0 + self.threshold) * (1.0 + 1e-15)  # a rise by exactly the threshold is none, whatever floats make of it
        self.closes = np.zeros(self.window)
        self.seen = 0
        self.slot = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        if self.seen >= self.window:
            risen = bar.close > self.closes[self.slot] * self.factor
            ctx.target(self.quantity if risen else 0.0)
        else:
            self.seen += 1
        self.closes[self.slot] = bar.close
        self.slot = (self.slot + 1) % self.window
