"""Every limit at its value, one increment below it and one above it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.desks import BUY, MINUTE_NS, SELL, Pit, instrument
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import OrderType, Reason
from traider.kernel.simulation import Fees

SECOND_NS = 1_000_000_000


def reason(pit: Pit, side: int, size: float, type_: OrderType = OrderType.MARKET, price: float = 0.0) -> Reason:
    """Why the order may not go. Nothing changes."""
    return pit.desk.check(
        inst=0,
        side=side,
        type=int(type_),
        tif=0,
        post_only=False,
        size=size,
        limit_price=price if type_ is OrderType.LIMIT else 0.0,
        stop_price=price if type_ is OrderType.STOP else 0.0,
    )


@pytest.mark.parametrize(("size", "expected"), [(9.999, Reason.NONE), (10.0, Reason.NONE), (10.001, Reason.ORDER_NOTIONAL)])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_order_notional_of_a_market_order_is_measured_at_the_mark(side: int, size: float, expected: Reason) -> None:
    pit = Pit(instrument(shortable=True), limits=RiskLimits(max_order_notional=Decimal(1000)), marks=[100.0])
    assert reason(pit, side, size) is expected


@pytest.mark.parametrize(("price", "expected"), [(124.99, Reason.NONE), (125.0, Reason.NONE), (125.01, Reason.ORDER_NOTIONAL)])
@pytest.mark.parametrize(
    ("side", "type_"), [(BUY, OrderType.LIMIT), (SELL, OrderType.LIMIT), (BUY, OrderType.STOP), (SELL, OrderType.STOP)]
)
def test_the_order_notional_of_other_orders_is_measured_at_their_own_price(
    side: int, type_: OrderType, price: float, expected: Reason
) -> None:
    pit = Pit(instrument(shortable=True), limits=RiskLimits(max_order_notional=Decimal(1000)), marks=[100.0])
    assert reason(pit, side, 8.0, type_, price) is expected


@pytest.mark.parametrize(("size", "expected"), [(9.999, Reason.NONE), (10.0, Reason.NONE), (10.001, Reason.ORDER_NOTIONAL)])
@pytest.mark.parametrize(("side", "type_"), [(SELL, OrderType.LIMIT), (BUY, OrderType.STOP)])
def test_a_price_that_is_behind_the_market_makes_no_order_small(side: int, type_: OrderType, size: float, expected: Reason) -> None:
    """A sale with a limit of 0.01 fills at the market's price, and so does a buy stop that is long reached."""
    pit = Pit(instrument(shortable=True), limits=RiskLimits(max_order_notional=Decimal(1000)), marks=[100.0])
    assert reason(pit, side, size, type_, 0.01) is expected


@given(st.integers(1, 10_000_000), st.integers(1, 1_000_000))
def test_the_limit_itself_is_allowed_whatever_floats_make_of_price_times_size(cents: int, thousandths: int) -> None:
    price, size = Decimal(cents) / 100, Decimal(thousandths) / 1000
    tight = RiskLimits(max_order_notional=price * size - Decimal("0.00001"))
    pit = Pit(cash=1e15, limits=RiskLimits(max_order_notional=price * size), marks=[float(price)])
    assert reason(pit, BUY, float(size)) is Reason.NONE
    pit.desk.set_limits(tight)
    assert reason(pit, BUY, float(size)) is Reason.ORDER_NOTIONAL


@pytest.mark.parametrize(("already_open", "expected"), [(1, Reason.NONE), (2, Reason.NONE), (3, Reason.OPEN_ORDERS)])
def test_open_orders_are_counted_over_the_whole_account(already_open: int, expected: Reason) -> None:
    pit = Pit(instrument("BTC-USD"), instrument("ETH-USD"), limits=RiskLimits(max_open_orders=3), marks=[100.0, 10.0])
    for _ in range(already_open):
        pit.limit(BUY, 1.0, 5.0, inst=1)
    assert reason(pit, BUY, 1.0) is expected


@pytest.mark.parametrize(("size", "expected"), [(1.999, Reason.NONE), (2.0, Reason.NONE), (2.001, Reason.POSITION_SIZE)])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_position_is_limited_in_both_directions(side: int, size: float, expected: Reason) -> None:
    pit = Pit(instrument(shortable=True), limits=RiskLimits(max_position_size=Decimal(2)), marks=[100.0])
    assert reason(pit, side, size) is expected


