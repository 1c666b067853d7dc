"""Rules of docs/matching.md on fees, worked out by hand."""

import pytest

from tests.kernel.desks import BUY, MINUTE_NS, SELL, Pit, fills, instrument
from traider.domain.errors import SettingsError
from traider.kernel.layout import DAY_NS
from traider.kernel.simulation import Fees, FeeTier, Simulation, Slippage, SlippageKind

TIERED = Fees(maker=0.004, taker=0.006, tiers=(FeeTier(10_000.0, 0.002, 0.004), FeeTier(50_000.0, 0.001, 0.002)))


def pit(fees: Fees = TIERED) -> Pit:
    return Pit(instrument(shortable=True), marks=[100.0], fees=fees, cash=1e9)


def sleep(market: Pit, days: int) -> None:
    """The next event comes so many days later, at the same time of the day."""
    market.now_ns += days * DAY_NS - MINUTE_NS


def fee_of(market: Pit, size: float = 0.001, side: int = BUY) -> float:
    """The fraction of the notional that a market order pays on the next bar."""
    market.market(side, size)
    (fill,) = market.bar(100.0, 100.0, 100.0, 100.0)
    return round(fill.fee / (fill.price * fill.size), 12)


def test_below_the_first_tier_the_base_fees_hold() -> None:
    assert fee_of(pit()) == 0.006


def test_the_volume_of_the_days_before_decides_the_tier_and_today_changes_nothing() -> None:
    market = pit()
    assert fee_of(market, 500.0) == 0.006, "50,000 of volume"
    assert fee_of(market) == 0.006, "still the same day"
    sleep(market, 1)
    assert fee_of(market) == 0.002


def test_a_volume_at_the_tier_itself_reaches_it() -> None:
    market = pit()
    fee_of(market, 99.999)
    sleep(market, 1)
    assert fee_of(market, 0.001) == 0.006, "9,999.90 was traded"
    sleep(market, 1)
    assert fee_of(market) == 0.004, "and now 10,000"


def test_maker_fills_pay_the_tiers_maker_fee() -> None:
    market = pit()
    fee_of(market, 100.0)
    sleep(market, 1)
    market.limit(BUY, 1.0, 99.0)
    (fill,) = market.bar(100.0, 100.0, 98.0, 100.0)
    assert (fill.maker, fill.fee) == (True, 99.0 * 0.002)


def test_volume_counts_for_thirty_days() -> None:
    market = pit()
    fee_of(market, 500.0)
    for day in range(30):
        sleep(market, 1)
        assert fee_of(market) == 0.002, f"day {day + 1}"
    sleep(market, 1)
    assert fee_of(market) == 0.006


@pytest.mark.parametrize(("days", "fee"), [(2, 0.002), (29, 0.002), (30, 0.002), (31, 0.006), (32, 0.006), (60, 0.006), (61, 0.006)])
def test_days_without_trading_pass_as_days_without_volume(days: int, fee: float) -> None:
    market = pit()
    fee_of(market, 500.0)
    sleep(market, days)
    assert fee_of(market) == fee


def test_an_old_day_does_not_come_back_when_its_place_is_asked_again() -> None:
    """A day's volume lies in the place of its number modulo 30; after a gap of more than a month what lies there is old."""
    market = pit()
    fee_of(market, 500.0)
    sleep(market, 20)
    fee_of(market, 0.001)
    sleep(market, 40)  # 60 days, and two rounds, after the first
    assert fee_of(market) == 0.006


def test_both_sides_and_all_instruments_count_into_the_volume() -> None:
    market = Pit(instrument("A-USD", shortable=True), instrument("B-USD", shortable=True), marks=[100.0, 10.0], fees=TIERED, cash=1e9)
    market.market(BUY, 50.0)
    market.market(SELL, 500.0, inst=1)
    market.bar(100.0, 100.0, 100.0, 100.0)
    market.bar(10.0, 10.0, 10.0, 10.0, inst=1)
    sleep(market, 1)
    assert fee_of(market) == 0.004


def test_an_instruments_own_fees_hold_whatever_the_tier() -> None:
    own = instrument("A-USD", shortable=True, maker_fee="-0.0001", taker_fee="0.0005")
    market = Pit(own, instrument("B-USD"), marks=[100.0, 100.0], fees=TIERED, cash=1e9)
    assert fee_of(market, 1000.0) == 0.0005
    market.limit(BUY, 1.0, 99.0)
    (fill,) = market.bar(100.0, 100.0, 98.0, 100.0)
    assert fill.fee == 99.0 * -0.0001, "a rebate"
    market.market(BUY, 1.0, inst=1)
    assert [one.fee for one in market.bar(100.0, 100.0, 100.0, 100.0, inst=1)] == [100.0 * 0.006]


def test_a_fee_of_zero_is_a_fee_of_its_own() -> None:
    market = Pit(instrument("A-USD", taker_fee="0"), marks=[100.0], fees=TIERED)
    assert fee_of(market) == 0.0


def test_the_fee_is_of_the_price_that_was_paid() -> None:
    market = Pit(marks=[100.0], fees=Fees(taker=0.01), simulation=Simulation(slippage=Slippage(SlippageKind.TICKS, 100)))
    order = market.market(BUY, 2.0)
    happened = market.bar(100.0, 100.0, 100.0, 100.0)
    assert fills(happened) == [(order, 101.0, 2.0, False)]
    assert happened[0].fee == 101.0 * 2.0 * 0.01


@pytest.mark.parametrize(
    "tiers",
    [(FeeTier(0.0, 0.0, 0.0),), (FeeTier(2.0, 0.0, 0.0), FeeTier(1.0, 0.0, 0.0)), (FeeTier(1.0, 0.0, 0.0),) * 2],
    ids=["from zero", "descending", "twice"],
)
def test_tiers_that_do_not_rise_are_refused(tiers: tuple[FeeTier, ...]) -> None:
    with pytest.raises(SettingsError, match="fee tiers begin at volumes above zero, each higher than the one before"):
        Fees(tiers=tiers)


def test_there_are_no_more_tiers_than_are_supported() -> None:
    with pytest.raises(SettingsError, match="17 fee tiers are given; at most 16 are supported"):
        Fees(tiers=tuple(FeeTier(float(n), 0.0, 0.0) for n in range(1, 18)))
