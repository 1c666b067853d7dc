"""NautilusTrader: ``sma_cross`` as a Python strategy; a market order sent from ``on_bar`` fills at that bar's close."""

from collections import deque

import pandas as pd
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy
from nautilus_venue import engine_for, pair, run
from telling import asked

VOLUME = 1000.0  # a quantity above a quarter of a bar's volume would slip
MINUTE_NS = 60_000_000_000


class Crossing(Strategy):
    """Long while the fast average is above the slow one; how they are kept is the subclasses'."""

    def __init__(self, instrument, bar_type, settings):
        super().__init__()
        self.instrument, self.bar_type = instrument, bar_type
        self.fast, self.slow = settings["fast"], settings["slow"]
        self.quantity = instrument.make_qty(settings["quantity"])
        self.long = False
        self.fills = 0

    def on_start(self):
        self.subscribe_bars(self.bar_type)

    def on_order_filled(self, event):
        self.fills += 1

    def want(self, long):
        if long != self.long:
            self.long = long
            side = OrderSide.BUY if long else OrderSide.SELL
            self.submit_order(self.order_factory.market(self.instrument.id, side, self.quantity))


class RunningSums(Crossing):
    """Its own sums of whole cents."""

    def on_start(self):
        super().on_start()
        self.window = deque()
        self.fast_sum = self.slow_sum = 0

    def on_bar(self, bar):
        cents = round(bar.close.as_double() * 100.0)
        window = self.window
        window.append(cents)
        self.fast_sum += cents
        self.slow_sum += cents
        if len(window) > self.fast:
            self.fast_sum -= window[-1 - self.fast]
        if len(window) > self.slow:
            self.slow_sum -= window.popleft()
        if len(window) == self.slow:
            self.want(self.fast_sum * self.slow > self.slow_sum * self.fast)


class Indicators(Crossing):
    """The library's indicators, registered as its examples do."""

    def on_start(self):
        self.fast_mean, self.slow_mean = SimpleMovingAverage(self.fast), SimpleMovingAverage(self.slow)
        self.register_indicator_for_bars(self.bar_type, self.fast_mean)
        self.register_indicator_for_bars(self.bar_type, self.slow_mean)
        super().on_start()

    def on_bar(self, bar):
        if self.indicators_initialized():
            self.want(self.fast_mean.value > self.slow_mean.value)


def main():
    columns, settings = asked()
    instrument = pair(settings["fee"])
    bar_type = BarType.from_str(f"{instrument.id}-1-MINUTE-LAST-EXTERNAL")
    frame = pd.DataFrame({name: columns[name] for name in ("open", "high", "low", "close")})
    frame["high"] = frame[["open", "high", "close"]].max(axis=1)  # real bars are a cent off now and then, which it refuses
    frame["low"] = frame[["open", "low", "close"]].min(axis=1)
    frame["volume"] = VOLUME
    frame.index = pd.to_datetime(columns["ts"] + MINUTE_NS, utc=True)
    bars = BarDataWrangler(bar_type, instrument).process(frame)
    strategy = (RunningSums if settings["tuned"] else Indicators)(instrument, bar_type, settings)
    run(engine_for(instrument, settings), strategy, bars, float(columns["close"][-1]))


if __name__ == "__main__":
    main()
