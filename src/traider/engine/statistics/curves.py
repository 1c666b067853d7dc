"""The equity curve with both its ends, how far it is under water, and what holding would have made."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backtest import BacktestResult
from ..tape import Floats
from .market import Market


@dataclass(frozen=True)
class Curves:
    """Equal-length columns in time order, from the first event to the last.

    ``drawdown`` is a fraction of the peak, zero or below. Between two points the account's lowest equity is known and its
    highest is not, so that the curve never shows more than there was; ``BacktestResult.max_drawdown`` is exact.
    """

    ts_ns: np.ndarray[Any, np.dtype[np.int64]]
    equity: Floats
    drawdown: Floats
    held: Floats  # equity of an account that buys the strategy's quantity at the first price and keeps it, without fees

    @property
    def longest_under_water_ns(self) -> int:
        """The longest time from a peak of the equity to the next one, or to the end; 0 when it never fell."""
        return int(max((self.ts_ns[end] - self.ts_ns[start] for start, end in self._spells()), default=0))

    @property
    def deepest_under_water_ns(self) -> int:
        """How long the deepest drawdown lasted, from its peak to the next one, or to the end; 0 when the equity never fell."""
        spells = self._spells()
        if not spells:
            return 0
        start, end = min(spells, key=lambda spell: float(self.drawdown[spell[0] : spell[1] + 1].min()))
        return int(self.ts_ns[end] - self.ts_ns[start])

    def _spells(self) -> list[tuple[int, int]]:
        """The times under water: the points of the peak before and of the next one, or of the end."""
        under = self.drawdown < 0
        sinks = np.flatnonzero(under & ~np.insert(under[:-1], 0, False))
        surfaces = np.flatnonzero(~under & np.insert(under[:-1], 0, False))
        ends = np.append(surfaces, len(under) - 1)[: len(sinks)]
        return list(zip(np.maximum(sinks - 1, 0).tolist(), ends.tolist(), strict=True))


def curves_of(result: BacktestResult, market: Market) -> Curves:
    """The result's curve, begun with the cash at the first event and ended with the final equity at the last."""
    points = result.curve
    ts_ns, equity, low, price = (points[name] for name in ("ts_ns", "equity", "low", "price"))
    first, last = market.first_price, market.last_price
    if not len(points) or ts_ns[0] > market.start_ns:
        ts_ns, equity, low, price = (
            np.insert(column, 0, value)
            for column, value in ((ts_ns, market.start_ns), (equity, result.cash), (low, result.cash), (price, first))
        )
    if ts_ns[-1] < market.last_event_ns:
        final = result.final_equity
        ts_ns, equity, low, price = (
            np.append(column, value) for column, value in ((ts_ns, market.last_event_ns), (equity, final), (low, final), (price, last))
        )
    peak = np.maximum.accumulate(np.maximum(equity, result.cash))
    peak_before = np.insert(peak[:-1], 0, result.cash)
    with np.errstate(divide="ignore", invalid="ignore"):
        fall = np.maximum((peak_before - low) / peak_before, (peak - equity) / peak)
    fall = np.where(np.isfinite(fall), np.maximum(fall, 0.0), 0.0)
    quantity = float(result.parameters["quantity"])
    return Curves(ts_ns, equity, 0.0 - fall, result.cash + quantity * (price - first))
