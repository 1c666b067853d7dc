from datetime import date, timedelta

import pytest

from traider.connectors.alphavantage.us_calendar import easter, holidays, is_trading_day, trading_days

# As the exchange announced them.
ANNOUNCED = {
    2021: "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24",
    2022: "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26",
    2023: "01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25",
    2024: "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
    2025: "01-01 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
    2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
}


@pytest.mark.parametrize("year", ANNOUNCED)
def test_holidays_are_those_that_were_announced(year: int) -> None:
    assert " ".join(f"{day:%m-%d}" for day in sorted(holidays(year))) == ANNOUNCED[year]


def test_easter_moves_between_the_ends_of_march_and_april() -> None:
    assert [easter(year) for year in (2000, 2008, 2011, 2038)] == [
        date(2000, 4, 23),
        date(2008, 3, 23),
        date(2011, 4, 24),
        date(2038, 4, 25),
    ]
    assert all(date(year, 3, 22) <= easter(year) <= date(year, 4, 25) and easter(year).weekday() == 6 for year in range(1990, 2100))


def test_no_holiday_is_kept_on_a_weekend() -> None:
    for year in range(1999, 2060):
        assert all(day.weekday() < 5 and day.year == year for day in holidays(year))


@pytest.mark.parametrize(("year", "days"), [(2001, 248), (2012, 250), (2018, 251), (2020, 253), (2023, 250), (2024, 252)])
def test_so_many_days_were_traded(year: int, days: int) -> None:
    assert sum(1 for _ in trading_days(date(year, 1, 1), date(year + 1, 1, 1))) == days


def test_days_that_were_closed_once() -> None:
    assert not any(is_trading_day(date(2001, 9, 11) + timedelta(days=day)) for day in range(6))
    assert is_trading_day(date(2001, 9, 17))
    assert not is_trading_day(date(2012, 10, 29))
    assert is_trading_day(date(2012, 10, 31))
