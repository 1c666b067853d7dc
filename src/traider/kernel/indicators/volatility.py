"""How much prices move: ranges of bars, and the volatility of returns."""

import math

from .base import Indicator, between, whole
from .changes import LogReturn
from .windows import Sum


class TrueRange(Indicator):
    """The largest of high - low, |high - previous close| and |low - previous close| (Wilder 1978). TA-Lib: TRANGE.

    A difference of prices, at least 0. Of the first bar it is high - low. Ready from the second bar; nan before the first.
    """

    def __init__(self) -> None:
        self.count = 0
        self.close = 0.0
        self.true_range = math.nan

    def update(self, high: float, low: float, close: float) -> float:
        self.true_range = high - low
        if self.count > 0:
            self.true_range = max(self.true_range, abs(high - self.close), abs(low - self.close))
        self.close = close
        self.count += 1
        return self.true_range

    def value(self) -> float:
        return self.true_range

    def ready(self) -> bool:
        return self.count > 1


class Atr(Indicator):
    """Average true range (Wilder 1978): the mean of the first ``window`` true ranges, then smoothed by 1 / window.

    The true range of a bar is the largest of high - low, |high - previous close| and |low - previous close|; of the first
    bar it is high - low. TA-Lib: ATR, which begins with the second bar, once the seed has faded.
    A difference of prices, at least 0. Ready from the ``window``-th bar; before that the mean so far, nan before the first.
    """

    def __init__(self, window: int) -> None:
        self.window = whole("Atr", window)
        self.count = 0
        self.close = 0.0
        self.mean = math.nan

    def update(self, high: float, low: float, close: float) -> float:
        true_range = high - low
        if self.count > 0:
            true_range = max(true_range, abs(high - self.close), abs(low - self.close))
        self.close = close
        if self.count == 0:
            self.mean = true_range
        elif self.count < self.window:
            self.mean += (true_range - self.mean) / (self.count + 1)
        else:
            self.mean += (true_range - self.mean) / self.window
        if self.count < self.window:
            self.count += 1
        return self.mean

    def value(self) -> float:
        return self.mean

    def ready(self) -> bool:
        return self.count == self.window


class Natr(Indicator):
    """Normalised average true range: 100 Atr / close. TA-Lib: NATR.

    In percent of the price, at least 0; 0 where the close is. Ready with its Atr; nan before the first bar.
    """

    def __init__(self, window: int) -> None:
        self.atr = Atr(whole("Natr", window))

    def update(self, high: float, low: float, close: float) -> float:
        self.atr.update(high, low, close)
        return self.value()

    def value(self) -> float:
        if self.atr.count == 0:
            return math.nan
        return 100.0 * self.atr.mean / self.atr.close if self.atr.close != 0.0 else 0.0

    def ready(self) -> bool:
        return self.atr.ready()


class EwmaVolatility(Indicator):
    """Volatility of log returns, exponentially weighted: v = decay v + (1 - decay) r^2 (RiskMetrics 1996); gives sqrt(v).

    A fraction for each update (0.01 is 1 %), at least 0; ``variance()`` is its square. Seeded with the first squared
    return. Ready from the price that has faded the seed to a hundredth; nan before the second price.
    """

    def __init__(self, decay: float = 0.94) -> None:
        self.decay = between("EwmaVolatility", decay, "decay", 0.0, 0.999999)
        self.returns = LogReturn()
        self.count = 0
        self.fading = math.ceil(math.log(0.01) / math.log(self.decay)) if self.decay > 0.0 else 0
        self.mean_square = math.nan

    def update(self, price: float) -> float:
        change = self.returns.update(price)
        if self.count == 1:
            self.mean_square = change * change
        elif self.count > 1:
            self.mean_square += (1.0 - self.decay) * (change * change - self.mean_square)
        self.count += 1
        return self.value()

    def value(self) -> float:
        return math.sqrt(self.mean_square)

    def variance(self) -> float:
        return self.mean_square

    def ready(self) -> bool:
        return self.count >= 2 + self.fading


class RealizedVolatility(Indicator):
    """Root of the mean squared log return of the last ``window`` ones, times sqrt(``periods_per_year``).

    Andersen and Bollerslev 1998: the mean return is taken for 0. A fraction for each update, or a year with the number of
    updates in one given. At least 0. Ready from the ``window + 1``-th price; nan before the second.
    """

    def __init__(self, window: int, periods_per_year: float = 1.0) -> None:
        self.window = whole("RealizedVolatility", window)
        self.periods = between("RealizedVolatility", periods_per_year, "periods_per_year", 0.0, 1e12)
        self.returns = LogReturn()
        self.squares = Sum(self.window)

    def update(self, price: float) -> float:
        change = self.returns.update(price)
        if self.returns.count > 1:
            self.squares.update(change * change)
        return self.value()

    def value(self) -> float:
        return math.sqrt(self.squares.mean() * self.periods)

    def ready(self) -> bool:
        return self.squares.ready()
