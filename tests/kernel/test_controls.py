"""Each control at its value and one increment beside it, on a desk that lets everything else pass."""

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.kernel.desks import BUY, MINUTE_NS, SELL, instrument
from traider.domain.errors import UserError
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import EventKind, OrderType, Reason
from traider.kernel.control_desk import Controls, gross_exposure
from traider.kernel.desk import Desk

MARKET, LIMIT, STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP
SECOND_NS = 1_000_000_000


class Floor:
    """A desk and its controls, asked as the guard asks: the desk's check first, then the controls."""

    def __init__(self, limits: RiskLimits, *marks: float, shortable: bool = True) -> None:
        self.desk = Desk([instrument(f"C{i}-USD", shortable=shortable) for i in range(len(marks))], cash=1e9, limits=limits, remote=True)
        self.controls = Controls(limits)
        self.now_ns = 10 * MINUTE_NS
        for inst, mark in enumerate(marks):
            self.trade(mark, inst=inst)

    def trade(self, price: float, *, inst: int = 0, after_ns: int = 0) -> None:
        self.now_ns += after_ns
        self.desk.on_market(int(EventKind.TRADE), inst, self.now_ns, price, 1.0, 0.0, 0.0, 0.0)
        self.controls.see_market(inst, self.now_ns, price)

    def ask(self, side: int, size: float, price: float = 0.0, type_: OrderType | None = None, *, inst: int = 0) -> Reason:
        """Why it may not go. Nothing changes."""
        order = self._order(side, size, price, type_, inst)
        reason = self.desk.check(**order)
        return reason if reason is not Reason.NONE else self.controls.check(self.desk.address, self.now_ns, **order)

    def send(self, side: int, size: float, price: float = 0.0, type_: OrderType | None = None, *, inst: int = 0) -> Reason:
        """As ``ask``; what passes is open from here on."""
        reason = self.ask(side, size, price, type_, inst=inst)
        if reason is not Reason.NONE:
            self.controls.refused(self.now_ns, reason)
            return reason
        order = self._order(side, size, price, type_, inst)
        number = int(self.desk.account["next_id"]) + 1
        self.desk.restore_order(order_id=number, ref=0, filled=0.0, ts_ns=self.now_ns, **order)
        self.controls.placed(self.now_ns, **order)
        self.controls.accepted()
        return reason

    def fill(self, side: int, size: float, price: float, *, inst: int = 0, order_id: int = 0) -> None:
        self.desk.apply_fill(order_id=order_id, inst=inst, side=side, price=price, size=size, fee=0.0, ts_ns=self.now_ns, maker=False)
        self.desk.drain()
        self.controls.executed(self.now_ns)

    def _order(self, side: int, size: float, price: float, type_: OrderType | None, inst: int) -> dict[str, Any]:
        kind = type_ or (LIMIT if price else MARKET)
        return {
            "inst": inst,
            "side": side,
            "type": int(kind),
            "size": size,
            "limit_price": price if kind is LIMIT else 0.0,
            "stop_price": price if kind is STOP else 0.0,
        }


def test_without_controls_everything_passes() -> None:
    floor = Floor(RiskLimits(), 100.0)
    for _ in range(2000):
        assert floor.send(BUY, 1.0) is Reason.NONE or floor.desk.account["open_orders"] == 1024
    assert floor.ask(BUY, 1.0, 1_000_000.0) is Reason.OPEN_ORDERS


# -- the size of an order, and how many are open in a market


@pytest.mark.parametrize("limit", ["0.3", "5", "0.07", "123456.789"])
@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("price", [0.0, 99.0])
def test_an_order_above_the_size_limit_is_refused_whatever_its_kind(limit: str, side: int, price: float) -> None:
    floor = Floor(RiskLimits(max_order_size=Decimal(limit)), 100.0)
    step = Decimal("0.001")
    assert floor.ask(side, float(Decimal(limit) - step), price) is Reason.NONE
    assert floor.ask(side, float(Decimal(limit)), price) is Reason.NONE
    assert floor.ask(side, float(Decimal(limit) + step), price) is Reason.ORDER_SIZE


