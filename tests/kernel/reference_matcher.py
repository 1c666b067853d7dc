"""The rules of docs/matching.md once more, written to be read and not to be fast: sizes are whole increments, cash is exact."""

from dataclasses import dataclass
from fractions import Fraction

from traider.domain.vocabulary import OrderType, Reason
from traider.kernel.simulation import FillMode

BUY = 1


@dataclass
class Order:
    id: int
    inst: int
    side: int
    type: OrderType
    price: float  # the limit or the stop
    left: int  # increments
    ioc: bool = False
    post_only: bool = False
    resting: bool = False

    def at_least_as_good(self, price: float) -> bool:
        """Whether the price is the limit or better for this order."""
        return price <= self.price if self.side == BUY else price >= self.price

    def through(self, price: float) -> bool:
        """Whether the price is beyond the limit: it would have been better still."""
        return price < self.price if self.side == BUY else price > self.price

    def stopped(self, price: float) -> bool:
        return price >= self.price if self.side == BUY else price <= self.price

    def worse(self, one: float, other: float) -> float:
        return max(one, other) if self.side == BUY else min(one, other)


Happened = tuple[str, int, float, int, float, bool, Reason]  # what, order, price, increments, fee, maker, reason


class ReferenceMatcher:
    def __init__(self, instruments: int, *, cash: int, size_increment: Fraction, maker: float, taker: float, fill: FillMode) -> None:
        self.orders: list[Order] = []
        self.cash = Fraction(cash)
        self.positions = [0] * instruments
        self.size_increment = size_increment
        self.rates = {True: maker, False: taker}
        self.fill_mode = fill
        self.happened: list[Happened] = []

    def bar(self, inst: int, open_: float, high: float, low: float, close: float) -> None:
        mine = [order for order in self.orders if order.inst == inst]
        for order in mine:
            if order.type is OrderType.MARKET:
                self.fill(order, close if self.fill_mode is FillMode.NEXT_CLOSE else open_, order.left, maker=False)
            elif order.type is OrderType.STOP and order.stopped(high if order.side == BUY else low):
                self.fill(order, order.worse(open_, order.price), order.left, maker=False)
        for order in mine:
            if order.type is OrderType.LIMIT:
                self.limit_on_bar(order, open_, low if order.side == BUY else high)

    def limit_on_bar(self, order: Order, open_: float, best: float) -> None:
        arriving, order.resting = not order.resting, True
        if arriving and order.at_least_as_good(open_):
            if order.post_only:
                self.cancel(order, Reason.POST_ONLY)
            else:
                self.fill(order, open_, order.left, maker=False)
        elif arriving and order.ioc:
            self.cancel(order, Reason.IOC_UNFILLED)
        elif order.through(best):
            self.fill(order, order.price, order.left, maker=True)

    def trade(self, inst: int, price: float, size: float) -> None:
        on_offer = int(Fraction(repr(size)) / self.size_increment)
        for order in [order for order in self.orders if order.inst == inst]:
            if order.type is OrderType.MARKET:
                self.fill(order, price, order.left, maker=False)
            elif order.type is OrderType.STOP:
                if order.stopped(price):
                    order.type = OrderType.MARKET
            else:
                on_offer -= self.limit_on_trade(order, price, on_offer)

    def limit_on_trade(self, order: Order, price: float, on_offer: int) -> int:
        """How much of the trade the order takes."""
        arriving, order.resting = not order.resting, True
        if arriving and order.post_only and order.at_least_as_good(price):
            self.cancel(order, Reason.POST_ONLY)
            return 0
        taken = 0
        if arriving and order.at_least_as_good(price):
            taken = self.fill(order, price, min(order.left, on_offer), maker=False)
        elif not arriving and order.through(price):
            taken = self.fill(order, order.price, min(order.left, on_offer), maker=True)
        if arriving and order.ioc and order in self.orders:
            self.cancel(order, Reason.IOC_UNFILLED)
        return taken

    def fill(self, order: Order, price: float, increments: int, *, maker: bool) -> int:
        """How many increments were filled: 0 when nothing is on offer, or when the cash doesn't reach."""
        if increments == 0:
            return 0
        size = increments * self.size_increment
        notional = Fraction(price) * size
        if order.side == BUY and self.positions[order.inst] >= 0 and notional * (1 + Fraction(self.rates[maker])) > self.cash:
            self.cancel(order, Reason.INSUFFICIENT_BALANCE)
            return 0
        fee = price * float(size) * self.rates[maker]
        self.cash -= order.side * notional + Fraction(fee)
        self.positions[order.inst] += order.side * increments
        order.left -= increments
        if order.left == 0:
            self.orders.remove(order)
        self.happened.append(("fill", order.id, price, increments, fee, maker, Reason.NONE))
        return increments

    def cancel(self, order: Order, reason: Reason) -> None:
        self.orders.remove(order)
        self.happened.append(("cancel", order.id, 0.0, order.left, 0.0, False, reason))
