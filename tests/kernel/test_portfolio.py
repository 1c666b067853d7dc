"""Cash, positions and profit against an exact ledger in fractions."""

import sys
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.desks import BUY, SELL, Pit, instrument
from traider.kernel.simulation import Fees

EPSILON = sys.float_info.epsilon
CASH = 1_000_000


@dataclass
class Holding:
    size: Fraction = Fraction(0)
    average_price: Fraction = Fraction(0)
    mark_price: Fraction = Fraction(0)
    realized_pnl: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)


@dataclass
class Ledger:
    """The account in exact numbers. Average cost; a fill through zero opens the rest at its own price."""

    cash: Fraction
    holdings: list[Holding]
    peak: Fraction = field(init=False)
    max_drawdown: Fraction = Fraction(0)
    moved: Fraction = field(init=False)  # all that was added to or taken from anything: what rounding is measured with

    def __post_init__(self) -> None:
        self.peak = self.moved = self.cash

    @property
    def equity(self) -> Fraction:
        return self.cash + sum(x.size * x.mark_price for x in self.holdings)

    def fill(self, number: int, side: int, price: Fraction, size: Fraction, fee: Fraction) -> None:
        holding = self.holdings[number]
        before, after = holding.size, holding.size + side * size
        closed = min(abs(before), size) if before * side < 0 else Fraction(0)
        opened = size - closed
        holding.realized_pnl += closed * (price - holding.average_price) * (1 if before > 0 else -1)
        if opened:
            kept = abs(before) if not closed else Fraction(0)
            holding.average_price = (kept * holding.average_price + opened * price) / (kept + opened)
        elif not after:
            holding.average_price = Fraction(0)
        holding.size = after
        holding.fees += fee
        self.cash -= side * price * size + fee
        self.moved += price * size + fee

    def mark(self, number: int, price: Fraction) -> None:
        self.holdings[number].mark_price = price
        self.peak = max(self.peak, self.equity)
        self.max_drawdown = max(self.max_drawdown, (self.peak - self.equity) / self.peak)
        self.moved += abs(self.holdings[number].size * price)


def approximately(expected: Fraction, ledger: Ledger) -> Any:
    """Equal but for the rounding of the float operations that led there."""
    return pytest.approx(float(expected), rel=1e-12, abs=4 * EPSILON * float(ledger.moved))


def assert_equal(pit: Pit, ledger: Ledger) -> None:
    for number, holding in enumerate(ledger.holdings):
        position = pit.desk.positions[number]
        assert position["size"] == float(holding.size)
        assert position["mark_price"] == float(holding.mark_price)
        assert position["average_price"] == pytest.approx(float(holding.average_price), rel=1e-12)
        assert position["realized_pnl"] == approximately(holding.realized_pnl, ledger)
        assert position["fees"] == approximately(holding.fees, ledger)
    assert pit.cash == approximately(ledger.cash, ledger)
    assert pit.equity == approximately(ledger.equity, ledger)
    assert pit.desk.account["fees"] == approximately(sum((x.fees for x in ledger.holdings), Fraction(0)), ledger)
    assert pit.peak == approximately(ledger.peak, ledger)
    assert pit.max_drawdown == pytest.approx(float(ledger.max_drawdown), rel=1e-9, abs=1e-12)


# Whole numbers of increments: cents for prices, thousandths for sizes; fees in thousandths of a cent.
Fill = tuple[int, int, int, int, int]
FILL = st.tuples(
    st.integers(0, 2), st.sampled_from([BUY, SELL]), st.integers(1, 10_000_000), st.integers(1, 5_000), st.integers(0, 1_000_000)
)
MARK = st.tuples(st.integers(0, 2), st.integers(1, 10_000_000))
SYMBOLS = ("BTC-USD", "ETH-USD", "LTC-USD")


@given(st.lists(st.one_of(FILL, MARK), max_size=60))
def test_the_account_is_the_exact_ledger_but_for_rounding(steps: list[Fill | tuple[int, int]]) -> None:
    pit = Pit(*(instrument(symbol, shortable=True) for symbol in SYMBOLS), cash=CASH * 1000, remote=True)
    ledger = Ledger(Fraction(CASH * 1000), [Holding() for _ in SYMBOLS])
    for step in steps:
        if len(step) == 2:
            number, cents = step
            pit.trade(cents / 100, inst=number)
            ledger.mark(number, Fraction(cents, 100))
        else:
            number, side, cents, thousandths, fee = step
            pit.desk.apply_fill(
                order_id=0,
                inst=number,
                side=side,
                price=cents / 100,
                size=thousandths / 1000,
                fee=fee / 100_000,
                ts_ns=pit.now_ns,
                maker=False,
            )
            pit.desk.drain()
            ledger.fill(number, side, Fraction(cents, 100), Fraction(thousandths, 1000), Fraction(fee, 100_000))
        if len(step) == 2 or not any(x.size for x in ledger.holdings):
            pit.trade(float(ledger.holdings[number].mark_price or 1), inst=number)
            ledger.mark(number, ledger.holdings[number].mark_price or Fraction(1))
            assert_equal(pit, ledger)
    profit = sum((x.realized_pnl + x.size * (x.mark_price - x.average_price) - x.fees for x in ledger.holdings), Fraction(0))
    assert ledger.equity - CASH * 1000 == profit, "the ledger itself: equity is what was there and what was earned"


