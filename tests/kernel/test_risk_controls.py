"""The controls on a desk that matches: each at its value and one increment beside it, as docs/risk.md tells them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.kernel.desks import BUY, SELL, Pit, cancels, fills, instrument
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import OrderType, Reason
from traider.kernel import layout
from traider.kernel.interpreter import Context
from traider.kernel.simulation import Latency, Simulation

LIMIT = OrderType.LIMIT


def why(pit: Pit, side: int, size: float, price: float = 0.0, *, inst: int = 0) -> Reason:
    """Why the order may not go, or NONE; one that may is placed."""
    return pit.ask(side, size, LIMIT if price else OrderType.MARKET, limit_price=price, inst=inst)[1]


def in_the_row(pit: Pit) -> dict[str, Any]:
    controls = pit.desk.record["controls"]
    return {name: controls[name].item() for name in ("on", "placed", "amended", "executed", "rejections", "halted")}


def test_without_a_control_nothing_is_asked_and_nothing_counted() -> None:
    pit = Pit(limits=RiskLimits(max_order_notional=Decimal(100)), marks=[100.0])
    pit.market(BUY, 1.0)
    assert why(pit, BUY, 2.0) is Reason.ORDER_NOTIONAL
    pit.trade(100.0)
    assert set(in_the_row(pit).values()) == {0}


def test_an_account_that_is_guarded_elsewhere_is_held_to_its_controls_there() -> None:
    pit = Pit(limits=RiskLimits(max_price_deviation=Decimal("0.02")), remote=True, marks=[100.0])
    assert pit.desk.controls is None
    assert pit.desk.check(inst=0, side=BUY, type=int(LIMIT), size=1.0, limit_price=50.0) is Reason.NONE


@pytest.mark.parametrize("side", [BUY, SELL])
def test_no_order_is_larger_than_the_size_limit(side: int) -> None:
    """An amendment as what would be left of it; what reduces is held to it as well."""
    pit = Pit(instrument(shortable=True), limits=RiskLimits(max_order_size=Decimal("0.3")), marks=[100.0])
    pit.hold(-5.0 * side, 100.0)
    for size, expected in ((0.299, Reason.NONE), (0.3, Reason.NONE), (0.301, Reason.ORDER_SIZE)):
        assert why(pit, side, size) is expected
        assert why(pit, side, size, 100.0) is expected
    order = pit.limit(side, 0.1, 100.0 - 10.0 * side)
    assert pit.desk.amend(order, size=0.301) is Reason.ORDER_SIZE
    assert pit.desk.amend(order, size=0.3) is Reason.NONE


def test_open_orders_of_each_market_are_counted_by_themselves() -> None:
    limits = RiskLimits(max_open_orders_per_market=2)
    pit = Pit(instrument(), instrument("ETH-USD"), limits=limits, marks=[100.0, 10.0])
    first, _ = pit.limit(BUY, 1.0, 90.0), pit.limit(BUY, 1.0, 91.0)
    assert why(pit, BUY, 1.0, 92.0) is Reason.MARKET_OPEN_ORDERS
    assert why(pit, BUY, 1.0) is Reason.MARKET_OPEN_ORDERS
    assert why(pit, BUY, 1.0, 9.0, inst=1) is Reason.NONE, "another market has its own"
    assert pit.desk.amend(first, price=89.0) is Reason.NONE, "an amendment takes the place that there is"
    assert pit.desk.cancel(first)
    assert why(pit, BUY, 1.0, 92.0) is Reason.NONE
    assert why(pit, BUY, 1.0, 92.0) is Reason.MARKET_OPEN_ORDERS


def test_an_order_that_waits_takes_a_place_in_its_market() -> None:
    pit = Pit(limits=RiskLimits(max_open_orders_per_market=2), marks=[100.0])

    def bracket(ctx: Context) -> None:
        ctx.protect(ctx.buy_limit(1.0, 90.0), 110.0, 80.0)

    pit.strategy(bracket)
    assert pit.desk.account["open_orders"] == 2
    assert [one.reason for one in pit.desk.drain() if one.kind == "refusal"] == [Reason.MARKET_OPEN_ORDERS]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_collar_is_measured_from_the_mark(side: int) -> None:
    pit = Pit(instrument(shortable=True), limits=RiskLimits(max_price_deviation=Decimal("0.02")), marks=[100.0])
    for price, expected in ((97.99, Reason.PRICE_COLLAR), (98.0, Reason.NONE), (102.0, Reason.NONE), (102.01, Reason.PRICE_COLLAR)):
        assert why(pit, side, 1.0, price) is expected
    pit.trade(200.0)
    assert why(pit, side, 1.0, 196.0) is Reason.NONE


def test_the_band_hangs_on_the_closes_of_spans_that_are_over() -> None:
    """Of bars as long as the span: returns of +1 % and -1/101, and the one that is running does not count."""
    limits = RiskLimits(volatility_method="atr", atr_window=2, volatility_mult=Decimal(2))
    pit = Pit(limits=limits)
    for close in (100.0, 101.0, 100.0):
        pit.bar(100.0, 150.0, 50.0, close)
        assert why(pit, BUY, 1.0, 99.5) is Reason.PRICE_BAND, "not known yet"
    pit.bar(100.0, 150.0, 50.0, 100.0)
    assert 98.0 < 100.0 * (1 - (0.01 + 1 / 101)) < 98.01
    assert why(pit, BUY, 1.0, 98.01) is Reason.NONE
    assert why(pit, BUY, 1.0, 98.0) is Reason.PRICE_BAND


def test_market_data_age_in_market_time() -> None:
    pit = Pit(instrument(), instrument("ETH-USD"), limits=RiskLimits(max_market_data_age_s=Decimal(120)), marks=[100.0, 10.0])
    pit.trade(100.0)
    pit.trade(100.0)
    assert why(pit, BUY, 1.0, 9.0, inst=1) is Reason.NONE, "120 seconds old"
    pit.step_ns = 1
    pit.trade(100.0)
    assert why(pit, BUY, 1.0, 9.0, inst=1) is Reason.STALE_MARKET_DATA
    assert why(pit, BUY, 1.0, 90.0) is Reason.NONE


def test_the_same_order_is_not_sent_again_within_the_window() -> None:
    pit = Pit(limits=RiskLimits(duplicate_window_s=Decimal(1)), marks=[100.0])
    assert why(pit, BUY, 1.0, 90.0) is Reason.NONE
    assert why(pit, BUY, 1.0, 90.0) is Reason.DUPLICATE_ORDER
    assert why(pit, BUY, 1.001, 90.0) is Reason.NONE
    pit.step_ns = 999_999_999
    pit.trade(100.0)
    assert why(pit, BUY, 1.0, 90.0) is Reason.DUPLICATE_ORDER
    pit.step_ns = 1
    pit.trade(100.0)
    assert why(pit, BUY, 1.0, 90.0) is Reason.NONE


def test_an_amendment_repeats_nothing() -> None:
    pit = Pit(limits=RiskLimits(duplicate_window_s=Decimal(60), max_orders_per_second=2, max_price_deviation=Decimal("0.2")), marks=[100.0])
    first, _ = pit.limit(BUY, 1.0, 90.0), pit.limit(BUY, 1.0, 91.0)
    assert pit.desk.amend(first, price=91.0) is Reason.NONE
    assert pit.desk.amend(first, price=79.99) is Reason.PRICE_COLLAR, "the price is looked at as a new one's"
    assert [float(one["limit_price"]) for one in pit.desk.open_orders()] == [91.0, 91.0]


def test_amendments_have_a_rate_of_their_own() -> None:
    pit = Pit(limits=RiskLimits(max_amends_per_second=2), marks=[100.0])
    order = pit.limit(BUY, 1.0, 90.0)
    assert [pit.desk.amend(order, price=price) for price in (91.0, 92.0, 93.0)] == [Reason.NONE, Reason.NONE, Reason.ORDER_RATE]
    assert why(pit, BUY, 1.0, 90.0) is Reason.NONE
    assert pit.desk.cancel(order), "cancels are always possible"
    pit.trade(100.0)
    assert pit.desk.amend(2, price=91.0) is Reason.NONE


def test_orders_a_second_are_counted_by_the_account_time() -> None:
    pit = Pit(limits=RiskLimits(max_orders_per_second=2), marks=[100.0])
    assert [why(pit, BUY, 1.0, 90.0) for _ in range(3)] == [Reason.NONE, Reason.NONE, Reason.ORDER_RATE]
    pit.step_ns = 999_999_999
    pit.trade(100.0)
    assert why(pit, BUY, 1.0, 90.0) is Reason.ORDER_RATE
    pit.step_ns = 1
    pit.trade(100.0)
    assert why(pit, BUY, 1.0, 90.0) is Reason.NONE


def test_an_order_does_not_trade_with_an_own_one() -> None:
    pit = Pit(limits=RiskLimits(prevent_self_match=True), marks=[100.0])
    pit.hold(3.0, 100.0)
    pit.limit(SELL, 1.0, 105.0)
    assert why(pit, BUY, 1.0, 105.0) is Reason.SELF_MATCH
    assert why(pit, BUY, 1.0) is Reason.SELF_MATCH, "a market order takes what there is"
    assert why(pit, BUY, 1.0, 104.99) is Reason.NONE


def test_an_order_that_waits_is_in_no_book_yet() -> None:
    """A bracket's take-profit: another buy above it would meet nothing of ours."""
    pit = Pit(limits=RiskLimits(prevent_self_match=True), marks=[100.0])

    def bracket(ctx: Context) -> None:
        ctx.protect(ctx.buy_limit(1.0, 90.0), 110.0, 80.0)

    pit.strategy(bracket)
    assert pit.desk.account["open_orders"] == 3
    assert why(pit, BUY, 1.0) is Reason.NONE
    pit.trade(90.0)
    pit.trade(89.0)
    assert why(pit, BUY, 1.0, 110.0) is Reason.SELF_MATCH, "now it rests"


