"""Where a resting order stands in the queue of its price level, which a feed of levels does not tell.

Risk-averse: only trades at the level move it up. Power and log: what is cancelled at the level is shared between those before
and those behind it by f(behind) / (f(behind) + f(before)), f(x) = x**n or log(1 + x) (Rigtorp 2013, "Estimating order queue
position"). No model lets more stand before it than the level holds.
"""

import math
from typing import Any

import numpy as np

from .jit import compiled
from .layout import QUEUE_POWER, QUEUE_RISK_AVERSE


@compiled
def join_queue(order: Any, size: float) -> None:
    """It comes to a level that holds this size."""
    order.queue = size
    order.queue_start = size
    order.traded = 0.0


@compiled
def trade_in_queue(order: Any, size: float) -> None:
    """So much was traded at its level."""
    order.queue -= size
    order.traded += size


@compiled
def _share_behind(desk: Any, before: float, behind: float) -> float:
    """The probability that what is cancelled stood behind the order."""
    settings = desk.settings
    if settings.queue_model == QUEUE_POWER:
        f_before = max(before, 0.0) ** settings.queue_power
        f_behind = max(behind, 0.0) ** settings.queue_power
    else:
        f_before = math.log1p(max(before, 0.0))
        f_behind = math.log1p(max(behind, 0.0))
    total = f_before + f_behind
    return f_behind / total if total > 0.0 and total < math.inf else 1.0


@compiled
def level_in_queue(desk: Any, order: Any, before_size: float, size: float) -> None:
    """Its level went from one size to another."""
    if desk.settings.queue_model == QUEUE_RISK_AVERSE:
        order.queue = min(order.queue, size)
        return
    cancelled = before_size - size - order.traded  # trades have moved it up already
    order.traded = 0.0
    if cancelled < 0.0:
        order.queue = min(order.queue, size)
        return
    behind = before_size - order.queue
    share = _share_behind(desk, order.queue, behind)
    moved = order.queue - (1.0 - share) * cancelled + min(behind - share * cancelled, 0.0)
    order.queue = min(moved, size)


@compiled
def reached_front(desk: Any, order: Any) -> float:
    """The size that was traded beyond those before it, in whole increments; 0 while somebody stands before it."""
    instrument = desk.instruments[order.inst]
    over = np.rint(-order.queue * instrument.size_den / instrument.size_num)
    if not over > 0.0:
        return 0.0
    order.queue = 0.0
    return float(over * instrument.size_num / instrument.size_den)