def test_a_thousand_partial_fills_leave_no_dust() -> None:
    pit = Pit(instrument(size="0.1"), remote=True)
    for side in (BUY, SELL):
        for _ in range(1000):
            pit.desk.apply_fill(order_id=0, inst=0, side=side, price=10.0, size=0.1, fee=0.0, ts_ns=0, maker=False)
            pit.desk.drain()
    assert str(pit.position()) == "0.0", "and no negative zero either"
    assert pit.desk.positions[0]["average_price"] == 0.0
    assert pit.cash == pytest.approx(CASH, rel=1e-12)


def test_crossing_zero_realises_the_old_position_and_opens_the_rest_at_the_new_price() -> None:
    pit = Pit(instrument(shortable=True), remote=True)
    pit.hold(2.0, 100.0)
    pit.hold(-5.0, 110.0)
    position = pit.desk.positions[0]
    assert (position["size"], position["average_price"], position["realized_pnl"]) == (-3.0, 110.0, 2.0 * 10.0)


def test_the_fill_price_is_no_mark_so_neither_peak_nor_drawdown_is_taken_at_it() -> None:
    """Between a fill and the event's mark, the position would be valued at the mark of the event before."""
    pit = Pit(marks=[100.0])
    pit.market(BUY, 1.0)
    pit.bar(80.0, 82.0, 79.0, 81.0)  # bought 20 below the old mark, which is no gain
    assert pit.peak == CASH + 1.0
    pit.market(BUY, 1.0)
    pit.bar(200.0, 201.0, 199.0, 200.0)  # bought 119 above the old mark, which is no loss
    assert pit.peak == CASH + 120.0
    assert pit.max_drawdown == 0.0


def test_what_a_closed_position_left_behind_counts_for_peak_and_drawdown() -> None:
    pit = Pit(marks=[100.0])
    pit.market(BUY, 1.0)
    pit.bar(100.0, 100.0, 100.0, 100.0)
    pit.market(SELL, 1.0)
    pit.bar(60.0, 100.0, 60.0, 100.0)
    assert (pit.position(), pit.equity, pit.peak) == (0.0, CASH - 40.0, CASH)
    assert pit.max_drawdown == 40.0 / CASH
    pit.market(BUY, 1.0)
    pit.bar(100.0, 100.0, 100.0, 100.0)
    pit.market(SELL, 1.0)
    pit.bar(190.0, 190.0, 100.0, 100.0)
    assert (pit.position(), pit.peak) == (0.0, CASH + 50.0)


def test_equity_is_right_after_a_fill_even_before_the_next_mark() -> None:
    pit = Pit(remote=True, marks=[100.0])
    pit.desk.apply_fill(order_id=0, inst=0, side=BUY, price=90.0, size=2.0, fee=1.0, ts_ns=pit.now_ns, maker=True)
    assert pit.equity == CASH - 2 * 90.0 - 1.0 + 2 * 100.0


def test_fees_are_a_fraction_of_the_notional_by_liquidity() -> None:
    pit = Pit(fees=Fees(maker=0.001, taker=0.002), marks=[100.0])
    pit.market(BUY, 3.0)
    (taker,) = pit.bar(100.0, 100.0, 100.0, 100.0)
    pit.limit(SELL, 3.0, 110.0)
    (maker,) = pit.bar(105.0, 120.0, 105.0, 115.0)
    assert (taker.maker, taker.fee) == (False, 100.0 * 3.0 * 0.002)
    assert (maker.maker, maker.fee) == (True, 110.0 * 3.0 * 0.001)
    assert pit.desk.account["fees"] == taker.fee + maker.fee == pit.desk.positions[0]["fees"]
    assert pit.equity == pytest.approx(CASH + 3.0 * 10.0 - taker.fee - maker.fee, rel=1e-15)


@pytest.mark.parametrize("count", [1, 3])
def test_a_new_utc_day_starts_from_the_equity_that_the_day_before_ended_with(count: int) -> None:
    day_ns = 86_400_000_000_000
    pit = Pit(*(instrument(symbol) for symbol in SYMBOLS[:count]), marks=[100.0])
    pit.market(BUY, 1.0)
    pit.bar(100.0, 100.0, 100.0, 90.0)
    today = pit.now_ns // day_ns
    assert pit.desk.account["day_start_equity"] == CASH
    assert pit.desk.drain_day_ends() == []
    pit.now_ns = (today + 3) * day_ns - 60_000_000_000  # the next event is the first of a day, two days later
    pit.bar(50.0, 50.0, 50.0, 50.0)
    assert pit.desk.account["day_start_equity"] == CASH - 10.0
    assert pit.desk.drain_day_ends() == [(today, CASH - 10.0)]
    assert pit.desk.account["day_end_ns"] == (today + 4) * day_ns