def test_an_order_that_reduces_is_held_to_the_size_limit_too() -> None:
    floor = Floor(RiskLimits(max_order_size=Decimal(1)), 100.0)
    floor.fill(BUY, 2.0, 100.0)
    assert floor.ask(SELL, 1.001) is Reason.ORDER_SIZE
    assert floor.ask(SELL, 1.0) is Reason.NONE


def test_open_orders_are_counted_for_each_market() -> None:
    floor = Floor(RiskLimits(max_open_orders_per_market=2), 100.0, 10.0)
    assert floor.send(BUY, 1.0, 90.0) is Reason.NONE
    assert floor.send(SELL, 1.0, 110.0) is Reason.NONE
    assert floor.ask(BUY, 1.0, 90.0) is Reason.MARKET_OPEN_ORDERS
    assert floor.ask(SELL, 1.0) is Reason.MARKET_OPEN_ORDERS
    assert floor.send(BUY, 1.0, 9.0, inst=1) is Reason.NONE, "another market has its own"
    assert floor.desk.open_orders_by_instrument() == [2, 1]
    floor.desk.remove(1)
    assert floor.send(BUY, 1.0, 90.0) is Reason.NONE
    assert floor.ask(BUY, 1.0, 90.0) is Reason.MARKET_OPEN_ORDERS


# -- price collar and band


@pytest.mark.parametrize(
    ("price", "expected"), [(102.0, Reason.NONE), (102.01, Reason.PRICE_COLLAR), (98.0, Reason.NONE), (97.99, Reason.PRICE_COLLAR)]
)
@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_limit_price_further_from_the_market_than_the_collar_is_refused(side: int, price: float, expected: Reason) -> None:
    assert Floor(RiskLimits(max_price_deviation=Decimal("0.02")), 100.0).ask(side, 1.0, price) is expected


def test_the_collar_holds_for_what_reduces_and_leaves_market_and_stop_orders_alone() -> None:
    floor = Floor(RiskLimits(max_price_deviation=Decimal("0.02")), 100.0)
    floor.fill(BUY, 5.0, 100.0)
    assert floor.ask(SELL, 5.0, 10.0) is Reason.PRICE_COLLAR, "a sale at a tenth of the price is a slip of the finger whoever sells"
    assert floor.ask(SELL, 5.0) is Reason.NONE
    assert floor.ask(SELL, 5.0, 80.0, STOP) is Reason.NONE, "a stop's price is where it wakes up, not where it trades"


def quiet_band(**more: Any) -> Floor:
    """A market that moved by one percent each minute, up and down: an ATR band of two percent."""
    floor = Floor(RiskLimits(volatility_method="atr", atr_window=4, volatility_mult=Decimal(2), **more), 100.0)
    for price in (101.0, 99.99, 100.9899, 99.980001, 100.97980101):
        floor.trade(price, after_ns=MINUTE_NS)
    floor.trade(100.0, after_ns=MINUTE_NS)
    return floor


def test_a_limit_price_outside_the_volatility_band_is_refused() -> None:
    floor = quiet_band()
    half = floor.controls.band_width(0)
    assert half == pytest.approx(0.02)
    for price, expected in ((101.99, Reason.NONE), (102.01, Reason.PRICE_BAND), (98.01, Reason.NONE), (97.99, Reason.PRICE_BAND)):
        assert floor.ask(BUY, 1.0, price) is expected
        assert floor.ask(SELL, 1.0, price) is expected


def test_while_the_band_is_not_known_only_limit_orders_that_reduce_pass() -> None:
    floor = Floor(RiskLimits(volatility_window=20, volatility_mult=Decimal(3)), 100.0)
    floor.fill(BUY, 2.0, 100.0)
    assert floor.ask(BUY, 1.0, 100.0) is Reason.PRICE_BAND
    assert floor.ask(SELL, 2.0, 100.0) is Reason.NONE
    assert floor.ask(BUY, 1.0) is Reason.NONE, "a market order has no price that could be wrong"


