"""Rules of docs/matching.md on order types and on orders that hang together, worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from tests.kernel.desks import BUY, MINUTE_NS, SELL, Pit, cancels, fills, instrument
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import OrderType, Reason, TimeInForce
from traider.kernel.simulation import FillMode, Simulation

FOK, GTD = TimeInForce.FOK, TimeInForce.GTD
MARGIN = instrument(shortable=True)


def pit_at(price: float = 100.0, **more: object) -> Pit:
    """A market at this price; short sales are allowed."""
    return Pit(MARGIN, marks=[price], **more)  # type: ignore[arg-type]  # handed on


def pair(pit: Pit, first: tuple[int, OrderType, float], second: tuple[int, OrderType, float], size: float = 2.0) -> list[int]:
    """Two orders of which what one fills is taken from the other: side, type, price of each."""
    ids = []
    for side, type_, price in (first, second):
        prices: dict[str, Any] = {"limit_price": price} if type_ is OrderType.LIMIT else {"stop_price": price}
        order_id, reason = pit.desk.submit(inst=0, side=side, type=int(type_), size=size, oco=7, **prices)
        assert reason is Reason.NONE
        ids.append(order_id)
    return ids


def following(pit: Pit, parent: int, side: int, type_: OrderType, price: float, size: float, *, oco: int = 0) -> int:
    """An order that waits for the order with ref ``parent``."""
    prices: dict[str, Any] = {"limit_price": price} if type_ is OrderType.LIMIT else {"stop_price": price}
    order_id, reason = pit.desk.submit(inst=0, side=side, type=int(type_), size=size, parent=parent, oco=oco, **prices)
    assert reason is Reason.NONE
    return order_id


def entry(pit: Pit, side: int, size: float, limit: float) -> None:
    """A limit order with ref 1."""
    _, reason = pit.desk.submit(inst=0, side=side, type=int(OrderType.LIMIT), size=size, limit_price=limit, ref=1)
    assert reason is Reason.NONE


# --- fill or kill ----------------------------------------------------------------------------------------------------


def test_a_fill_or_kill_order_fills_whole_at_its_first_price_where_that_is_good_enough() -> None:
    pit = pit_at()
    order = pit.timed(BUY, 2.0, 101.0, FOK)
    assert fills(pit.bar(100.5, 102.0, 100.0, 101.0)) == [(order, 100.5, 2.0, False)]


def test_a_fill_or_kill_order_is_cancelled_where_its_first_price_is_worse() -> None:
    pit = pit_at()
    order = pit.timed(BUY, 2.0, 100.0, FOK)
    assert cancels(pit.bar(100.5, 102.0, 99.0, 101.0)) == [(order, Reason.FOK_UNFILLED)]


def test_a_fill_or_kill_order_for_more_than_is_on_offer_is_cancelled_whole() -> None:
    pit = pit_at()
    order = pit.timed(BUY, 2.0, 101.0, FOK)
    assert cancels(pit.trade(100.0, 1.999)) == [(order, Reason.FOK_UNFILLED)]
    order = pit.timed(BUY, 2.0, 101.0, FOK)
    assert fills(pit.trade(100.0, 2.0)) == [(order, 100.0, 2.0, False)]


# --- good till date --------------------------------------------------------------------------------------------------


def test_a_good_till_date_order_fills_up_to_its_time_and_is_cancelled_before_the_first_event_after_it() -> None:
    pit = pit_at()
    order = pit.timed(BUY, 1.0, 99.0, GTD, expire_ns=pit.now_ns + 2 * MINUTE_NS)
    assert pit.bar(100.0, 100.0, 99.0, 100.0) == []
    assert fills(pit.bar(100.0, 100.0, 98.0, 100.0)) == [(order, 99.0, 1.0, True)], "at the time itself it still is"
    order = pit.timed(BUY, 1.0, 99.0, GTD, expire_ns=pit.now_ns + MINUTE_NS)
    assert pit.bar(100.0, 100.0, 99.0, 100.0) == []
    assert cancels(pit.bar(100.0, 100.0, 90.0, 100.0)) == [(order, Reason.EXPIRED)]


# --- stop limit ------------------------------------------------------------------------------------------------------


def test_a_stop_limit_that_is_reached_fills_at_its_stop_where_the_limit_allows() -> None:
    pit = pit_at()
    order = pit.stop_limit(BUY, 1.0, 105.0, 106.0)
    assert pit.bar(100.0, 104.99, 99.0, 104.0) == []
    assert fills(pit.bar(104.0, 105.0, 104.0, 105.0)) == [(order, 105.0, 1.0, False)]


def test_a_stop_limit_that_the_market_jumped_over_rests_at_its_limit_from_the_open_on() -> None:
    pit = pit_at()
    order = pit.stop_limit(BUY, 1.0, 105.0, 106.0)
    assert pit.bar(107.0, 108.0, 106.0, 107.0) == []
    assert fills(pit.bar(107.0, 107.0, 105.9, 107.0)) == [(order, 106.0, 1.0, True)]


def test_a_stop_limit_whose_limit_is_behind_its_stop_rests_from_the_next_bar_on() -> None:
    pit = pit_at()
    order = pit.stop_limit(BUY, 1.0, 105.0, 104.0)
    assert pit.bar(100.0, 106.0, 99.0, 105.0) == [], "the bar was below 104, but perhaps before it reached 105"
    assert fills(pit.bar(105.0, 105.0, 103.0, 104.0)) == [(order, 104.0, 1.0, True)]


def test_on_trades_a_stop_limit_that_is_reached_arrives_as_a_limit_order_at_the_next_trade() -> None:
    pit = pit_at()
    order = pit.stop_limit(SELL, 1.0, 95.0, 94.0)
    assert pit.trade(95.0) == []
    assert fills(pit.trade(94.5)) == [(order, 94.5, 1.0, False)]


# --- trailing stop ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trail", [{"amount": 10.0}, {"fraction": 0.1}])
def test_a_trailing_stop_begins_at_its_distance_from_the_mark(trail: dict[str, Any]) -> None:
    pit = pit_at(100.0)
    pit.trailing(SELL, 1.0, **trail)
    assert pit.desk.open_orders()[0]["stop_price"] == 90.0


def test_a_trailing_stop_follows_the_best_price_and_never_moves_back() -> None:
    pit = pit_at(100.0)
    order = pit.trailing(SELL, 1.0, amount=10.0)
    assert pit.bar(100.0, 120.0, 95.0, 96.0) == []
    assert pit.desk.open_orders()[0]["stop_price"] == 110.0, "the high less 10"
    assert fills(pit.bar(112.0, 113.0, 109.0, 112.0)) == [(order, 110.0, 1.0, False)]


def test_a_trailing_stop_to_buy_follows_the_lowest_price() -> None:
    pit = pit_at(100.0)
    order = pit.trailing(BUY, 1.0, fraction=0.1)
    assert pit.bar(100.0, 105.0, 80.0, 85.0) == []
    assert pit.desk.open_orders()[0]["stop_price"] == 88.0, "the low and a tenth of it"
    assert fills(pit.bar(85.0, 88.0, 84.0, 88.0)) == [(order, 88.0, 1.0, False)]


def test_within_a_bar_a_trailing_stop_is_asked_before_it_moves() -> None:
    """The low may have come after the high, and then the stop would have stood higher: that is not assumed."""
    pit = pit_at(100.0)
    order = pit.trailing(SELL, 1.0, amount=10.0)
    assert pit.bar(100.0, 120.0, 90.01, 96.0) == []
    assert fills(pit.bar(96.0, 97.0, 95.0, 96.0)) == [(order, 96.0, 1.0, False)], "the open is beyond the stop at 110"


def test_on_trades_a_trailing_stop_follows_each_trade_and_goes_off_for_the_next() -> None:
    pit = pit_at(100.0)
    order = pit.trailing(SELL, 1.0, amount=10.0)
    assert pit.trade(108.0) == []
    assert pit.trade(98.01) == []
    assert pit.trade(98.0) == [], "it tells of the price, and is gone"
    assert fills(pit.trade(97.0)) == [(order, 97.0, 1.0, False)]


# --- one of two ------------------------------------------------------------------------------------------------------


def test_the_fill_of_one_of_a_pair_ends_the_other() -> None:
    pit = pit_at()
    target, stop = pair(pit, (SELL, OrderType.LIMIT, 110.0), (SELL, OrderType.STOP, 90.0))
    happened = pit.bar(100.0, 111.0, 99.0, 105.0)
    assert fills(happened) == [(target, 110.0, 2.0, True)]
    assert cancels(happened) == [(stop, Reason.OCO)]
    assert pit.desk.open_orders() == []


def test_where_one_bar_reaches_both_of_a_pair_the_stop_is_assumed_to_have_come_first() -> None:
    pit = pit_at()
    target, stop = pair(pit, (SELL, OrderType.LIMIT, 110.0), (SELL, OrderType.STOP, 90.0))
    happened = pit.bar(100.0, 111.0, 89.0, 105.0)
    assert fills(happened) == [(stop, 90.0, 2.0, False)]
    assert cancels(happened) == [(target, Reason.OCO)]


def test_a_part_of_one_of_a_pair_is_taken_from_the_other() -> None:
    pit = pit_at()
    target, stop = pair(pit, (SELL, OrderType.LIMIT, 110.0), (SELL, OrderType.STOP, 90.0))
    pit.trade(100.0)
    assert fills(pit.trade(111.0, 0.5)) == [(target, 110.0, 0.5, True)]
    assert pit.trade(90.0) == []
    happened = pit.trade(89.0)
    assert fills(happened) == [(stop, 89.0, 1.5, False)]
    assert cancels(happened) == [(target, Reason.OCO)]


def test_a_pair_counts_once_against_the_limits() -> None:
    pit = pit_at(limits=RiskLimits(max_position_size=Decimal(2)))
    pair(pit, (SELL, OrderType.LIMIT, 110.0), (SELL, OrderType.STOP, 90.0))
    assert pit.desk.positions[0]["open_sells"] == 2.0
    assert pit.ask(SELL, 0.001)[1] is Reason.POSITION_SIZE


def test_the_larger_of_a_pair_counts() -> None:
    pit = pit_at(limits=RiskLimits(max_position_size=Decimal(2)))
    pit.desk.submit(inst=0, side=SELL, type=int(OrderType.LIMIT), size=1.0, limit_price=110.0, oco=7)
    assert pit.desk.submit(inst=0, side=SELL, type=int(OrderType.STOP), size=2.001, stop_price=90.0, oco=7)[1] is Reason.POSITION_SIZE
    assert pit.desk.submit(inst=0, side=SELL, type=int(OrderType.STOP), size=2.0, stop_price=90.0, oco=7)[1] is Reason.NONE
    assert pit.desk.positions[0]["open_sells"] == 2.0


def test_taking_back_one_of_a_pair_leaves_the_other() -> None:
    pit = pit_at()
    target, stop = pair(pit, (SELL, OrderType.LIMIT, 110.0), (SELL, OrderType.STOP, 90.0))
    assert pit.desk.cancel(stop)
    assert [int(order["id"]) for order in pit.desk.open_orders()] == [target]


# --- one after another -----------------------------------------------------------------------------------------------


def test_an_order_that_follows_another_waits_until_that_is_filled() -> None:
    pit = pit_at()
    entry(pit, BUY, 1.0, 95.0)
    exit_ = following(pit, 1, SELL, OrderType.LIMIT, 105.0, 1.0)
    pit.bar(100.0, 110.0, 96.0, 100.0)
    assert fills(pit.bar(100.0, 110.0, 94.0, 100.0)) == [(1, 95.0, 1.0, True)], "what it lets in takes no profit in the same bar"
    assert fills(pit.bar(100.0, 106.0, 99.0, 100.0)) == [(exit_, 105.0, 1.0, True)]


def test_a_stop_that_the_bar_of_its_entry_reaches_is_assumed_to_have_come_after_it() -> None:
    pit = pit_at()
    entry(pit, BUY, 1.0, 95.0)
    stop = following(pit, 1, SELL, OrderType.STOP, 93.0, 1.0)
    assert fills(pit.bar(100.0, 101.0, 92.0, 100.0)) == [(1, 95.0, 1.0, True), (stop, 93.0, 1.0, False)]


def test_a_bracket_closes_what_its_entry_opened_by_one_side_or_the_other() -> None:
    pit = pit_at()
    entry(pit, BUY, 1.0, 95.0)
    target = following(pit, 1, SELL, OrderType.LIMIT, 105.0, 1.0, oco=9)
    stop = following(pit, 1, SELL, OrderType.STOP, 90.0, 1.0, oco=9)
    pit.bar(100.0, 101.0, 94.0, 100.0)
    happened = pit.bar(100.0, 106.0, 99.0, 100.0)
    assert fills(happened) == [(target, 105.0, 1.0, True)]
    assert cancels(happened) == [(stop, Reason.OCO)]
    assert pit.position() == 0.0


def test_what_follows_an_order_that_ends_without_a_fill_ends_too() -> None:
    pit = pit_at()
    _, _ = pit.desk.submit(inst=0, side=BUY, type=int(OrderType.LIMIT), size=1.0, limit_price=95.0, ref=1, tif=int(TimeInForce.IOC))
    child = following(pit, 1, SELL, OrderType.LIMIT, 105.0, 1.0)
    assert cancels(pit.bar(100.0, 100.0, 90.0, 100.0)) == [(1, Reason.IOC_UNFILLED), (child, Reason.PARENT_ENDED)]


def test_what_follows_an_order_that_ends_partly_filled_begins_for_that_part() -> None:
    pit = pit_at()
    entry(pit, BUY, 2.0, 95.0)
    following(pit, 1, SELL, OrderType.LIMIT, 105.0, 2.0)
    pit.trade(100.0)
    pit.trade(94.0, 0.5)
    assert pit.desk.cancel(1)
    pit.trade(100.0)
    assert [(float(order["size"]), float(order["limit_price"])) for order in pit.desk.open_orders()] == [(0.5, 105.0)]


def test_an_order_that_waits_counts_against_no_limit_and_is_asked_again_when_it_begins() -> None:
    pit = Pit(marks=[100.0])  # spot: nothing is held, so nothing may be sold
    entry(pit, BUY, 1.0, 95.0)
    child = following(pit, 1, SELL, OrderType.LIMIT, 105.0, 1.0)
    assert pit.desk.positions[0]["open_sells"] == 0.0
    assert fills(pit.bar(100.0, 101.0, 94.0, 100.0)) == [(1, 95.0, 1.0, True)]
    assert pit.desk.positions[0]["open_sells"] == 1.0
    assert fills(pit.bar(100.0, 106.0, 99.0, 100.0)) == [(child, 105.0, 1.0, True)]


def test_an_order_that_would_break_a_limit_when_it_begins_is_cancelled() -> None:
    pit = Pit(marks=[100.0])
    entry(pit, BUY, 1.0, 95.0)
    following(pit, 1, SELL, OrderType.LIMIT, 105.0, 2.0, oco=3)
    other = following(pit, 1, SELL, OrderType.LIMIT, 106.0, 1.0)
    happened = pit.bar(100.0, 101.0, 94.0, 100.0)
    assert cancels(happened) == [(other, Reason.INSUFFICIENT_BALANCE)], "the first takes all that was bought, cut to its size"
    assert [float(order["size"]) for order in pit.desk.open_orders()] == [1.0]


# --- amendments ------------------------------------------------------------------------------------------------------


def test_an_amended_price_arrives_anew() -> None:
    pit = pit_at()
    order = pit.limit(BUY, 1.0, 95.0)
    pit.bar(100.0, 100.0, 96.0, 100.0)
    assert pit.desk.amend(order, price=101.0) is Reason.NONE
    assert fills(pit.bar(100.0, 100.0, 100.0, 100.0)) == [(order, 100.0, 1.0, False)]


def test_an_amended_stop_moves_its_stop_price() -> None:
    pit = pit_at()
    order = pit.stop(BUY, 1.0, 105.0)
    assert pit.desk.amend(order, price=103.0) is Reason.NONE
    assert fills(pit.bar(100.0, 103.0, 100.0, 100.0)) == [(order, 103.0, 1.0, False)]


def test_an_amended_size_is_what_the_whole_order_has_then() -> None:
    pit = pit_at()
    order = pit.limit(BUY, 2.0, 95.0)
    pit.trade(100.0)
    pit.trade(94.0, 0.5)
    assert pit.desk.amend(order, size=1.0) is Reason.NONE
    assert fills(pit.trade(94.0, 5.0)) == [(order, 95.0, 0.5, True)]


def test_an_order_that_is_amended_to_what_it_has_filled_is_over() -> None:
    pit = pit_at()
    order = pit.limit(BUY, 2.0, 95.0)
    pit.trade(100.0)
    pit.trade(94.0, 0.5)
    assert pit.desk.amend(order, size=0.5) is Reason.NONE
    assert cancels(pit.desk.drain()) == [(order, Reason.REQUESTED)]


def test_an_amendment_that_a_limit_refuses_leaves_the_order_as_it_was() -> None:
    pit = pit_at(limits=RiskLimits(max_position_size=Decimal(2)))
    order = pit.limit(BUY, 1.0, 95.0)
    assert pit.desk.amend(order, size=2.001) is Reason.POSITION_SIZE
    assert pit.desk.amend(order, price=95.001) is Reason.PRICE_INCREMENT
    assert pit.desk.positions[0]["open_buys"] == 1.0
    assert pit.desk.amend(order, size=2.0) is Reason.NONE
    assert pit.desk.positions[0]["open_buys"] == 2.0


# --- how much a bar gives --------------------------------------------------------------------------------------------


def test_with_a_participation_limit_a_bar_gives_no_more_than_its_share_of_the_volume() -> None:
    pit = pit_at(simulation=Simulation(participation=0.1))
    first, second = pit.market(BUY, 2.0), pit.market(BUY, 2.0)
    assert fills(pit.bar(100.0, 101.0, 99.0, 100.0, volume=30.0)) == [(first, 100.0, 2.0, False), (second, 100.0, 1.0, False)]
    assert fills(pit.bar(101.0, 101.0, 99.0, 100.0, volume=30.0)) == [(second, 101.0, 1.0, False)], "the rest waits for the next bar"


def test_a_participation_limit_holds_for_limit_orders_and_stops_too() -> None:
    pit = pit_at(simulation=Simulation(participation=0.5))
    stop, limit = pit.stop(SELL, 1.0, 95.0), pit.limit(BUY, 2.0, 96.0)
    happened = pit.bar(100.0, 100.0, 95.0, 100.0, volume=3.0)
    assert fills(happened) == [(stop, 95.0, 1.0, False), (limit, 96.0, 0.5, True)]


# --- how what follows begins -----------------------------------------------------------------------------------------


def test_a_market_order_that_follows_another_takes_the_next_event() -> None:
    pit = pit_at()
    entry(pit, BUY, 1.0, 95.0)
    out = following(pit, 1, SELL, OrderType.MARKET, 0.0, 1.0)
    assert fills(pit.bar(100.0, 100.0, 94.0, 97.0)) == [(1, 95.0, 1.0, True)]
    assert fills(pit.bar(98.0, 99.0, 97.0, 98.0)) == [(out, 98.0, 1.0, False)]


def test_a_stop_that_its_entry_lets_in_on_the_wrong_side_goes_off_at_the_next_event() -> None:
    """A stop to sell at 97 below an entry at 100 that fills at 95: the market is beyond it already, and 97 was never to be had."""
    pit = pit_at()
    entry(pit, BUY, 1.0, 95.0)
    stop = following(pit, 1, SELL, OrderType.STOP, 97.0, 1.0)
    assert fills(pit.bar(100.0, 101.0, 94.0, 99.0)) == [(1, 95.0, 1.0, True)]
    assert fills(pit.bar(94.0, 95.0, 93.0, 94.0)) == [(stop, 94.0, 1.0, False)]


def test_a_limit_order_that_its_entry_lets_in_behind_the_market_takes_the_next_event() -> None:
    pit = pit_at()
    entry(pit, BUY, 1.0, 95.0)
    out = following(pit, 1, SELL, OrderType.LIMIT, 90.0, 1.0)
    assert fills(pit.bar(100.0, 101.0, 94.0, 99.0)) == [(1, 95.0, 1.0, True)]
    assert fills(pit.bar(98.0, 99.0, 97.0, 98.0)) == [(out, 98.0, 1.0, False)]


def test_an_immediate_or_cancel_order_that_follows_meets_the_next_event_and_no_other() -> None:
    pit = pit_at()
    entry(pit, BUY, 1.0, 95.0)
    more: dict[str, Any] = {"limit_price": 105.0, "parent": 1, "tif": int(TimeInForce.IOC)}
    out, _ = pit.desk.submit(inst=0, side=SELL, type=int(OrderType.LIMIT), size=1.0, **more)
    assert fills(pit.bar(100.0, 101.0, 94.0, 99.0)) == [(1, 95.0, 1.0, True)]
    assert cancels(pit.bar(98.0, 110.0, 97.0, 98.0)) == [(out, Reason.IOC_UNFILLED)]


def test_a_trailing_stop_that_follows_begins_at_its_distance_from_the_fill() -> None:
    pit = pit_at()
    entry(pit, BUY, 1.0, 95.0)
    pit.desk.submit(inst=0, side=SELL, type=int(OrderType.TRAILING_STOP), size=1.0, trail=2.0, trail_kind=1, parent=1)
    pit.bar(100.0, 130.0, 96.0, 100.0)
    pit.bar(100.0, 100.0, 94.0, 95.0)
    assert [float(order["stop_price"]) for order in pit.desk.open_orders()] == [93.0], "not 128, nor 98"


def test_what_follows_a_fill_at_a_close_is_reached_by_nothing_of_that_bar() -> None:
    pit = pit_at(fill=FillMode.NEXT_CLOSE)
    pit.desk.submit(inst=0, side=BUY, type=int(OrderType.MARKET), size=1.0, ref=1)
    stop = following(pit, 1, SELL, OrderType.STOP, 93.0, 1.0)
    assert fills(pit.bar(100.0, 101.0, 92.0, 100.0)) == [(1, 100.0, 1.0, False)]
    assert fills(pit.bar(100.0, 101.0, 92.0, 100.0)) == [(stop, 93.0, 1.0, False)]


def test_what_follows_an_order_that_was_refused_is_refused() -> None:
    pit = pit_at(limits=RiskLimits(max_position_size=Decimal(1)))
    more: dict[str, Any] = {"limit_price": 105.0, "parent": 1}
    assert pit.desk.submit(inst=0, side=BUY, type=int(OrderType.MARKET), size=2.0, ref=1)[1] is Reason.POSITION_SIZE
    assert pit.desk.submit(inst=0, side=SELL, type=int(OrderType.LIMIT), size=1.0, **more)[1] is Reason.PARENT_ENDED


def test_in_fill_mode_same_what_follows_begins_at_once_and_meets_the_next_event() -> None:
    pit = pit_at(fill=FillMode.SAME)
    pit.desk.submit(inst=0, side=BUY, type=int(OrderType.MARKET), size=1.0, ref=1)
    stop = following(pit, 1, SELL, OrderType.STOP, 95.0, 1.0)
    assert fills(pit.desk.drain()) == [(1, 100.0, 1.0, False)]
    assert fills(pit.bar(100.0, 101.0, 94.0, 100.0)) == [(stop, 95.0, 1.0, False)]


def test_the_fill_of_one_market_order_of_a_pair_ends_the_other_at_the_same_event() -> None:
    pit = pit_at()
    first, second = pair(pit, (BUY, OrderType.MARKET, 0.0), (BUY, OrderType.MARKET, 0.0))
    happened = pit.bar(100.0, 101.0, 99.0, 100.0)
    assert fills(happened) == [(first, 100.0, 2.0, False)]
    assert cancels(happened) == [(second, Reason.OCO)]


# --- more of amendments ----------------------------------------------------------------------------------------------


def test_what_is_left_after_an_amendment_is_in_whole_increments() -> None:
    """1.0 less the 0.7 that are filled is 0.30000000000000004 in floats."""
    pit = pit_at()
    order = pit.limit(BUY, 2.0, 95.0)
    pit.trade(100.0)
    pit.trade(94.0, 0.7)
    assert pit.desk.amend(order, size=1.0005) is Reason.SIZE_INCREMENT
    assert pit.desk.amend(order, size=1.0) is Reason.NONE
    assert fills(pit.trade(94.0, 5.0)) == [(order, 95.0, 0.3, True)]


def test_an_amendment_counts_into_the_order_rate_once() -> None:
    pit = pit_at(limits=RiskLimits(max_orders_per_minute=2))
    order = pit.limit(BUY, 1.0, 95.0)
    assert pit.desk.amend(order, size=2.0) is Reason.NONE
    assert pit.desk.amend(order, size=3.0) is Reason.ORDER_RATE
    assert pit.desk.open_orders()[0]["size"] == 2.0


def test_an_order_without_a_price_of_its_own_takes_none() -> None:
    pit = pit_at()
    order = pit.trailing(SELL, 1.0, amount=5.0)
    assert pit.desk.amend(order, price=97.0) is Reason.INVALID_ORDER
    assert pit.desk.amend(order, size=0.5) is Reason.NONE
    assert [(float(row["size"]), float(row["stop_price"])) for row in pit.desk.open_orders()] == [(0.5, 95.0)]


def test_a_time_in_force_of_its_own_is_not_replaced_by_a_date() -> None:
    pit = pit_at()
    later = pit.now_ns + MINUTE_NS
    assert pit.strategy(lambda ctx: ctx.good_till(ctx.buy_limit(1.0, 95.0), later))
    assert not pit.strategy(lambda ctx: ctx.good_till(ctx.buy_ioc(1.0, 95.0), later))
    assert not pit.strategy(lambda ctx: ctx.good_till(12345, later))
    happened = pit.bar(100.0, 100.0, 99.0, 100.0)
    assert [reason for _, reason in cancels(happened)] == [Reason.IOC_UNFILLED]
