"""Rules of docs/matching.md on latency, worked out by hand."""

import math
import random
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tests.kernel.desks import BUY, SELL, Pit, cancels, fills, instrument
from traider.domain.errors import SettingsError
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import OrderType, Reason
from traider.kernel import latency
from traider.kernel.desk import Desk, Execution
from traider.kernel.simulation import Fees, Latency, LatencyKind, Simulation, latency_rows

MS = 1_000_000
BOOK = ([(100.0, 5.0), (99.0, 5.0)], [(101.0, 5.0), (102.0, 5.0), (103.0, 5.0)])


def pit(out_ms: int = 5, back_ms: int = 0, *, step_ms: int = 2, limits: RiskLimits | None = None, **more: bool) -> Pit:
    """A market at 100; an order takes ``out_ms`` to it, a fill ``back_ms`` back, and events are ``step_ms`` apart."""
    simulation = Simulation(latency=Latency(out_ns=out_ms * MS, back_ns=back_ms * MS))
    market = Pit(instrument(shortable=more.get("shortable", True)), marks=[100.0], simulation=simulation, limits=limits)
    market.step_ns = step_ms * MS
    return market


def with_book(out_ms: int = 5, back_ms: int = 0, *, step_ms: int = 2) -> Pit:
    market = pit(out_ms, back_ms, step_ms=step_ms)
    market.book(*BOOK)
    market.desk.drain()
    return market


def times(happened: list[Execution], since_ns: int) -> list[float]:
    """When the fills happened, in milliseconds."""
    return [(one.ts_ns - since_ns) / MS for one in happened if one.kind == "fill"]


# --- out -------------------------------------------------------------------------------------------------------------


def test_an_order_meets_nothing_before_it_has_arrived() -> None:
    market = pit(out_ms=5)
    order = market.market(BUY, 1.0)
    assert market.trade(100.0) == []
    assert market.trade(101.0) == []
    sent_ns = market.now_ns - 4 * MS
    assert market.trade(102.0) == [], "it is filled at 6 ms, and that is told at the next event"
    happened = market.trade(103.0)
    assert fills(happened) == [(order, 102.0, 1.0, False)]
    assert times(happened, sent_ns) == [6.0]


def test_an_order_that_arrives_at_the_moment_of_an_event_meets_it() -> None:
    market = pit(out_ms=4)
    order = market.market(BUY, 1.0)
    market.trade(100.0)
    market.trade(101.0)
    assert fills(market.trade(102.0)) == [(order, 101.0, 1.0, False)]


def test_an_order_that_arrives_between_events_meets_the_book_as_it_was() -> None:
    market = with_book(out_ms=5)
    sent_ns = market.now_ns
    order = market.market(BUY, 1.0)
    assert market.level(SELL, 101.0, 0.0) == []
    market.step_ns = 8 * MS
    happened = market.level(SELL, 102.0, 0.0)
    assert fills(happened) == [(order, 102.0, 1.0, False)], "at 5 ms 101 was gone and 102 still there"
    assert times(happened, sent_ns) == [5.0]


def test_an_order_that_arrives_between_events_joins_the_queue_of_that_moment() -> None:
    market = with_book(out_ms=3)
    market.limit(BUY, 1.0, 100.0)
    market.level(BUY, 100.0, 7.0)
    market.level(BUY, 100.0, 9.0)
    assert float(market.desk.open_orders()[0]["queue"]) == 7.0


@pytest.mark.parametrize(("step_ms", "expected"), [(4, "filled"), (6, "cancelled")])
def test_a_cancel_comes_too_late_for_what_happens_before_it_arrives(step_ms: int, expected: str) -> None:
    market = with_book(out_ms=5, step_ms=10)
    order = market.strategy(lambda ctx: ctx.buy_limit(1.0, 100.0))
    market.level(SELL, 103.0, 6.0)
    market.step_ns = step_ms * MS
    market.strategy(lambda ctx: ctx.cancel(order))
    happened = market.trade(99.0, 1.0, side=SELL) + market.trade(99.0, 1.0, side=SELL)
    if expected == "filled":
        assert [price for _, price, _, _ in fills(happened)] == [100.0]
        assert cancels(happened) == []
    else:
        assert fills(happened) == []
        assert [reason for _, reason in cancels(happened)] == [Reason.REQUESTED]


