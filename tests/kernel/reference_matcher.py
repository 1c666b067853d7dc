"""The rules of docs/matching.md once more, written to be read and not to be fast: sizes are whole increments, cash is exact."""

from dataclasses import dataclass
from fractions import Fraction

from traider.domain.vocabulary import OrderType, Reason, TimeInForce
from traider.kernel.simulation import FillMode

BUY = 1
NOW = (TimeInForce.IOC, TimeInForce.FOK)


@dataclass
class Order:
    id: int
    inst: int
    side: int
    type: OrderType
    left: int  # increments
    limit: float = 0.0
    stop: float = 0.0
    trail: float = 0.0  # an amount
    tif: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    pair: int = 0
    resting: bool = False
    later: bool = False  # a stop-limit order that rests from the next bar on

    def at_least_as_good(self, price: float) -> bool:
        """Whether the price is the limit or better for this order."""
        return price <= self.limit if self.side == BUY else price >= self.limit

    def through(self, price: float) -> bool:
        """Whether the price is beyond the limit: it would have been better still."""
        return price < self.limit if self.side == BUY else price > self.limit

    def stopped(self, price: float) -> bool:
        return price >= self.stop if self.side == BUY else price <= self.stop

    def worse(self, one: float, other: float) -> float:
        return max(one, other) if self.side == BUY else min(one, other)

    def follow(self, price: float) -> None:
        """A trailing stop, beside the best price so far."""
        if self.type is OrderType.TRAILING_STOP:
            stop = price + self.side * self.trail
            self.stop = min(self.stop, stop) if self.side == BUY else max(self.stop, stop)


Happened = tuple[str, int, float, int, float, bool, Reason]  # what, order, price, increments, fee, maker, reason


