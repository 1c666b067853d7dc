"""How much of the best of many trials is luck.

Of each trial's returns only their moments are kept, 288 bytes a trial.
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
_ALL = (1 << BLOCKS) - 1
_FOUR = 4
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
        squares = centred * centred  # numpy takes higher powers by logarithms
        row["skew"], row["kurtosis"] = (squares * centred).mean(), (squares * squares).mean()
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
    sums, squares = (_Subsets(np.ascontiguousarray(moments[name].T)) for name in ("sums", "squares"))
    below = 0
    for halves in _halves(max(1, _CELLS // trials)):
        one = _sharpe(sums.of(halves), squares.of(halves), length * _HALF)
        other = _sharpe(sums.of(_ALL - halves), squares.of(_ALL - halves), length * _HALF)
        below += _below_median(one, other) + _below_median(other, one)
    return below / math.comb(BLOCKS, _HALF)


def _halves(rows: int) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    """Every way to choose half of the blocks with the first among them, as bit masks, so many at a time. What is left out
    each time are the ways without the first."""
    ways = itertools.combinations(range(1, BLOCKS), _HALF - 1)
    while some := list(itertools.islice(ways, rows)):
        yield 1 + (1 << np.array(some, np.int64)).sum(axis=1)


class _Subsets:
    """Sums over any set of blocks, for each trial: the blocks go in fours, and the 16 sums of each four are made beforehand.

    Added trial by trial in the same order, so that trials that are the same have sums that are the same.
    """

    def __init__(self, of_blocks: Floats) -> None:
        self._tables = [self._table(of_blocks[first : first + _FOUR]) for first in range(0, BLOCKS, _FOUR)]

    @staticmethod
    def _table(of_blocks: Floats) -> Floats:
        table = np.zeros((1 << _FOUR, of_blocks.shape[1]))
        for mask in range(1, 1 << _FOUR):
            highest = mask.bit_length() - 1
            table[mask] = table[mask - (1 << highest)] + of_blocks[highest]
        return table

    def of(self, masks: np.ndarray[Any, np.dtype[np.int64]]) -> Floats:
        """Of the shape (masks, trials)."""
        parts = (table[masks >> _FOUR * number & (1 << _FOUR) - 1] for number, table in enumerate(self._tables))
        total: Floats = next(parts)
        for part in parts:
            total += part
        return total


def _below_median(inside: Floats, outside: Floats) -> int:
    """In how many ways the best of the one half ranks at or below the middle in the other; equal trials share their ranks."""
    best = np.argmax(inside, axis=1)
    chosen = outside[np.arange(len(best)), best][:, np.newaxis]
    rank = np.count_nonzero(outside < chosen, axis=1) + 0.5 * (np.count_nonzero(outside == chosen, axis=1) + 1)
    return int(np.count_nonzero(rank / (outside.shape[1] + 1) <= 0.5))


def _sharpe(total: Floats, squares: Floats, count: int) -> Floats:
    """Mean / standard deviation; 0 where the returns don't vary. Both arrays are used up."""
    total /= count
    squares /= count
    squares -= total * total
    varies = squares > 1e-30
    np.sqrt(squares, out=squares, where=varies)
    return np.divide(total, squares, out=np.zeros_like(total), where=varies)
