"""Rules of docs/matching.md on order books, worked out by hand."""

import math

import pytest

from tests.kernel.desks import BUY, SELL, Pit, cancels, fills, instrument
from traider.domain.vocabulary import Reason, TimeInForce
from traider.kernel import layout
from traider.kernel.simulation import QueueModel, Simulation

BIDS = [(100.0, 5.0), (99.0, 4.0), (98.0, 9.0)]
ASKS = [(101.0, 1.0), (102.0, 2.0), (104.0, 8.0)]


def pit(simulation: Simulation | None = None, **more: object) -> Pit:
    market = Pit(instrument(shortable=True), simulation=simulation, **more)  # type: ignore[arg-type]  # handed on
    market.book(BIDS, ASKS)
    return market


def ahead(market: Pit) -> float:
    """What stands before the first open order."""
    return float(market.desk.open_orders()[0]["queue"])


# --- what arrives ----------------------------------------------------------------------------------------------------


def test_a_market_order_takes_the_levels_of_the_other_side_best_first_the_moment_it_is_sent() -> None:
    market = pit()
    order = market.market(BUY, 2.5)
    assert fills(market.desk.drain()) == [(order, 101.0, 1.0, False), (order, 102.0, 1.5, False)]


def test_what_the_book_does_not_hold_of_a_market_order_is_cancelled() -> None:
    market = pit()
    order = market.market(BUY, 12.0)
    happened = market.desk.drain()
    assert sum(size for _, _, size, _ in fills(happened)) == 11.0
    assert cancels(happened) == [(order, Reason.NO_LIQUIDITY)]


def test_what_is_taken_is_still_there_for_the_next_order() -> None:
    market = pit()
    first, second = market.market(BUY, 1.0), market.market(BUY, 1.0)
    assert fills(market.desk.drain()) == [(first, 101.0, 1.0, False), (second, 101.0, 1.0, False)]


def test_a_limit_order_takes_down_to_its_limit_and_rests_with_what_is_left() -> None:
    market = pit()
    order = market.limit(BUY, 5.0, 102.0)
    assert fills(market.desk.drain()) == [(order, 101.0, 1.0, False), (order, 102.0, 2.0, False)]
    assert [(float(row["size"] - row["filled"]), float(row["queue"])) for row in market.desk.open_orders()] == [(2.0, 0.0)]


def test_a_post_only_order_that_the_book_would_meet_is_cancelled() -> None:
    market = pit()
    order = market.limit(BUY, 1.0, 101.0, post_only=True)
    assert cancels(market.desk.drain()) == [(order, Reason.POST_ONLY)]
    market.limit(BUY, 1.0, 100.99, post_only=True)
    assert market.desk.drain() == []


def test_an_immediate_or_cancel_order_takes_what_the_book_has_for_it() -> None:
    market = pit()
    order = market.timed(SELL, 7.0, 100.0, TimeInForce.IOC)
    happened = market.desk.drain()
    assert fills(happened) == [(order, 100.0, 5.0, False)]
    assert cancels(happened) == [(order, Reason.IOC_UNFILLED)]


def test_a_fill_or_kill_order_is_filled_whole_or_cancelled_by_what_the_book_holds() -> None:
    market = pit()
    killed, filled = market.timed(SELL, 9.001, 99.0, TimeInForce.FOK), market.timed(SELL, 9.0, 99.0, TimeInForce.FOK)
    happened = market.desk.drain()
    assert cancels(happened) == [(killed, Reason.FOK_UNFILLED)]
    assert fills(happened) == [(filled, 100.0, 5.0, False), (filled, 99.0, 4.0, False)]


# --- what rests ------------------------------------------------------------------------------------------------------


def test_a_resting_order_stands_behind_all_that_its_level_holds_when_it_arrives() -> None:
    market = pit()
    market.limit(BUY, 1.0, 99.0)
    assert ahead(market) == 4.0


def test_trades_at_its_level_bring_it_to_the_front_and_the_one_that_goes_beyond_fills_it_whole() -> None:
    market = pit()
    order = market.limit(BUY, 3.0, 100.0)
    assert market.trade(100.0, 3.0, side=SELL) == []
    assert market.trade(100.0, 2.0, side=SELL) == [], "all that stood before it is gone, and nothing was left for it"
    assert fills(market.trade(100.0, 0.001, side=SELL)) == [(order, 100.0, 3.0, True)]


def test_with_partial_fills_it_gets_what_the_trade_has_beyond_those_before_it() -> None:
    market = pit(Simulation(partial_fills=True))
    order = market.limit(BUY, 3.0, 100.0)
    assert fills(market.trade(100.0, 6.0, side=SELL)) == [(order, 100.0, 1.0, True)]
    assert fills(market.trade(100.0, 1.5, side=SELL)) == [(order, 100.0, 1.5, True)]


