"""The rules of docs/matching.md on bars, one test a rule, prices worked out by hand."""

import pytest

from tests.kernel.desks import BUY, SELL, Pit, cancels, fills, instrument
from traider.domain.vocabulary import OrderType, Reason
from traider.kernel import entry
from traider.kernel.simulation import Fees, FillMode


@pytest.fixture
def pit() -> Pit:
    """The last trade was at 100; whoever sells short may."""
    return Pit(instrument(shortable=True), marks=[100.0])


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_market_order_fills_at_the_next_open_as_taker(pit: Pit, side: int) -> None:
    order = pit.market(side, 2.0)
    assert fills(pit.bar(101.0, 110.0, 90.0, 105.0)) == [(order, 101.0, 2.0, False)]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_with_fill_mode_next_close_a_market_order_fills_at_the_next_close(side: int) -> None:
    pit = Pit(instrument(shortable=True), fill=FillMode.NEXT_CLOSE, marks=[100.0])
    order = pit.market(side, 2.0)
    assert fills(pit.bar(101.0, 110.0, 90.0, 105.0)) == [(order, 105.0, 2.0, False)]


def test_fill_mode_next_close_concerns_market_orders_only() -> None:
    pit = Pit(instrument(shortable=True), fill=FillMode.NEXT_CLOSE, marks=[100.0])
    stop, marketable, resting = pit.stop(SELL, 1.0, 95.0), pit.limit(BUY, 1.0, 102.0), pit.limit(BUY, 1.0, 98.0)
    executions = pit.bar(101.0, 110.0, 90.0, 105.0)
    assert fills(executions) == [(stop, 95.0, 1.0, False), (marketable, 101.0, 1.0, False), (resting, 98.0, 1.0, True)]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_with_fill_mode_same_a_market_order_fills_at_the_price_that_it_was_decided_on(side: int) -> None:
    pit = Pit(instrument(shortable=True), fill=FillMode.SAME, marks=[100.0])
    pit.bar(101.0, 110.0, 90.0, 105.0)
    for type_, limit_price, stop_price in (
        (OrderType.MARKET, 0.0, 0.0),
        (OrderType.LIMIT, 106.0 if side == BUY else 104.0, 0.0),
        (OrderType.STOP, 0.0, 104.0 if side == BUY else 106.0),
    ):
        entry.request(pit.desk.address, 0, side, int(type_), 0, 0, 2.0, limit_price, stop_price)
    entry.settle_requests(pit.desk.address)
    assert fills(pit.desk.drain()) == [(1, 105.0, 2.0, False)], "limit and stop orders wait for the next bar as ever"
    assert [order for order, *_ in fills(pit.bar(105.0, 105.0, 105.0, 105.0))] == [3, 2]


@pytest.mark.parametrize(("side", "stop", "reached"), [(BUY, 110.0, (100.0, 110.0, 99.0)), (SELL, 90.0, (100.0, 101.0, 90.0))])
def test_a_stop_fills_at_its_price_when_the_bar_reaches_it(pit: Pit, side: int, stop: float, reached: tuple[float, float, float]) -> None:
    order = pit.stop(side, 1.0, stop)
    assert fills(pit.bar(*reached, 100.0)) == [(order, stop, 1.0, False)]


@pytest.mark.parametrize(("side", "stop"), [(BUY, 110.0), (SELL, 90.0)])
def test_a_stop_that_the_bar_does_not_reach_waits(pit: Pit, side: int, stop: float) -> None:
    order = pit.stop(side, 1.0, stop)
    assert pit.bar(100.0, 109.99, 90.01, 100.0) == []
    assert pit.desk.is_open(order)


@pytest.mark.parametrize(("side", "stop", "bar"), [(BUY, 110.0, (115.0, 120.0, 112.0, 118.0)), (SELL, 90.0, (85.0, 88.0, 80.0, 84.0))])
def test_a_stop_that_the_market_jumped_over_fills_at_the_open(
    pit: Pit, side: int, stop: float, bar: tuple[float, float, float, float]
) -> None:
    order = pit.stop(side, 1.0, stop)
    assert fills(pit.bar(*bar)) == [(order, bar[0], 1.0, False)]


