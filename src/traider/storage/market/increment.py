"""The price increment that prices tell: the largest power of ten that all of them are multiples of."""

from decimal import Decimal
from pathlib import Path

import numpy as np

from ...domain.errors import DataError
from .values import Floats, Notes

MAX_DECIMALS = 12
MAX_TICKS = 2.0**44  # so that a sum over half a million of them is exact in 64 bits


class IncrementFinder:
    """Sees the prices of one instrument, block by block."""

    def __init__(self) -> None:
        self._largest = 0.0
        self._decimals = 0
        self._on_grid = True

    def add(self, prices: Floats) -> None:
        self._largest = max(self._largest, float(prices.max()))
        finest = self._finest()
        for sample in (prices[:1000], prices):  # the first few tell it nearly always, and all of them are looked at once
            while self._decimals < finest and not _are_on_grid(sample, self._decimals):
                self._decimals += 1
        self._on_grid = self._on_grid and _are_on_grid(prices, self._decimals)

    def _finest(self) -> int:
        finest = 0
        while finest < MAX_DECIMALS and self._largest * 10.0 ** (finest + 1) <= MAX_TICKS:
            finest += 1
        return finest

    def found(self) -> tuple[Decimal, Notes]:
        """The increment; with a note when the prices are multiples of none that fine."""
        decimals = min(self._decimals, self._finest())  # large prices that came late leave less room for decimals
        increment = Decimal(1).scaleb(-decimals)
        if self._on_grid and decimals == self._decimals:
            return increment, {}
        return increment, {"price_increment": f"prices are multiples of no decimal increment; averages round them to {increment:f}"}

    def check(self, path: Path, increment: Decimal) -> None:
        """DataError where prices are so many increments that sums of them could overflow."""
        if self._largest / float(increment) > MAX_TICKS:
            raise DataError(
                f"{path}: prices go up to {self._largest:g}, which is more than {MAX_TICKS:.0f} times the price increment {increment:f}; "
                "give a larger price increment"
            )


def _are_on_grid(values: Floats, decimals: int) -> bool:
    scale = 10.0**decimals
    return bool((np.rint(values * scale) / scale == values).all())
