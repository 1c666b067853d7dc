"""The risk check on the order types beside market, limit and stop, and on orders that hang together."""

import random
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.kernel.desks import BUY, SELL, Pit, instrument
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import OrderType, Reason, TimeInForce
from traider.kernel import layout

LIMIT, STOP, STOP_LIMIT, TRAILING = OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP
FOK, GTD, IOC = TimeInForce.FOK, TimeInForce.GTD, TimeInForce.IOC


def reason_of(pit: Pit, type: OrderType, side: int = BUY, size: float = 1.0, **more: Any) -> Reason:
    return pit.desk.check(inst=0, side=side, type=int(type), size=size, **more)


@pytest.mark.parametrize(
    ("type_", "more"),
    [
        (STOP_LIMIT, {"stop_price": 101.0}),
        (STOP_LIMIT, {"limit_price": 101.0}),
        (STOP_LIMIT, {"stop_price": 101.0, "limit_price": 101.0, "post_only": True}),
        (STOP_LIMIT, {"stop_price": 101.0, "limit_price": 101.0, "tif": int(IOC)}),
        (TRAILING, {}),
        (TRAILING, {"trail": 1.0}),
        (TRAILING, {"trail": 1.0, "trail_kind": 3}),
        (TRAILING, {"trail": -1.0, "trail_kind": layout.TRAIL_AMOUNT}),
        (TRAILING, {"trail": 1.0, "trail_kind": layout.TRAIL_FRACTION}),
        (TRAILING, {"trail": 0.1, "trail_kind": layout.TRAIL_FRACTION, "tif": int(FOK)}),
        (LIMIT, {"limit_price": 100.0, "tif": int(FOK), "post_only": True}),
        (LIMIT, {"limit_price": 100.0, "tif": int(GTD)}),
        (LIMIT, {"limit_price": 100.0, "tif": int(GTD), "expire_ns": -1}),
        (OrderType.MARKET, {"tif": int(GTD), "expire_ns": 2**62}),
        (OrderType.MARKET, {"tif": int(FOK)}),
        (STOP, {"stop_price": 101.0, "tif": int(FOK)}),
    ],
    ids=str,
)
def test_an_order_that_lacks_what_its_type_needs_is_refused(type_: OrderType, more: dict[str, Any]) -> None:
    assert reason_of(Pit(marks=[100.0]), type_, **more) is Reason.INVALID_ORDER


@pytest.mark.parametrize(
    ("type_", "more"),
    [
        (STOP_LIMIT, {"stop_price": 101.0, "limit_price": 102.0}),
        (TRAILING, {"trail": 0.015, "trail_kind": layout.TRAIL_AMOUNT}),
        (TRAILING, {"trail": 0.999, "trail_kind": layout.TRAIL_FRACTION}),
        (LIMIT, {"limit_price": 100.0, "tif": int(FOK)}),
        (LIMIT, {"limit_price": 100.0, "tif": int(GTD), "expire_ns": 2**62, "post_only": True}),
        (STOP, {"stop_price": 101.0, "tif": int(GTD), "expire_ns": 1}),
    ],
    ids=str,
)
def test_an_order_that_has_it_may_go(type_: OrderType, more: dict[str, Any]) -> None:
    assert reason_of(Pit(marks=[100.0]), type_, **more) is Reason.NONE


@pytest.mark.parametrize(("stop", "limit"), [(101.005, 102.0), (101.0, 102.005)])
def test_both_prices_of_a_stop_limit_order_are_whole_increments(stop: float, limit: float) -> None:
    assert reason_of(Pit(marks=[100.0]), STOP_LIMIT, stop_price=stop, limit_price=limit) is Reason.PRICE_INCREMENT