@pytest.mark.parametrize(("side", "stop"), [(BUY, 100.0), (SELL, 110.0)])
def test_a_stop_on_the_wrong_side_of_the_market_fills_at_the_open(pit: Pit, side: int, stop: float) -> None:
    """It is reached before it arrives, and no price in between was ever on offer."""
    order = pit.stop(side, 1.0, stop)
    assert fills(pit.bar(105.0, 106.0, 104.0, 105.0)) == [(order, 105.0, 1.0, False)]


@pytest.mark.parametrize(("side", "limit", "open_"), [(BUY, 102.0, 101.0), (BUY, 101.0, 101.0), (SELL, 98.0, 101.0), (SELL, 101.0, 101.0)])
def test_a_limit_order_that_arrives_at_the_limit_or_better_fills_at_the_open_as_taker(
    pit: Pit, side: int, limit: float, open_: float
) -> None:
    order = pit.limit(side, 1.0, limit)
    assert fills(pit.bar(open_, 110.0, 90.0, 105.0)) == [(order, open_, 1.0, False)]


@pytest.mark.parametrize(("side", "limit"), [(BUY, 95.0), (SELL, 105.0)])
def test_a_resting_limit_order_fills_at_its_limit_as_maker_when_the_bar_trades_through(pit: Pit, side: int, limit: float) -> None:
    order = pit.limit(side, 1.0, limit)
    assert pit.bar(100.0, 101.0, 99.0, 100.0) == []
    assert fills(pit.bar(100.0, 105.01, 94.99, 100.0)) == [(order, limit, 1.0, True)]


@pytest.mark.parametrize(("side", "limit"), [(BUY, 95.0), (SELL, 105.0)])
def test_a_limit_order_can_rest_and_fill_within_its_first_bar(pit: Pit, side: int, limit: float) -> None:
    order = pit.limit(side, 1.0, limit)
    assert fills(pit.bar(100.0, 106.0, 94.0, 100.0)) == [(order, limit, 1.0, True)]


@pytest.mark.parametrize(("side", "limit"), [(BUY, 95.0), (SELL, 105.0)])
def test_a_touch_of_the_limit_is_not_enough(pit: Pit, side: int, limit: float) -> None:
    order = pit.limit(side, 1.0, limit)
    assert pit.bar(100.0, 105.0, 95.0, 100.0) == []
    assert pit.bar(100.0, 105.0, 95.0, 100.0) == []
    assert pit.desk.is_open(order)


@pytest.mark.parametrize(("side", "limit", "open_"), [(BUY, 95.0, 90.0), (SELL, 105.0, 110.0)])
def test_a_resting_limit_order_gets_no_better_price_from_a_gap(pit: Pit, side: int, limit: float, open_: float) -> None:
    order = pit.limit(side, 1.0, limit)
    pit.bar(100.0, 100.0, 100.0, 100.0)
    assert fills(pit.bar(open_, open_, open_, open_)) == [(order, limit, 1.0, True)]


@pytest.mark.parametrize(("side", "limit"), [(BUY, 101.0), (SELL, 101.0)])
def test_a_post_only_order_that_would_take_liquidity_is_cancelled(pit: Pit, side: int, limit: float) -> None:
    order = pit.limit(side, 1.0, limit, post_only=True)
    executions = pit.bar(101.0, 110.0, 90.0, 105.0)
    assert cancels(executions) == [(order, Reason.POST_ONLY)]
    assert fills(executions) == []


@pytest.mark.parametrize(("side", "limit"), [(BUY, 95.0), (SELL, 105.0)])
def test_a_post_only_order_that_rests_fills_as_maker(pit: Pit, side: int, limit: float) -> None:
    order = pit.limit(side, 1.0, limit, post_only=True)
    assert fills(pit.bar(100.0, 106.0, 94.0, 100.0)) == [(order, limit, 1.0, True)]


@pytest.mark.parametrize(("side", "limit"), [(BUY, 101.0), (SELL, 101.0)])
def test_an_immediate_or_cancel_order_fills_at_the_open_where_that_is_good_enough(pit: Pit, side: int, limit: float) -> None:
    order = pit.limit(side, 1.0, limit, ioc=True)
    assert fills(pit.bar(101.0, 110.0, 90.0, 105.0)) == [(order, 101.0, 1.0, False)]


