"""A worked example of ``traider.backtest``: made-up bars, a strategy of one's own, its results as tables, and a report.

    python examples/notebook_backtest.py [FOLDER]

writes ``report.html`` and ``fills.parquet`` to the folder (default: the current one). The same lines work in a notebook's cells.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

import traider
from traider import Atr, Bar, Context, Sma, Strategy, param

MINUTE_NS = 60_000_000_000
BARS = 30 * 1_440  # thirty days of minutes


class Channel(Strategy):
    """Long while the close is more than ``width`` average true ranges above its mean; out when it is back below the mean."""

    window: int = param(240, low=2, high=10_000, help="bars in the mean and in the average true range")
    width: float = param(4.0, low=0.0, high=50.0, help="how far above the mean to buy, in average true ranges")

    def setup(self) -> None:
        self.mean = Sma(self.window)
        self.range = Atr(self.window)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.mean.update(bar.close)
        self.range.update(bar.high, bar.low, bar.close)
        if not (self.mean.ready() and self.range.ready()):
            return
        if bar.close > self.mean.value() + self.width * self.range.value():
            ctx.target(self.quantity)
        elif bar.close < self.mean.value():
            ctx.target(0.0)


def made_up_bars(seed: int = 1) -> pa.Table:
    """A random walk with slow waves in it; the same for the same seed."""
    rng = np.random.default_rng(seed)
    waves = 0.03 * np.sin(np.arange(BARS) * 2 * np.pi / 4_000)
    close = np.round(20_000 * np.exp(waves + np.cumsum(rng.normal(0.0, 0.0003, BARS))), 2)
    open_ = np.concatenate(([20_000.0], close[:-1]))
    reach = np.round(close * np.abs(rng.normal(0.0, 0.0002, BARS)), 2)
    return pa.table(
        {
            "ts": 1_700_006_400_000_000_000 + np.arange(BARS) * MINUTE_NS,
            "open": open_,
            "high": np.round(np.maximum(open_, close) + reach, 2),
            "low": np.round(np.minimum(open_, close) - reach, 2),
            "close": close,
            "volume": np.ones(BARS),
        }
    )


def main(folder: Path) -> traider.Backtest:
    """Runs the strategy twice, prints what came of it, and writes the report and the fills of the better one."""
    bars = made_up_bars()
    runs = [
        traider.backtest(Channel, bars, params={"width": width}, quantity=0.5, fee_taker=0.0005, symbol="BTC-USD") for width in (2.0, 4.0)
    ]
    for run in runs:
        print(f"width {run.parameters['width']}: {run}")
    best = max(runs, key=lambda run: run.final_equity)

    # Every table is pyarrow's; .to_pandas() and polars.from_arrow(...) take it as it is.
    trips = best.round_trips
    print(f"{trips.num_rows} round trips; the first three:")
    for trip in trips.slice(0, 3).to_pylist():
        print(f"  {trip['side']} {trip['size']:g} at {trip['entry_price']:,.2f}, out at {trip['exit_price']:,.2f}: {trip['net_pnl']:+,.2f}")
    for name in ("total_return", "sharpe", "sortino", "max_drawdown", "hit_rate", "profit_factor", "beta"):
        print(f"  {name:14} {best.statistics[name]:.4f}")

    best.write(fills=folder / "fills.parquet")
    print(f"report: {best.report(folder / 'report.html')}")
    return best


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
