"""The rules of docs/matching.md on trades, one test a rule, prices and sizes worked out by hand."""

import pytest

from tests.kernel.desks import BUY, SELL, Pit, cancels, fills, instrument
from traider.domain.vocabulary import Reason


@pytest.fixture
def pit() -> Pit:
    """The last trade was at 100; sizes go in thousandths; whoever sells short may."""
    return Pit(instrument(shortable=True), marks=[100.0])


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_market_order_fills_whole_at_the_next_trade_as_taker(pit: Pit, side: int) -> None:
    order = pit.market(side, 5.0)
    assert fills(pit.trade(101.0, size=0.1)) == [(order, 101.0, 5.0, False)]


@pytest.mark.parametrize(("side", "stop"), [(BUY, 105.0), (SELL, 95.0)])
def test_a_trade_at_the_stop_makes_it_a_market_order_for_the_next_trade(pit: Pit, side: int, stop: float) -> None:
    order = pit.stop(side, 2.0, stop)
    assert pit.trade(100.0) == []
    assert pit.trade(stop) == []
    assert fills(pit.trade(100.0, size=0.1)) == [(order, 100.0, 2.0, False)]


@pytest.mark.parametrize(("side", "limit"), [(BUY, 102.0), (BUY, 101.0), (SELL, 100.0), (SELL, 101.0)])
def test_a_limit_order_that_arrives_good_enough_takes_the_trade_at_its_price(pit: Pit, side: int, limit: float) -> None:
    order = pit.limit(side, 1.0, limit)
    assert fills(pit.trade(101.0, size=1.0)) == [(order, 101.0, 1.0, False)]


@pytest.mark.parametrize(("side", "limit", "through"), [(BUY, 95.0, 94.99), (SELL, 105.0, 105.01)])
def test_a_resting_limit_order_fills_at_its_limit_as_maker_when_a_trade_goes_through(
    pit: Pit, side: int, limit: float, through: float
) -> None:
    order = pit.limit(side, 1.0, limit)
    pit.trade(100.0)
    assert fills(pit.trade(through, size=1.0)) == [(order, limit, 1.0, True)]


@pytest.mark.parametrize(("side", "limit"), [(BUY, 95.0), (SELL, 105.0)])
def test_a_trade_at_the_limit_of_a_resting_order_is_not_enough(pit: Pit, side: int, limit: float) -> None:
    order = pit.limit(side, 1.0, limit)
    pit.trade(100.0)
    assert pit.trade(limit) == []
    assert pit.desk.is_open(order)


def test_a_limit_order_gets_no_more_than_the_size_of_the_trade(pit: Pit) -> None:
    order = pit.limit(BUY, 1.0, 101.0)
    assert fills(pit.trade(101.0, size=0.4)) == [(order, 101.0, 0.4, False)]
    assert pit.trade(101.0, size=0.4) == [], "what is left of it rests: a touch is not enough any more"
    assert fills(pit.trade(100.5, size=0.4)) == [(order, 101.0, 0.4, True)]
    assert fills(pit.trade(100.5, size=0.4)) == [(order, 101.0, 0.2, True)]
    assert not pit.desk.is_open(order)


def test_the_size_of_one_trade_is_given_once_first_come_first_served(pit: Pit) -> None:
    first, second, third = pit.limit(BUY, 0.3, 99.0), pit.limit(BUY, 0.3, 99.5), pit.limit(BUY, 0.3, 99.0)
    pit.trade(100.0)
    assert fills(pit.trade(98.0, size=0.5)) == [(first, 99.0, 0.3, True), (second, 99.5, 0.2, True)]
    assert fills(pit.trade(98.0, size=0.5)) == [(second, 99.5, 0.1, True), (third, 99.0, 0.3, True)]


def test_market_orders_use_up_nothing_of_a_trade(pit: Pit) -> None:
    market, limit = pit.market(BUY, 5.0), pit.limit(BUY, 1.0, 101.0)
    assert fills(pit.trade(101.0, size=1.0)) == [(market, 101.0, 5.0, False), (limit, 101.0, 1.0, False)]


