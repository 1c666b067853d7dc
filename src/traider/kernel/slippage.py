"""By how much worse than its rule says a taker fills."""

from typing import Any

from .grid import worse_price
from .jit import compiled
from .layout import SLIPPAGE_FRACTION, SLIPPAGE_NONE, SLIPPAGE_TICKS


@compiled
def slipped(desk: Any, inst: int, side: int, price: float, size: float, volume: float) -> float:
    """The price that a taker gets instead of this one, in whole increments; ``volume`` is the event's, 0 where it has none."""
    settings = desk.settings
    if settings.slippage_kind == SLIPPAGE_NONE:
        return price
    instrument = desk.instruments[inst]
    increment = instrument.price_num / instrument.price_den
    if settings.slippage_kind == SLIPPAGE_TICKS:
        away = settings.slippage * increment
    elif settings.slippage_kind == SLIPPAGE_FRACTION:
        away = settings.slippage * price
    else:  # a share above the whole volume counts as the whole
        share = min(size / volume, 1.0) if volume > 0.0 else 1.0
        away = settings.slippage * share * share * price
    return float(max(worse_price(desk, inst, side, price + side * away), increment))
