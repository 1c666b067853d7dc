"""How much of the best of many trials is luck."""

import itertools
import math
from statistics import NormalDist
from typing import Any

import numpy as np

EULER_GAMMA = 0.5772156649015329
BLOCKS = 16
_NORMAL = NormalDist()

Floats = np.ndarray[Any, np.dtype[np.float64]]


def sharpe_per_period(returns: Floats) -> Floats:
    """Mean over sample standard deviation (n - 1) of each column; 0 where the returns don't vary. Shape (periods, trials)."""
    deviation = returns.std(axis=0, ddof=1)
    mean = returns.mean(axis=0)
    varies = deviation > 0
    return np.where(varies, mean / np.where(varies, deviation, 1.0), 0.0)


def deflated_sharpe_ratio(returns: Floats, best: int) -> float | None:
    """The probability that the best trial's Sharpe ratio is above what the best of so many worthless trials would show.

    Bailey and López de Prado (2014), "The deflated Sharpe ratio". ``returns`` has shape (periods, trials); Sharpe ratios are
    per period. None with fewer than 3 periods or when the best trial's returns don't vary.
    """
    periods, trials = returns.shape
    column = returns[:, best]
    if periods < 3 or column.std(ddof=1) == 0:
        return None
    ratios = sharpe_per_period(returns)
    ratio = float(ratios[best])
    expected = 0.0
    if trials > 1:
        spread = float(ratios.std(ddof=1))
        quantile = (1 - EULER_GAMMA) * _NORMAL.inv_cdf(1 - 1 / trials) + EULER_GAMMA * _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
        expected = spread * quantile
    centred = (column - column.mean()) / column.std()
    skew = float(np.mean(centred**3))
    kurtosis = float(np.mean(centred**4))
    variance = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    if variance <= 0:
        return None
    return _NORMAL.cdf((ratio - expected) * math.sqrt(periods - 1) / math.sqrt(variance))


def probability_of_overfitting(returns: Floats) -> float | None:
    """How often the trial that is best in one half of the time is below the median in the other half.

    Combinatorially symmetric cross-validation: Bailey, Borwein, López de Prado and Zhu (2017), with 16 blocks of equal
    length (the first periods beyond a multiple of 16 are left out) and the Sharpe ratio. None with fewer than two trials
    or fewer than two periods a block.
    """
    periods, trials = returns.shape
    length = periods // BLOCKS
    if trials < 2 or length < 2:
        return None
    blocks = returns[periods - length * BLOCKS :].reshape(BLOCKS, length, trials)
    sums, squares = blocks.sum(axis=1), (blocks**2).sum(axis=1)
    half = length * BLOCKS // 2
    everything, everything_squared = sums.sum(axis=0), squares.sum(axis=0)
    below = 0
    count = 0
    for chosen in itertools.combinations(range(BLOCKS), BLOCKS // 2):
        inside, inside_squared = sums[list(chosen)].sum(axis=0), squares[list(chosen)].sum(axis=0)
        best = int(np.argmax(_sharpe(inside, inside_squared, half)))
        outside = _sharpe(everything - inside, everything_squared - inside_squared, half)
        rank = (np.count_nonzero(outside < outside[best]) + 0.5 * (np.count_nonzero(outside == outside[best]) + 1)) / (trials + 1)
        below += rank <= 0.5
        count += 1
    return below / count


def _sharpe(total: Floats, squares: Floats, count: int) -> Floats:
    mean = total / count
    variance = np.maximum(squares / count - mean**2, 0.0)
    varies = variance > 1e-30
    return np.where(varies, mean / np.sqrt(np.where(varies, variance, 1.0)), 0.0)
