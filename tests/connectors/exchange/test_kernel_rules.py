"""An account's own order fills at the exchange as it does in the kernel's simulation of a book: one rule, two matchers."""

from decimal import Decimal

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.connectors.exchange.floor import Floor
from tests.kernel.desks import Pit, fills, instrument
from traider.connectors.sim.exchange.orders import Order
from traider.kernel.desk import Execution
from traider.kernel.simulation import Simulation

PRICES = st.integers(95, 106)
SIDES = st.sampled_from([1, -1])
# What a level holds is never less than the order wants: the kernel's book has what an own order took still there, the exchange's has not.
LEVELS = st.sampled_from([0, 1, 2, 5]).map(lambda size: size * 100)
ORDER = st.tuples(SIDES, PRICES, st.integers(11, 100))
STEPS = st.lists(st.tuples(st.sampled_from(["level", "trade"]), SIDES, PRICES, LEVELS), max_size=30)

Step = tuple[str, int, int, int]


class Both:
    """The same market at the exchange and in the kernel, in steps of 1 USD and 0.001 BTC."""

    def __init__(self) -> None:
        self.floor = Floor()
        btc = instrument(price="1", size="0.001", shortable=True)
        self.pit = Pit(btc, cash=100_000.0, simulation=Simulation(partial_fills=True))
        self.levels: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.filled: list[tuple[float, int, bool]] = []  # by the kernel: price, lots, whether as maker

    def step(self, word: str, side: int, price: int, lots: int) -> None:
        if word == "trade":
            if lots:
                self.floor.trade(side, price, str(Decimal(lots) / 1000))
                self._hear(self.pit.trade(float(price), lots / 1000, side=side))
        elif not lots or not any((price - other) * side >= 0 for other in self.levels[-side]):  # a recording's own book is not crossed
            self.levels[side].pop(price, None)
            if lots:
                self.levels[side][price] = lots
            self.floor.level(side, price, str(Decimal(lots) / 1000))
            self._hear(self.pit.level(side, float(price), lots / 1000))

    def order(self, side: int, price: int, lots: int) -> Order:
        """The exchange's; the kernel's fills are in ``filled``."""
        self.pit.limit(side, lots / 1000, float(price))
        self._hear(self.pit.desk.drain())
        return self.floor.limit("BUY" if side > 0 else "SELL", price, str(Decimal(lots) / 1000))

    def _hear(self, happened: list[Execution]) -> None:
        self.filled += [(price, round(size * 1000), maker) for _, price, size, maker in fills(happened)]


@settings(max_examples=300)
@given(STEPS, ORDER, STEPS)
def test_an_order_fills_the_same_in_both(
    before: list[tuple[str, int, int, int]], order: tuple[int, int, int], after: list[tuple[str, int, int, int]]
) -> None:
    both = Both()
    both.step("level", 1, 97, 20)
    both.step("level", -1, 104, 20)
    for step in before:
        both.step(*step)
    placed = both.order(*order)
    for step in after:
        both.step(*step)
    filled = [(float(fill.ticks), fill.lots, fill.maker) for fill in placed.fills]
    event(f"{min(3, len(filled))} fills, as maker: {any(maker for *_, maker in filled)}")
    assert filled == both.filled
