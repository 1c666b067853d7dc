"""What an engine is measured against: loops written by hand that do one strategy and its accounting, and nothing else."""

from typing import Any

import numba
import numpy as np

FEE = 0.001
CASH = 1e7


@numba.njit
def sma_cross(opens: Any, close: Any, fast: int, slow: int, quantity: float) -> tuple[float, int]:
    """Long while the fast sum is above the slow one, filled at the next open: equity at the end, and fills.

    Sums of floats, which is the fastest, and takes some ties for crossings.
    """
    fast_sum = slow_sum = held = wanted = 0.0
    cash, fills = CASH, 0
    for i in range(close.shape[0]):
        if wanted != held:
            bought = wanted - held
            cash -= bought * opens[i] + abs(bought) * opens[i] * FEE
            held = wanted
            fills += 1
        fast_sum += close[i]
        slow_sum += close[i]
        if i >= fast:
            fast_sum -= close[i - fast]
        if i >= slow:
            slow_sum -= close[i - slow]
        if i >= slow - 1:
            wanted = quantity if fast_sum * slow > slow_sum * fast else 0.0
    return cash + held * close[-1], fills


@numba.njit
def exact_sma_cross(opens: Any, close: Any, fast: int, slow: int, quantity: float) -> tuple[float, int, float]:
    """As ``sma_cross``, with sums of whole cents, and with equity, its peak and the drawdown at each bar."""
    fast_sum = slow_sum = held = wanted = drawdown = equity = 0.0
    cash = peak = CASH
    fills = 0
    for i in range(close.shape[0]):
        if wanted != held:
            bought = wanted - held
            cash -= bought * opens[i] + abs(bought) * opens[i] * FEE
            held = wanted
            fills += 1
        equity = cash + held * close[i]
        if equity > peak:
            peak = equity
        elif peak - equity > drawdown * peak:
            drawdown = (peak - equity) / peak
        cents = np.rint(close[i] * 100.0)
        fast_sum += cents
        slow_sum += cents
        if i >= fast:
            fast_sum -= np.rint(close[i - fast] * 100.0)
        if i >= slow:
            slow_sum -= np.rint(close[i - slow] * 100.0)
        if i >= slow - 1:
            wanted = quantity if fast_sum * slow > slow_sum * fast else 0.0
    return equity, fills, drawdown


@numba.njit
def ema_band(price: Any, span: int, band: float, quantity: float) -> tuple[float, int]:
    """Long from above the band until below it, filled at the next trade: equity at the end, and fills."""
    alpha = 2.0 / (span + 1.0)
    mean = price[0]
    held = wanted = 0.0
    cash, fills = CASH, 0
    for i in range(1, price.shape[0]):
        now = price[i]
        if wanted != held:
            bought = wanted - held
            cash -= bought * now + abs(bought) * now * FEE
            held = wanted
            fills += 1
        mean += alpha * (now - mean)
        if held == 0.0:
            if now > mean * (1.0 + band):
                wanted = quantity
        elif now < mean * (1.0 - band):
            wanted = 0.0
    return cash + held * price[-1], fills


@numba.njit
def sma_cross_sweep(
    close: Any, fast_from: int, fast_to: int, fast_by: int, slow_from: int, slow_to: int, slow_by: int, quantity: float
) -> tuple[float, int]:
    """All pairs of windows, one after the other, filled at the same close: the best final equity, and everybody's fills.

    Sums of whole cents, so that equal averages are equal.
    """
    cents = np.empty(close.shape[0], np.int64)
    for i in range(close.shape[0]):
        cents[i] = np.int64(np.rint(close[i] * 100.0))
    best, fills = -np.inf, 0
    for fast in range(fast_from, fast_to, fast_by):
        for slow in range(slow_from, slow_to, slow_by):
            equity, some = _sma_cross_cents(close, cents, fast, slow, quantity)
            best = max(best, equity)
            fills += some
    return best, fills


@numba.njit
def _sma_cross_cents(close: Any, cents: Any, fast: int, slow: int, quantity: float) -> tuple[float, int]:
    rows = close.shape[0]
    cash, held, fills = CASH, 0.0, 0
    fast_sum = slow_sum = 0
    for i in range(min(slow, rows)):
        slow_sum += cents[i]
        if i >= slow - fast:
            fast_sum += cents[i]
    for i in range(slow - 1, rows):
        if i >= slow:
            fast_sum += cents[i] - cents[i - fast]
            slow_sum += cents[i] - cents[i - slow]
        wanted = quantity if fast_sum * slow > slow_sum * fast else 0.0
        if wanted != held:
            bought = wanted - held
            cash -= bought * close[i] + abs(bought) * close[i] * FEE
            held = wanted
            fills += 1
    return cash + held * close[rows - 1], fills
