"""An order book of whole price ticks, and what is needed to keep one from the venue's messages."""

import heapq
from typing import NamedTuple, Protocol

from traider.domain.vocabulary import Side

BID = int(Side.BUY)
ASK = int(Side.SELL)
_SLACK = 1024


class Top(NamedTuple):
    """Best bid and best ask, in ticks; a side without a level has size 0."""

    bid_tick: int
    bid_size: float
    ask_tick: int
    ask_size: float


class Book(Protocol):
    """What the feed keeps up to date: one market's levels."""

    def clear(self) -> None:
        """Nothing is there any more."""
        ...

    def apply(self, side: int, price_tick: int, size: float) -> None:
        """The level's size from now on; 0 removes it, also where there is none. ``side`` is +1 for bids, -1 for asks."""
        ...

    def top(self) -> Top: ...

    def reach(self, side: int, size: float) -> int | None:
        """The level at which all of ``size`` is had, taken from the best level of the side on; None where the side has less."""
        ...


class DictBook:
    """A book of two dictionaries. Its best levels come from heaps in which removed levels stay until they come up."""

    def __init__(self) -> None:
        self._sizes: dict[int, dict[int, float]] = {BID: {}, ASK: {}}
        self._heaps: dict[int, list[int]] = {BID: [], ASK: []}  # of bids the negative ticks: the first of a heap is the best

    def clear(self) -> None:
        """Nothing is there any more."""
        for side in (BID, ASK):
            self._sizes[side].clear()
            self._heaps[side].clear()

    def apply(self, side: int, price_tick: int, size: float) -> None:
        """The level's size from now on; 0 removes it, also where there is none."""
        sizes = self._sizes[side]
        if size == 0.0:
            sizes.pop(price_tick, None)
        elif price_tick in sizes:
            sizes[price_tick] = size
        else:
            sizes[price_tick] = size
            heap = self._heaps[side]
            heapq.heappush(heap, -price_tick * side)
            if len(heap) > 2 * len(sizes) + _SLACK:
                # A level that comes and goes leaves an entry each time; without this the heap would grow with the day.
                heap[:] = [-tick * side for tick in sizes]
                heapq.heapify(heap)

    def top(self) -> Top:
        """Best bid and best ask; a side without a level has size 0."""
        return Top(*self._best(BID), *self._best(ASK))

    def reach(self, side: int, size: float) -> int | None:
        """The level at which all of ``size`` is had; None where the side has less."""
        for tick in sorted(self._sizes[side], reverse=side == BID):
            size -= self._sizes[side][tick]
            if size <= 0.0:
                return tick
        return None

    def levels(self, side: int) -> dict[int, float]:
        """A copy of one side: size by tick."""
        return dict(self._sizes[side])

    def _best(self, side: int) -> tuple[int, float]:
        sizes, heap = self._sizes[side], self._heaps[side]
        while heap:
            tick = -heap[0] * side
            size = sizes.get(tick)
            if size is not None:
                return tick, size
            heapq.heappop(heap)
        return 0, 0.0