# -- what depends on time


def test_orders_that_increase_need_market_data_that_is_young_enough() -> None:
    floor = Floor(RiskLimits(max_market_data_age_s=Decimal(5)), 100.0)
    floor.fill(BUY, 1.0, 100.0)
    floor.now_ns += 5 * SECOND_NS
    assert floor.ask(BUY, 1.0) is Reason.NONE
    floor.now_ns += 1
    assert floor.ask(BUY, 1.0) is Reason.STALE_MARKET_DATA
    assert floor.ask(SELL, 1.0) is Reason.NONE
    floor.trade(100.0)
    assert floor.ask(BUY, 1.0) is Reason.NONE


def test_orders_a_second_are_counted_and_the_second_slides() -> None:
    floor = Floor(RiskLimits(max_orders_per_second=3), 100.0)
    for _ in range(3):
        assert floor.send(BUY, 1.0) is Reason.NONE
        floor.now_ns += SECOND_NS // 4
    assert floor.ask(BUY, 1.0) is Reason.ORDER_RATE
    assert floor.ask(SELL, 1.0) is Reason.ORDER_RATE, "whatever the order does, a flood is a flood"
    floor.now_ns += SECOND_NS // 4 - 1
    assert floor.ask(BUY, 1.0) is Reason.ORDER_RATE
    floor.now_ns += 1
    assert floor.send(BUY, 1.0) is Reason.NONE


def test_amendments_have_a_budget_of_their_own() -> None:
    floor = Floor(RiskLimits(max_orders_per_second=1, max_amends_per_second=2), 100.0)
    assert floor.send(BUY, 1.0) is Reason.NONE
    assert floor.ask(BUY, 2.0) is Reason.ORDER_RATE
    for _ in range(2):
        assert floor.controls.check_amend(floor.now_ns) is Reason.NONE
        floor.controls.amended(floor.now_ns)
    assert floor.controls.check_amend(floor.now_ns) is Reason.ORDER_RATE
    assert floor.controls.check_amend(floor.now_ns + SECOND_NS) is Reason.NONE


@pytest.mark.parametrize(
    ("later_ns", "expected"), [(0, Reason.DUPLICATE_ORDER), (SECOND_NS - 1, Reason.DUPLICATE_ORDER), (SECOND_NS, Reason.NONE)]
)
def test_the_same_order_within_the_window_is_a_duplicate(later_ns: int, expected: Reason) -> None:
    floor = Floor(RiskLimits(duplicate_window_s=Decimal(1)), 100.0, 100.0)
    assert floor.send(BUY, 1.0, 99.0) is Reason.NONE
    floor.now_ns += later_ns
    assert floor.ask(BUY, 1.0, 99.0) is expected
    for other in (
        floor.ask(BUY, 1.001, 99.0),
        floor.ask(BUY, 1.0, 99.01),
        floor.ask(SELL, 1.0, 99.0),
        floor.ask(BUY, 1.0),
        floor.ask(BUY, 1.0, 99.0, inst=1),
    ):
        assert other is Reason.NONE


def test_a_duplicate_is_found_among_others() -> None:
    floor = Floor(RiskLimits(duplicate_window_s=Decimal(1)), 100.0)
    for thousandths in range(1, 200):
        assert floor.send(BUY, thousandths / 1000, 99.0) is Reason.NONE
    assert floor.ask(BUY, 0.001, 99.0) is Reason.DUPLICATE_ORDER


# -- its own other side