def test_a_trade_by_the_other_side_reaches_nothing() -> None:
    market = pit()
    market.limit(BUY, 1.0, 100.0)
    assert market.trade(100.0, 50.0, side=BUY) == []


def test_a_trade_whose_taker_is_not_known_reaches_both_sides() -> None:
    market = pit()
    buy, sell = market.limit(BUY, 1.0, 100.0), market.limit(SELL, 1.0, 101.0)
    assert fills(market.trade(100.0, 6.0)) == [(buy, 100.0, 1.0, True)]
    assert fills(market.trade(101.0, 6.0)) == [(sell, 101.0, 1.0, True)]


def test_a_trade_beyond_its_price_fills_it_whole() -> None:
    market = pit()
    order = market.limit(BUY, 3.0, 100.0)
    assert fills(market.trade(99.99, 0.001, side=SELL)) == [(order, 100.0, 3.0, True)]


def test_with_partial_fills_a_trade_beyond_its_price_gives_its_size_once() -> None:
    market = pit(Simulation(partial_fills=True))
    first, second = market.limit(BUY, 1.0, 100.0), market.limit(BUY, 1.0, 100.0)
    assert fills(market.trade(99.0, 1.5, side=SELL)) == [(first, 100.0, 1.0, True), (second, 100.0, 0.5, True)]


@pytest.mark.parametrize(("side", "limit", "level"), [(BUY, 100.0, (SELL, 100.0, 2.0)), (SELL, 101.0, (BUY, 101.5, 2.0))])
def test_a_level_of_the_other_side_at_its_price_or_beyond_fills_it_whole_at_its_price(
    side: int, limit: float, level: tuple[int, float, float]
) -> None:
    market = pit()
    order = market.limit(side, 3.0, limit)
    assert fills(market.level(*level, end=False)) == [(order, limit, 3.0, True)]


def test_risk_averse_a_level_that_shrinks_moves_it_up_only_when_less_is_left_than_stands_before_it() -> None:
    market = pit()
    market.limit(BUY, 1.0, 100.0)
    market.level(BUY, 100.0, 20.0)
    market.level(BUY, 100.0, 6.0)
    assert ahead(market) == 5.0, "what came later may be what was cancelled"
    market.level(BUY, 100.0, 2.0)
    assert ahead(market) == 2.0


def test_with_the_power_model_a_cancellation_is_shared_by_powers_of_what_is_before_and_behind() -> None:
    market = pit(Simulation(queue=QueueModel.POWER, queue_power=2.0))
    market.limit(BUY, 1.0, 100.0)
    market.level(BUY, 100.0, 15.0)  # 5 before it, 10 behind
    market.level(BUY, 100.0, 12.0)  # 3 are cancelled, behind it with probability 100 / (100 + 25)
    assert ahead(market) == pytest.approx(5.0 - 0.2 * 3.0, rel=1e-15)


def test_with_the_log_model_a_cancellation_is_shared_by_logarithms() -> None:
    market = pit(Simulation(queue=QueueModel.LOG))
    market.limit(BUY, 1.0, 100.0)
    market.level(BUY, 100.0, 15.0)
    market.level(BUY, 100.0, 12.0)
    behind = math.log(11.0) / (math.log(11.0) + math.log(6.0))
    assert ahead(market) == pytest.approx(5.0 - (1.0 - behind) * 3.0, rel=1e-15)


def test_what_was_traded_at_a_level_is_not_taken_for_cancelled_as_well() -> None:
    market = pit(Simulation(queue=QueueModel.POWER, queue_power=2.0))
    market.limit(BUY, 1.0, 100.0)
    market.level(BUY, 100.0, 15.0)
    market.trade(100.0, 3.0, side=SELL)
    assert ahead(market) == 2.0
    market.level(BUY, 100.0, 12.0)
    assert ahead(market) == 2.0, "the three that are missing are those that were traded"


def test_an_order_that_becomes_smaller_keeps_its_place_and_any_other_change_loses_it() -> None:
    market = pit()
    order = market.limit(BUY, 2.0, 100.0)
    market.trade(100.0, 3.0, side=SELL)
    assert market.desk.amend(order, size=1.0) is Reason.NONE
    assert ahead(market) == 2.0
    assert market.desk.amend(order, size=1.5) is Reason.NONE
    assert ahead(market) == 5.0, "the book still tells 5"


# --- stops -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "stop", "trade"), [(BUY, 101.5, 101.5), (SELL, 99.5, 99.5)])
def test_on_a_book_a_stop_goes_off_at_a_trade_at_its_price_and_takes_from_the_book(side: int, stop: float, trade: float) -> None:
    market = pit()
    order = market.stop(side, 1.0, stop)
    touch = 101.0 if side == BUY else 100.0
    assert fills(market.trade(trade, 0.001, side=side)) == [(order, touch, 1.0, False)]


