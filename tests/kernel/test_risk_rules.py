"""The risk check beside its limits: what it asks first, what always passes, what never does."""

import math
import random
from decimal import Decimal

import pytest

from tests.kernel.desks import BUY, MINUTE_NS, SELL, Pit, instrument
from traider.domain.errors import UserError
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import OrderType, Reason, TimeInForce
from traider.kernel import layout

NAN, INF = math.nan, math.inf


def reason_of(pit: Pit, **changed: float) -> Reason:
    """Why an order to buy 1 at market, but for what is changed, may not go."""
    return pit.desk.check(
        inst=int(changed.get("inst", 0)),
        side=int(changed.get("side", BUY)),
        type=int(changed.get("type", OrderType.MARKET)),
        tif=int(changed.get("tif", 0)),
        post_only=bool(changed.get("post_only", False)),
        size=changed.get("size", 1.0),
        limit_price=changed.get("limit_price", 0.0),
        stop_price=changed.get("stop_price", 0.0),
    )


def test_the_first_rule_that_refuses_gives_the_reason() -> None:
    """An order that everything is wrong with; one thing after the other is put right, in the order of docs/risk.md."""
    pit = Pit(
        instrument("BTC-USD", min_size="2", min_notional="300"),
        limits=RiskLimits(
            allowed_markets=("ETH-USD",),
            max_order_notional=Decimal(200),
            max_open_orders=0,
            max_position_size=Decimal("0.5"),
            max_daily_loss=Decimal(10),
            max_drawdown=Decimal("0.00001"),
            max_orders_per_minute=0,
        ),
        cash=1000.0,
    )
    desk, row = pit.desk, pit.desk.record["instruments"][0]
    limits = desk.record["limits"]
    asked: dict[str, float] = {"type": 9, "size": -1.0}
    desk.set_kill(True)
    assert reason_of(pit, **asked) is Reason.KILL_SWITCH
    desk.set_kill(False)
    assert reason_of(pit, **asked) is Reason.INVALID_ORDER
    asked["type"] = int(OrderType.LIMIT)
    assert reason_of(pit, **asked) is Reason.MARKET_NOT_ALLOWED
    row["allowed"] = 1
    assert reason_of(pit, **asked) is Reason.INVALID_ORDER
    asked |= {"size": 1.0005, "limit_price": 100.005}
    assert reason_of(pit, **asked) is Reason.NO_MARKET_DATA
    pit.hold(5.0, 100.0)
    pit.trade(95.0)
    assert reason_of(pit, **asked) is Reason.SIZE_INCREMENT
    asked["size"] = 1.0
    assert reason_of(pit, **asked) is Reason.PRICE_INCREMENT
    asked["limit_price"] = 250.0
    assert reason_of(pit, **asked) is Reason.MIN_SIZE
    row["min_size"] = 1.0
    assert reason_of(pit, **asked) is Reason.MIN_NOTIONAL
    row["min_notional"] = 0.0
    assert reason_of(pit, **asked) is Reason.ORDER_NOTIONAL
    limits["order_notional"] = INF
    assert reason_of(pit, **asked) is Reason.OPEN_ORDERS
    limits["open_orders"] = 1
    assert reason_of(pit, **asked) is Reason.POSITION_SIZE
    limits["position_size"] = 10.0
    assert reason_of(pit, **asked) is Reason.DAILY_LOSS
    limits["daily_loss"] = INF
    assert reason_of(pit, **asked) is Reason.DRAWDOWN
    limits["drawdown"] = INF
    assert reason_of(pit, **asked) is Reason.ORDER_RATE
    limits["orders_per_minute"] = 1
    pit.desk.account["cash"] = 249.0
    assert reason_of(pit, **asked) is Reason.INSUFFICIENT_BALANCE
    pit.desk.account["cash"] = 250.0
    assert reason_of(pit, **asked) is Reason.NONE


