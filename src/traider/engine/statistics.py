"""Performance figures, each by a stated formula."""

import math
from collections.abc import Sequence
from itertools import pairwise

DAYS_A_YEAR = 365  # crypto markets never close


def sharpe_ratio(daily_equity: Sequence[float]) -> float | None:
    """Annualised Sharpe ratio of daily returns, risk-free rate 0 (Sharpe 1994).

    ``daily_equity`` is the equity at the start and at the end of each UTC day. Mean of the simple daily returns over their
    sample standard deviation (n - 1), times the square root of 365. None with fewer than two returns, when all are
    equal, or when the equity isn't above zero throughout.
    """
    if len(daily_equity) < 3 or min(daily_equity) <= 0:
        return None
    returns = [after / before - 1 for before, after in pairwise(daily_equity)]
    mean = math.fsum(returns) / len(returns)
    variance = math.fsum((x - mean) ** 2 for x in returns) / (len(returns) - 1)
    if variance == 0:
        return None
    return mean / math.sqrt(variance) * math.sqrt(DAYS_A_YEAR)