@pytest.mark.parametrize(
    ("side", "price", "expected"),
    [(BUY, 104.99, Reason.NONE), (BUY, 105.0, Reason.SELF_MATCH), (SELL, 95.01, Reason.NONE), (SELL, 95.0, Reason.SELF_MATCH)],
)
def test_a_limit_order_that_reaches_an_own_one_is_refused(side: int, price: float, expected: Reason) -> None:
    floor = Floor(RiskLimits(prevent_self_match=True), 100.0)
    assert floor.send(SELL, 1.0, 105.0) is Reason.NONE
    assert floor.send(BUY, 1.0, 95.0) is Reason.NONE
    assert floor.ask(side, 1.0, price) is expected


def test_a_market_order_reaches_as_far_as_the_collar() -> None:
    floor = Floor(RiskLimits(prevent_self_match=True, max_price_deviation=Decimal("0.05")), 100.0)
    floor.send(SELL, 1.0, 105.0)
    assert floor.ask(BUY, 1.0) is Reason.SELF_MATCH
    floor.trade(99.99)
    assert floor.ask(BUY, 1.0) is Reason.NONE
    assert floor.ask(SELL, 1.0) is Reason.NONE, "on its own side there is nobody to trade with"


def test_a_market_order_without_a_collar_reaches_every_own_limit_order() -> None:
    floor = Floor(RiskLimits(prevent_self_match=True), 100.0, 100.0)
    floor.send(SELL, 1.0, 200.0)
    assert floor.ask(BUY, 1.0) is Reason.SELF_MATCH
    assert floor.ask(BUY, 1.0, inst=1) is Reason.NONE
    assert floor.ask(BUY, 1.0, 300.0, STOP) is Reason.NONE, "it is in nobody's book until it is reached"


# -- exposure


@pytest.mark.parametrize(("size", "expected"), [(3.999, Reason.NONE), (4.0, Reason.NONE), (4.001, Reason.GROSS_EXPOSURE)])
def test_gross_exposure_counts_what_is_held_and_what_is_open_in_every_market(size: float, expected: Reason) -> None:
    floor = Floor(RiskLimits(max_gross_exposure=Decimal(1000)), 100.0, 10.0)
    floor.fill(BUY, 2.0, 90.0)  # 200 at the mark
    floor.send(BUY, 3.0, 100.0)  # 300 open
    floor.fill(SELL, 10.0, 10.0, inst=1)  # 100 short
    assert gross_exposure(floor.desk.record) == 600.0
    assert floor.ask(BUY, size, 100.0) is expected


def test_an_order_that_reduces_is_not_held_back_by_gross_exposure() -> None:
    floor = Floor(RiskLimits(max_gross_exposure=Decimal(100)), 100.0)
    floor.fill(BUY, 5.0, 100.0)
    assert floor.ask(BUY, 0.001) is Reason.GROSS_EXPOSURE
    assert floor.ask(SELL, 5.0) is Reason.NONE
    assert floor.ask(SELL, 10.001) is Reason.GROSS_EXPOSURE, "it would come out short, and larger than the limit"


