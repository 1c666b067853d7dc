"""One side of a book: the recorded (or made-up) market's sizes by price, and the accounts' own orders in their queues."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from .orders import Order


@dataclass(slots=True)
class Resting:
    """An own order in a queue, with so many lots. ``ahead`` is how much of the market's size at this price comes before it."""

    order: Order
    lots: int
    ahead: int


class Ladder:
    """Levels of one side, best last. ``sign`` is +1 for bids, -1 for asks: a key is the price times it, so greater is better."""

    __slots__ = ("keys", "lots", "queues", "sign", "touched")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.lots: dict[int, int] = {}  # the market's, by ticks; never 0
        self.queues: dict[int, list[Resting]] = {}
        self.touched: set[int] = set()  # ticks whose shown size may have changed since it was last told

    def best(self) -> int:
        """The best price in ticks; 0 where the side is empty."""
        return self.keys[-1] * self.sign if self.keys else 0

    def shown(self, ticks: int) -> int:
        """The size that the book tells: the market's and the own orders'."""
        queue = self.queues.get(ticks)
        own = sum(entry.lots for entry in queue) if queue else 0
        return self.lots.get(ticks, 0) + own

    def levels(self) -> Iterator[int]:
        """Ticks, best first."""
        sign = self.sign
        return (key * sign for key in reversed(self.keys))

    def reaches(self, best: int, limit: int) -> bool:
        """Whether ``best`` of this side is at ``limit`` or better for who takes it (0: no limit)."""
        return best != 0 and (not limit or best * self.sign >= limit * self.sign)

    def set(self, ticks: int, lots: int) -> None:
        """The market's size at this price is now this. Nobody of ours can be behind more than that."""
        if lots:
            if ticks not in self.lots and ticks not in self.queues:
                insort(self.keys, ticks * self.sign)
            self.lots[ticks] = lots
        elif self.lots.pop(ticks, 0):
            self._tidy(ticks)
        for entry in self.queues.get(ticks, ()):
            if entry.ahead > lots:
                entry.ahead = lots
        self.touched.add(ticks)

    def consume(self, ticks: int, lots: int) -> None:
        """Takes so much from the market's size, from the front of its queue."""
        left = self.lots[ticks] - lots
        if left:
            self.lots[ticks] = left
        else:
            del self.lots[ticks]
            self._tidy(ticks)
        for entry in self.queues.get(ticks, ()):
            entry.ahead = max(0, entry.ahead - lots)
        self.touched.add(ticks)

    def join(self, order: Order, ticks: int, lots: int, *, front: bool) -> None:
        """The order joins the queue at this price, behind what is there."""
        queue = self.queues.get(ticks)
        if queue is None:
            if ticks not in self.lots:
                insort(self.keys, ticks * self.sign)
            queue = self.queues[ticks] = []
        queue.append(Resting(order, lots, 0 if front else self.lots.get(ticks, 0)))
        order.rests_at.append(ticks)
        self.touched.add(ticks)

    def leave(self, order: Order) -> None:
        """Takes a resting order out, at every price that it has."""
        while order.rests_at:
            self.leave_price(order, order.rests_at[-1])

    def leave_price(self, order: Order, ticks: int) -> None:
        queue = self.queues[ticks]
        queue[:] = [entry for entry in queue if entry.order is not order]
        order.rests_at.remove(ticks)
        self.touched.add(ticks)
        if not queue:
            del self.queues[ticks]
            self._tidy(ticks)

    def resize(self, order: Order, lots: int) -> None:
        """An order that rests at one price has fewer lots now, and keeps its place."""
        ticks = order.rests_at[0]
        for entry in self.queues[ticks]:
            if entry.order is order:
                entry.lots = lots
        self.touched.add(ticks)

    def clear_market(self) -> None:
        """The market's sizes are gone; own orders stay, first in their queues."""
        self.touched.update(self.lots)
        self.lots.clear()
        self.keys = sorted(ticks * self.sign for ticks in self.queues)
        for queue in self.queues.values():
            for entry in queue:
                entry.ahead = 0

    def _tidy(self, ticks: int) -> None:
        if ticks not in self.lots and ticks not in self.queues:
            del self.keys[bisect_left(self.keys, ticks * self.sign)]
