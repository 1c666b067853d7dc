"""backtesting.py: ``sma_cross`` bar by bar."""

import time
import warnings

import pandas as pd
from backtesting import Backtest, Strategy
from telling import asked, tell


def average(values, window):
    return pd.Series(values).rolling(window).mean()


class SmaCross(Strategy):
    fast = 20
    slow = 50
    quantity = 1

    def init(self):
        self.fast_mean = self.I(average, self.data.Close, self.fast)
        self.slow_mean = self.I(average, self.data.Close, self.slow)

    def next(self):
        if self.fast_mean[-1] > self.slow_mean[-1]:
            if not self.position:
                self.buy(size=self.quantity)
        elif self.position:
            self.position.close()


def main():
    columns, settings = asked()
    frame = pd.DataFrame({name.title(): columns[name] for name in ("open", "high", "low", "close", "volume")})
    frame.index = pd.to_datetime(columns["ts"])
    backtest = Backtest(frame, SmaCross, cash=settings["cash"], commission=settings["fee"], trade_on_close=settings["fill"] == "close")
    warnings.simplefilter("ignore")  # that a trade is open at the end
    started = time.perf_counter()
    result = backtest.run(fast=settings["fast"], slow=settings["slow"], quantity=settings["quantity"])
    seconds = time.perf_counter() - started
    still_open = len(result["_strategy"].trades)
    fills = 2 * result["# Trades"] + still_open
    tell(engine_seconds=seconds, events=len(frame), fills=fills, fees=result["Commissions [$]"], equity=result["Equity Final [$]"])


if __name__ == "__main__":
    main()