def test_gross_exposure_at_its_value_over_all_markets() -> None:
    limits = RiskLimits(max_gross_exposure=Decimal(1000))
    pit = Pit(instrument(shortable=True), instrument("ETH-USD", shortable=True), limits=limits, marks=[101.0, 10.0])
    pit.limit(BUY, 5.0, 100.0)
    pit.hold(-50.0, 10.0, inst=1)
    assert why(pit, BUY, 0.001, 100.0) is Reason.GROSS_EXPOSURE, "500 open and 500 short"
    assert why(pit, SELL, 0.001, 10.0, inst=1) is Reason.GROSS_EXPOSURE
    assert why(pit, BUY, 50.0, 10.0, inst=1) is Reason.NONE, "it reduces"


def test_a_bracket_is_measured_again_when_it_begins_and_of_its_pair_one_counts() -> None:
    pit = Pit(limits=RiskLimits(max_gross_exposure=Decimal(1000)), marks=[100.0])

    def bracket(ctx: Context) -> None:
        ctx.protect(ctx.buy_limit(10.0, 100.0), 110.0, 90.0)

    pit.strategy(bracket)
    pit.trade(99.0, 100.0)
    assert pit.position() == 10.0
    assert [int(one["type"]) for one in pit.desk.open_orders()] == [layout.LIMIT, layout.STOP], "both stand: they reduce"
    assert why(pit, BUY, 0.01, 99.0) is Reason.NONE, "990 held at the mark, and 0.99"
    assert why(pit, BUY, 0.1, 99.0) is Reason.GROSS_EXPOSURE


