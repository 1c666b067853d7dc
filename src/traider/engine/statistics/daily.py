"""Figures of daily returns, each by a stated formula.

The days are UTC days with market data, their returns simple ones, the risk-free rate 0. A year has 365 days, because crypto
markets never close. Figures that have no meaning are None: never 0, infinity or not-a-number.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

DAYS_A_YEAR = 365
TAIL = 0.05  # of the days, that value at risk looks at
LEAST_FOR_TAIL = 20  # days: with fewer, one in twenty is not even one


def daily_returns(daily_equity: Sequence[float]) -> list[float]:
    """Fractions, of the equity at the start and at the end of each day: after / before - 1.

    Empty when the equity isn't above zero throughout, for then there is nothing to be a fraction of.
    """
    if len(daily_equity) < 2 or min(daily_equity) <= 0:
        return []
    return [after / before - 1 for before, after in pairwise(daily_equity)]


def sharpe_ratio(daily_equity: Sequence[float]) -> float | None:
    """Annualised Sharpe ratio of daily returns, risk-free rate 0 (Sharpe 1994).

    ``daily_equity`` is the equity at the start and at the end of each UTC day. Mean of the simple daily returns over their
    sample standard deviation (n - 1), times the square root of 365. None with fewer than two returns, when all are
    equal, or when the equity isn't above zero throughout.
    """
    returns = daily_returns(daily_equity)
    if len(returns) < 2:
        return None
    mean = _mean(returns)
    variance = math.fsum([(x - mean) * (x - mean) for x in returns]) / (len(returns) - 1)
    if variance == 0:
        return None
    return mean / math.sqrt(variance) * math.sqrt(DAYS_A_YEAR)


def volatility(returns: Sequence[float]) -> float | None:
    """Annualised, a fraction: the sample standard deviation (n - 1) times the square root of 365.

    None with fewer than two returns.
    """
    return math.sqrt(_covariance(returns, returns) * DAYS_A_YEAR) if len(returns) > 1 else None


def sortino_ratio(returns: Sequence[float]) -> float | None:
    """Annualised Sortino ratio with a target of 0 (Sortino and Price 1994).

    The mean over the downside deviation, times the square root of 365; the downside deviation is the root of the mean square
    of min(return, 0) over all days. None with fewer than two returns, or without a day that lost.
    """
    if len(returns) < 2:
        return None
    downside = math.sqrt(math.fsum(min(x, 0.0) ** 2 for x in returns) / len(returns))
    return _mean(returns) / downside * math.sqrt(DAYS_A_YEAR) if downside > 0 else None


def omega_ratio(returns: Sequence[float]) -> float | None:
    """The gains' sum over the losses' sum, at a threshold of 0 (Keating and Shadwick 2002); not annualised.

    None without a day that lost.
    """
    lost = math.fsum(-x for x in returns if x < 0)
    return math.fsum(x for x in returns if x > 0) / lost if lost > 0 else None


def value_at_risk(returns: Sequence[float]) -> float | None:
    """The loss of one day, a fraction, that 95 % of the days stayed within: historical value at risk (Jorion 2006).

    Minus the 5 % quantile of the daily returns, linear between two of them; below zero when even that day gained. None with
    fewer than twenty returns.
    """
    if len(returns) < LEAST_FOR_TAIL:
        return None
    ordered = sorted(returns)
    at = (len(ordered) - 1) * TAIL
    below = math.floor(at)
    return -(ordered[below] + (ordered[below + 1] - ordered[below]) * (at - below))


def conditional_value_at_risk(returns: Sequence[float]) -> float | None:
    """The mean loss, a fraction, of the days at or beyond the value at risk: expected shortfall (Acerbi and Tasche 2002).

    Minus the mean of the floor(0.05 (n - 1)) + 1 lowest daily returns. None with fewer than twenty returns.
    """
    if len(returns) < LEAST_FOR_TAIL:
        return None
    return -_mean(sorted(returns)[: math.floor((len(returns) - 1) * TAIL) + 1])


def beta(returns: Sequence[float], benchmark: Sequence[float]) -> float | None:
    """How much of the benchmark's daily return the strategy's has in it: their sample covariance over the benchmark's variance.

    None with fewer than two returns, when the two have not the same days, or when the benchmark's are all equal.
    """
    if len(returns) < 2 or len(returns) != len(benchmark):
        return None
    variance = _covariance(benchmark, benchmark)
    return _covariance(returns, benchmark) / variance if variance > 0 else None


def alpha(returns: Sequence[float], benchmark: Sequence[float]) -> float | None:
    """What the strategy made a year, a fraction, beyond what its beta explains (Jensen 1968), with a risk-free rate of 0.

    (mean return - beta x mean of the benchmark's) x 365, not compounded. None where ``beta`` is None.
    """
    slope = beta(returns, benchmark)
    return None if slope is None else (_mean(returns) - slope * _mean(benchmark)) * DAYS_A_YEAR


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _covariance(one: Sequence[float], other: Sequence[float]) -> float:
    """The sample covariance (n - 1)."""
    mean_one, mean_other = _mean(one), _mean(other)
    return math.fsum((x - mean_one) * (y - mean_other) for x, y in zip(one, other, strict=True)) / (len(one) - 1)
