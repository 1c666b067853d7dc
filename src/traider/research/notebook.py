"""``traider.backtest``: a run from Python, and its results as Arrow tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Literal

import pyarrow as pa

from traider.domain.errors import SettingsError, StrategyError
from traider.domain.limits import RiskLimits
from traider.engine.backtest import BacktestResult, BacktestSpec
from traider.engine.manifest import parse_limits
from traider.kernel.kit import Strategy, Value
from traider.kernel.simulation import Fees
from traider.storage.table_file import write_table
from traider.strategies.registry import find_strategy

from . import amounts, inputs, tables
from .runs import Run, run_spec

FillName = Literal["next-open", "next-close", "close", "same"]


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
    def notes(self) -> dict[str, int | str]:
        """What was noticed in the market data: gaps, closes outside of high and low."""
        return dict(self.run.data.notes)

    def report(self, path: str | Path, *, title: str = "") -> Path:
        """Writes the self-contained HTML report there, and says where it is."""
        from .report import write_report

        write_report(self.run, Path(path), name="report", title=title)
        return Path(path)

    def write(self, *, fills: str | Path | None = None, round_trips: str | Path | None = None, equity: str | Path | None = None) -> None:
        """Writes tables as files, whole or not at all: Parquet or CSV, as the name ends."""
        for name, path in (("fills", fills), ("round_trips", round_trips), ("equity", equity)):
            if path is not None:
                write_table(Path(path), getattr(self, name), name)

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
    *,
    bars: str = "",
    params: Mapping[str, object] | None = None,
    quantity: float | None = None,
    cash: float = 100_000.0,
    fee_taker: float = 0.0,
    fee_maker: float = 0.0,
    fill: FillName = "next-open",
    limits: RiskLimits | Mapping[str, object] | None = None,
    symbol: str | None = None,
    price_increment: Decimal | str | float | None = None,
    size_increment: Decimal | str | float | None = None,
    interpreted: bool = False,
) -> Backtest:
    """Runs a strategy over recorded market data, as ``traider backtest`` does and with its checks.

    ``strategy`` is a class, or what the command takes: a built-in name, ``FILE.py:CLASS``, ``PACKAGE.MODULE:CLASS``. ``data``
    is the path of a Parquet file, a folder or a pattern, or a pyarrow, pandas or polars frame, or a list of such: bars (ts, open,
    high, low, close, volume), trades (ts, price, size, side), or another kind of ``docs/market-data.md``. ``bars`` (5s, 1m,
    volume:100, dollar:1000000) are made of the trades while they pass. ``quantity`` is the size of one entry, 1 unless
    the strategy says otherwise; fees are fractions of the notional; ``limits`` are risk limits by name. ``interpreted`` runs
    the strategy as ordinary Python, for a debugger.

    Wrong input raises ``traider.domain.errors.UserError``, which says what is wrong and what to do.
    """
    cls, name = _strategy(strategy)
    values = dict(params or {})
    if quantity is not None:
        if "quantity" in values:
            raise StrategyError("quantity is given twice, by itself and in params; give it once")
        values["quantity"] = quantity
    cash, fee_maker, fee_taker = _number("cash", cash), _number("fee_maker", fee_maker), _number("fee_taker", fee_taker)
    amounts.check_cash(cash)
    amounts.check_fee(fee_maker, "fee_maker")
    amounts.check_fee(fee_taker, "fee_taker")
    mode, risk = amounts.fill_mode(fill), _limits(limits)
    price, size = _increment("price_increment", price_increment), _increment("size_increment", size_increment)
    checked = cls(**values)
    market = inputs.market_data(data, strategy=cls, symbol=symbol, price_increment=price, bars=bars)
    instrument, *others = inputs.instruments_of(market, size, cls.market)
    amounts.check_quantity(checked.quantity, instrument)
    fees = Fees(maker=fee_maker, taker=fee_taker)
    spec = BacktestSpec(
        strategy=cls,
        parameters=values,
        instrument=instrument,
        others=tuple(others),
        cash=cash,
        fees=fees,
        fill=mode,
        limits=risk,
        interpreted=interpreted,
    )
    return Backtest(run_spec(name, spec, market, fill))


def _strategy(strategy: object) -> tuple[type[Strategy], str]:
    if isinstance(strategy, str):
        return find_strategy(strategy), strategy
    if isinstance(strategy, type) and issubclass(strategy, Strategy):
        return strategy, f"{strategy.__module__}:{strategy.__qualname__}"
    raise StrategyError(f"strategy is {strategy!r}; give a class derived from traider.Strategy, or the name of one")


def _number(name: str, value: float) -> float:
    """A plain float also of what numpy and Decimal have."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise SettingsError(f"{name} is {value!r}; give a number") from None


def _limits(limits: RiskLimits | Mapping[str, object] | None) -> RiskLimits:
    if limits is None or isinstance(limits, RiskLimits):
        return limits or RiskLimits()
    try:
        return parse_limits([f"{name}={_text(value)}" for name, value in limits.items()])
    except ValueError as error:
        raise SettingsError(f"limits: {error}") from None


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)


def _increment(name: str, value: Decimal | str | float | None) -> Decimal | None:
    if value is None:
        return None
    try:
        increment = Decimal(str(value))
    except InvalidOperation:
        raise SettingsError(f"{name} is {value!r}; give a decimal such as 0.01") from None
    if not increment.is_finite() or increment <= 0:
        raise SettingsError(f"{name} is {value}; give a decimal above zero such as 0.01")
    return increment
