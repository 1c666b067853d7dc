"""A plausible book around a price, where a market has none of its own: seeded, and changed level by level."""

import math
import random

from .tape import Row, Word

_LEVELS_OF_PRICE = 100_000  # a level for each 1/100,000 of the price
_MEDIAN_VALUE = 2_000.0  # of a level, in quote currency
_REFRESHED = 2  # levels that change their size in one step
REACH = 3  # levels behind the touch that are told in every step, so that what was taken of them comes back


class Quoter:
    """Levels behind a touch of one tick. ``requote`` moves the touch and tells only what changes.

    Price axis and sizes: there is one level in each slot of ``width`` ticks, at a place in it that never changes; its size is drawn
    anew when the touch comes to it, and now and then.
    """

    def __init__(self, rng: random.Random, *, depth: int, ticks: int, lots_per_unit: float) -> None:
        """``lots_per_unit``: lots that one unit of quote currency buys at a price of one tick."""
        self._random = rng
        self._depth = depth
        self._unit = lots_per_unit
        self.width = max(1, ticks // _LEVELS_OF_PRICE)
        self._levels: tuple[dict[int, int], dict[int, int]] = ({}, {})  # bids, asks: lots by ticks
        self._salt = rng.getrandbits(32)
        self.bid = self.ask = 0

    def requote(self, bid: int, ask: int) -> list[Row]:
        """The rows that make ``bid`` and ``ask`` the best prices."""
        rows: list[Row] = []
        for side, touch in ((1, bid), (-1, ask)):
            rows += self._move(side, touch)
        self.bid, self.ask = bid, ask
        return rows

    def refresh(self) -> list[Row]:
        """The touch with new sizes, those near it as they were, and a few others with another size."""
        rows: list[Row] = []
        for _ in range(_REFRESHED):
            side = 1 if self._random.random() < 0.5 else -1
            behind = min(self._depth - 1, int(self._random.expovariate(4.0 / self._depth)))
            ticks = self._behind(side, behind)
            if ticks in self._levels[side < 0]:
                rows.append(self._set(side, ticks))
        for side in (1, -1):
            levels = self._levels[side < 0]
            near = (self._behind(side, behind) for behind in range(min(REACH, self._depth)))
            rows += [(Word.LEVEL, side, ticks, levels[ticks]) for ticks in near if ticks in levels]
        return [*rows, self._set(1, self.bid), self._set(-1, self.ask)]

    def reach(self, side: int) -> int:
        """The worst price that a taker of this side pays: the last level that is told in every step."""
        return max(1, self._behind(-side, min(REACH, self._depth) - 1))

    def _behind(self, side: int, number: int) -> int:
        """The price of a level, counted from the touch; below one tick there are no bids."""
        return self._place(self._slot_behind(side, self.bid if side > 0 else self.ask) - side * number)

    def _move(self, side: int, touch: int) -> list[Row]:
        levels = self._levels[side < 0]
        first = self._slot_behind(side, touch)
        places = (self._place(first - side * number) for number in range(self._depth))
        wanted = [ticks for ticks in places if ticks >= 1]
        last = (wanted[-1] if wanted else touch) * side
        gone = [ticks for ticks in levels if ticks != touch and not last <= ticks * side < touch * side]
        old = self.bid if side > 0 else self.ask
        if old != touch and old in levels and self._place(old // self.width) != old and old not in gone:
            gone.append(old)  # a touch that is no slot's level leaves with the touch
        rows: list[Row] = []
        for ticks in gone:
            del levels[ticks]
            rows.append((Word.LEVEL, side, ticks, 0))
        rows += [self._set(side, ticks) for ticks in wanted if ticks not in levels]
        if touch not in levels:
            rows.append(self._set(side, touch))
        return rows

    def _slot_behind(self, side: int, touch: int) -> int:
        """The first slot whose level is behind the touch."""
        slot = touch // self.width
        while (touch - self._place(slot)) * side <= 0:
            slot -= side
        return slot

    def _place(self, slot: int) -> int:
        mixed = (slot * 0x9E3779B1 ^ self._salt) * 0x85EBCA77 & 0xFFFFFFFF
        return slot * self.width + (mixed >> 7) % self.width

    def _set(self, side: int, ticks: int) -> Row:
        lots = max(1, round(_MEDIAN_VALUE * math.exp(self._random.gauss(0.0, 1.2)) * self._unit / ticks))
        self._levels[side < 0][ticks] = lots
        return (Word.LEVEL, side, ticks, lots)