def test_the_two_sides_of_one_market_are_not_added_up() -> None:
    floor = Floor(RiskLimits(max_gross_exposure=Decimal(1000)), 100.0)
    floor.send(BUY, 9.0, 100.0)
    floor.send(SELL, 9.0, 100.0)
    assert gross_exposure(floor.desk.record) == 900.0, "they can't both be there in the end"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_of_a_hundred_thousand_random_orders_none_breaks_a_limit_by_one_increment(seed: int) -> None:
    """Exposure is added up here in whole cents times thousandths, so there is nothing that floats could blur."""
    source = random.Random(seed)
    limits = RiskLimits(
        max_gross_exposure=Decimal(5000), max_price_deviation=Decimal("0.05"), max_orders_per_second=20, max_position_size=Decimal(40)
    )
    floor = Floor(limits, 100.0, 20.0)
    marks = [10_000, 2_000]  # cents
    positions, orders = [0, 0], list[tuple[int, int, int, int, int]]()  # thousandths; id, inst, side, thousandths, cents
    sent: list[int] = []
    passed = 0
    for _ in range(50_000):
        floor.now_ns += source.randrange(SECOND_NS // 10)
        inst, side = source.randrange(2), source.choice((BUY, SELL))
        size, cents = source.randint(1, 20_000), marks[inst] * source.randint(9_300, 10_700) // 10_000
        if floor.send(side, size / 1000, cents / 100, inst=inst) is Reason.NONE:
            passed += 1
            sent.append(floor.now_ns)
            orders.append((int(floor.desk.account["next_id"]), inst, side, size, cents))
            assert abs(cents - marks[inst]) * 100 <= marks[inst] * 5
            assert sum(1 for at in sent[-25:] if at > floor.now_ns - SECOND_NS) <= 20
            exposure = 0
            for market in range(2):
                long = short = 0
                for _number, where, way, open_size, price in orders:
                    if where == market and way == BUY:
                        long += open_size * price
                    elif where == market:
                        short += open_size * max(price, marks[market])
                exposure += max(0, positions[market] * marks[market] + long, -positions[market] * marks[market] + short)
            before = exposure_before_growth(positions, marks)
            assert exposure <= 5000 * 100_000 or exposure <= before, "not one thousandth of a coin at one cent above it"
        if orders and source.random() < 0.7:
            number, where, way, open_size, price = orders.pop(source.randrange(len(orders)))
            if source.random() < 0.5:
                floor.fill(way, open_size / 1000, price / 100, inst=where, order_id=number)
                positions[where] += way * open_size
            else:
                floor.desk.cancel(number)
        floor.desk.drain()
    assert passed > 5_000


def exposure_before_growth(positions: list[int], marks: list[int]) -> int:
    """What is held alone: orders that only reduce pass above the limit too."""
    return sum(abs(held) * mark for held, mark in zip(positions, marks, strict=True))


# -- safe mode and halts


def test_in_safe_mode_only_orders_that_reduce_go() -> None:
    floor = Floor(RiskLimits(safe_mode=True), 100.0)
    floor.fill(BUY, 2.0, 100.0)
    assert floor.ask(BUY, 0.001) is Reason.SAFE_MODE
    assert floor.ask(SELL, 2.0) is Reason.NONE
    assert floor.ask(SELL, 2.001) is Reason.SAFE_MODE


def test_so_many_refusals_in_a_row_and_nothing_goes_any_more() -> None:
    floor = Floor(RiskLimits(max_rejections_in_a_row=3, max_order_notional=Decimal(1000)), 100.0)
    for _ in range(2):
        assert floor.send(BUY, 11.0) is Reason.ORDER_NOTIONAL
    assert floor.send(BUY, 1.0) is Reason.NONE, "an order that passes ends the row"
    for _ in range(3):
        assert floor.controls.halt_reason() is Reason.NONE
        floor.send(BUY, 11.0)
    assert floor.send(BUY, 1.0) is Reason.REPEATED_REJECTIONS
    assert floor.send(SELL, 1.0) is Reason.REPEATED_REJECTIONS
    assert floor.controls.check_amend(floor.now_ns) is Reason.REPEATED_REJECTIONS
    floor.controls.resume()
    assert floor.send(BUY, 1.0) is Reason.NONE


@pytest.mark.parametrize("reason", [Reason.KILL_SWITCH, Reason.GATE_CLOSED, Reason.SAFE_MODE, Reason.STALE_MARKET_DATA])
def test_refusals_that_say_nothing_of_the_order_are_not_counted(reason: Reason) -> None:
    floor = Floor(RiskLimits(max_rejections_in_a_row=1), 100.0)
    floor.controls.refused(floor.now_ns, reason)
    assert floor.controls.halt_reason() is Reason.NONE
    floor.controls.refused(floor.now_ns, Reason.VENUE_REJECTED)
    assert floor.controls.halt_reason() is Reason.REPEATED_REJECTIONS


def test_more_fills_than_allowed_within_a_minute_and_nothing_goes_any_more() -> None:
    floor = Floor(RiskLimits(max_executions_per_minute=3), 100.0)
    for _ in range(3):
        floor.fill(BUY, 0.001, 100.0)
    assert floor.controls.halt_reason() is Reason.NONE
    floor.now_ns += MINUTE_NS
    floor.fill(BUY, 0.001, 100.0)
    assert floor.controls.halt_reason() is Reason.NONE, "the first three are a minute old"
    for _ in range(3):
        floor.fill(BUY, 0.001, 100.0)
    assert floor.controls.halt_reason() is Reason.REPEATED_EXECUTIONS
    assert floor.ask(SELL, 0.001) is Reason.REPEATED_EXECUTIONS


def test_more_refusals_than_allowed_within_a_minute_and_nothing_goes_any_more() -> None:
    floor = Floor(RiskLimits(max_rejections_per_minute=3, max_order_size=Decimal(1)), 100.0)

    def refuse(times: int) -> None:
        for _ in range(times):
            assert floor.send(BUY, 1.001) is Reason.ORDER_SIZE
            assert floor.send(BUY, 1.0) is Reason.NONE, "what is taken between them ends no minute"

    refuse(3)
    floor.now_ns += MINUTE_NS
    refuse(3)
    assert floor.controls.halt_reason() is Reason.NONE, "the first three are a minute old"
    assert floor.controls.rejections_last_minute(floor.now_ns) == 3
    floor.now_ns += MINUTE_NS - 1
    assert floor.send(BUY, 1.001) is Reason.ORDER_SIZE
    assert floor.send(SELL, 0.001) is Reason.REJECTION_RATE
    assert floor.controls.check_amend(floor.now_ns) is Reason.REJECTION_RATE
    assert floor.controls.rejections_last_minute(floor.now_ns) == 4, "refusals by the halt itself are not counted"
    floor.controls.resume()
    refuse(3)


@pytest.mark.parametrize("reason", [Reason.KILL_SWITCH, Reason.GATE_CLOSED, Reason.SAFE_MODE, Reason.STALE_MARKET_DATA])
def test_refusals_that_say_nothing_of_the_order_are_not_counted_in_the_minute(reason: Reason) -> None:
    floor = Floor(RiskLimits(max_rejections_per_minute=1), 100.0)
    for _ in range(5):
        floor.controls.refused(floor.now_ns, reason)
    assert floor.controls.rejections_last_minute(floor.now_ns) == 0


def test_the_halt_that_came_first_is_the_one_that_is_told() -> None:
    floor = Floor(RiskLimits(max_rejections_in_a_row=2, max_rejections_per_minute=2), 100.0)
    for _ in range(3):
        floor.controls.refused(floor.now_ns, Reason.VENUE_REJECTED)
    assert floor.controls.halt_reason() is Reason.REPEATED_REJECTIONS


Set = Callable[[int], RiskLimits]


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        (lambda n: RiskLimits(max_orders_per_second=n), 1024),
        (lambda n: RiskLimits(max_amends_per_second=n), 1024),
        (lambda n: RiskLimits(max_executions_per_minute=n), 1023),
        (lambda n: RiskLimits(max_rejections_per_minute=n), 1023),
    ],
)
def test_a_limit_that_could_not_be_counted_is_refused(limits: Set, most: int) -> None:
    Controls(limits(most))
    with pytest.raises(UserError, match=f"the largest that is counted is {most}"):
        Controls(limits(most + 1))


def test_an_order_is_admitted_by_the_check_and_then_by_the_controls() -> None:
    """Asked for both, the desk gives the first one's reason first."""
    floor = Floor(RiskLimits(max_order_notional=Decimal(1000), max_price_deviation=Decimal("0.02")), 100.0)

    def asked(size: float, price: float) -> Reason:
        return floor.desk.check(controls=floor.controls, inst=0, side=BUY, type=int(LIMIT), size=size, limit_price=price)

    assert asked(1.0, 102.0) is Reason.NONE
    assert asked(1.0, 102.01) is Reason.PRICE_COLLAR
    assert asked(11.0, 102.01) is Reason.ORDER_NOTIONAL