@pytest.mark.parametrize(("size", "expected"), [(0.199, Reason.NONE), (0.2, Reason.NONE), (0.201, Reason.POSITION_SIZE)])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_what_is_held_and_what_is_open_counts_into_the_position(side: int, size: float, expected: Reason) -> None:
    """0.7 held and two orders of 0.6 and 0.5 leave 0.2 of 2; those on the other side give nothing back."""
    pit = Pit(instrument(shortable=True), limits=RiskLimits(max_position_size=Decimal(2)), marks=[100.0])
    pit.hold(side * 0.7, 100.0)
    pit.limit(side, 0.6, 100.0)
    pit.stop(side, 0.5, 100.0)
    pit.limit(-side, 1.5, 100.0)
    assert reason(pit, side, size) is expected


@pytest.mark.parametrize(("filled", "room"), [(0.0, 1.0), (0.4, 1.0), (1.0, 1.0)])
def test_a_partial_fill_moves_from_open_to_held(filled: float, room: float) -> None:
    pit = Pit(limits=RiskLimits(max_position_size=Decimal(2)), marks=[100.0])
    pit.limit(BUY, 1.0, 101.0)
    pit.trade(100.0, size=filled)
    assert pit.position() == filled
    assert reason(pit, BUY, room) is Reason.NONE
    assert reason(pit, BUY, room + 0.001) is Reason.POSITION_SIZE


@pytest.mark.parametrize(("loss", "expected"), [(99.99, Reason.NONE), (100.0, Reason.DAILY_LOSS), (100.01, Reason.DAILY_LOSS)])
@pytest.mark.parametrize("limit", ["100", "100.1", "100.3", "100.7"])
def test_the_daily_loss_limit_is_reached_at_its_value(loss: float, expected: Reason, limit: str) -> None:
    pit = Pit(cash=100_000.0, limits=RiskLimits(max_daily_loss=Decimal(limit)), marks=[1000.0])
    pit.hold(1.0, 1000.0)
    pit.trade(float(1000 - Decimal(limit) + 100 - Decimal(str(loss))))
    assert reason(pit, BUY, 0.001) is expected
    assert pit.desk.breached() is expected


@pytest.mark.parametrize(("equity", "expected"), [(900.01, Reason.NONE), (900.0, Reason.DRAWDOWN), (899.99, Reason.DRAWDOWN)])
@pytest.mark.parametrize("peak", [1000.0, 1200.0])
def test_the_drawdown_limit_is_reached_at_its_value(peak: float, equity: float, expected: Reason) -> None:
    limit = 1 - Decimal(900) / Decimal(peak)
    pit = Pit(cash=1000.0, limits=RiskLimits(max_drawdown=limit), marks=[500.0])
    pit.hold(1.0, 500.0)
    pit.trade(500.0 + peak - 1000.0)
    assert pit.peak == peak
    pit.trade(float(Decimal(str(equity)) - 500))
    assert reason(pit, BUY, 0.001) is expected
    assert pit.desk.breached() is expected


@pytest.mark.parametrize(("sent", "expected"), [(2, Reason.NONE), (3, Reason.NONE), (4, Reason.ORDER_RATE)])
def test_orders_a_minute_are_counted(sent: int, expected: Reason) -> None:
    pit = Pit(limits=RiskLimits(max_orders_per_minute=4), marks=[100.0])
    for _ in range(sent):
        pit.limit(BUY, 0.001, 1.0)
    assert reason(pit, BUY, 0.001) is expected
    assert pit.desk.orders_last_minute() == sent


@pytest.mark.parametrize(("waited_ns", "counted"), [(0, 2), (MINUTE_NS - 1, 2), (MINUTE_NS, 1), (MINUTE_NS + 10 * SECOND_NS, 0)])
def test_the_minute_of_the_order_rate_slides(waited_ns: int, counted: int) -> None:
    """Two orders, ten seconds apart; an order is forgotten a minute after it was sent, to the nanosecond."""
    pit = Pit(limits=RiskLimits(max_orders_per_minute=2), marks=[100.0])
    first_ns = pit.now_ns
    pit.limit(BUY, 0.001, 1.0)
    pit.now_ns += 10 * SECOND_NS - MINUTE_NS
    pit.trade(100.0)
    pit.limit(BUY, 0.001, 1.0)
    pit.now_ns = first_ns + max(waited_ns, 10 * SECOND_NS) - MINUTE_NS
    pit.trade(100.0)
    assert pit.desk.orders_last_minute() == counted
    assert reason(pit, BUY, 0.001) is (Reason.ORDER_RATE if counted == 2 else Reason.NONE)


