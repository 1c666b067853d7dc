"""How much of the best of many trials is luck.

Of each trial's returns only their moments are kept, 280 bytes a trial, so that a sweep's memory does not grow with the
length of the data.
"""

import itertools
import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Any

import numpy as np

EULER_GAMMA = 0.5772156649015329
BLOCKS = 16
_HALF = BLOCKS // 2
_CELLS = 1 << 18  # figures of one step of the cross-validation: 2 MiB an array, whatever the number of trials
_NORMAL = NormalDist()

Floats = np.ndarray[Any, np.dtype[np.float64]]
Moments = np.ndarray[Any, np.dtype[np.void]]

MOMENTS = np.dtype(
    [
        ("periods", "<i8"),
        ("sharpe", "<f8"),  # mean / sample standard deviation (n - 1), per period; 0 where the returns don't vary
        ("skew", "<f8"),
        ("kurtosis", "<f8"),  # not in excess: 3 is the normal distribution's; 0 where the returns don't vary
        ("sums", "<f8", (BLOCKS,)),  # of each block's returns; the first periods beyond a multiple of 16 are left out
        ("squares", "<f8", (BLOCKS,)),  # of each block's squared returns
    ]
)


def moments_of(returns: Floats) -> Moments:
    """One trial's returns, period by period, as one record."""
    row = np.zeros(1, MOMENTS)
    row["periods"] = len(returns)
    deviation = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
    if deviation > 0:
        centred = (returns - returns.mean()) / returns.std()
        row["sharpe"] = returns.mean() / deviation
        row["skew"], row["kurtosis"] = (centred**3).mean(), (centred**4).mean()
    length = len(returns) // BLOCKS
    blocks = returns[len(returns) - length * BLOCKS :].reshape(BLOCKS, length)
    row["sums"], row["squares"] = blocks.sum(axis=1), (blocks**2).sum(axis=1)
    return row


def deflated_sharpe_ratio(moments: Moments, best: int) -> float | None:
    """The probability that the best trial's Sharpe ratio is above what the best of so many worthless trials would show.

    Bailey and López de Prado (2014), "The deflated Sharpe ratio"; Sharpe ratios are per period. None with fewer than 3
    periods or when the best trial's returns don't vary.
    """
    trials, chosen = len(moments), moments[best]
    if chosen["periods"] < 3 or chosen["kurtosis"] == 0:
        return None
    ratio = float(chosen["sharpe"])
    expected = 0.0
    if trials > 1:
        spread = float(moments["sharpe"].std(ddof=1))
        quantile = (1 - EULER_GAMMA) * _NORMAL.inv_cdf(1 - 1 / trials) + EULER_GAMMA * _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
        expected = spread * quantile
    variance = 1 - float(chosen["skew"]) * ratio + (float(chosen["kurtosis"]) - 1) / 4 * ratio**2
    if variance <= 0:
        return None
    return _NORMAL.cdf((ratio - expected) * math.sqrt(int(chosen["periods"]) - 1) / math.sqrt(variance))


def probability_of_overfitting(moments: Moments) -> float | None:
    """How often the trial that is best in one half of the time is below the median in the other half.

    Combinatorially symmetric cross-validation: Bailey, Borwein, López de Prado and Zhu (2017), with 16 blocks of equal
    length and the Sharpe ratio. None with fewer than two trials or fewer than two periods a block.
    """
    trials = len(moments)
    length = int(moments["periods"][0]) // BLOCKS if trials else 0
    if trials < 2 or length < 2:
        return None
    sums, squares = (np.ascontiguousarray(moments[name].T) for name in ("sums", "squares"))
    below = 0
    for inside in _halves(max(1, _CELLS // trials)):
        below += _below_median(_added(sums, inside), _added(squares, inside), sums.sum(axis=0), squares.sum(axis=0), length * _HALF)
    return below / math.comb(BLOCKS, _HALF)


def _halves(rows: int) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    """Every way to choose half of the blocks, so many at a time: block numbers, of shape (ways, 8)."""
    ways = itertools.combinations(range(BLOCKS), _HALF)
    while some := list(itertools.islice(ways, rows)):
        yield np.array(some, np.int64)


def _added(of_blocks: Floats, chosen: np.ndarray[Any, np.dtype[np.int64]]) -> Floats:
    """Each way's sum over its blocks, for each trial. Added in the blocks' order, so that equal trials have equal sums."""
    total = of_blocks[chosen[:, 0]]
    for number in range(1, _HALF):
        total += of_blocks[chosen[:, number]]
    return total


def _below_median(inside: Floats, inside_squares: Floats, total: Floats, total_squares: Floats, periods: int) -> int:
    """In how many ways the best of the one half ranks at or below the middle in the other; equal trials share their ranks."""
    best = np.argmax(_sharpe(inside, inside_squares, periods), axis=1)
    outside = _sharpe(total - inside, total_squares - inside_squares, periods)
    chosen = outside[np.arange(len(best)), best][:, np.newaxis]
    rank = np.count_nonzero(outside < chosen, axis=1) + 0.5 * (np.count_nonzero(outside == chosen, axis=1) + 1)
    return int(np.count_nonzero(rank / (outside.shape[1] + 1) <= 0.5))


def _sharpe(total: Floats, squares: Floats, count: int) -> Floats:
    mean = total / count
    variance = np.maximum(squares / count - mean**2, 0.0)
    varies = variance > 1e-30
    return np.where(varies, mean / np.sqrt(np.where(varies, variance, 1.0)), 0.0)