@pytest.mark.parametrize(
    "changed",
    [
        {"inst": -1},
        {"inst": 1},
        {"side": 0},
        {"side": 2},
        {"type": -1},
        {"type": 3},
        *({"size": size} for size in (0.0, -1.0, NAN, INF, 1e300)),
        *({"type": 1, "limit_price": price} for price in (0.0, -1.0, NAN, INF, 1e300)),
        *({"type": 2, "stop_price": price} for price in (0.0, -1.0, NAN, INF, 1e300)),
        {"tif": int(TimeInForce.IOC)},
        {"post_only": True},
        {"type": 2, "stop_price": 100.0, "tif": int(TimeInForce.IOC)},
        {"type": 2, "stop_price": 100.0, "post_only": True},
    ],
    ids=str,
)
def test_what_is_no_order_at_all_is_refused(changed: dict[str, float]) -> None:
    assert reason_of(Pit(marks=[100.0]), **changed) is Reason.INVALID_ORDER


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"size": 0.1 + 0.2}, Reason.SIZE_INCREMENT),
        ({"size": 0.3}, Reason.NONE),
        ({"size": 0.0005}, Reason.SIZE_INCREMENT),
        ({"type": 1, "limit_price": 100.005}, Reason.PRICE_INCREMENT),
        ({"type": 1, "limit_price": 100.01}, Reason.NONE),
        ({"type": 2, "stop_price": 100.005}, Reason.PRICE_INCREMENT),
        ({"type": 2, "stop_price": 100.01}, Reason.NONE),
    ],
    ids=str,
)
def test_sizes_and_prices_are_whole_increments(changed: dict[str, float], expected: Reason) -> None:
    assert reason_of(Pit(marks=[100.0]), **changed) is expected


def test_an_increment_that_is_no_power_of_ten_is_kept() -> None:
    pit = Pit(instrument(price="0.25", size="5"), marks=[100.0])
    assert reason_of(pit, size=15.0, type=1, limit_price=100.75) is Reason.NONE
    assert reason_of(pit, size=15.0, type=1, limit_price=100.8) is Reason.PRICE_INCREMENT
    assert reason_of(pit, size=16.0) is Reason.SIZE_INCREMENT


def test_a_market_without_a_price_is_not_traded() -> None:
    pit = Pit(instrument("BTC-USD"), instrument("ETH-USD"))
    pit.trade(100.0, inst=0)
    assert reason_of(pit, inst=0) is Reason.NONE
    assert reason_of(pit, inst=1) is Reason.NO_MARKET_DATA


def test_only_allowed_markets_are_traded() -> None:
    pit = Pit(instrument("BTC-USD"), instrument("ETH-USD"), limits=RiskLimits(allowed_markets=("ETH-USD",)), marks=[100.0, 10.0])
    assert reason_of(pit, inst=0) is Reason.MARKET_NOT_ALLOWED
    assert reason_of(pit, inst=1) is Reason.NONE
    pit.desk.set_limits(RiskLimits(allowed_markets=None))
    assert reason_of(pit, inst=0) is Reason.NONE


@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_kill_switch_stops_every_order_even_one_that_reduces(side: int) -> None:
    pit = Pit(instrument(shortable=True), marks=[100.0])
    pit.hold(-side * 2.0, 100.0)
    pit.desk.set_kill(True)
    assert reason_of(pit, side=side) is Reason.KILL_SWITCH
    pit.desk.set_kill(False)
    assert reason_of(pit, side=side) is Reason.NONE


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(
    "limits", [RiskLimits(max_daily_loss=Decimal(1)), RiskLimits(max_drawdown=Decimal("0.00001"))], ids=["loss", "drawdown"]
)
def test_after_a_breach_only_orders_that_reduce_pass(side: int, limits: RiskLimits) -> None:
    pit = Pit(instrument(shortable=True), limits=limits, marks=[100.0])
    pit.hold(-side * 2.0, 100.0)
    pit.trade(100.0 + side * 10.0)  # against the position
    breach = pit.desk.breached()
    assert breach in (Reason.DAILY_LOSS, Reason.DRAWDOWN)
    assert reason_of(pit, side=-side, size=0.001) is breach
    assert reason_of(pit, side=side, size=2.0) is Reason.NONE
    assert reason_of(pit, side=side, size=2.001) is breach, "it would close the position and open another one"
    pit.limit(side, 1.5, 50.0)
    assert reason_of(pit, side=side, size=0.5) is Reason.NONE
    assert reason_of(pit, side=side, size=0.501) is breach, "with the order that is open it would open another position"


@pytest.mark.parametrize("limits", [RiskLimits(max_daily_loss=Decimal(10)), RiskLimits(max_drawdown=Decimal("0.00001"))])
def test_in_a_backtest_a_breach_trips_the_kill_switch(limits: RiskLimits) -> None:
    pit = Pit(limits=limits, marks=[100.0])
    pit.desk.account["trips"] = 1  # as Desk(trips=True) does
    pit.hold(2.0, 100.0)
    pit.limit(BUY, 1.0, 50.0)
    assert pit.trade(95.01) == [], "9.98 lost: nothing happens yet"
    taken_back = pit.trade(95.0)
    assert [(one.kind, one.reason) for one in taken_back] == [("cancel", Reason.KILL_SWITCH)]
    pit.trade(200.0)
    assert reason_of(pit, side=SELL, size=1.0) is Reason.KILL_SWITCH, "it sticks, and holds for what reduces too"


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_position_above_a_limit_that_was_lowered_can_be_reduced(side: int) -> None:
    pit = Pit(instrument(shortable=True), marks=[100.0])
    pit.hold(-side * 2.0, 100.0)
    pit.desk.set_limits(RiskLimits(max_position_size=Decimal(1)))
    assert reason_of(pit, side=-side, size=0.001) is Reason.POSITION_SIZE
    assert reason_of(pit, side=side, size=0.5) is Reason.NONE


