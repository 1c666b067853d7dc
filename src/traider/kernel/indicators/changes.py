"""What has become of a price since some updates ago."""

import math

from .base import Indicator, whole
from .windows import Lag


class Momentum(Indicator):
    """Price minus the price ``window`` updates ago. TA-Lib: MOM. A difference of prices.

    Ready from the ``window + 1``-th price; before that against the first one, nan before it.
    """

    def __init__(self, window: int) -> None:
        self.lag = Lag(whole("Momentum", window))
        self.newest = math.nan

    def update(self, price: float) -> float:
        self.newest = price
        return price - self.lag.update(price)

    def value(self) -> float:
        return self.newest - self.lag.lagged

    def ready(self) -> bool:
        return self.lag.ready()


class Roc(Indicator):
    """Rate of change: 100 (price / price ``window`` updates ago - 1). TA-Lib: ROC. In percent; 0 where that price was 0.

    Ready from the ``window + 1``-th price; before that against the first one, nan before it.
    """

    def __init__(self, window: int) -> None:
        self.lag = Lag(whole("Roc", window))
        self.newest = math.nan

    def update(self, price: float) -> float:
        self.newest = price
        self.lag.update(price)
        return self.value()

    def value(self) -> float:
        before = self.lag.lagged
        return 100.0 * (self.newest / before - 1.0) if before != 0.0 else 0.0

    def ready(self) -> bool:
        return self.lag.ready()


class Return(Indicator):
    """Simple return since the update before: price / previous price - 1. TA-Lib: ROCP of 1. A fraction: 0.01 is 1 %.

    Ready from the second price; nan before, and where the previous price was 0.
    """

    def __init__(self) -> None:
        self.count = 0
        self.price = math.nan
        self.change = math.nan

    def update(self, price: float) -> float:
        self.change = price / self.price - 1.0 if self.price != 0.0 else math.nan
        self.price = price
        self.count += 1
        return self.change

    def value(self) -> float:
        return self.change

    def ready(self) -> bool:
        return self.count > 1


class LogReturn(Indicator):
    """Logarithmic return since the update before: ln(price / previous price). A number; 0.01 is about 1 %.

    Ready from the second price; nan before, and where one of the two is not above 0.
    """

    def __init__(self) -> None:
        self.count = 0
        self.price = math.nan
        self.change = math.nan

    def update(self, price: float) -> float:
        self.change = math.log(price / self.price) if price > 0.0 and self.price > 0.0 else math.nan
        self.price = price
        self.count += 1
        return self.change

    def value(self) -> float:
        return self.change

    def ready(self) -> bool:
        return self.count > 1
