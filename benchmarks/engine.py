"""The engine's own time for one run, and a loop's, in the same terms."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from traider.domain.instruments import instrument_from_symbol
from traider.domain.limits import RiskLimits
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.tape import Tape
from traider.kernel.kit import Strategy
from traider.kernel.simulation import Fees
from traider.storage.market import MarketFile

from .reference import CASH, FEE

WARM_UP = 1000
LIMITS = RiskLimits(  # every one is asked, none refuses
    allowed_markets=("BTC-USD",),
    max_order_notional=Decimal(10_000_000),
    max_open_orders=60,
    max_position_size=Decimal(10),
    max_daily_loss=Decimal(9_000_000),
    max_drawdown=Decimal("0.9"),
    max_orders_per_minute=1000,
)


def run_engine(
    strategy: type[Strategy], parameters: dict[str, object], file: MarketFile, tape: Tape, *, interpreted: bool = False
) -> dict[str, Any]:
    """One backtest, after one of a thousand events that loads the compiled code."""
    spec = BacktestSpec(
        strategy=strategy,
        parameters=parameters,
        instrument=instrument_from_symbol("BTC-USD", price_increment=file.price_increment, size_increment=Decimal("0.00000001")),
        cash=CASH,
        fees=Fees(maker=FEE, taker=FEE),
        limits=LIMITS,
        interpreted=interpreted,
    )
    run_backtest(spec, tape.head(WARM_UP))
    result = run_backtest(spec, tape)
    return _told(result.engine_seconds, len(tape), len(result.fills), result.final_equity)


def run_loop(function: Callable[..., tuple[Any, ...]], columns: list[Any], *settings: float) -> dict[str, Any]:
    """One run of a hand-written loop, after one of a thousand events that compiles it."""
    function(*(column[:WARM_UP] for column in columns), *settings)
    started = time.perf_counter()
    equity, fills, *_ = function(*columns, *settings)
    return _told(time.perf_counter() - started, len(columns[0]), fills, equity)


def _told(seconds: float, events: int, fills: int, equity: float) -> dict[str, Any]:
    return {"ns": seconds / events * 1e9, "fills": fills, "equity": round(equity, 2)}