@pytest.mark.parametrize(("size", "expected"), [(0.009, Reason.MIN_SIZE), (0.01, Reason.NONE), (0.011, Reason.NONE)])
def test_the_smallest_size_of_the_market_is_kept(size: float, expected: Reason) -> None:
    pit = Pit(instrument(min_size="0.01"), marks=[100.0])
    assert reason(pit, BUY, size) is expected


@pytest.mark.parametrize(("size", "expected"), [(0.099, Reason.MIN_NOTIONAL), (0.1, Reason.NONE), (0.101, Reason.NONE)])
def test_the_smallest_notional_of_the_market_is_kept(size: float, expected: Reason) -> None:
    pit = Pit(instrument(min_notional="10"), marks=[100.0])
    assert reason(pit, BUY, size) is expected


@pytest.mark.parametrize(("price", "expected"), [(99.99, Reason.MIN_NOTIONAL), (100.0, Reason.NONE), (100.01, Reason.NONE)])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_smallest_notional_is_measured_as_a_venue_does_at_the_orders_own_price(side: int, price: float, expected: Reason) -> None:
    pit = Pit(instrument(min_notional="10", shortable=True), marks=[500.0])
    assert reason(pit, side, 0.1, OrderType.LIMIT, price) is expected


@pytest.mark.parametrize(("size", "expected"), [(7.999, Reason.NONE), (8.0, Reason.NONE), (8.001, Reason.INSUFFICIENT_BALANCE)])
def test_a_buy_needs_its_cash_fee_included(size: float, expected: Reason) -> None:
    pit = Pit(cash=1000.0, fees=Fees(maker=0.0, taker=0.25), marks=[100.0])
    assert reason(pit, BUY, size) is expected


@pytest.mark.parametrize(("size", "expected"), [(2.999, Reason.NONE), (3.0, Reason.NONE), (3.001, Reason.INSUFFICIENT_BALANCE)])
def test_cash_that_open_buys_would_take_is_not_there_twice(size: float, expected: Reason) -> None:
    """A limit order at its limit, a stop at its price or the mark if that is more, a market order at the mark."""
    pit = Pit(cash=1000.0, marks=[100.0])
    pit.limit(BUY, 2.0, 80.0)
    pit.market(BUY, 1.0)
    pit.stop(BUY, 2.0, 120.0)
    pit.stop(BUY, 2.0, 50.0)
    assert pit.desk.cash_reserved() == 2.0 * 80.0 + 1.0 * 100.0 + 2.0 * 120.0 + 2.0 * 100.0
    assert reason(pit, BUY, size) is expected


@pytest.mark.parametrize(("size", "expected"), [(0.499, Reason.NONE), (0.5, Reason.NONE), (0.501, Reason.INSUFFICIENT_BALANCE)])
def test_a_spot_sale_needs_what_it_sells_open_sales_counted(size: float, expected: Reason) -> None:
    pit = Pit(marks=[100.0])
    pit.hold(2.0, 100.0)
    pit.limit(SELL, 1.5, 120.0)
    pit.limit(BUY, 3.0, 80.0)
    assert reason(pit, SELL, size) is expected


@pytest.mark.parametrize("size", [0.001, 5.0])
def test_an_instrument_that_may_be_sold_short_is(size: float) -> None:
    assert reason(Pit(instrument(shortable=True), marks=[100.0]), SELL, size) is Reason.NONE
    assert reason(Pit(instrument(shortable=False), marks=[100.0]), SELL, size) is Reason.INSUFFICIENT_BALANCE


@pytest.mark.parametrize("held", [9e10, 9e13])
def test_more_increments_than_64_bits_hold_are_still_counted(held: float) -> None:
    """9e10 coins in steps of 1e-8 are 9e18 increments; twice as many came out negative, and passed every limit."""
    market = instrument(price="0.00000001", size="0.00000001")
    pit = Pit(market, cash=1e15, limits=RiskLimits(max_position_size=Decimal(held) * Decimal("1.5")), marks=[0.000001])
    pit.hold(held, 0.000001)
    assert reason(pit, BUY, held) is Reason.POSITION_SIZE
    pit.desk.set_limits(RiskLimits())
    pit.market(BUY, held)
    pit.trade(0.000001)
    assert pit.position() == 2 * held
    assert reason(pit, SELL, 2 * held) is Reason.NONE
