"""Everything that is said of a run in numbers: what the report, the table and ``--json`` show is computed here, once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ...domain.instruments import Instrument
from ...kernel.layout import DAY_NS
from ..backtest import BacktestResult
from ..round_trips import Ledger, round_trips
from . import daily
from .curves import Curves, curves_of
from .instruments import InstrumentFigures, figures_by_instrument
from .market import Market
from .months import Year, monthly_returns
from .trades import TradeFigures, trade_figures_of

YEAR_NS = daily.DAYS_A_YEAR * DAY_NS


@dataclass(frozen=True)
class Performance:
    """Returns and losses are fractions. Days are UTC days with market data; ``best_day`` and ``worst_day`` are (day, return)."""

    total_return: float | None  # on the cash at the start
    cagr: float | None
    daily_returns: int
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    omega: float | None
    max_drawdown: float  # the deepest fall from a peak of the equity, a fraction of that peak; seen at every event
    max_drawdown_ns: int  # how long that one lasted, from its peak to the next, or to the end
    longest_under_water_ns: int  # the longest of all drawdowns
    value_at_risk: float | None
    conditional_value_at_risk: float | None
    alpha: float | None
    beta: float | None
    benchmark_return: float  # of buy and hold: last price / first price - 1, without fees
    best_day: tuple[int, float] | None
    worst_day: tuple[int, float] | None
    days_up: float | None  # fraction of the days
    held_profit: float  # of holding the strategy's quantity from the first price to the last, without fees


@dataclass(frozen=True)
class Statistics:
    """The figures, and what they were computed from."""

    performance: Performance
    trades: TradeFigures
    years: list[Year]
    instruments: list[InstrumentFigures]
    curves: Curves
    ledger: Ledger

    def to_dict(self) -> dict[str, object]:
        """As JSON has it: fractions and quote currency, times in seconds, days and months as ISO dates."""
        performance, trades = self.performance, self.trades
        return {
            "total_return": performance.total_return,
            "cagr": performance.cagr,
            "volatility": performance.volatility,
            "sharpe": performance.sharpe,
            "sortino": performance.sortino,
            "calmar": performance.calmar,
            "omega": performance.omega,
            "max_drawdown": performance.max_drawdown,
            "max_drawdown_s": performance.max_drawdown_ns / 1e9,
            "longest_under_water_s": performance.longest_under_water_ns / 1e9,
            "value_at_risk_95": performance.value_at_risk,
            "conditional_value_at_risk_95": performance.conditional_value_at_risk,
            "alpha": performance.alpha,
            "beta": performance.beta,
            "benchmark_return": performance.benchmark_return,
            "daily_returns": performance.daily_returns,
            "best_day": _dated(performance.best_day),
            "worst_day": _dated(performance.worst_day),
            "days_up": performance.days_up,
            "exposure": trades.exposure,
            "turnover": trades.turnover,
            "round_trips": trades.count,
            "hit_rate": trades.hit_rate,
            "profit_factor": trades.profit_factor,
            "expectancy": trades.expectancy,
            "average_win": trades.average_win,
            "average_loss": trades.average_loss,
            "best_trade": trades.best,
            "worst_trade": trades.worst,
            "average_trade_s": None if trades.average_ns is None else trades.average_ns / 1e9,
            "realized": trades.realized,
            "unrealized": trades.unrealized,
            "maker_fills": trades.maker_fills,
            "held_profit": performance.held_profit,
            "months": {
                f"{year.year}-{number:02d}": month
                for year in self.years
                for number, month in enumerate(year.months, start=1)
                if month is not None
            },
            "instruments": [figures.to_dict() for figures in self.instruments],
        }


def statistics_of(result: BacktestResult, instrument: Instrument, market: Market, others: Sequence[Instrument] = ()) -> Statistics:
    """``market`` is of the stream that the result comes from, ``others`` are its instruments after the first."""
    curves = curves_of(result, market)
    ledger = round_trips(result.fills, [instrument, *others])
    return Statistics(
        performance=performance_of(result, curves, market),
        trades=trade_figures_of(result.fills, ledger, market, [one.last_price for one in result.holdings]),
        years=monthly_returns(result.cash, result.day_ends),
        instruments=figures_by_instrument(
            result.fills, ledger, [instrument], {0: market.last_price}, start_ns=market.start_ns, end_ns=market.end_ns
        ),
        curves=curves,
        ledger=ledger,
    )


def performance_of(result: BacktestResult, curves: Curves, market: Market) -> Performance:
    equity = [result.cash, *(value for _, value in result.day_ends)]
    returns = daily.daily_returns(equity)
    benchmark = daily.daily_returns(market.daily_prices)
    growth = cagr(result.cash, result.final_equity, market.end_ns - market.start_ns)
    days = [day for day, _ in result.day_ends]
    by_return = sorted(zip(returns, days, strict=True)) if returns else []
    return Performance(
        total_return=total_return(result.cash, result.final_equity),
        cagr=growth,
        daily_returns=len(returns),
        volatility=daily.volatility(returns),
        sharpe=result.sharpe,
        sortino=daily.sortino_ratio(returns),
        calmar=calmar_ratio(growth, result.max_drawdown),
        omega=daily.omega_ratio(returns),
        max_drawdown=result.max_drawdown,
        max_drawdown_ns=curves.deepest_under_water_ns,
        longest_under_water_ns=curves.longest_under_water_ns,
        value_at_risk=daily.value_at_risk(returns),
        conditional_value_at_risk=daily.conditional_value_at_risk(returns),
        alpha=daily.alpha(returns, benchmark),
        beta=daily.beta(returns, benchmark),
        benchmark_return=market.last_price / market.first_price - 1,
        best_day=(by_return[-1][1], by_return[-1][0]) if by_return else None,
        worst_day=(by_return[0][1], by_return[0][0]) if by_return else None,
        days_up=sum(x > 0 for x in returns) / len(returns) if returns else None,
        held_profit=float(curves.held[-1]) - result.cash,
    )


def total_return(cash: float, final_equity: float) -> float | None:
    """(Final equity - cash) / cash, a fraction. None without cash to begin with."""
    return (final_equity - cash) / cash if cash > 0 else None


def cagr(cash: float, final_equity: float, span_ns: int) -> float | None:
    """The compound annual growth rate, a fraction: (final equity / cash) ^ (365 days / span) - 1.

    The span is from the first event to the end of the last. None below a year, because to annualise that would be a promise,
    and when either end isn't above zero.
    """
    if span_ns < YEAR_NS or cash <= 0 or final_equity <= 0:
        return None
    return math.expm1(math.log(final_equity / cash) * YEAR_NS / span_ns)


def calmar_ratio(growth: float | None, max_drawdown: float) -> float | None:
    """The compound annual growth rate over the maximum drawdown (Young 1991), both over the whole run.

    None where the growth rate is, and without a drawdown.
    """
    return None if growth is None or max_drawdown <= 0 else growth / max_drawdown


def _dated(day: tuple[int, float] | None) -> dict[str, object] | None:
    return None if day is None else {"day": f"{datetime.fromtimestamp(day[0] * 86_400, UTC):%Y-%m-%d}", "return": day[1]}