def test_an_order_that_follows_does_not_begin_where_it_would_break_a_control() -> None:
    """A sale that opens a short position once the buy of another market is filled, with no exposure left for it."""
    limits = RiskLimits(max_gross_exposure=Decimal(1000))
    pit = Pit(instrument(), instrument("ETH-USD", shortable=True), limits=limits, marks=[100.0, 10.0])

    def pair(ctx: Context) -> None:
        ctx.select(0)
        first = ctx.buy_limit(9.0, 100.0)
        ctx.select(1)
        ctx.oto(first, ctx.sell_limit(9.0, 12.0))

    pit.strategy(pair)
    happened = pit.trade(100.0, 100.0)
    assert [size for _, _, size, _ in fills(happened)] == [9.0]
    assert [reason for _, reason in cancels(happened)] == [Reason.GROSS_EXPOSURE], "900 held, and 108 to be short"


def test_in_safe_mode_a_position_can_be_closed_and_not_opened() -> None:
    pit = Pit(marks=[100.0])
    pit.hold(2.0, 100.0)
    pit.desk.set_limits(RiskLimits(safe_mode=True))
    assert why(pit, BUY, 0.001) is Reason.SAFE_MODE
    assert why(pit, SELL, 2.0) is Reason.NONE


def tripping(**limits: Any) -> Pit:
    pit = Pit(limits=RiskLimits(**limits), marks=[100.0])
    pit.desk.account["trips"] = 1  # as Desk(trips=True) does
    return pit