@pytest.mark.parametrize(("side", "limit"), [(BUY, 95.0), (SELL, 105.0)])
def test_an_immediate_or_cancel_order_is_cancelled_where_the_open_is_worse(pit: Pit, side: int, limit: float) -> None:
    """The rest of the bar, which would have filled it, comes too late."""
    order = pit.limit(side, 1.0, limit, ioc=True)
    executions = pit.bar(100.0, 110.0, 90.0, 100.0)
    assert cancels(executions) == [(order, Reason.IOC_UNFILLED)]
    assert fills(executions) == []


def test_where_one_bar_reaches_stop_and_limit_the_stop_comes_first(pit: Pit) -> None:
    pit.hold(1.0, 100.0)
    target = pit.limit(SELL, 1.0, 105.0)
    stop = pit.stop(SELL, 1.0, 95.0)
    assert fills(pit.bar(100.0, 106.0, 94.0, 105.0)) == [(stop, 95.0, 1.0, False), (target, 105.0, 1.0, True)]


def test_orders_are_matched_in_the_order_of_submission(pit: Pit) -> None:
    orders = [pit.limit(BUY, 1.0, 95.0), pit.limit(BUY, 1.0, 97.0), pit.limit(BUY, 1.0, 96.0)]
    assert [order for order, *_ in fills(pit.bar(100.0, 100.0, 90.0, 95.0))] == orders
    orders = [pit.market(BUY, 1.0), pit.stop(SELL, 1.0, 90.0), pit.market(SELL, 1.0)]
    assert [order for order, *_ in fills(pit.bar(95.0, 95.0, 90.0, 95.0))] == orders


def test_the_volume_of_a_bar_limits_nothing(pit: Pit) -> None:
    order = pit.market(BUY, 500.0)
    assert fills(pit.bar(100.0, 100.0, 100.0, 100.0, volume=0.0)) == [(order, 100.0, 500.0, False)]


def test_an_order_waits_for_an_event_of_its_own_instrument() -> None:
    pit = Pit(instrument("BTC-USD"), instrument("ETH-USD"), marks=[100.0, 10.0])
    order = pit.market(BUY, 1.0, inst=1)
    assert pit.bar(100.0, 100.0, 100.0, 100.0, inst=0) == []
    assert fills(pit.bar(11.0, 11.0, 11.0, 11.0, inst=1)) == [(order, 11.0, 1.0, False)]


def test_a_buy_that_the_cash_does_not_reach_for_any_more_is_cancelled() -> None:
    pit = Pit(cash=1000.0, fees=Fees(taker=0.01), marks=[100.0])
    order = pit.market(BUY, 9.9)  # 9.9 x 100 and 1 % of it: 999.90
    executions = pit.bar(100.02, 100.02, 100.02, 100.02)  # 1,000.09998 now
    assert cancels(executions) == [(order, Reason.INSUFFICIENT_BALANCE)]
    assert (fills(executions), pit.cash) == ([], 1000.0)


def test_a_buy_that_takes_the_last_of_the_cash_goes() -> None:
    pit = Pit(cash=1000.0, marks=[100.0])
    order = pit.market(BUY, 8.0)
    assert fills(pit.bar(125.0, 125.0, 125.0, 125.0)) == [(order, 125.0, 8.0, False)]
    assert pit.cash == 0.0


def test_a_short_position_can_be_covered_without_the_cash_for_it() -> None:
    pit = Pit(instrument(shortable=True), cash=1000.0, marks=[100.0])
    pit.hold(-10.0, 100.0)
    order = pit.market(BUY, 10.0)
    assert fills(pit.bar(500.0, 500.0, 500.0, 500.0)) == [(order, 500.0, 10.0, False)]
    assert pit.cash == 1000.0 + 10.0 * 100.0 - 10.0 * 500.0


def test_maker_and_taker_pay_their_own_fee() -> None:
    pit = Pit(fees=Fees(maker=0.001, taker=0.004), marks=[100.0])
    pit.limit(BUY, 2.0, 101.0)
    pit.limit(BUY, 2.0, 98.0)
    taker, maker = pit.bar(100.0, 100.0, 97.0, 99.0)
    assert (taker.price, taker.fee) == (100.0, 100.0 * 2.0 * 0.004)
    assert (maker.price, maker.fee) == (98.0, 98.0 * 2.0 * 0.001)