def test_on_a_book_a_stop_goes_off_when_the_best_price_behind_it_has_come_to_it() -> None:
    market = pit()
    order = market.stop(BUY, 1.0, 103.0)
    market.level(SELL, 101.0, 0.0, end=False)
    market.level(SELL, 102.0, 0.0, end=False)
    assert fills(market.level(BUY, 103.0, 1.0)) == [(order, 104.0, 1.0, False)]


def test_on_a_book_a_trailing_stop_follows_the_best_bid() -> None:
    market = pit()
    order = market.trailing(SELL, 1.0, amount=2.0)
    assert float(market.desk.open_orders()[0]["stop_price"]) == 98.5, "2 below the mid"
    market.level(SELL, 101.0, 0.0, end=False)
    market.level(BUY, 101.0, 1.0)
    assert float(market.desk.open_orders()[0]["stop_price"]) == 99.0
    assert fills(market.trade(99.0, 1.0, side=SELL)) == [(order, 101.0, 1.0, False)]


# --- what is seen ----------------------------------------------------------------------------------------------------


def test_a_position_is_marked_at_the_mid_when_the_books_message_is_complete() -> None:
    market = pit()
    mark = market.desk.positions[0]
    assert float(mark["mark_price"]) == 100.5
    market.level(BUY, 100.5, 1.0, end=False)
    assert float(mark["mark_price"]) == 100.5
    market.trade(100.9, 1.0)
    assert float(mark["mark_price"]) == 100.5, "trades mark nothing where there is a book"
    market.level(BUY, 100.6, 1.0)
    assert float(mark["mark_price"]) == 100.8
    assert (float(mark["bid"]), float(mark["ask"])) == (100.6, 101.0)


def test_a_snapshot_replaces_the_book() -> None:
    market = pit()
    market.book([(90.0, 1.0)], [(110.0, 1.0)])
    assert (float(market.desk.positions[0]["bid"]), float(market.desk.positions[0]["ask"])) == (90.0, 110.0)


def test_before_the_first_whole_book_nothing_is_traded() -> None:
    market = Pit(instrument(shortable=True))
    market.book(BIDS, [])
    assert market.ask(BUY, 1.0)[1] is Reason.NO_MARKET_DATA
    market.trade(100.0)
    assert market.ask(BUY, 1.0)[1] is Reason.NO_MARKET_DATA
    market.level(SELL, 101.0, 1.0)
    assert market.ask(BUY, 1.0)[1] is Reason.NONE


def test_a_book_that_has_lost_a_side_keeps_its_mark_and_gives_nothing_there() -> None:
    market = pit()
    for price, _ in ASKS:
        market.level(SELL, price, 0.0)
    assert float(market.desk.positions[0]["mark_price"]) == 102.0, "of 100 and 104, the last that there were"
    order = market.market(BUY, 1.0)
    resting = market.limit(BUY, 1.0, 103.0)
    assert cancels(market.desk.drain()) == [(order, Reason.NO_LIQUIDITY)]
    assert [int(row["id"]) for row in market.desk.open_orders()] == [resting]


def test_with_partial_fills_own_orders_at_a_level_share_what_goes_beyond() -> None:
    """5 stand before both; a trade of 6.5 leaves 1.5, of which the first takes 1."""
    market = pit(Simulation(partial_fills=True))
    first, second = market.limit(BUY, 1.0, 100.0), market.limit(BUY, 1.0, 100.0)
    assert fills(market.trade(100.0, 6.5, side=SELL)) == [(first, 100.0, 1.0, True), (second, 100.0, 0.5, True)]


def test_a_bracket_on_a_book_closes_what_its_entry_took_at_once() -> None:
    market = pit()
    market.strategy(lambda ctx: ctx.protect(ctx.buy(1.0), 103.0, 99.5))
    assert [(one.side, one.price) for one in market.desk.drain() if one.kind == "fill"] == [(BUY, 101.0)]
    assert sorted((int(row["type"]), float(row["size"])) for row in market.desk.open_orders()) == [(1, 1.0), (2, 1.0)]
    happened = market.trade(99.5, 0.1, side=SELL)
    assert [(side, price) for _, price, _, side in [(x.order_id, x.price, x.size, x.side) for x in happened if x.kind == "fill"]] == [
        (SELL, 100.0)
    ]
    assert [reason for _, reason in cancels(happened)] == [Reason.OCO]


def test_an_order_takes_no_more_levels_than_can_be_told() -> None:
    """Each level is a fill of its own, and the log of one event has room for some two thousand."""
    market = pit()
    market.book([(1.0, 1.0)], [(100.0 + n / 100, 0.001) for n in range(3000)])
    order = market.market(BUY, 3.0)
    happened = market.desk.drain()
    assert cancels(happened) == [(order, Reason.NO_LIQUIDITY)]
    assert len(fills(happened)) == layout.TAKEN_UNTIL
    assert market.position() == layout.TAKEN_UNTIL / 1000
