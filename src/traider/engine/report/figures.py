"""What can be said of a run in numbers, each by a stated formula. None where there is nothing to say."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np

from ..backtest import BacktestResult
from ..round_trips import Ledger
from ..statistics import DAYS_A_YEAR
from .candles import Candles
from .curves import Curves

YEAR_NS = DAYS_A_YEAR * 86_400_000_000_000
Months = list[float | None]


@dataclass(frozen=True)
class Performance:
    """Returns are fractions. Days are UTC days with market data; ``best_day`` and ``worst_day`` are (day, return)."""

    total_return: float | None
    annual_return: float | None  # compounded; only of a year or more, because less would be a promise
    daily_returns: int
    volatility: float | None  # annualised, of daily returns
    best_day: tuple[int, float] | None
    worst_day: tuple[int, float] | None
    days_up: float | None  # fraction of the days
    longest_under_water_ns: int
    held_profit: float  # of holding the strategy's quantity from the first price to the last, without fees


@dataclass(frozen=True)
class TradeFigures:
    """Of round trips, after fees, unless it says otherwise."""

    count: int
    wins: int
    losses: int
    win_rate: float | None
    average_win: float | None
    average_loss: float | None
    average: float | None
    best: float | None
    worst: float | None
    profit_factor: float | None  # what the wins made for each unit that the losses lost
    average_ns: float | None
    realized: float  # before fees
    unrealized: float  # of what is still held at the last price
    exposure: float | None  # fraction of the time with a position
    turnover: float  # notional of all fills
    maker_fills: int


def performance_of(result: BacktestResult, curves: Curves) -> Performance:
    days = [day for day, _ in result.day_ends]
    equity = [result.cash, *(value for _, value in result.day_ends)]
    returns = [after / before - 1 for before, after in pairwise(equity)] if min(equity) > 0 else []
    by_return = sorted(zip(returns, days, strict=True)) if returns else []
    return Performance(
        total_return=result.net_profit / result.cash if result.cash > 0 else None,
        annual_return=_annual_return(result, curves),
        daily_returns=len(returns),
        volatility=_deviation(returns) * math.sqrt(DAYS_A_YEAR) if len(returns) > 1 else None,
        best_day=(by_return[-1][1], by_return[-1][0]) if by_return else None,
        worst_day=(by_return[0][1], by_return[0][0]) if by_return else None,
        days_up=sum(x > 0 for x in returns) / len(returns) if returns else None,
        longest_under_water_ns=curves.longest_under_water_ns,
        held_profit=float(curves.held[-1]) - result.cash,
    )


def _annual_return(result: BacktestResult, curves: Curves) -> float | None:
    years = float(curves.ts_ns[-1] - curves.ts_ns[0]) / YEAR_NS
    if years < 1 or result.cash <= 0 or result.final_equity <= 0:
        return None
    return math.expm1(math.log(result.final_equity / result.cash) / years)


def _deviation(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((x - mean) ** 2 for x in values) / (len(values) - 1))


def trade_figures_of(result: BacktestResult, ledger: Ledger, candles: Candles) -> TradeFigures:
    trips, fills = ledger.trips, result.fills
    net = trips["pnl"] - trips["fees"]
    wins, losses = net[net > 0], net[net < 0]
    last_price = float(candles.close[-1])
    whole = candles.end_ns - candles.start_ns
    lost = -_sum(losses)
    return TradeFigures(
        count=len(trips),
        wins=len(wins),
        losses=len(losses),
        win_rate=len(wins) / len(trips) if len(trips) else None,
        average_win=_sum(wins) / len(wins) if len(wins) else None,
        average_loss=_sum(losses) / len(losses) if len(losses) else None,
        average=_sum(net) / len(trips) if len(trips) else None,
        best=float(net.max()) if len(trips) else None,
        worst=float(net.min()) if len(trips) else None,
        profit_factor=_sum(wins) / lost if lost > 0 else None,
        average_ns=float((trips["exit_ns"] - trips["entry_ns"]).mean()) if len(trips) else None,
        realized=ledger.realized_pnl,
        unrealized=math.fsum(position.size * (last_price - position.average_price) for position in ledger.open),
        exposure=ledger.held_ns(candles.end_ns) / whole if whole else None,
        turnover=_sum(fills["price"] * fills["size"]),
        maker_fills=int(np.count_nonzero(fills["maker"])),
    )


def _sum(values: np.ndarray[Any, Any]) -> float:
    return math.fsum(values.tolist())


@dataclass(frozen=True)
class Year:
    """Returns of twelve months and of the year; None where there is no data, or no equity to measure by."""

    year: int
    months: Months
    total: float | None


def monthly_returns(cash: float, day_ends: list[tuple[int, float]]) -> list[Year]:
    """The returns of UTC months, from each month's last equity to the next; every year from the first to the last."""
    ends: dict[tuple[int, int], float] = {}
    for day, equity in day_ends:
        at = datetime.fromtimestamp(day * 86_400, UTC)
        ends[at.year, at.month] = equity
    years: list[Year] = []
    before = cash
    for year in range(min(ends)[0], max(ends)[0] + 1) if ends else ():
        began = before
        months: Months = []
        for month in range(1, 13):
            equity = ends.get((year, month), math.nan)
            months.append(equity / before - 1 if before > 0 and not math.isnan(equity) else None)
            before = before if math.isnan(equity) else equity
        seen = any((year, month) in ends for month in range(1, 13))
        years.append(Year(year, months, before / began - 1 if seen and began > 0 else None))
    return years
