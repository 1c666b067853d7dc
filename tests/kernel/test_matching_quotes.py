"""Rules of docs/matching.md on quotes, worked out by hand."""

import math

import pytest

from tests.kernel.desks import BUY, SELL, Pit, cancels, fills, instrument
from traider.domain.vocabulary import Reason, TimeInForce
from traider.kernel.simulation import FillMode


def pit() -> Pit:
    found = Pit(instrument(shortable=True))
    found.quote(99.0, 101.0)
    return found


def test_a_position_is_marked_at_the_middle_of_the_quote() -> None:
    market = pit()
    assert float(market.desk.positions[0]["mark_price"]) == 100.0


@pytest.mark.parametrize(("side", "price"), [(BUY, 102.0), (SELL, 98.0)])
def test_a_market_order_fills_whole_at_the_next_quotes_other_side(side: int, price: float) -> None:
    market = pit()
    order = market.market(side, 5.0)
    assert fills(market.quote(98.0, 102.0)) == [(order, price, 5.0, False)]


def test_a_limit_order_that_arrives_good_enough_takes_what_the_quote_shows_and_the_rest_rests() -> None:
    market = pit()
    order = market.limit(BUY, 3.0, 101.0)
    assert fills(market.quote(99.0, 100.5, ask_size=1.0)) == [(order, 100.5, 1.0, False)]
    assert market.quote(99.0, 101.5) == []
    assert fills(market.quote(99.0, 101.0)) == [(order, 101.0, 2.0, True)]


def test_a_resting_limit_order_fills_whole_as_maker_when_the_other_side_comes_to_its_limit() -> None:
    market = pit()
    order = market.limit(SELL, 3.0, 103.0)
    assert market.quote(102.9, 104.0) == []
    assert fills(market.quote(103.0, 104.0, bid_size=0.5)) == [(order, 103.0, 3.0, True)]


def test_a_post_only_order_that_the_quote_would_meet_is_cancelled() -> None:
    market = pit()
    order = market.limit(BUY, 1.0, 101.0, post_only=True)
    assert cancels(market.quote(99.0, 101.0)) == [(order, Reason.POST_ONLY)]


def test_of_immediate_or_cancel_and_fill_or_kill_the_quotes_size_decides() -> None:
    market = pit()
    ioc = market.timed(BUY, 2.0, 101.0, TimeInForce.IOC)
    fok = market.timed(BUY, 2.0, 101.0, TimeInForce.FOK)
    happened = market.quote(99.0, 101.0, ask_size=1.5)
    assert fills(happened) == [(ioc, 101.0, 1.5, False)]
    assert cancels(happened) == [(ioc, Reason.IOC_UNFILLED), (fok, Reason.FOK_UNFILLED)]


@pytest.mark.parametrize(("side", "stop", "quote", "price"), [(BUY, 105.0, (104.0, 105.0), 105.0), (SELL, 95.0, (95.0, 96.0), 95.0)])
def test_a_stop_goes_off_when_the_side_that_it_would_take_reaches_it_and_takes_it(
    side: int, stop: float, quote: tuple[float, float], price: float
) -> None:
    market = pit()
    order = market.stop(side, 1.0, stop)
    assert market.quote(99.0, 101.0) == []
    assert fills(market.quote(*quote)) == [(order, price, 1.0, False)]


def test_a_trade_between_quotes_reaches_what_rests_and_no_market_order() -> None:
    market = pit()
    resting = market.limit(BUY, 1.0, 98.0)
    market.quote(99.0, 101.0)
    order = market.market(BUY, 1.0)
    assert fills(market.trade(97.5)) == [(resting, 98.0, 1.0, True)]
    assert fills(market.quote(97.0, 99.0)) == [(order, 99.0, 1.0, False)]


@pytest.mark.parametrize("missing", [0.0, math.nan])
def test_where_a_quote_has_one_side_only_orders_for_the_other_wait_and_the_mark_stays(missing: float) -> None:
    market = pit()
    buy, sell = market.market(BUY, 1.0), market.market(SELL, 1.0)
    stop = market.stop(SELL, 1.0, 90.0)
    assert fills(market.quote(98.0, missing)) == [(sell, 98.0, 1.0, False)]
    assert (float(market.desk.positions[0]["mark_price"]), float(market.desk.positions[0]["ask"])) == (100.0, 0.0)
    assert fills(market.quote(missing, 102.0)) == [(buy, 102.0, 1.0, False)]
    assert [int(order["id"]) for order in market.desk.open_orders()] == [stop]


@pytest.mark.parametrize(("side", "price"), [(BUY, 101.0), (SELL, 99.0)])
def test_on_quotes_fill_mode_same_takes_the_other_side_and_not_the_middle(side: int, price: float) -> None:
    market = Pit(instrument(shortable=True), fill=FillMode.SAME)
    market.quote(99.0, 101.0)
    order = market.market(side, 1.0)
    assert fills(market.desk.drain()) == [(order, price, 1.0, False)]


@pytest.mark.parametrize(("side", "stop"), [(BUY, 106.0), (SELL, 94.0)])
def test_on_quotes_a_trailing_stop_follows_the_side_that_it_would_take(side: int, stop: float) -> None:
    """It begins at 10 from the middle; a buy follows the ask of 96, a sale the bid of 104, and neither goes back."""
    market = pit()
    market.trailing(side, 1.0, amount=10.0)
    market.quote(94.0, 96.0) if side == BUY else market.quote(104.0, 106.0)
    market.quote(99.0, 101.0)
    assert [float(order["stop_price"]) for order in market.desk.open_orders()] == [stop]
