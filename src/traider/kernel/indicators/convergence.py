"""Differences between a fast and a slow exponential average, and the rise of a smooth one."""

import math

from .averages import Ema
from .base import Indicator, whole


class Macd(Indicator):
    """Moving average convergence divergence (Appel 1979): ``value()`` Ema(fast) - Ema(slow). TA-Lib: MACD.

    ``signal()`` is its Ema, ``histogram()`` the difference of the two. Differences of prices. Each Ema is seeded with its
    first value. Ready from price ``slow + signal - 1``; nan before the first.
    """

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        self.fast = Ema(whole("Macd", fast, "fast"))
        self.slow = Ema(whole("Macd", slow, "slow"))
        self.smooth = Ema(whole("Macd", signal, "signal"))

    def update(self, price: float) -> float:
        difference = self.fast.update(price) - self.slow.update(price)
        self.smooth.update(difference)
        return difference

    def value(self) -> float:
        return self.fast.mean - self.slow.mean

    def signal(self) -> float:
        return self.smooth.mean

    def histogram(self) -> float:
        return self.fast.mean - self.slow.mean - self.smooth.mean

    def ready(self) -> bool:
        return self.slow.count >= max(self.slow.span, self.fast.span) + self.smooth.span - 1


class Ppo(Indicator):
    """Percentage price oscillator: 100 (Ema(fast) - Ema(slow)) / Ema(slow). TA-Lib: PPO with exponential averages.

    In percent; 0 where the slow average is. Ready from the ``slow``-th price; nan before the first.
    """

    def __init__(self, fast: int = 12, slow: int = 26) -> None:
        self.fast = Ema(whole("Ppo", fast, "fast"))
        self.slow = Ema(whole("Ppo", slow, "slow"))

    def update(self, price: float) -> float:
        self.fast.update(price)
        self.slow.update(price)
        return self.value()

    def value(self) -> float:
        slow = self.slow.mean
        return 100.0 * (self.fast.mean - slow) / slow if slow != 0.0 else 0.0

    def ready(self) -> bool:
        return self.fast.ready() and self.slow.ready()


class Trix(Indicator):
    """Rise of the triple Ema since the update before (Hutson 1983): 100 (e3 / previous e3 - 1). TA-Lib: TRIX.

    In percent for each update. Each Ema is seeded with its first value. Ready from price ``3 span - 1``; nan before the
    second, and where the previous average was 0.
    """

    def __init__(self, span: int) -> None:
        self.span = whole("Trix", span)
        self.first, self.second, self.third = Ema(span), Ema(span), Ema(span)
        self.rise = math.nan

    def update(self, price: float) -> float:
        before = self.third.mean
        now = self.third.update(self.second.update(self.first.update(price)))
        self.rise = 100.0 * (now - before) / before if before != 0.0 else math.nan
        return self.rise

    def value(self) -> float:
        return self.rise

    def ready(self) -> bool:
        return self.third.count >= 3 * self.span - 1