@pytest.mark.parametrize(
    ("type_", "side", "more", "most"),
    [
        (STOP_LIMIT, BUY, {"stop_price": 105.0, "limit_price": 125.0}, 8.0),
        (STOP_LIMIT, SELL, {"stop_price": 50.0, "limit_price": 40.0}, 10.0),
        (TRAILING, BUY, {"trail": 25.0, "trail_kind": layout.TRAIL_AMOUNT}, 8.0),
        (TRAILING, BUY, {"trail": 0.25, "trail_kind": layout.TRAIL_FRACTION}, 8.0),
        (TRAILING, SELL, {"trail": 25.0, "trail_kind": layout.TRAIL_AMOUNT}, 10.0),
    ],
    ids=str,
)
def test_the_notional_is_measured_at_the_most_that_the_order_may_trade_at(
    type_: OrderType, side: int, more: dict[str, Any], most: float
) -> None:
    """1,000 at most: at its limit, at what a trailing stop may rise to, and at the mark of 100 for what sells below it."""
    pit = Pit(instrument(shortable=True), marks=[100.0], limits=RiskLimits(max_order_notional=Decimal(1000)))
    assert reason_of(pit, type_, side, most, **more) is Reason.NONE
    assert reason_of(pit, type_, side, most + 0.001, **more) is Reason.ORDER_NOTIONAL


def test_a_pair_takes_its_cash_once() -> None:
    pit = Pit(marks=[100.0], cash=200.0)
    for price in (95.0, 96.0):
        more: dict[str, Any] = {"limit_price": price, "oco": 5}
        assert pit.desk.submit(inst=0, side=BUY, type=int(LIMIT), size=2.0, **more)[1] is Reason.NONE
    assert pit.desk.cash_reserved() == 192.0, "of the one that takes more"
    assert pit.ask(BUY, 0.2, LIMIT, limit_price=95.0)[1] is Reason.INSUFFICIENT_BALANCE


def test_an_order_that_waits_takes_a_place_in_the_table() -> None:
    pit = Pit(marks=[100.0], limits=RiskLimits(max_open_orders=2))
    assert pit.desk.submit(inst=0, side=BUY, type=int(LIMIT), size=1.0, limit_price=95.0, ref=1)[1] is Reason.NONE
    for expected in (Reason.NONE, Reason.OPEN_ORDERS):
        assert pit.desk.submit(inst=0, side=SELL, type=int(LIMIT), size=1.0, limit_price=105.0, parent=1)[1] is expected


def test_the_kill_switch_ends_what_would_begin() -> None:
    pit = Pit(marks=[100.0])
    pit.desk.submit(inst=0, side=BUY, type=int(LIMIT), size=1.0, limit_price=95.0, ref=1)
    pit.desk.submit(inst=0, side=SELL, type=int(LIMIT), size=1.0, limit_price=105.0, parent=1)
    pit.trade(100.0)
    pit.desk.set_kill(True)
    assert [(one.kind, one.reason) for one in pit.trade(94.0)] == [("fill", Reason.NONE), ("cancel", Reason.KILL_SWITCH)]


class Crowd:
    """Random orders of every type, alone, in pairs and one after another, on one instrument."""

    def __init__(self, pit: Pit, seed: int) -> None:
        self.pit, self.draw = pit, random.Random(seed)
        self.ref = 0
        self.reasons: dict[Reason, int] = defaultdict(int)

    def price(self) -> float:
        return round(100 + self.draw.randint(-20, 20) * 0.05, 2)

    def ask(self) -> Reason:
        draw = self.draw
        type_ = draw.choice(list(OrderType))
        more: dict[str, Any] = {}
        if type_ in (LIMIT, STOP_LIMIT):
            more["limit_price"] = self.price()
        if type_ in (STOP, STOP_LIMIT):
            more["stop_price"] = self.price()
        if type_ is TRAILING:
            more |= draw.choice([{"trail": 0.35, "trail_kind": 1}, {"trail": 0.004, "trail_kind": 2}])
        if type_ is LIMIT:
            more["tif"] = int(draw.choice([0, 0, IOC, FOK]))
        if draw.random() < 0.2:
            more["oco"] = draw.randint(1, 5) + self.ref // 20 * 5
        if draw.random() < 0.2:
            more["parent"] = max(self.ref - draw.randint(0, 3), 1)
        self.ref += 1
        size = draw.randint(1, 300) / 1000
        _, reason = self.pit.desk.submit(inst=0, side=draw.choice((BUY, SELL)), type=int(type_), size=size, ref=self.ref, **more)
        self.reasons[reason] += 1
        return reason

    def disturb(self, number: int) -> None:
        """The market moves, orders are amended and taken back."""
        draw, desk = self.draw, self.pit.desk
        if number % 5 == 0:
            self.pit.trade(self.price(), size=draw.randint(0, 500) / 1000)
        if number % 7 == 0 and (orders := desk.open_orders()):
            order = draw.choice(orders)
            self.reasons[desk.amend(int(order["id"]), size=draw.randint(1, 400) / 1000)] += 1
        if number % 97 == 0:
            for order in desk.open_orders()[::2]:
                desk.cancel(int(order["id"]))
        desk.drain()


