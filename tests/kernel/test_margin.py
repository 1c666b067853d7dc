"""Rules of docs/matching.md on liquidation and funding, worked out by hand; and an exact ledger."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.desks import BUY, MINUTE_NS, SELL, Pit, cancels, fills, instrument
from tests.kernel.test_risk_margin import perpetual, pit
from traider.domain.vocabulary import FillRule, Reason
from traider.kernel.desk import Execution
from traider.kernel.simulation import Fees, Latency, Simulation


def liquidations(happened: list[Execution]) -> list[tuple[int, int, float, float]]:
    """Instrument, side, price and size."""
    return [(one.inst, one.side, one.price, one.size) for one in happened if one.rule is FillRule.LIQUIDATION]


# --- liquidation -----------------------------------------------------------------------------------------------------


def test_a_long_position_is_closed_where_equity_meets_the_maintenance_margin() -> None:
    """50 at 100 with 1,000: 50 p - 4,000 = 2.5 p at p = 84.2105, sold at the increment below."""
    market = pit()
    market.hold(50.0, 100.0)
    assert liquidations(market.bar(100.0, 100.0, 84.22, 90.0)) == []
    assert liquidations(market.bar(90.0, 95.0, 84.0, 90.0)) == [(0, SELL, 84.21, 50.0)]
    assert market.position() == 0.0
    assert market.equity == pytest.approx(1000.0 - 50.0 * 15.79, rel=1e-12)


def test_a_short_position_is_closed_at_its_price_above() -> None:
    """50 short at 100 with 1,000: 6,000 - 50 p = 2.5 p at p = 114.2857."""
    market = pit()
    market.hold(-50.0, 100.0)
    assert liquidations(market.bar(100.0, 114.28, 100.0, 101.0)) == []
    assert liquidations(market.bar(100.0, 115.0, 90.0, 91.0)) == [(0, BUY, 114.29, 50.0)]


def test_at_a_gap_it_is_closed_at_the_open() -> None:
    market = pit()
    market.hold(50.0, 100.0)
    assert liquidations(market.bar(80.0, 95.0, 79.0, 90.0)) == [(0, SELL, 80.0, 50.0)]
    assert market.equity == 0.0


def test_a_gap_may_leave_less_than_nothing() -> None:
    market = pit()
    market.hold(50.0, 100.0)
    market.bar(70.0, 70.0, 70.0, 70.0)
    assert (market.position(), market.equity) == (0.0, -500.0)


def test_on_trades_it_is_closed_at_the_trade() -> None:
    market = pit()
    market.hold(50.0, 100.0)
    assert liquidations(market.trade(84.22)) == []
    assert liquidations(market.trade(84.0)) == [(0, SELL, 84.0, 50.0)]


def test_on_quotes_and_books_it_is_closed_at_the_middle() -> None:
    market = pit()
    market.hold(50.0, 100.0)
    assert liquidations(market.quote(83.0, 84.0)) == [(0, SELL, 83.5, 50.0)]
    market = Pit(perpetual(), cash=1000.0)
    market.book([(99.0, 1.0)], [(101.0, 1.0)])
    market.desk.apply_fill(order_id=0, inst=0, side=BUY, price=100.0, size=50.0, fee=0.0, ts_ns=market.now_ns, maker=False)
    assert liquidations(market.book([(83.0, 1.0)], [(84.0, 1.0)])) == [(0, SELL, 83.5, 50.0)]


def test_a_liquidation_pays_the_takers_fee_and_the_venues_own() -> None:
    market = pit(fees=Fees(taker=0.001), simulation=Simulation(liquidation_fee=0.01))
    market.hold(50.0, 100.0)
    (fill,) = [one for one in market.trade(80.0) if one.kind == "fill"]
    assert fill.fee == pytest.approx(80.0 * 50.0 * 0.011, rel=1e-15)
    assert (fill.reason, fill.maker, fill.order_id) == (Reason.LIQUIDATION, False, 0)
    assert market.desk.account["liquidations"] == 1


def test_a_liquidation_takes_every_order_back_first() -> None:
    market = Pit(perpetual(), instrument("BTC-USD"), marks=[100.0, 100.0], cash=1000.0)
    market.hold(50.0, 100.0)
    target = market.limit(SELL, 50.0, 200.0)
    happened = market.trade(80.0)
    assert cancels(happened) == [(target, Reason.LIQUIDATION)]
    assert [one.kind for one in happened] == ["cancel", "fill"]


def test_a_stop_above_the_price_of_liquidation_comes_first() -> None:
    market = pit()
    market.hold(50.0, 100.0)
    stop = market.stop(SELL, 50.0, 90.0)
    happened = market.bar(100.0, 100.0, 80.0, 85.0)
    assert fills(happened) == [(stop, 90.0, 50.0, False)]
    assert liquidations(happened) == []


def test_every_position_on_margin_is_closed_and_spot_is_not_touched() -> None:
    market = Pit(perpetual(), perpetual("ETH-PERP"), instrument("BTC-USD"), marks=[100.0, 10.0, 100.0], cash=1000.0)
    market.hold(2.0, 100.0, inst=2)
    market.hold(-20.0, 10.0, inst=1)
    market.hold(40.0, 100.0)
    market.limit(SELL, 1.0, 150.0, inst=2)
    happened = market.trade(70.0)
    assert liquidations(happened) == [(0, SELL, 70.0, 40.0), (1, BUY, 10.0, 20.0)]
    assert [market.position(inst) for inst in range(3)] == [0.0, 0.0, 2.0]


def test_a_spot_account_is_never_liquidated() -> None:
    market = Pit(instrument(shortable=True), marks=[100.0], cash=1000.0)
    market.hold(-50.0, 100.0)
    assert market.trade(500.0) == []
    assert market.position() == -50.0


def test_a_fill_whose_report_is_under_way_is_closed_with_the_rest() -> None:
    latency = Simulation(latency=Latency(back_ns=10 * MINUTE_NS))
    market = pit(simulation=latency)
    market.hold(40.0, 100.0)
    market.market(BUY, 10.0)
    market.trade(100.0)
    assert market.position() == 40.0
    happened = market.trade(70.0)
    assert liquidations(happened) == [(0, SELL, 70.0, 50.0)]
    assert market.position() == 0.0
    market.desk.finish()
    assert market.desk.drain() == []


def test_a_mirror_of_an_account_elsewhere_liquidates_nothing() -> None:
    market = pit(remote=True)
    market.hold(50.0, 100.0)
    assert market.trade(50.0) == []
    assert market.position() == 50.0


# --- funding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "rate", "paid"), [(50.0, 0.0001, 0.55), (-50.0, 0.0001, -0.55), (50.0, -0.0002, -1.1)])
def test_a_long_position_pays_a_positive_rate_at_the_mark_and_a_short_one_gets_it(size: float, rate: float, paid: float) -> None:
    market = pit()
    market.hold(size, 100.0)
    market.trade(110.0)
    before = market.cash
    (told,) = market.funding(rate)
    assert (told.kind, told.price, told.size, told.side) == ("funding", 110.0, 50.0, BUY if size > 0 else SELL)
    assert told.fee == pytest.approx(paid, rel=1e-12)
    assert market.cash == pytest.approx(before - paid, rel=1e-15)
    assert float(market.desk.positions[0]["funding"]) == told.fee


def test_funding_is_no_fee_and_no_profit_of_a_trade() -> None:
    market = pit()
    market.hold(50.0, 100.0)
    market.funding(0.01)
    position = market.desk.positions[0]
    assert (float(position["fees"]), float(position["realized_pnl"]), float(position["average_price"])) == (0.0, 0.0, 100.0)
    assert market.equity == 950.0


def test_funding_of_a_flat_position_or_of_spot_is_nothing() -> None:
    assert pit().funding(0.01) == []
    market = Pit(instrument(shortable=True), marks=[100.0], cash=1000.0)
    market.hold(5.0, 100.0)
    assert market.funding(0.01) == []
    assert market.equity == 1000.0


def test_funding_may_lead_to_a_liquidation_at_the_next_price() -> None:
    market = pit()
    market.hold(50.0, 100.0)
    market.trade(85.0)
    market.funding(0.02)  # 85 of the 250 that were left, and 212.5 are to be kept
    assert liquidations(market.trade(85.0)) == [(0, SELL, 85.0, 50.0)]


# --- the ledger ------------------------------------------------------------------------------------------------------

STEP = st.one_of(
    st.tuples(st.just("order"), st.integers(0, 1), st.sampled_from([BUY, SELL]), st.integers(1, 20_000)),
    st.tuples(st.just("price"), st.integers(0, 1), st.integers(-400, 400), st.just(0)),
    st.tuples(st.just("funding"), st.integers(0, 1), st.integers(-30, 30), st.just(0)),
)


class Ledger:
    """The account in fractions, from what it was told."""

    def __init__(self, cash: int) -> None:
        self.start = Fraction(cash)
        self.cash = Fraction(cash)
        self.positions = [Fraction(0)] * 2
        self.fees = self.funding = Fraction(0)

    def take(self, one: Execution) -> None:
        if one.kind == "fill":
            size = Fraction(repr(one.size))
            self.cash -= one.side * Fraction(repr(one.price)) * size + Fraction(one.fee)
            self.positions[one.inst] += one.side * size
            self.fees += Fraction(one.fee)
        elif one.kind == "funding":
            self.cash -= Fraction(one.fee)
            self.funding += Fraction(one.fee)


@settings(max_examples=60)
@given(st.lists(STEP, min_size=20, max_size=120))
def test_cash_and_positions_at_their_marks_are_start_and_profit_less_fees_and_funding(steps: list[tuple[str, int, int, int]]) -> None:
    """Orders, prices, funding and whatever liquidations come of them, in floats and in fractions."""
    market = Pit(perpetual(), instrument("ETH-USD", shortable=True), marks=[100.0, 100.0], cash=10_000.0, fees=Fees(0.001, 0.002))
    ledger = Ledger(10_000)
    prices = [10_000, 10_000]  # cents
    for what, inst, number, size in steps:
        if what == "order":
            market.ask(number, size / 1000, inst=inst)
            continue
        if what == "price":
            prices[inst] = max(prices[inst] + number, 100)
            happened = market.trade(prices[inst] / 100, inst=inst)
        else:
            happened = market.funding(number / 10_000, inst=inst)
        for one in happened:
            ledger.take(one)
    for inst in range(2):  # what is still open meets a last price
        for one in market.trade(prices[inst] / 100, inst=inst):
            ledger.take(one)
    assert [market.position(inst) for inst in range(2)] == [float(size) for size in ledger.positions]
    assert market.cash == pytest.approx(float(ledger.cash), rel=1e-12, abs=1e-8)
    worth = ledger.cash + sum(size * Fraction(price, 100) for size, price in zip(ledger.positions, prices, strict=True))
    assert market.equity == pytest.approx(float(worth), rel=1e-12, abs=1e-8)
    profit = 0.0
    for inst in range(2):
        position = market.desk.positions[inst]
        profit += float(position["realized_pnl"] + position["size"] * (prices[inst] / 100 - position["average_price"]))
    assert profit == pytest.approx(float(worth - ledger.start + ledger.fees + ledger.funding), rel=1e-9, abs=1e-6)
    assert float(market.desk.account["fees"]) == pytest.approx(float(ledger.fees), rel=1e-12, abs=1e-12)
