"""backtrader: ``sma_cross`` on bars, or ``ema_band`` on trades, each of which is a bar to it; fills are at the next open.

It is handed plain lists, which is less work than its own readers do; its preloading and its vectorised averages are part
of the run.
"""

import time

import backtrader as bt
from telling import asked, tell

MINUTE = 1 / 1440  # its unit of time is the day


class Rows(bt.feed.DataBase):
    """Open, high, low and close from lists; the times are a minute apart."""

    params = (("rows", None),)

    def start(self):
        super().start()
        self.at = 0

    def _load(self):
        rows = self.p.rows
        if self.at >= len(rows[0]):
            return False
        lines, at = self.lines, self.at
        lines.datetime[0] = 737_000.0 + at * MINUTE
        lines.open[0], lines.high[0], lines.low[0], lines.close[0] = rows[0][at], rows[1][at], rows[2][at], rows[3][at]
        lines.volume[0] = lines.openinterest[0] = 0.0
        self.at += 1
        return True


class Counting(bt.Strategy):
    def __init__(self):
        self.fills, self.fees = 0, 0.0

    def notify_order(self, order):
        if order.status == order.Completed:
            self.fills += 1
            self.fees += order.executed.comm


class SmaCross(Counting):
    params = (("settings", None),)

    def __init__(self):
        super().__init__()
        self.fast = bt.indicators.SMA(self.data.close, period=self.p.settings["fast"])
        self.slow = bt.indicators.SMA(self.data.close, period=self.p.settings["slow"])

    def next(self):
        if self.fast[0] > self.slow[0]:
            if not self.position:
                self.buy(size=self.p.settings["quantity"])
        elif self.position:
            self.close()


class EmaBand(Counting):
    params = (("settings", None),)

    def __init__(self):
        super().__init__()
        self.alpha, self.mean = 2.0 / (self.p.settings["span"] + 1.0), None

    def next(self):
        price, band = self.data.close[0], self.p.settings["band"]
        if self.mean is None:
            self.mean = price
            return
        self.mean += self.alpha * (price - self.mean)
        if not self.position:
            if price > self.mean * (1.0 + band):
                self.buy(size=self.p.settings["quantity"])
        elif price < self.mean * (1.0 - band):
            self.close()


def main():
    columns, settings = asked()
    trades = "price" in columns
    names = ("price",) * 4 if trades else ("open", "high", "low", "close")
    rows = [columns[name].tolist() for name in names]
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(settings["cash"])
    cerebro.broker.setcommission(commission=settings["fee"])
    cerebro.adddata(Rows(rows=rows))
    cerebro.addstrategy(EmaBand if trades else SmaCross, settings=settings)
    started = time.perf_counter()
    (strategy,) = cerebro.run()
    seconds = time.perf_counter() - started
    tell(engine_seconds=seconds, events=len(rows[0]), fills=strategy.fills, fees=strategy.fees, equity=cerebro.broker.getvalue())


if __name__ == "__main__":
    main()