def open_by_hand(pit: Pit) -> dict[int, Fraction]:
    """What is open by side: of a pair the larger one, and nothing of what waits."""
    alone: dict[int, Fraction] = defaultdict(Fraction)
    pairs: dict[tuple[int, int], Fraction] = defaultdict(Fraction)
    for order in pit.desk.open_orders():
        left = Fraction(repr(float(order["size"]))) - Fraction(repr(float(order["filled"])))
        side, group = int(order["side"]), int(order["oco"])
        if order["stage"] == layout.WAITING:
            continue
        if group:
            pairs[side, group] = max(pairs[side, group], left)
        else:
            alone[side] += left
    for (side, _), left in pairs.items():
        alone[side] += left
    return alone


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_of_a_hundred_thousand_orders_of_every_type_none_gets_above_the_position_limit() -> None:
    """Everything open on one side filling at once stays within the limit, by the kernel's count and by one made by hand."""
    pit = Pit(instrument(shortable=True), cash=1e12, limits=RiskLimits(max_position_size=Decimal(1)), marks=[100.0])
    crowd, position = Crowd(pit, 20180503), pit.desk.positions[0]
    largest = Fraction(0)
    for number in range(100_000):
        crowd.ask()
        crowd.disturb(number)
        long, short = position["size"] + position["open_buys"], position["open_sells"] - position["size"]
        assert max(long, short) < 1.0005, f"order {number}"
        if number % 20 == 0:
            held, by_hand = Fraction(repr(float(position["size"]))), open_by_hand(pit)
            assert by_hand[BUY] == Fraction(repr(float(position["open_buys"])))
            assert by_hand[SELL] == Fraction(repr(float(position["open_sells"])))
            largest = max(largest, held + by_hand[BUY], by_hand[SELL] - held)
            assert largest <= 1, f"order {number}"
    assert largest == 1, "the limit itself was reached"
    assert min(crowd.reasons[reason] for reason in (Reason.NONE, Reason.POSITION_SIZE, Reason.PARENT_ENDED)) > 1000


@pytest.mark.parametrize("margin", [True, False], ids=["margin", "balance"])
def test_of_orders_of_every_type_none_takes_more_than_the_account_has(margin: bool) -> None:
    """An order that leaves more at risk than before leaves no more than the equity carries, or the cash and the holdings are."""
    market = instrument(initial_margin="0.1", maintenance_margin="0.01") if margin else instrument()
    pit = Pit(market, cash=10.0 if margin else 100.0, marks=[100.0])
    crowd, position, account = Crowd(pit, 7), pit.desk.positions[0], pit.desk.account
    for number in range(10_000):
        before = at_risk(pit, margin)
        if crowd.ask() is Reason.NONE:
            after = at_risk(pit, margin)
            for was, now, most in zip(
                before, after, (float(account["equity"]) if margin else float(account["cash"]), position["size"]), strict=True
            ):
                assert now <= max(was, most) * (1 + 1e-12) + 1e-9, f"order {number}"
        crowd.disturb(number)
        assert margin or (account["cash"] >= 0.0 and position["size"] >= 0.0), f"order {number}"
    refused = Reason.INSUFFICIENT_MARGIN if margin else Reason.INSUFFICIENT_BALANCE
    assert min(crowd.reasons[Reason.NONE], crowd.reasons[refused]) > 500


def at_risk(pit: Pit, margin: bool) -> tuple[float, float]:
    """The margin that may come to be needed; or the cash that open buys reserve, and what is for sale."""
    position = pit.desk.positions[0]
    if margin:
        worst = max(abs(position["size"] + position["open_buys"]), abs(position["size"] - position["open_sells"]))
        return float(worst * position["mark_price"] * 0.1), 0.0
    return pit.desk.cash_reserved(), float(position["open_sells"])