def test_covering_a_short_position_needs_no_cash() -> None:
    pit = Pit(instrument(shortable=True), cash=100.0, marks=[100.0])
    pit.hold(-5.0, 100.0)
    pit.trade(500.0)
    assert pit.equity < 0
    assert reason_of(pit, size=5.0) is Reason.NONE
    assert reason_of(pit, size=5.001) is Reason.INSUFFICIENT_BALANCE


def test_the_loss_of_a_day_is_forgotten_at_midnight_utc() -> None:
    pit = Pit(limits=RiskLimits(max_daily_loss=Decimal(100)), marks=[100.0])
    pit.hold(10.0, 100.0)
    pit.trade(85.0)
    assert reason_of(pit) is Reason.DAILY_LOSS
    pit.now_ns = (pit.now_ns // layout.DAY_NS + 1) * layout.DAY_NS - MINUTE_NS - 1
    pit.trade(85.0)
    assert reason_of(pit) is Reason.DAILY_LOSS
    pit.now_ns += 1 - MINUTE_NS
    pit.trade(85.0)
    assert reason_of(pit) is Reason.NONE


def test_a_refused_order_changes_nothing_but_the_count_of_refusals() -> None:
    pit = Pit(limits=RiskLimits(max_position_size=Decimal(1)), marks=[100.0])
    before = pit.desk.records.copy()
    assert pit.ask(BUY, 2.0) == (0, Reason.POSITION_SIZE)
    assert pit.desk.account["refusals"] == 1
    pit.desk.account["refusals"] = 0
    assert before.tobytes() == pit.desk.records.tobytes()


def test_without_limits_the_order_table_is_the_limit() -> None:
    pit = Pit(marks=[100.0])
    for _ in range(layout.MAX_ORDERS):
        pit.limit(BUY, 0.001, 1.0)
    assert pit.ask(BUY, 0.001) == (0, Reason.OPEN_ORDERS)


def test_an_order_rate_that_could_not_be_counted_is_refused_as_a_limit() -> None:
    Pit(limits=RiskLimits(max_orders_per_minute=layout.RATE_WINDOW))
    with pytest.raises(UserError, match="the largest that is counted is 4096: give that or less"):
        Pit(limits=RiskLimits(max_orders_per_minute=layout.RATE_WINDOW + 1))


def test_of_a_hundred_thousand_random_orders_none_gets_above_the_position_limit_by_one_increment() -> None:
    """The worst that can happen, everything open on one side filling at once, stays within the limit all the time."""
    draw = random.Random(20180503)
    limit = 1000  # thousandths
    pit = Pit(instrument(shortable=True), cash=1e12, limits=RiskLimits(max_position_size=Decimal(1)), marks=[100.0])
    desk, position = pit.desk, pit.desk.positions[0]
    refused = accepted = largest = 0
    for number in range(100_000):
        side = draw.choice((BUY, SELL))
        price = round(100 + draw.randint(-20, 20) * 0.05, 2)
        type_ = draw.choice((OrderType.MARKET, OrderType.LIMIT, OrderType.STOP))
        _, reason = pit.ask(
            side,
            draw.randint(1, 300) / 1000,
            type_,
            limit_price=price if type_ is OrderType.LIMIT else 0.0,
            stop_price=price if type_ is OrderType.STOP else 0.0,
        )
        assert reason in (Reason.NONE, Reason.POSITION_SIZE)
        refused += reason is Reason.POSITION_SIZE
        accepted += reason is Reason.NONE
        long = round((position["size"] + position["open_buys"]) * 1000)
        short = round((position["open_sells"] - position["size"]) * 1000)
        largest = max(largest, long, short)
        assert largest <= limit, f"order {number}"
        if number % 5 == 0:
            pit.trade(round(100 + draw.randint(-20, 20) * 0.05, 2), size=draw.randint(0, 500) / 1000)
        if number % 97 == 0:
            for order in desk.open_orders()[::3]:
                desk.cancel(int(order["id"]))
    assert largest == limit, "the limit itself was reached"
    assert min(refused, accepted) > 1000
