"""backtesting.py: many pairs of ``sma_cross`` through its own ``optimize``, with a process a core."""

import itertools
import multiprocessing
import os
import time

import backtesting
import pandas as pd
from backtesting import Backtest
from backtesting_bars import SmaCross
from telling import asked, tell


def main():
    columns, settings = asked()
    backtesting.Pool = multiprocessing.get_context("fork").Pool
    frame = pd.DataFrame({name.title(): columns[name] for name in ("open", "high", "low", "close", "volume")})
    frame.index = pd.to_datetime(columns["ts"])
    backtest = Backtest(frame, SmaCross, cash=settings["cash"], commission=settings["fee"], trade_on_close=True)
    fast, slow = range(*settings["fast"]), range(*settings["slow"])
    started = time.perf_counter()
    best = backtest.optimize(fast=fast, slow=slow, maximize="Equity Final [$]")
    seconds = time.perf_counter() - started
    pairs = len(list(itertools.product(fast, slow)))
    tell(engine_seconds=seconds, events=len(frame) * pairs, fills=0, fees=0.0, equity=best["Equity Final [$]"], cores=os.cpu_count())


if __name__ == "__main__":
    main()
