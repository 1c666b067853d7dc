"""Numbers and times read as on the dashboard, and digits fit what they stand for."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from tests.engine.reports import DAYS, TRADES, Quoter, run
from traider.domain.limits import RiskLimits
from traider.engine.report import fidelity, words
from traider.engine.report.form import Form
from traider.kernel.simulation import FillMode

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("value", "least", "most", "text"),
    [
        (1234567.891, 2, 2, "1,234,567.89"),
        (-0.5, 2, 2, "−0.50"),
        (-0.001, 2, 2, "0.00"),
        (3.0, 0, 8, "3"),
        (0.12000000, 0, 8, "0.12"),
        (0.1, 2, 8, "0.10"),
        (1000.0, 0, 0, "1,000"),
        (None, 2, 2, "–"),
        (float("nan"), 2, 2, "–"),
    ],
)
def test_number(value: float | None, least: int, most: int, text: str) -> None:
    assert words.number(value, least, most) == text


def test_signed_numbers_have_a_plus_and_zero_has_none() -> None:
    assert words.number(1.0, signed=True) == "+1.00"
    assert words.number(0.0, signed=True) == "0.00"


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.5, "50.00 %"),
        (-0.0631, "−6.31 %"),
        (0.0006, "0.06 %"),
        (0.00012, "0.012 %"),
        (3.07e-6, "0.00031 %"),
        (0.0, "0.00 %"),
        (None, "–"),
    ],
)
def test_percent_shows_digits_that_count(fraction: float | None, text: str) -> None:
    assert words.percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.35, "0.35 s"),
        (12.0, "12 s"),
        (59.94, "59.9 s"),
        (60, "1 m"),
        (3_725, "1 h 2 m"),
        (86_400, "1 d"),
        (100_800, "1 d 4 h"),
        (9e7, "1,041 d 16 h"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    assert words.span(seconds * SECOND_NS) == text


def test_moments_are_utc() -> None:
    at_ns = 1_514_764_799 * SECOND_NS + 123_456_789
    assert [words.moment(at_ns, digits) for digits in range(3)] == ["2017-12-31 23:59", "2017-12-31 23:59:59", "2017-12-31 23:59:59.123"]
    assert words.day(17_531) == "2017-12-31"


def test_digits_fit_instrument_account_and_times(data_dir: Path) -> None:
    days = run(data_dir / DAYS, quantity=1.0)
    form = Form.of(days.result, days.context, np.array([0.004, -0.006, 12.0, 0.0]))
    assert (form.base, form.quote, form.price, form.size, form.money, form.time) == ("BTC", "USD", 2, 8, 2, 0)
    assert form.trade_amount(0.006) == "0.00600"  # the median of what isn't zero shows three digits
    assert (form.amount(12.3), form.amount(0.00056), form.amount(0.0)) == ("12.30", "0.00056", "0.00")
    assert form.sizes(0.25) == "0.25"
    trades = run(data_dir / TRADES, strategy=Quoter, quantity=0.01)
    assert Form.of(trades.result, trades.context, np.zeros(0)).time == 2


def test_every_fill_mode_is_explained_for_every_kind() -> None:
    for mode in FillMode:
        assert "quote" in fidelity.fill_rules("quotes", mode)[0]
        assert "levels of the other side" in fidelity.fill_rules("l2", mode)[0]
        assert "bar" in fidelity.fill_rules("bars", mode)[0]
        assert "trade" in fidelity.fill_rules("trades", mode)[0]
        optimistic = "optimistic" in fidelity.fill_rules("bars", mode)[0]
        assert optimistic == (mode is FillMode.SAME)


def test_data_notes_are_sentences() -> None:
    notes: dict[str, int | str] = {
        "bar_interval_ns": 60 * SECOND_NS,
        "gaps": 3,
        "bars_missing": 11,
        "close_outside_high_low": 1,
        "odd_thing": 2,
    }
    assert fidelity.data_notes(notes, 10_069, "bars") == [
        "10,069 bars of 1 m.",
        "3 gaps in time, 11 bars missing: nothing was filled in.",
        "1 bar has its close outside high and low: used as recorded.",
        "odd thing: 2.",
    ]
    assert fidelity.data_notes({"trades_of_one_time": 1}, 5, "trades") == [
        "5 trades.",
        "1 trade has the time of the one before: taken in the file's order.",
    ]


def test_only_limits_that_were_set_are_listed() -> None:
    assert fidelity.limits_in_force(RiskLimits()) == []
    limits = RiskLimits(max_daily_loss=Decimal(1500), max_drawdown=Decimal("0.2"), allowed_markets=("BTC-USD", "ETH-USD"))
    assert fidelity.limits_in_force(limits) == [("Allowed markets", "BTC-USD, ETH-USD"), ("Daily loss", "1,500"), ("Drawdown", "20.00 %")]