def test_refusals_in_a_row_trip_the_kill_switch_at_once() -> None:
    pit = tripping(max_rejections_in_a_row=3, max_order_notional=Decimal(500))
    pit.limit(BUY, 1.0, 90.0)

    def ask(*sizes: float) -> Callable[[Context], list[int]]:
        return lambda ctx: [ctx.buy(size) for size in sizes]

    pit.strategy(ask(6.0, 6.0, 1.0, 6.0, 6.0))
    assert not pit.desk.account["killed"], "the third one was taken: the row began anew"
    pit.desk.drain()
    pit.strategy(ask(6.0))
    happened = pit.desk.drain()
    assert [(one.kind, one.reason) for one in happened] == [
        ("refusal", Reason.ORDER_NOTIONAL),
        ("cancel", Reason.KILL_SWITCH),
        ("cancel", Reason.KILL_SWITCH),
    ]
    assert why(pit, SELL, 1.0) is Reason.KILL_SWITCH


def test_refusals_within_a_minute_trip_the_kill_switch_though_orders_are_taken_between_them() -> None:
    pit = tripping(max_rejections_per_minute=2, max_order_size=Decimal(1))
    resting = pit.limit(BUY, 1.0, 90.0)

    def ask(ctx: Context) -> None:
        ctx.buy(1.001)
        ctx.buy_limit(1.0, 50.0)

    for _ in range(4):
        pit.strategy(ask)
        pit.trade(100.0)  # a minute later
    assert not pit.desk.account["killed"], "one within any minute"
    pit.step_ns = 1
    for _ in range(2):
        pit.strategy(ask)
        pit.trade(100.0)
    pit.strategy(ask)
    assert pit.desk.account["killed"]
    assert (resting, Reason.KILL_SWITCH) in cancels(pit.desk.drain())
    assert why(pit, SELL, 1.0) is Reason.KILL_SWITCH


def test_more_fills_within_a_minute_trip_the_kill_switch_at_the_mark() -> None:
    pit = tripping(max_executions_per_minute=2)
    resting = pit.limit(BUY, 1.0, 50.0)
    for _ in range(3):
        pit.market(BUY, 0.001)
    happened = pit.trade(100.0)
    assert len(fills(happened)) == 3
    assert cancels(happened) == [(resting, Reason.KILL_SWITCH)]
    assert why(pit, SELL, 0.003) is Reason.KILL_SWITCH


def test_fills_are_counted_when_they_are_told() -> None:
    pit = Pit(
        limits=RiskLimits(max_executions_per_minute=9), simulation=Simulation(latency=Latency(out_ns=0, back_ns=90 * 10**9)), marks=[100.0]
    )
    pit.market(BUY, 1.0)
    pit.trade(100.0)
    assert in_the_row(pit)["executed"] == 0, "its report is under way"
    pit.trade(100.0)
    pit.trade(100.0)
    assert in_the_row(pit)["executed"] == 1


def test_limits_that_are_set_anew_leave_no_band_behind() -> None:
    pit = Pit(limits=RiskLimits(volatility_method="ewma", volatility_mult=Decimal(3)), marks=[100.0])
    assert why(pit, BUY, 1.0, 100.0) is Reason.PRICE_BAND, "not known yet"
    pit.desk.set_limits(RiskLimits())
    assert why(pit, BUY, 1.0, 1.0) is Reason.NONE
