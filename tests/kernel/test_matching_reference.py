"""Random orders against random bars, trades and quotes: what the kernel does is what the rules, written down plainly, do."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.kernel.desks import BUY, SELL, Pit, instrument
from tests.kernel.reference_matcher import Happened, Order, ReferenceMatcher
from traider.domain.vocabulary import OrderType, Reason, TimeInForce
from traider.kernel import layout
from traider.kernel.desk import Execution
from traider.kernel.simulation import Fees, FillMode, Simulation

INCREMENT = Fraction(1, 10)
PRICES = st.integers(180, 220).map(lambda halves: halves / 2)  # 90 .. 110 by 0.5, so that ties are frequent
SIZES = st.integers(0, 80).map(lambda n: n / 20)  # also between two increments


@dataclass(frozen=True)
class NewOrder:
    inst: int
    side: int
    type: OrderType
    limit: float
    stop: float
    trail: int  # halves
    increments: int
    tif: TimeInForce
    post_only: bool
    pair: int


@dataclass(frozen=True)
class CancelOrder:
    place: int


@dataclass(frozen=True)
class BarEvent:
    inst: int
    prices: tuple[float, float, float, float]
    volume: float


@dataclass(frozen=True)
class TradeEvent:
    inst: int
    price: float
    size: float


@dataclass(frozen=True)
class QuoteEvent:
    inst: int
    bid: float
    bid_size: float
    spread: int  # halves
    ask_size: float


Step = NewOrder | CancelOrder | BarEvent | TradeEvent | QuoteEvent


def bar_of(inst: int, prices: list[float], volume: float) -> BarEvent:
    return BarEvent(inst, (prices[0], max(prices), min(prices), prices[1]), volume)


INST = st.integers(0, 1)
TYPES = [OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP]
ORDER = st.builds(
    NewOrder,
    inst=INST,
    side=st.sampled_from([BUY, SELL]),
    type=st.sampled_from(TYPES),
    limit=PRICES,
    stop=PRICES,
    trail=st.integers(1, 12),
    increments=st.integers(1, 40),
    tif=st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
    post_only=st.booleans(),
    pair=st.sampled_from([0, 0, 0, 1, 2]),
)
BAR = st.builds(bar_of, INST, st.lists(PRICES, min_size=2, max_size=4), SIZES)
TRADE = st.builds(TradeEvent, inst=INST, price=PRICES, size=SIZES)
QUOTE = st.builds(QuoteEvent, inst=INST, bid=PRICES, bid_size=SIZES, spread=st.integers(0, 4), ask_size=SIZES)
CANCEL = st.builds(CancelOrder, st.integers(0, 5))
ON_BARS_AND_TRADES = st.lists(st.one_of(ORDER, ORDER, BAR, TRADE, CANCEL), min_size=20, max_size=60)
ON_QUOTES = st.lists(st.one_of(ORDER, ORDER, QUOTE, QUOTE, CANCEL), min_size=20, max_size=60)


def as_happened(execution: Execution) -> Happened:
    increments = Fraction(repr(execution.size)) / INCREMENT
    assert increments.denominator == 1
    return (
        execution.kind,
        execution.order_id,
        execution.price,
        int(increments),
        execution.fee,
        execution.maker,
        execution.reason,
    )


class Race:
    """The same steps on the kernel's desk and on the reference. Whether an order may go is the desk's word."""

    def __init__(self, *, cash: int, fill: FillMode, participation: Fraction | None = None) -> None:
        markets = [instrument(symbol, size="0.1", price="0.5", shortable=True) for symbol in ("BTC-USD", "ETH-USD")]
        simulation = Simulation(participation=None if participation is None else float(participation))
        self.pit = Pit(*markets, cash=cash, fees=Fees(maker=0.001, taker=0.002), fill=fill, marks=[100.0, 100.0], simulation=simulation)
        self.reference = ReferenceMatcher(
            2, cash=cash, size_increment=INCREMENT, maker=0.001, taker=0.002, fill=fill, participation=participation
        )
        self.happened: list[Happened] = []

    def take(self, step: Step) -> None:
        if isinstance(step, NewOrder):
            self.order(step)
        elif isinstance(step, CancelOrder):
            if step.place < len(self.reference.orders):
                order = self.reference.orders[step.place]
                self.reference.cancel(order, Reason.REQUESTED)
                assert self.pit.desk.cancel(order.id)
            self.happened += map(as_happened, self.pit.desk.drain())
        elif isinstance(step, BarEvent):
            self.reference.bar(step.inst, *step.prices, step.volume)
            self.happened += map(as_happened, self.pit.bar(*step.prices, inst=step.inst, volume=step.volume))
        elif isinstance(step, TradeEvent):
            self.reference.trade(step.inst, step.price, step.size)
            self.happened += map(as_happened, self.pit.trade(step.price, step.size, inst=step.inst))
        else:
            ask = step.bid + step.spread / 2
            self.reference.quote(step.inst, step.bid, step.bid_size, ask, step.ask_size)
            quoted = self.pit.quote(step.bid, ask, bid_size=step.bid_size, ask_size=step.ask_size, inst=step.inst)
            self.happened += map(as_happened, quoted)

    def order(self, new: NewOrder) -> None:
        told: dict[str, Any] = {}
        if new.type in (OrderType.LIMIT, OrderType.STOP_LIMIT):
            told["limit_price"] = new.limit
        if new.type in (OrderType.STOP, OrderType.STOP_LIMIT):
            told["stop_price"] = new.stop
        if new.type is OrderType.TRAILING_STOP:
            told |= {"trail": new.trail / 2, "trail_kind": layout.TRAIL_AMOUNT}
        if new.type is OrderType.LIMIT:
            told |= {"tif": int(new.tif), "post_only": new.post_only and new.tif is TimeInForce.GTC}
        order_id, reason = self.pit.desk.submit(
            inst=new.inst, side=new.side, type=int(new.type), size=new.increments / 10, oco=new.pair, **told
        )
        if reason is not Reason.NONE:
            return
        order = Order(order_id, new.inst, new.side, new.type, new.increments, new.limit, new.stop, new.trail / 2, pair=new.pair)
        if new.type is OrderType.TRAILING_STOP:
            order.stop = float(self.pit.desk.positions[new.inst]["mark_price"]) + new.side * new.trail / 2
            order.stop = round(order.stop * 2) / 2  # the middle of a quote may lie between two increments
        if new.type is OrderType.LIMIT:
            order.tif, order.post_only = new.tif, told["post_only"]
        self.reference.orders.append(order)

    def check(self, steps: list[Step]) -> set[tuple[str, bool, Reason]]:
        """What happened, by kind, after it was found to be the same."""
        for step in steps:
            self.take(step)
        assert self.happened == self.reference.happened
        assert [order["id"] for order in self.pit.desk.open_orders()] == [order.id for order in self.reference.orders]
        assert [self.pit.position(inst) for inst in (0, 1)] == [float(n * INCREMENT) for n in self.reference.positions]
        return {(what, maker, reason) for what, _, _, _, _, maker, reason in self.happened}


# 24 tenths at the mark of 100 are there for 250, and at 110 no more
BUY_24 = NewOrder(0, BUY, OrderType.MARKET, 100.0, 100.0, 1, 24, TimeInForce.GTC, post_only=False, pair=0)
WANTED = {("fill", True, Reason.NONE), ("fill", False, Reason.NONE)} | {
    ("cancel", False, reason) for reason in (Reason.REQUESTED, Reason.POST_ONLY, Reason.IOC_UNFILLED, Reason.FOK_UNFILLED, Reason.OCO)
}


@pytest.mark.parametrize("fill", [FillMode.NEXT_OPEN, FillMode.NEXT_CLOSE])
@pytest.mark.parametrize("cash", [1_000_000, 250], ids=["enough cash", "too little cash"])
@pytest.mark.parametrize("participation", [None, Fraction(1, 2)], ids=["all of a bar", "half of a bar"])
def test_the_kernel_matches_as_the_rules_say(participation: Fraction | None, fill: FillMode, cash: int) -> None:
    seen: set[tuple[str, bool, Reason]] = set()

    @settings(max_examples=100)
    @given(ON_BARS_AND_TRADES)
    @example([BUY_24, BarEvent(0, (110.0, 110.0, 110.0, 110.0), 10.0)])
    def check(steps: list[Step]) -> None:
        seen.update(Race(cash=cash, fill=fill, participation=participation).check(steps))

    check()
    wanted = WANTED | ({("cancel", False, Reason.INSUFFICIENT_BALANCE)} if cash == 250 else set())
    assert wanted - seen == set(), "the random steps don't reach every rule"


@pytest.mark.parametrize("cash", [1_000_000, 250], ids=["enough cash", "too little cash"])
def test_on_quotes_the_kernel_matches_as_the_rules_say(cash: int) -> None:
    seen: set[tuple[str, bool, Reason]] = set()

    @settings(max_examples=150)
    @given(ON_QUOTES)
    @example([BUY_24, QuoteEvent(0, 109.0, 1.0, 2, 1.0)])
    def check(steps: list[Step]) -> None:
        seen.update(Race(cash=cash, fill=FillMode.NEXT_OPEN).check(steps))

    check()
    wanted = WANTED | ({("cancel", False, Reason.INSUFFICIENT_BALANCE)} if cash == 250 else set())
    assert wanted - seen == set(), "the random steps don't reach every rule"
