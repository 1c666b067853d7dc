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


class DictBook:
    """A book of two dictionaries. Its best levels come from heaps in which removed levels stay until they come up."""

    def __init__(self) -> None:
        self._bids = _Levels(-1)
        self._asks = _Levels(1)

    def clear(self) -> None:
        """Nothing is there any more."""
        self._bids.clear()
        self._asks.clear()

    def apply(self, side: int, price_tick: int, size: float) -> None:
        """The level's size from now on; 0 removes it, also where there is none."""
        (self._bids if side > 0 else self._asks).set(price_tick, size)

    def top(self) -> Top:
        """Best bid and best ask; a side without a level has size 0."""
        return Top(*self._bids.best(), *self._asks.best())

    def levels(self, side: int) -> dict[int, float]:
        """A copy of one side: size by tick."""
        return dict((self._bids if side > 0 else self._asks).sizes)


class _Levels:
    def __init__(self, sign: int) -> None:
        self._sign = sign  # -1: the highest tick is the best, and the first of the heap
        self._heap: list[int] = []
        self.sizes: dict[int, float] = {}

    def clear(self) -> None:
        self._heap.clear()
        self.sizes.clear()

    def set(self, tick: int, size: float) -> None:
        if size == 0.0:
            self.sizes.pop(tick, None)
            return
        if tick not in self.sizes:
            heapq.heappush(self._heap, tick * self._sign)
        self.sizes[tick] = size
        if len(self._heap) > 2 * len(self.sizes) + _SLACK:
            # A level that comes and goes leaves an entry each time; without this the heap would grow with the day.
            self._heap = [tick * self._sign for tick in self.sizes]
            heapq.heapify(self._heap)

    def best(self) -> tuple[int, float]:
        heap, sign, sizes = self._heap, self._sign, self.sizes
        while heap:
            tick = heap[0] * sign
            size = sizes.get(tick)
            if size is not None:
                return tick, size
            heapq.heappop(heap)
        return 0, 0.0
