"""Rules of docs/matching.md on slippage, worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.desks import BUY, SELL, Pit, fills, instrument
from traider.domain.errors import SettingsError
from traider.kernel import slippage
from traider.kernel.desk import Desk
from traider.kernel.simulation import FillMode, Simulation, Slippage, SlippageKind

TICKS, FRACTION, SHARE = SlippageKind.TICKS, SlippageKind.FRACTION, SlippageKind.VOLUME_SHARE


def pit(kind: SlippageKind, value: float, **more: object) -> Pit:
    return Pit(instrument(shortable=True), marks=[100.0], simulation=Simulation(slippage=Slippage(kind, value)), **more)  # type: ignore[arg-type]  # handed on


@pytest.mark.parametrize(("side", "price"), [(BUY, 100.03), (SELL, 99.97)])
def test_ticks_are_so_many_price_increments_to_the_worse(side: int, price: float) -> None:
    market = pit(TICKS, 3)
    order = market.market(side, 1.0)
    assert fills(market.bar(100.0, 101.0, 99.0, 100.0)) == [(order, price, 1.0, False)]


@pytest.mark.parametrize(("side", "price"), [(BUY, 100.14), (SELL, 99.96)])
def test_a_fraction_is_of_the_price_and_rounded_to_the_worse_increment(side: int, price: float) -> None:
    """0.0008 of 100.05 is 0.08004, so a buy is at 100.13004 and a sale at 99.96996 before the rounding."""
    market = pit(FRACTION, 0.0008)
    order = market.market(side, 1.0)
    assert fills(market.trade(100.05)) == [(order, price, 1.0, False)]


def test_a_volume_share_is_the_square_of_the_orders_share_of_the_volume() -> None:
    """A quarter of the bar: 0.1 x 0.25 x 0.25 of 100 is 0.625; the whole of it and more: a tenth."""
    market = pit(SHARE, 0.1)
    quarter = market.market(BUY, 1.0)
    assert fills(market.bar(100.0, 101.0, 99.0, 100.0, volume=4.0)) == [(quarter, 100.63, 1.0, False)]
    whole = market.market(SELL, 5.0)
    assert fills(market.bar(100.0, 101.0, 99.0, 100.0, volume=4.0)) == [(whole, 90.0, 5.0, False)]


def test_slippage_makes_no_price_worse_than_the_limit() -> None:
    market = pit(TICKS, 10)
    order = market.limit(BUY, 1.0, 100.04)
    assert fills(market.bar(100.0, 101.0, 99.0, 100.0)) == [(order, 100.04, 1.0, False)]


def test_a_maker_gets_its_limit_whatever_the_slippage() -> None:
    market = pit(TICKS, 10)
    order = market.limit(BUY, 1.0, 99.0)
    assert fills(market.bar(100.0, 101.0, 98.0, 100.0)) == [(order, 99.0, 1.0, True)]


def test_a_stop_slips_from_the_price_at_which_it_goes_off() -> None:
    market = pit(TICKS, 2)
    order = market.stop(SELL, 1.0, 95.0)
    assert fills(market.bar(100.0, 100.0, 94.0, 95.0)) == [(order, 94.98, 1.0, False)]


def test_in_fill_mode_same_the_price_slips_too() -> None:
    market = pit(TICKS, 2, fill=FillMode.SAME)
    order = market.market(BUY, 1.0)
    assert fills(market.desk.drain()) == [(order, 100.02, 1.0, False)]


def test_on_a_book_each_level_slips_and_no_further_than_the_limit() -> None:
    market = Pit(instrument(shortable=True), simulation=Simulation(slippage=Slippage(TICKS, 3)))
    market.book([(99.0, 5.0)], [(101.0, 1.0), (102.0, 2.0)])
    order = market.limit(BUY, 3.0, 102.01)
    assert fills(market.desk.drain()) == [(order, 101.03, 1.0, False), (order, 102.01, 2.0, False)]


def test_a_price_does_not_slip_below_one_increment() -> None:
    market = pit(FRACTION, 2.0)
    order = market.market(SELL, 1.0)
    assert fills(market.trade(100.0)) == [(order, 0.01, 1.0, False)]


@given(st.integers(1000, 10_000_000), st.integers(0, 50), st.sampled_from([BUY, SELL]))
def test_so_many_ticks_are_exactly_so_many_at_every_price(ticks: int, away: int, side: int) -> None:
    """What floats make of 61660.1 + 3 x 0.1 is not taken for a fraction of an increment."""
    desk = Desk([instrument(price="0.1")], cash=1.0, simulation=Simulation(slippage=Slippage(TICKS, away)))
    assert slippage.slipped(desk.record, 0, side, ticks / 10, 1.0, 1.0) == (ticks + side * away) / 10


def test_a_slippage_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="slippage is -1; give a number of at least 0"):
        Slippage(TICKS, -1)