def test_sizes_are_given_in_whole_increments(pit: Pit) -> None:
    order = pit.limit(BUY, 1.0, 101.0)
    assert fills(pit.trade(101.0, size=0.2349)) == [(order, 101.0, 0.234, False)]


def test_what_is_left_of_a_trade_loses_nothing_to_rounding() -> None:
    """0.3 - 0.1 is 0.19999999999999998 in floats, and 0.2 is there to be had."""
    pit = Pit(instrument(size="0.1"), marks=[100.0])
    first, second = pit.limit(BUY, 0.1, 101.0), pit.limit(BUY, 0.5, 101.0)
    assert fills(pit.trade(100.0, size=0.3)) == [(first, 100.0, 0.1, False), (second, 100.0, 0.2, False)]


def test_a_trade_smaller_than_an_increment_gives_nothing_and_an_arriving_order_rests(pit: Pit) -> None:
    order = pit.limit(BUY, 1.0, 101.0)
    assert pit.trade(100.0, size=0.0004) == []
    assert pit.trade(101.0, size=1.0) == []
    assert fills(pit.trade(100.0, size=1.0)) == [(order, 101.0, 1.0, True)]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_post_only_order_that_the_trade_would_meet_is_cancelled(pit: Pit, side: int) -> None:
    order = pit.limit(side, 1.0, 101.0, post_only=True)
    assert cancels(pit.trade(101.0)) == [(order, Reason.POST_ONLY)]


@pytest.mark.parametrize(("side", "limit", "through"), [(BUY, 95.0, 94.0), (SELL, 105.0, 106.0)])
def test_a_post_only_order_that_has_come_to_rest_fills_as_maker(pit: Pit, side: int, limit: float, through: float) -> None:
    order = pit.limit(side, 1.0, limit, post_only=True)
    assert pit.trade(100.0) == []
    assert fills(pit.trade(through)) == [(order, limit, 1.0, True)]


def test_of_an_immediate_or_cancel_order_what_the_trade_does_not_fill_is_cancelled(pit: Pit) -> None:
    order = pit.limit(BUY, 1.0, 101.0, ioc=True)
    executions = pit.trade(101.0, size=0.4)
    assert fills(executions) == [(order, 101.0, 0.4, False)]
    assert cancels(executions) == [(order, Reason.IOC_UNFILLED)]
    assert executions[-1].size == 0.6


def test_an_immediate_or_cancel_order_that_arrives_too_late_is_cancelled(pit: Pit) -> None:
    order = pit.limit(BUY, 1.0, 101.0, ioc=True)
    executions = pit.trade(101.01)
    assert cancels(executions) == [(order, Reason.IOC_UNFILLED)]
    assert fills(executions) == []


def test_on_trades_orders_are_matched_in_the_order_of_submission_whatever_their_type(pit: Pit) -> None:
    orders = [pit.limit(BUY, 0.5, 101.0), pit.market(BUY, 1.0), pit.limit(BUY, 0.5, 102.0)]
    assert [order for order, *_ in fills(pit.trade(101.0, size=1.0))] == orders


def test_an_order_that_is_cancelled_for_want_of_cash_leaves_the_trade_to_the_others() -> None:
    pit = Pit(cash=200.0, marks=[100.0])
    pit.hold(1.0, 100.0)
    spender = pit.market(BUY, 0.5)
    first, second = pit.limit(BUY, 0.4, 120.0), pit.limit(SELL, 1.0, 105.0)
    executions = pit.trade(119.0, size=1.0)
    assert fills(executions)[0] == (spender, 119.0, 0.5, False)
    assert cancels(executions) == [(first, Reason.INSUFFICIENT_BALANCE)]
    assert fills(executions)[1:] == [(second, 119.0, 1.0, False)]
