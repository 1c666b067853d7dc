"""Random orders against random bars and trades: what the kernel does is what the rules, written down plainly, do."""

from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.desks import BUY, SELL, Pit, instrument
from tests.kernel.reference_matcher import Happened, Order, ReferenceMatcher
from traider.domain.vocabulary import OrderType, Reason
from traider.kernel.desk import Execution
from traider.kernel.simulation import Fees, FillMode

INCREMENT = Fraction(1, 10)
PRICES = st.integers(180, 220).map(lambda halves: halves / 2)  # 90 .. 110 by 0.5, so that ties are frequent


@dataclass(frozen=True)
class NewOrder:
    inst: int
    side: int
    type: OrderType
    price: float
    increments: int
    ioc: bool
    post_only: bool


@dataclass(frozen=True)
class CancelOrder:
    place: int


@dataclass(frozen=True)
class BarEvent:
    inst: int
    prices: tuple[float, float, float, float]


@dataclass(frozen=True)
class TradeEvent:
    inst: int
    price: float
    size: float


Step = NewOrder | CancelOrder | BarEvent | TradeEvent


def bar_of(inst: int, prices: list[float]) -> BarEvent:
    return BarEvent(inst, (prices[0], max(prices), min(prices), prices[1]))


INST = st.integers(0, 1)
ORDER = st.builds(
    NewOrder,
    inst=INST,
    side=st.sampled_from([BUY, SELL]),
    type=st.sampled_from([OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT, OrderType.STOP]),
    price=PRICES,
    increments=st.integers(1, 40),
    ioc=st.booleans(),
    post_only=st.booleans(),
)
BAR = st.builds(bar_of, INST, st.lists(PRICES, min_size=2, max_size=4))
TRADE = st.builds(TradeEvent, inst=INST, price=PRICES, size=st.integers(0, 80).map(lambda n: n / 20))  # also between two increments
STEPS = st.lists(st.one_of(ORDER, ORDER, BAR, TRADE, st.builds(CancelOrder, st.integers(0, 5))), min_size=20, max_size=60)


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

    def __init__(self, *, cash: int, fill: FillMode) -> None:
        markets = [instrument(symbol, size="0.1", price="0.5", shortable=True) for symbol in ("BTC-USD", "ETH-USD")]
        self.pit = Pit(*markets, cash=cash, fees=Fees(maker=0.001, taker=0.002), fill=fill, marks=[100.0, 100.0])
        self.reference = ReferenceMatcher(2, cash=cash, size_increment=INCREMENT, maker=0.001, taker=0.002, fill=fill)
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
            self.reference.bar(step.inst, *step.prices)
            self.happened += map(as_happened, self.pit.bar(*step.prices, inst=step.inst))
        else:
            self.reference.trade(step.inst, step.price, step.size)
            self.happened += map(as_happened, self.pit.trade(step.price, step.size, inst=step.inst))

    def order(self, new: NewOrder) -> None:
        is_limit, is_stop = new.type is OrderType.LIMIT, new.type is OrderType.STOP
        order_id, reason = self.pit.ask(
            new.side,
            new.increments / 10,
            new.type,
            limit_price=new.price if is_limit else 0.0,
            stop_price=new.price if is_stop else 0.0,
            ioc=is_limit and new.ioc,
            post_only=is_limit and new.post_only,
            inst=new.inst,
        )
        if reason is Reason.NONE:
            flags = {"ioc": is_limit and new.ioc, "post_only": is_limit and new.post_only}
            self.reference.orders.append(Order(order_id, new.inst, new.side, new.type, new.price, new.increments, **flags))


@pytest.mark.parametrize("fill", [FillMode.NEXT_OPEN, FillMode.NEXT_CLOSE])
@pytest.mark.parametrize("cash", [1_000_000, 250], ids=["enough cash", "too little cash"])
def test_the_kernel_matches_as_the_rules_say(fill: FillMode, cash: int) -> None:
    seen: set[tuple[str, bool, Reason]] = set()

    @settings(max_examples=150)
    @given(STEPS)
    def check(steps: list[Step]) -> None:
        race = Race(cash=cash, fill=fill)
        for step in steps:
            race.take(step)
        assert race.happened == race.reference.happened
        assert [order["id"] for order in race.pit.desk.open_orders()] == [order.id for order in race.reference.orders]
        assert [race.pit.position(inst) for inst in (0, 1)] == [float(n * INCREMENT) for n in race.reference.positions]
        seen.update((what, maker, reason) for what, _, _, _, _, maker, reason in race.happened)

    check()
    wanted = {("fill", True, Reason.NONE), ("fill", False, Reason.NONE)}
    wanted |= {("cancel", False, reason) for reason in (Reason.REQUESTED, Reason.POST_ONLY, Reason.IOC_UNFILLED)}
    if cash == 250:
        wanted.add(("cancel", False, Reason.INSUFFICIENT_BALANCE))
    assert wanted - seen == set(), "the random steps don't reach every rule"