class ReferenceMatcher:
    def __init__(
        self,
        instruments: int,
        *,
        cash: int,
        size_increment: Fraction,
        maker: float,
        taker: float,
        fill: FillMode,
        participation: Fraction | None = None,
    ) -> None:
        self.orders: list[Order] = []
        self.ended: list[Order] = []  # by the fill of the other one of their pair, at the event that is being matched
        self.cash = Fraction(cash)
        self.positions = [0] * instruments
        self.size_increment = size_increment
        self.rates = {True: maker, False: taker}
        self.fill_mode = fill
        self.participation = participation
        self.on_offer: int | None = None
        self.happened: list[Happened] = []

    # --- bars --------------------------------------------------------------------------------------------------------

    def bar(self, inst: int, open_: float, high: float, low: float, close: float, volume: float) -> None:
        mine = [order for order in self.orders if order.inst == inst]
        self.on_offer = None if self.participation is None else int(self.participation * Fraction(repr(volume)) / self.size_increment)
        for order in mine:
            if order.type is OrderType.MARKET:
                self.give(order, close if self.fill_mode is FillMode.NEXT_CLOSE else open_, maker=False)
            elif order.type is not OrderType.LIMIT and order.stopped(high if order.side == BUY else low):
                self.go_off(order, order.worse(open_, order.stop))
        for order in mine:
            order.follow(low if order.side == BUY else high)
        for order in mine:
            if order.type is OrderType.LIMIT and not order.later:
                self.limit_on_bar(order, open_, low if order.side == BUY else high)
        for order in mine:
            order.later = False
        self.on_offer = None
        self.end_pairs()

    def go_off(self, order: Order, price: float) -> None:
        if order.type is OrderType.STOP_LIMIT:
            order.type, order.resting = OrderType.LIMIT, True
            if not order.at_least_as_good(price):
                order.later = price == order.stop
                return
        else:
            order.type = OrderType.MARKET
        self.give(order, price, maker=False)

    def limit_on_bar(self, order: Order, open_: float, best: float) -> None:
        arriving, order.resting = not order.resting, True
        if arriving and order.at_least_as_good(open_):
            self.arrive(order, open_)
        elif arriving and order.tif in NOW:
            self.cancel(order, self.unfilled(order))
        elif order.through(best):
            self.give(order, order.limit, maker=True)

    # --- trades and quotes -------------------------------------------------------------------------------------------

    def trade(self, inst: int, price: float, size: float) -> None:
        self.on_offer = int(Fraction(repr(size)) / self.size_increment)
        mine = [order for order in self.orders if order.inst == inst]
        for order in mine:
            if order.type is OrderType.MARKET:
                self.fill(order, price, order.left, maker=False)
            elif order.type is not OrderType.LIMIT:
                self.reach(order, price)
            else:
                self.limit_on_trade(order, price)
        for order in mine:
            order.follow(price)
        self.on_offer = None
        self.end_pairs()

    def limit_on_trade(self, order: Order, price: float) -> None:
        arriving, order.resting = not order.resting, True
        if arriving and order.at_least_as_good(price):
            self.arrive(order, price)
        elif arriving and order.tif in NOW:
            self.cancel(order, self.unfilled(order))
        elif not arriving and order.through(price):
            self.give(order, order.limit, maker=True)

    def quote(self, inst: int, bid: float, bid_size: float, ask: float, ask_size: float) -> None:
        mine = [order for order in self.orders if order.inst == inst]
        for order in mine:
            price, size = (ask, ask_size) if order.side == BUY else (bid, bid_size)
            if order.type not in (OrderType.MARKET, OrderType.LIMIT):
                self.reach(order, price)
            if order.type is OrderType.MARKET:
                self.fill(order, price, order.left, maker=False)
            elif order.type is OrderType.LIMIT:
                self.limit_on_quote(order, price, int(Fraction(repr(size)) / self.size_increment))
        for order in mine:
            order.follow(ask if order.side == BUY else bid)
        self.end_pairs()

    def limit_on_quote(self, order: Order, price: float, shown: int) -> None:
        arriving, order.resting = not order.resting, True
        if not arriving and order.at_least_as_good(price):
            self.fill(order, order.limit, order.left, maker=True)
        elif arriving and order.at_least_as_good(price):
            self.on_offer = shown
            self.arrive(order, price)
            self.on_offer = None
        elif arriving and order.tif in NOW:
            self.cancel(order, self.unfilled(order))

    # --- what they have in common ------------------------------------------------------------------------------------

    def reach(self, order: Order, price: float) -> None:
        """A stop that the price has come to arrives as what it is then."""
        if order.stopped(price):
            order.type = OrderType.LIMIT if order.type is OrderType.STOP_LIMIT else OrderType.MARKET
            order.resting = False

    def arrive(self, order: Order, price: float) -> None:
        """A limit order meets a first price that is good enough for it."""
        if order in self.ended:
            return
        if order.post_only:
            self.cancel(order, Reason.POST_ONLY)
        elif order.tif is TimeInForce.FOK and self.on_offer is not None and self.on_offer < order.left:
            self.cancel(order, Reason.FOK_UNFILLED)
        else:
            self.give(order, price, maker=False)
            if order.tif in NOW and order in self.orders:
                self.cancel(order, self.unfilled(order))

    def unfilled(self, order: Order) -> Reason:
        return Reason.FOK_UNFILLED if order.tif is TimeInForce.FOK else Reason.IOC_UNFILLED

    def give(self, order: Order, price: float, *, maker: bool) -> None:
        """Fills what is on offer for it."""
        given = self.fill(order, price, order.left if self.on_offer is None else min(order.left, self.on_offer), maker=maker)
        if self.on_offer is not None:
            self.on_offer -= given

    def fill(self, order: Order, price: float, increments: int, *, maker: bool) -> int:
        """How many increments were filled: 0 when nothing is on offer, or when the cash doesn't reach."""
        if increments == 0 or order in self.ended:
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
        self.take_from_pair(order, increments)
        return increments

    def take_from_pair(self, filled: Order, increments: int) -> None:
        for order in self.orders:
            if filled.pair and order is not filled and order.pair == filled.pair and order not in self.ended:
                if order.left <= increments:
                    self.ended.append(order)
                else:
                    order.left -= increments

    def end_pairs(self) -> None:
        for order in [order for order in self.orders if order in self.ended]:
            self.cancel(order, Reason.OCO)
        self.ended.clear()

    def cancel(self, order: Order, reason: Reason) -> None:
        if order in self.ended and reason is not Reason.OCO:
            return
        self.orders.remove(order)
        self.happened.append(("cancel", order.id, 0.0, order.left, 0.0, False, reason))
