"""Rules of docs/matching.md on bars whose path is assumed, worked out by hand."""

import pytest

from tests.kernel.desks import BUY, SELL, Pit, cancels, fills, instrument
from tests.kernel.test_matching_orders import pair
from traider.domain.vocabulary import OrderType, Reason
from traider.kernel.simulation import FillMode, IntrabarPath, Simulation

HIGH, LOW, NEAREST = IntrabarPath.HIGH_FIRST, IntrabarPath.LOW_FIRST, IntrabarPath.NEAREST_FIRST


def pit_with(path: IntrabarPath, fill: FillMode = FillMode.NEXT_OPEN) -> Pit:
    return Pit(instrument(shortable=True), marks=[100.0], simulation=Simulation(path=path), fill=fill)


@pytest.mark.parametrize(("path", "first"), [(HIGH, "target"), (LOW, "stop"), (NEAREST, "target")])
def test_a_stated_path_decides_which_of_target_and_stop_comes_first(path: IntrabarPath, first: str) -> None:
    """The open of 100 is nearer to the high of 111 than to the low of 88."""
    pit = pit_with(path)
    target, stop = pair(pit, (SELL, OrderType.LIMIT, 110.0), (SELL, OrderType.STOP, 90.0))
    happened = pit.bar(100.0, 111.0, 88.0, 95.0)
    expected = {"target": (target, 110.0, 2.0, True), "stop": (stop, 90.0, 2.0, False)}
    assert fills(happened) == [expected[first]]
    assert cancels(happened) == [(stop if first == "target" else target, Reason.OCO)]


def test_along_a_path_orders_are_met_in_the_order_in_which_the_price_reaches_them() -> None:
    pit = pit_with(LOW)
    far, near = pit.limit(BUY, 1.0, 91.0), pit.limit(BUY, 1.0, 95.0)
    high = pit.limit(SELL, 1.0, 104.0)
    assert [order for order, *_ in fills(pit.bar(100.0, 105.0, 90.0, 100.0))] == [near, far, high]


def test_along_a_path_market_orders_fill_at_the_open_or_at_the_close() -> None:
    pit = pit_with(HIGH)
    order = pit.market(BUY, 1.0)
    assert fills(pit.bar(101.0, 105.0, 90.0, 100.0)) == [(order, 101.0, 1.0, False)]
    pit = pit_with(HIGH, FillMode.NEXT_CLOSE)
    order = pit.market(BUY, 1.0)
    assert fills(pit.bar(101.0, 105.0, 90.0, 102.0)) == [(order, 102.0, 1.0, False)]


def test_along_a_path_a_stop_beyond_the_open_fills_at_the_open() -> None:
    pit = pit_with(HIGH)
    order = pit.stop(BUY, 1.0, 100.5)
    assert fills(pit.bar(101.0, 105.0, 90.0, 100.0)) == [(order, 101.0, 1.0, False)]


@pytest.mark.parametrize(("path", "price"), [(HIGH, 110.0), (LOW, 90.0)])
def test_along_a_path_a_trailing_stop_follows_the_price_within_the_bar(path: IntrabarPath, price: float) -> None:
    """10 below the highest price so far: of 120 where the high comes first, of the open of 100 where the low does."""
    pit = pit_with(path)
    order = pit.trailing(SELL, 1.0, amount=10.0)
    assert fills(pit.bar(100.0, 120.0, 89.0, 100.0)) == [(order, price, 1.0, False)]


def test_along_a_path_what_an_entry_lets_in_is_met_by_the_rest_of_the_bar() -> None:
    """Down to the entry at 95, up to the profit at 105, then down to the close."""
    pit = pit_with(LOW)
    pit.desk.submit(inst=0, side=BUY, type=int(OrderType.LIMIT), size=1.0, limit_price=95.0, ref=1)
    pit.desk.submit(inst=0, side=SELL, type=int(OrderType.LIMIT), size=1.0, limit_price=105.0, parent=1)
    assert fills(pit.bar(100.0, 106.0, 94.0, 100.0)) == [(1, 95.0, 1.0, True), (2, 105.0, 1.0, True)]
    pit = pit_with(HIGH)
    pit.desk.submit(inst=0, side=BUY, type=int(OrderType.LIMIT), size=1.0, limit_price=95.0, ref=1)
    pit.desk.submit(inst=0, side=SELL, type=int(OrderType.LIMIT), size=1.0, limit_price=105.0, parent=1)
    assert fills(pit.bar(100.0, 106.0, 94.0, 100.0)) == [(1, 95.0, 1.0, True)], "the high was before the entry"
