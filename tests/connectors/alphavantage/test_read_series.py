"""Series of the documented shape turned into bars: times, order, exact numbers, adjusted prices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.alphavantage.local_server import daily, intraday, row
from traider.connectors.alphavantage.read_series import NEW_YORK, read_series
from traider.domain.history import PastBar, ProviderUnavailableError


def told(bar: PastBar) -> str:
    return f"{datetime.fromtimestamp(bar.ts_ns // 10**9, UTC):%Y-%m-%d %H:%M}"


def values(opened: str, high: str, low: str, close: str, volume: str) -> dict[str, str]:
    return {"1. open": opened, "2. high": high, "3. low": low, "4. close": close, "5. volume": volume}


def test_days_are_turned_round_and_exact() -> None:
    answer = daily(
        {"2026-03-06": values("680.1500", "685.0000", "679.0100", "684.3100", "61234567"), "2026-03-09": values("1", "3", "0.5", "2", "0")}
    )
    first, second = read_series(answer, symbol="spy")
    assert first == PastBar(
        ts_ns=int(datetime(2026, 3, 6, 5, tzinfo=UTC).timestamp()) * 10**9,
        open=Decimal("680.15"),
        high=Decimal(685),
        low=Decimal("679.01"),
        close=Decimal("684.31"),
        volume=Decimal(61234567),
    )
    assert (told(second), second.volume) == ("2026-03-09 04:00", Decimal(0))


def test_minutes_follow_new_yorks_clock_over_its_changes() -> None:
    """The clocks went forward on 2026-03-08 and back on 2025-11-02; before 2007 they did at other times."""
    times = ["2025-10-31 15:55:00", "2025-11-03 09:30:00", "2026-03-06 19:55:00", "2026-03-09 04:00:00", "2006-03-20 09:30:00"]
    bars = read_series(intraday({time: row(1) for time in times}, "5min"), symbol="SPY")
    assert [told(bar) for bar in bars] == [
        "2006-03-20 14:30",
        "2025-10-31 19:55",
        "2025-11-03 14:30",
        "2026-03-07 00:55",
        "2026-03-09 08:00",
    ]


@given(st.integers(0, 40 * 366 * 24 * 60).map(lambda minutes: datetime.fromisoformat("2000-01-01") + timedelta(minutes=minutes)))
def test_any_time_is_itself_again_in_new_york_or_refused(moment: datetime) -> None:
    try:
        (bar,) = read_series(intraday({f"{moment}": row(1)}, "1min"), symbol="SPY")
    except ProviderUnavailableError as error:
        assert "change of clocks left out" in str(error)  # noqa: PT017
        assert moment.month == 3 or (moment.month == 4 and moment.year < 2007)
        assert moment.hour == 2
    else:
        assert datetime.fromtimestamp(bar.ts_ns / 1e9, NEW_YORK).replace(tzinfo=None) == moment


def test_adjusted_days_have_the_providers_close_and_volumes_of_todays_shares() -> None:
    """A share is split 4 for 1 on the third day, and paid a dividend on the second."""
    rows = {
        "2026-01-05": ("400", "404", "396", "400", "98", "1000", "1.0"),
        "2026-01-06": ("400", "410", "390", "396", "99", "2000", "1.0"),
        "2026-01-07": ("100", "101", "99", "100", "100", "9000", "4.0"),
    }
    fields = ("1. open", "2. high", "3. low", "4. close", "5. adjusted close", "6. volume", "8. split coefficient")
    answer = daily({day: dict(zip(fields, row, strict=True)) for day, row in rows.items()})
    first, second, third = read_series(answer, symbol="SPY", adjusted_daily=True)
    assert (first.open, first.high, first.low, first.close, first.volume) == tuple(map(Decimal, ("98", "98.98", "97.02", "98", "4000")))
    assert (second.high, second.low, second.close, second.volume) == tuple(map(Decimal, ("102.5", "97.5", "99", "8000")))
    assert (third.close, third.volume) == (Decimal(100), Decimal(9000))


def test_a_series_without_rows_has_no_bars() -> None:
    assert read_series(daily({}), symbol="SPY") == ()


GOOD = daily({"2026-03-06": row(1)})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({**GOOD, "Meta Data": None}, "has no Meta Data"),
        ({"Time Series (Daily)": {}}, "has no Meta Data"),
        ({"Meta Data": GOOD["Meta Data"]}, "holds no time series"),
        ({**GOOD, "Time Series (5min)": {}}, "holds no time series"),
        ({**GOOD, "Time Series (Daily)": []}, "holds no time series"),
        (daily({}, symbol="QQQ"), "is of another symbol"),
        (daily({}, zone="Europe/London"), "another zone"),
        (daily({"2026-13-01": row(1)}), "a time that is none: '2026-13-01'"),
        (daily({"2026-03-06T09:30:00Z": row(1)}), "a zone of its own"),
        (daily({"2026-03-08 02:30:00": row(1)}), "the change of clocks left out"),
        (daily({"2026-03-06": {}}), "has no number '1. open' at 2026-03-06"),
        (daily({"2026-03-06": row(1, **{"4. close": "None"})}), "has no number '4. close'"),
        (daily({"2026-03-06": row(1, **{"2. high": "NaN"})}), "no finite number '2. high'"),
        (daily({"2026-03-06": []}), "has no number"),  # type: ignore[dict-item]
    ],
)
def test_what_is_not_as_documented_is_named(answer: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProviderUnavailableError, match=reason):
        read_series(answer, symbol="SPY")
