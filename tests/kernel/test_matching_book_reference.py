"""Random orders against a random order book: what the kernel does is what the rules, written down plainly, do."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.desks import BUY, SELL, Pit, instrument
from traider.domain.vocabulary import OrderType, Reason, TimeInForce

Happened = tuple[str, int, float, int, bool, Reason]  # what, order, price, tenths, maker, reason


@dataclass
class Order:
    id: int
    side: int
    price: int
    left: int
    before: int = 0  # what stands before it at its level


@dataclass
class ReferenceBook:
    """The rules of docs/matching.md on order books, risk-averse, whole fills: whole prices, sizes in tenths."""

    levels: dict[int, dict[int, int]] = field(default_factory=lambda: {BUY: {}, SELL: {}})
    orders: list[Order] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)

    def level(self, side: int, price: int, size: int) -> None:
        self.levels[side][price] = size
        for order in list(self.orders):
            if order.side == side and order.price == price:
                order.before = min(order.before, size)
            elif order.side != side and size > 0 and side * (price - order.price) >= 0:
                self.fill_whole(order)

    def trade(self, price: int, size: int, taker: int) -> None:
        for order in list(self.orders):
            if order.side == taker:
                continue
            if order.side * (price - order.price) < 0:
                self.fill_whole(order)
            elif price == order.price:
                order.before -= size
                if order.before < 0:
                    self.fill_whole(order)

    def fill_whole(self, order: Order) -> None:
        self.orders.remove(order)
        self.happened.append(("fill", order.id, float(order.price), order.left, True, Reason.NONE))

    def arrive(self, order: Order, limit: bool, tif: TimeInForce, post_only: bool) -> None:
        other = self.levels[-order.side]
        there = [
            (price, size)
            for price, size in sorted(other.items(), key=lambda level: order.side * level[0])
            if size > 0 and (not limit or order.side * (price - order.price) <= 0)
        ]
        if there and post_only:
            self.cancel(order, Reason.POST_ONLY)
            return
        if tif is TimeInForce.FOK and sum(size for _, size in there) < order.left:
            self.cancel(order, Reason.FOK_UNFILLED)
            return
        for price, size in there:
            part = min(size, order.left)
            if part > 0:
                order.left -= part
                self.happened.append(("fill", order.id, float(price), part, False, Reason.NONE))
        if order.left == 0:
            return
        if not limit:
            self.cancel(order, Reason.NO_LIQUIDITY)
        elif tif is TimeInForce.IOC:
            self.cancel(order, Reason.IOC_UNFILLED)
        else:
            order.before = self.levels[order.side].get(order.price, 0)
            self.orders.append(order)

    def cancel(self, order: Order, reason: Reason) -> None:
        if order in self.orders:
            self.orders.remove(order)
        self.happened.append(("cancel", order.id, 0.0, order.left, False, reason))


PRICES = st.integers(95, 105)
SIDES = st.sampled_from([BUY, SELL])
ORDER = st.tuples(
    st.just("order"),
    SIDES,
    st.sampled_from([OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT, OrderType.LIMIT]),
    PRICES,
    st.integers(1, 40),
    st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
    st.booleans(),
)
LEVEL = st.tuples(st.just("level"), SIDES, st.integers(0, 8), st.integers(0, 30))  # so far from the middle
TRADE = st.tuples(st.just("trade"), st.sampled_from([BUY, SELL, 0]), PRICES, st.integers(1, 30))
CANCEL = st.tuples(st.just("cancel"), st.integers(0, 5))
STEPS = st.lists(st.one_of(ORDER, LEVEL, LEVEL, TRADE, CANCEL), min_size=20, max_size=70)


def as_happened(execution: Any) -> Happened:
    return execution.kind, execution.order_id, execution.price, round(execution.size * 10), execution.maker, execution.reason


def test_the_kernel_matches_on_a_book_as_the_rules_say() -> None:
    seen: set[tuple[str, bool, Reason]] = set()

    @settings(max_examples=200)
    @given(STEPS)
    def check(steps: list[tuple[Any, ...]]) -> None:
        pit = Pit(instrument(price="1", size="0.1", shortable=True), cash=1e9)
        reference = ReferenceBook()
        for side, price, size in ((BUY, 99, 10), (SELL, 101, 10)):
            reference.level(side, price, size)
        pit.book([(99.0, 1.0)], [(101.0, 1.0)])
        happened: list[Happened] = []
        for step in steps:
            take(step, pit, reference, happened)
        assert happened == reference.happened
        assert [(int(order["id"]), round(float(order["queue"]) * 10)) for order in pit.desk.open_orders()] == [
            (order.id, order.before) for order in reference.orders
        ]
        seen.update((what, maker, reason) for what, _, _, _, maker, reason in happened)

    check()
    ends = (Reason.REQUESTED, Reason.POST_ONLY, Reason.IOC_UNFILLED, Reason.FOK_UNFILLED, Reason.NO_LIQUIDITY)
    wanted = {("fill", True, Reason.NONE), ("fill", False, Reason.NONE)} | {("cancel", False, reason) for reason in ends}
    assert wanted - seen == set(), "the random steps don't reach every rule"


def take(step: tuple[Any, ...], pit: Pit, reference: ReferenceBook, happened: list[Happened]) -> None:
    what, *of = step
    told: list[Any] = []
    if what == "level":
        side, away, size = of
        price = 100 - away if side == BUY else 101 + away  # sides that don't cross, as a feed's
        reference.level(side, price, size)
        told = pit.level(side, float(price), size / 10)
    elif what == "trade":
        taker, price, size = of
        reference.trade(price, size, taker)
        told = pit.trade(float(price), size / 10, side=taker)
    elif what == "cancel":
        if of[0] < len(reference.orders):
            order = reference.orders[of[0]]
            reference.cancel(order, Reason.REQUESTED)
            assert pit.desk.cancel(order.id)
        told = pit.desk.drain()
    else:
        side, type_, price, tenths, tif, post_only = of
        limit = type_ is OrderType.LIMIT
        tif = tif if limit else TimeInForce.GTC
        post_only = post_only and limit and tif is TimeInForce.GTC
        more: dict[str, Any] = {"limit_price": float(price), "tif": int(tif), "post_only": post_only} if limit else {}
        order_id, reason = pit.desk.submit(inst=0, side=side, type=int(type_), size=tenths / 10, **more)
        assert reason is Reason.NONE
        reference.arrive(Order(order_id, side, price, tenths), limit, tif, post_only)
        told = pit.desk.drain()
    happened += map(as_happened, told)
