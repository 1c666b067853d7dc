"""Price-time matching of whole ticks and lots: many accounts against the market's book, and against one another.

- An arriving order takes from the other side, best price first; at one price from the front of the queue, where an own order stands
  behind the market's size that was there when it came.
- What it takes of the market's size is gone until the market next tells that level.
- A recorded trade fills own orders that were better than its price, then those at its price whose turn it is, up to its size.
- A market whose best price reaches an own order trades with it, at the own order's price, up to the size that is there.
- A smaller size told at a price never leaves more than that ahead of an own order; otherwise only trades move a queue on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .ladder import Ladder, Resting
from .orders import BUY, SELL, Order
from .units import PPM

SelfTrade = Literal["cancel_newest", "cancel_oldest", "allow"]


@dataclass(frozen=True, slots=True)
class Match:
    """A trade. None stands for the market. ``taker_side`` is +1 where the taker bought."""

    ticks: int
    lots: int
    taker: Order | None
    maker: Order | None
    taker_side: int


class Matcher:
    """The book of one market.

    ``settle`` is told of each match as it is made, and must count it to the orders; ``stopped`` of a resting order that is cancelled
    because its own account would have traded with it.
    """

    def __init__(self, settle: Callable[[Match], None], stopped: Callable[[Order], None]) -> None:
        self.bids, self.asks = Ladder(BUY), Ladder(SELL)
        self._settle = settle
        self._stopped = stopped

    def side(self, sign: int) -> Ladder:
        return self.bids if sign > 0 else self.asks

    def mid_twice(self) -> int:
        """The sum of best bid and ask in ticks; 0 where a side is empty."""
        bid, ask = self.bids.best(), self.asks.best()
        return bid + ask if bid and ask else 0

    # Orders

    def crosses(self, side: int, ticks: int) -> bool:
        """Whether a limit order would take at once."""
        other = self.side(-side)
        return other.reaches(other.best(), ticks)

    def available(self, order: Order, limit: int, most: int, self_trade: SelfTrade) -> tuple[int, int]:
        """Lots that the order could take up to this limit (0: none), at most so many, and their cost in ticks x lots."""
        other = self.side(-order.side)
        lots = cost = 0
        for level in other.levels():
            if lots >= most or not other.reaches(level, limit):
                break
            take = min(self._there(other, level, order, self_trade), most - lots)
            lots += take
            cost += take * level
        return lots, cost

    def affordable(self, order: Order, budget: int, fee_ppm: int, self_trade: SelfTrade) -> int:
        """Lots that this amount of quote atoms buys of the book, fees of so many parts per million included."""
        other = self.side(-order.side)
        lots = 0
        for level in other.levels():
            unit = order.product.grid.notional * level // PPM * (PPM + fee_ppm)
            there = self._there(other, level, order, self_trade)
            take = min(there, budget // unit)
            lots += take
            budget -= take * unit
            if take < there:
                break
        return lots

    @staticmethod
    def _there(other: Ladder, level: int, order: Order, self_trade: SelfTrade) -> int:
        """The lots at a price that the order may have: those of its own account only where that is allowed."""
        own = (e.lots for e in other.queues.get(level, ()) if self_trade == "allow" or e.order.account is not order.account)
        return other.lots.get(level, 0) + sum(own)

    def take(self, order: Order, ticks: int, most: int, self_trade: SelfTrade) -> bool:
        """Matches the order against the other side, up to this limit and size; False where it ran into its own account's order."""
        other = self.side(-order.side)
        wanted = most
        while wanted:
            best = other.best()
            if not other.reaches(best, ticks):
                break
            taken = self._take_level(other, best, wanted, order, order.side, self_trade)
            if taken < 0:
                return False
            wanted -= taken
        return True

    def rest(self, order: Order, ticks: int, lots: int, *, front: bool) -> None:
        self.side(order.side).join(order, ticks, lots, front=front)

    def leave(self, order: Order) -> None:
        self.side(order.side).leave(order)

    def _take_level(self, other: Ladder, ticks: int, wanted: int, taker: Order | None, side: int, self_trade: SelfTrade) -> int:
        """Takes at one price what is there, at most ``wanted``; -1 where the taker's account stands in its own way."""
        taken = 0
        while taken < wanted:
            queue = other.queues.get(ticks)
            first = queue[0] if queue else None
            there = other.lots.get(ticks, 0)
            ahead = there if first is None else min(there, first.ahead)
            if ahead:
                lots = min(ahead, wanted - taken)
                other.consume(ticks, lots)
                taken += lots
                self._settle(Match(ticks, lots, taker, None, side))
            elif first is not None:
                if taker is not None and first.order.account is taker.account and self_trade != "allow":
                    if self_trade == "cancel_newest":
                        return -1
                    self._stopped(first.order)
                    continue
                taken += self._fill_resting(other, first, wanted - taken, taker, ticks)
            else:
                break
        return taken

    def _fill_resting(self, ladder: Ladder, entry: Resting, most: int, taker: Order | None, ticks: int) -> int:
        order = entry.order
        lots = min(most, entry.lots)
        entry.lots -= lots
        ladder.touched.add(ticks)
        if not entry.lots:
            ladder.leave_price(order, ticks)
        self._settle(Match(ticks, lots, taker, order, -order.side))
        return lots

    # The market

    def market_takes(self, side: int, lots: int, limit: int = 0) -> None:
        """Somebody of the market takes so much from the book."""
        other = self.side(-side)
        while lots and other.reaches(other.best(), limit):
            lots -= self._take_level(other, other.best(), lots, None, side, "allow")

    def on_trade(self, side: int, ticks: int, lots: int) -> None:
        """A recorded trade: the taker's side, price, size. What own orders don't take of it is told as it was recorded."""
        ladder = self.side(-side)
        left, own = lots, 0
        for price in self._own_prices(ladder, ticks):
            passed = 0  # of the market's size at this price
            for entry in list(ladder.queues[price]):
                if price == ticks:
                    gap = min(left, max(0, entry.ahead - passed))
                    passed += gap
                    left -= gap
                if not left:
                    break
                filled = self._fill_resting(ladder, entry, left, None, price)
                own += filled
                left -= filled
            for entry in ladder.queues.get(price, ()):
                entry.ahead = max(0, entry.ahead - passed)
        if lots > own:
            self._settle(Match(ticks, lots - own, None, None, side))

    def on_level(self, side: int, ticks: int, lots: int) -> None:
        """The market's size at a price; ``uncross`` follows at the end of the message."""
        self.side(side).set(ticks, lots)

    def clear(self) -> None:
        """A snapshot of the market follows."""
        self.bids.clear_market()
        self.asks.clear_market()

    def uncross(self) -> None:
        """Own orders that the market's other side has reached trade with it."""
        for ladder, other in ((self.bids, self.asks), (self.asks, self.bids)):
            if ladder.queues:
                self._uncross(ladder, other)

    def _uncross(self, ladder: Ladder, other: Ladder) -> None:
        for price in sorted(ladder.queues, key=lambda ticks: -ticks * ladder.sign):
            while queue := ladder.queues.get(price):
                best = self._best_of_market(other)
                if not other.reaches(best, price):
                    return
                lots = min(other.lots[best], queue[0].lots)
                other.consume(best, lots)
                self._fill_resting(ladder, queue[0], lots, None, price)

    @staticmethod
    def _best_of_market(ladder: Ladder) -> int:
        return next((ticks for ticks in ladder.levels() if ticks in ladder.lots), 0)

    @staticmethod
    def _own_prices(ladder: Ladder, ticks: int) -> list[int]:
        """Prices of own orders that a trade at ``ticks`` reaches, best first."""
        sign = ladder.sign
        return sorted((price for price in ladder.queues if price * sign >= ticks * sign), key=lambda price: -price * sign)
