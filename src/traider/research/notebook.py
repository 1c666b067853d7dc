"""``traider.backtest``: a run from Python, and its results as Arrow tables."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Unpack

import pyarrow as pa

from traider.engine.backtest import BacktestResult
from traider.kernel.kit import Strategy, Value
from traider.storage.table_file import write_table

from . import tables
from .asked import DEFAULT_FILL, Settings, ask
from .runs import Run, run_spec


@dataclass(frozen=True, repr=False)
class Backtest:
    """A finished run. The tables are pyarrow's: ``.to_pandas()`` and ``polars.from_arrow(...)`` take them as they are."""

    run: Run

    @property
    def result(self) -> BacktestResult:
        """The engine's own result, with numpy records."""
        return self.run.result

    @property
    def parameters(self) -> dict[str, Value]:
        """Every parameter with the value that it had, ``quantity`` among them."""
        return self.result.parameters

    @property
    def final_equity(self) -> float:
        return self.result.final_equity

    @property
    def net_profit(self) -> float:
        return self.result.net_profit

    @property
    def fills_sha256(self) -> str:
        """Equal for two runs whose fills are equal bit for bit."""
        return self.result.fills_sha256

    @cached_property
    def fills(self) -> pa.Table:
        """One row a fill: ts, symbol, side, liquidity, price, size, fee."""
        return tables.fills_table(self.result.fills, self.run.data.symbols)

    @cached_property
    def round_trips(self) -> pa.Table:
        """One row a round trip: entry_ts, exit_ts, symbol, side, size, entry_price, exit_price, pnl, fees, net_pnl, ..."""
        return tables.round_trips_table(self.run.statistics.ledger, self.run.data.symbols)

    @cached_property
    def equity(self) -> pa.Table:
        """At most some 4,000 points of the account: ts, equity, drawdown, held."""
        return tables.equity_table(self.run.statistics.curves)

    @cached_property
    def statistics(self) -> dict[str, object]:
        """The figures of ``docs/statistics.md``, by name."""
        return self.run.statistics.to_dict()

    @property
    def provenance(self) -> dict[str, object]:
        """What it was made of: fidelity, fill and fee model, hashes, seed."""
        return self.run.provenance.to_dict()

    @property
    def notes(self) -> dict[str, int | str]:
        """What was noticed in the market data: gaps, closes outside of high and low."""
        return dict(self.run.data.notes)

    def report(self, path: str | Path, *, title: str = "") -> Path:
        """Writes the self-contained HTML report there, and says where it is."""
        from .report import write_report

        write_report(self.run, Path(path), name="report", title=title)
        return Path(path)

    def plot(self, path: str | Path) -> Path:
        """Draws price with fills, equity and drawdown as a PNG there, and says where it is. Needs ``traider[plot]``."""
        from .plot import write_backtest_plot

        write_backtest_plot(self.run, Path(path), "plot")
        return Path(path)

    def write(self, *, fills: str | Path | None = None, round_trips: str | Path | None = None, equity: str | Path | None = None) -> None:
        """Writes tables as files, whole or not at all: Parquet or CSV, as the name ends."""
        for name, path in (("fills", fills), ("round_trips", round_trips), ("equity", equity)):
            if path is not None:
                write_table(Path(path), tables.stamped(getattr(self, name), self.run.provenance), name)

    def __repr__(self) -> str:
        result, said = self.result, self.run.statistics.performance
        sharpe = "-" if result.sharpe is None else f"{result.sharpe:.2f}"
        profit = f"net profit {result.net_profit:+,.2f} ({said.total_return or 0.0:+.2%})"
        return (
            f"<Backtest {result.strategy} on {result.instrument}: {result.events:,} events, {len(result.fills):,} fills, "
            f"{profit}, max drawdown {result.max_drawdown:.2%}, Sharpe {sharpe}>"
        )


def backtest(
    strategy: str | type[Strategy],
    data: object,
    **settings: Unpack[Settings],
) -> Backtest:
    """Runs a strategy over recorded market data, as ``traider backtest`` does and with its checks.

    ``strategy`` is a class, or what the command takes: a built-in name, ``FILE.py:CLASS``, ``PACKAGE.MODULE:CLASS``. ``data``
    is the path of a Parquet file, a folder or a pattern, or a pyarrow, pandas or polars frame, or a list of such: bars (ts, open,
    high, low, close, volume), trades (ts, price, size, side), or another kind of ``docs/market-data.md``. The settings are named
    and explained in ``traider.research.asked.Settings``.

    Wrong input raises ``traider.domain.errors.UserError``, which says what is wrong and what to do.
    """
    asked = ask(strategy, **settings)
    quantities = {asked.strategy(**asked.parameters).quantity}  # so that a wrong parameter is told before a large file is read
    spec, market = asked.with_data(data, quantities)
    return Backtest(run_spec(asked.name, spec, market, settings.get("fill", DEFAULT_FILL)))
