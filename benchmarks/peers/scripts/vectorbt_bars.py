"""vectorbt: ``sma_cross`` on whole columns; ``engine`` is numba or rust."""

import time

import pandas as pd
import vectorbt as vbt
from telling import asked, tell


def backtest(columns, settings, rows=None):
    close, opens = pd.Series(columns["close"][:rows]), pd.Series(columns["open"][:rows])
    fast, slow = (vbt.MA.run(close, settings[name]).ma for name in ("fast", "slow"))
    wants = fast > slow
    price = close
    if settings["fill"] == "next-open":
        wants, price = wants.shift(1, fill_value=False), opens
    portfolio = vbt.Portfolio.from_signals(
        close,
        wants,
        ~wants,
        price=price,
        size=settings["quantity"],
        fees=settings["fee"],
        init_cash=settings["cash"],
        direction="longonly",
        freq="1min",
    )
    return portfolio, portfolio.final_value()


def main():
    columns, settings = asked()
    vbt.settings["engine"] = settings["engine"]
    backtest(columns, settings, 1000)
    started = time.perf_counter()
    portfolio, equity = backtest(columns, settings)
    seconds = time.perf_counter() - started
    fees = portfolio.orders.fees.sum()
    tell(engine_seconds=seconds, events=len(columns["close"]), fills=portfolio.orders.count(), fees=fees, equity=equity)


if __name__ == "__main__":
    main()