def test_a_cancel_asked_for_again_arrives_no_later() -> None:
    market = pit(out_ms=5)
    order = market.strategy(lambda ctx: ctx.buy_limit(1.0, 90.0))
    for _ in range(5):
        market.trade(100.0)
    happened: list[Execution] = []
    for _ in range(4):
        market.strategy(lambda ctx: ctx.cancel(order))
        happened += market.trade(100.0)
    assert [(one.ts_ns - market.now_ns) // MS for one in happened] == [-3], "asked at -8 ms, there at -3"


def test_an_order_and_its_cancel_arrive_in_the_order_in_which_they_were_sent() -> None:
    """The cancel's way takes 1 ms, the order's 5; it waits for the order."""
    market = with_book()
    market.desk.record["settings"]["latency_out_ns"] = 5 * MS
    order = market.strategy(lambda ctx: ctx.buy(1.0))
    market.desk.record["settings"]["latency_out_ns"] = 1 * MS
    market.strategy(lambda ctx: ctx.cancel(order))
    happened = [one for _ in range(4) for one in market.level(SELL, 103.0, 5.0)]
    assert [(one.kind, one.price) for one in happened] == [("fill", 101.0)]


def test_an_amendment_holds_from_its_arrival_on() -> None:
    market = with_book(out_ms=5, step_ms=10)
    order = market.strategy(lambda ctx: ctx.buy_limit(1.0, 99.0))
    market.level(SELL, 103.0, 6.0)
    market.step_ns = 3 * MS
    market.strategy(lambda ctx: ctx.amend(order, 0.0, 100.0))
    market.level(SELL, 103.0, 7.0)
    assert float(market.desk.open_orders()[0]["limit_price"]) == 99.0
    market.level(SELL, 103.0, 8.0)
    assert float(market.desk.open_orders()[0]["limit_price"]) == 100.0


def test_of_an_order_one_amendment_at_a_time_is_under_way() -> None:
    market = pit(out_ms=5)
    order = market.strategy(lambda ctx: ctx.buy_limit(1.0, 90.0))
    market.strategy(lambda ctx: ctx.amend(order, 0.0, 91.0))
    market.strategy(lambda ctx: ctx.amend(order, 0.0, 92.0))
    assert [(one.kind, one.reason) for one in market.desk.drain()] == [("refusal", Reason.TOO_MANY_REQUESTS)]
    for _ in range(5):
        market.trade(100.0)
    assert float(market.desk.open_orders()[0]["limit_price"]) == 91.0


# --- back ------------------------------------------------------------------------------------------------------------


def test_a_fill_is_known_when_its_report_arrives() -> None:
    market = pit(out_ms=0, back_ms=3)
    market.market(BUY, 2.0)
    assert market.trade(101.0) == []
    assert (market.position(), market.cash, len(market.desk.open_orders())) == (0.0, 1_000_000.0, 1)
    assert market.trade(102.0) == [], "2 ms later it is still under way"
    assert fills(market.trade(103.0)) == [(1, 101.0, 2.0, False)]
    assert (market.position(), market.cash, len(market.desk.open_orders())) == (2.0, 1_000_000.0 - 202.0, 0)


def test_what_is_filled_and_not_told_counts_as_open() -> None:
    market = pit(out_ms=0, back_ms=20, limits=RiskLimits(max_position_size=Decimal(2), max_open_orders=2))
    market.market(BUY, 2.0)
    market.trade(101.0)
    assert market.desk.positions[0]["open_buys"] == 2.0
    assert market.ask(BUY, 0.001)[1] is Reason.POSITION_SIZE
    assert market.ask(SELL, 2.0)[1] is Reason.NONE
    assert market.ask(SELL, 0.001, OrderType.LIMIT, limit_price=200.0)[1] is Reason.OPEN_ORDERS


def test_the_order_rate_counts_orders_when_they_are_sent() -> None:
    market = pit(out_ms=50, back_ms=50, limits=RiskLimits(max_orders_per_minute=2))
    market.market(BUY, 1.0)
    market.market(BUY, 1.0)
    assert market.ask(BUY, 1.0)[1] is Reason.ORDER_RATE
    market.step_ns = 60_000 * MS - 1
    market.trade(100.0)
    assert market.ask(BUY, 1.0)[1] is Reason.ORDER_RATE
    market.step_ns = 1
    market.trade(100.0)
    assert market.ask(BUY, 1.0)[1] is Reason.NONE


def test_a_cancel_of_what_is_filled_already_does_nothing() -> None:
    market = pit(out_ms=0, back_ms=20)
    order = market.strategy(lambda ctx: ctx.buy(1.0))
    market.trade(101.0)
    market.strategy(lambda ctx: ctx.cancel(order))
    assert not market.desk.cancel(1)
    happened = [one for _ in range(12) for one in market.trade(100.0)]
    assert [(one.kind, one.price) for one in happened] == [("fill", 101.0)]


def test_what_is_cancelled_after_a_part_was_filled_keeps_that_part() -> None:
    market = pit(out_ms=0, back_ms=20)
    market.limit(BUY, 2.0, 99.0)
    market.trade(100.0)
    market.trade(98.0, 0.5)
    assert market.desk.cancel(1)
    assert [(one.kind, one.size) for one in market.desk.drain()] == [("cancel", 1.5)]
    assert fills([one for _ in range(12) for one in market.trade(90.0, 9.0)]) == [(1, 99.0, 0.5, True)]
    assert market.position() == 0.5
    assert market.desk.open_orders() == []


def test_what_follows_a_fill_begins_at_the_venue_before_the_fill_is_known() -> None:
    """On spot: what was bought may be sold, though the account hears of the purchase 20 ms later."""
    market = pit(out_ms=0, back_ms=20, shortable=False)
    market.desk.submit(inst=0, side=BUY, type=int(OrderType.LIMIT), size=1.0, limit_price=99.0, ref=1)
    market.desk.submit(inst=0, side=SELL, type=int(OrderType.LIMIT), size=1.0, limit_price=105.0, parent=1)
    market.trade(100.0)
    market.trade(98.0)
    market.trade(106.0)
    assert market.position() == 0.0
    happened = [one for _ in range(12) for one in market.trade(100.0)]
    assert fills(happened) == [(1, 99.0, 1.0, True), (2, 105.0, 1.0, True)]


def test_what_follows_an_untold_fill_is_held_to_the_limits_with_it() -> None:
    market = pit(out_ms=0, back_ms=20, limits=RiskLimits(max_position_size=Decimal(1)))
    market.desk.submit(inst=0, side=BUY, type=int(OrderType.LIMIT), size=1.0, limit_price=99.0, ref=1)
    market.desk.submit(inst=0, side=BUY, type=int(OrderType.LIMIT), size=1.0, limit_price=98.0, parent=1)
    market.trade(100.0)
    assert cancels(market.trade(98.5)) == [(2, Reason.POSITION_SIZE)]


def test_reports_under_way_at_the_end_are_told() -> None:
    market = pit(out_ms=0, back_ms=20)
    market.market(BUY, 1.0)
    market.trade(101.0)
    market.desk.finish()
    assert fills(market.desk.drain()) == [(1, 101.0, 1.0, False)]
    assert (market.position(), market.equity) == (1.0, 1_000_000.0)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_filled_twice_or_lost(seed: int) -> None:
    """Random orders and cancels over random latencies: each order's fills, cancels and what is open make up its size."""
    draw = random.Random(seed)
    latency_ = Latency(out_ns=5 * MS, back_ns=7 * MS, kind=LatencyKind.LOGNORMAL, sigma=1.0)
    market = Pit(
        instrument(shortable=True), marks=[100.0], fees=Fees(0.001, 0.002), simulation=Simulation(latency=latency_, seed=seed), cash=1e9
    )
    market.step_ns = 3 * MS
    wanted: dict[int, Fraction] = {}
    happened: list[Execution] = []
    for _ in range(1500):
        if draw.random() < 0.3:
            size = draw.randint(1, 3000)
            side, price = draw.choice([BUY, SELL]), round(100 + draw.randint(-30, 30) / 10, 2)
            wanted[market.limit(side, size / 1000, price, ioc=draw.random() < 0.2)] = Fraction(size, 1000)
        if draw.random() < 0.1:
            market.strategy(lambda ctx: [ctx.cancel(int(order["ref"])) for order in market.desk.open_orders()[:2]])
        if draw.random() < 0.05 and market.desk.open_orders():
            market.desk.cancel(int(draw.choice(market.desk.open_orders())["id"]))
        happened += market.desk.drain()
        happened += market.trade(round(100 + draw.randint(-30, 30) / 10, 2), draw.randint(0, 2000) / 1000)
    market.desk.finish()
    happened += market.desk.drain()
    found: dict[int, Fraction] = defaultdict(Fraction)
    for one in happened:
        assert one.kind in ("fill", "cancel")
        found[one.order_id] += Fraction(repr(one.size))
    for order in market.desk.open_orders():
        assert order["untold"] == 0.0
        found[int(order["id"])] += Fraction(repr(float(order["size"]))) - Fraction(repr(float(order["filled"])))
    assert found == wanted
    told = [one for one in happened if one.kind == "fill"]
    assert len(told) > 200
    assert market.position() == float(sum(one.side * Fraction(repr(one.size)) for one in told))
    paid = sum(one.side * Fraction(one.price) * Fraction(one.size) + Fraction(one.fee) for one in told)
    assert market.cash == pytest.approx(float(Fraction(10**9) - paid), rel=1e-13)


# --- how long --------------------------------------------------------------------------------------------------------


def drawn(desk: Desk, count: int) -> list[int]:
    return [latency.delay_out(desk.record, 0) for _ in range(count)]


def with_latency(latency_: Latency, seed: int = 0) -> Desk:
    return Desk([instrument()], cash=1.0, simulation=Simulation(latency=latency_, seed=seed))


def test_a_constant_latency_is_the_same_each_time() -> None:
    assert set(drawn(with_latency(Latency(out_ns=7, back_ns=9)), 100)) == {7}


def test_the_same_seed_gives_the_same_times_and_another_seed_others() -> None:
    lognormal = Latency(out_ns=5 * MS, kind=LatencyKind.LOGNORMAL, sigma=0.5)
    first, again, other = (drawn(with_latency(lognormal, seed), 50) for seed in (1, 1, 2))
    assert first == again
    assert len(set(first) & set(other)) == 0


def test_a_lognormal_latency_has_its_median_and_its_deviation() -> None:
    """20,000 draws; the bounds are five standard errors of a median, and of a standard deviation."""
    count, sigma = 20_000, 0.7
    logs = np.log(drawn(with_latency(Latency(out_ns=5 * MS, kind=LatencyKind.LOGNORMAL, sigma=sigma)), count))
    assert abs(np.median(logs) - math.log(5 * MS)) < 5 * sigma * math.sqrt(math.pi / 2 / count)
    assert abs(logs.std() - sigma) < 5 * sigma / math.sqrt(2 * count)


def test_a_recorded_latency_is_that_of_the_last_row_before() -> None:
    desk = with_latency(latency_rows([(100, 1, 4), (200, 2, 5), (300, 3, 6)]))
    assert [latency.delay_out(desk.record, at) for at in (0, 99, 100, 199, 200, 299, 300, 10**9)] == [1, 1, 1, 1, 2, 2, 3, 3]
    assert [latency.delay_back(desk.record, at) for at in (0, 150, 250, 350)] == [4, 4, 5, 6]


@pytest.mark.parametrize("rows", [[], [(2, 1, 1), (1, 1, 1)], [(1, -1, 1)]], ids=["none", "back in time", "negative"])
def test_a_recorded_latency_that_is_none_is_refused(rows: list[tuple[int, int, int]]) -> None:
    with pytest.raises(SettingsError, match="a recorded latency needs rows of ts_ns, out_ns, back_ns, ascending in time, none negative"):
        latency_rows(rows)
