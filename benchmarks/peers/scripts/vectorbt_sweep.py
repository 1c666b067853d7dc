"""vectorbt: many pairs of ``sma_cross``, ``together`` columns at a time; the averages are made once and kept."""

import itertools
import time

import numpy as np
import pandas as pd
import vectorbt as vbt
from telling import asked, tell


def sweep(close, pairs, settings):
    """Fills of all pairs, their fees, and each pair's final equity."""
    averages = {window: vbt.MA.run(close, window).ma.to_numpy().ravel() for window in sorted({window for pair in pairs for window in pair})}
    fills, fees, equities = 0, 0.0, []
    for first in range(0, len(pairs), settings["together"]):
        some = pairs[first : first + settings["together"]]
        wants = np.column_stack([averages[fast] > averages[slow] for fast, slow in some])
        portfolio = vbt.Portfolio.from_signals(
            close,
            wants[:, 0] if len(some) == 1 else wants,
            ~wants[:, 0] if len(some) == 1 else ~wants,
            size=settings["quantity"],
            fees=settings["fee"],
            init_cash=settings["cash"],
            direction="longonly",
            freq="1min",
        )
        equities += list(np.atleast_1d(portfolio.final_value()))
        fills += int(np.sum(portfolio.orders.count()))
        fees += float(np.sum(portfolio.orders.fees.sum()))
    return fills, fees, equities


def main():
    columns, settings = asked()
    vbt.settings["engine"] = settings["engine"]
    pairs = list(itertools.product(range(*settings["fast"]), range(*settings["slow"])))
    close = pd.Series(columns["close"])
    sweep(close[:1000], pairs[: settings["together"]], settings)
    started = time.perf_counter()
    fills, fees, equities = sweep(close, pairs, settings)
    seconds = time.perf_counter() - started
    tell(engine_seconds=seconds, events=len(close) * len(pairs), fills=fills, fees=fees, equity=max(equities))


if __name__ == "__main__":
    main()
