"""Figures of round trips and fills, each by a stated formula. Money is in the instrument's quote currency."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..fills import Fills
from ..round_trips import Ledger
from .market import Market


@dataclass(frozen=True)
class TradeFigures:
    """Of round trips (``engine.round_trips``), after fees, unless it says otherwise. None without a round trip to say it of."""

    count: int
    wins: int  # round trips that made more than their fees
    losses: int
    hit_rate: float | None  # wins / count
    average_win: float | None
    average_loss: float | None  # below zero
    expectancy: float | None  # the mean result of a round trip, in quote currency (Tharp 1998)
    best: float | None
    worst: float | None
    profit_factor: float | None  # the wins' sum / the losses' sum; None without a loss
    average_ns: float | None  # from the opening fill to the one that ended the round trip
    realized: float  # before fees
    unrealized: float  # of what is still held, at the last price
    exposure: float | None  # fraction of the time, from first event to last, with a position; None when that is no time
    turnover: float  # notional of all fills: the sum of price x size
    fills: int
    maker_fills: int


def trade_figures_of(fills: Fills, ledger: Ledger, market: Market, last_prices: Sequence[float] = ()) -> TradeFigures:
    """``ledger`` is of the fills; ``last_prices`` are by instrument, where there are more than the market's."""
    marks = last_prices or (market.last_price,)
    trips = ledger.trips
    net = trips["pnl"] - trips["fees"]
    wins, losses = net[net > 0], net[net < 0]
    whole = market.end_ns - market.start_ns
    lost = -_sum(losses)
    return TradeFigures(
        count=len(trips),
        wins=len(wins),
        losses=len(losses),
        hit_rate=len(wins) / len(trips) if len(trips) else None,
        average_win=_sum(wins) / len(wins) if len(wins) else None,
        average_loss=_sum(losses) / len(losses) if len(losses) else None,
        expectancy=_sum(net) / len(trips) if len(trips) else None,
        best=float(net.max()) if len(trips) else None,
        worst=float(net.min()) if len(trips) else None,
        profit_factor=_sum(wins) / lost if lost > 0 else None,
        average_ns=float((trips["exit_ns"] - trips["entry_ns"]).mean()) if len(trips) else None,
        realized=ledger.realized_pnl,
        unrealized=math.fsum(position.size * (marks[position.inst] - position.average_price) for position in ledger.open),
        exposure=ledger.held_ns(market.end_ns) / whole if whole else None,
        turnover=_sum(fills["price"] * fills["size"]),
        fills=len(fills),
        maker_fills=int(np.count_nonzero(fills["maker"])),
    )


def _sum(values: np.ndarray[Any, Any]) -> float:
    return math.fsum(values.tolist())
