"""Which requests a span takes, and that the bars are the same however it is cut into months and questions."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.alphavantage.local_server import Market, daily, intraday, row
from traider.connectors.alphavantage.client import AlphaVantageClient, Timing
from traider.connectors.alphavantage.history import SPANS_S, SeriesHistory
from traider.connectors.alphavantage.read_series import NEW_YORK
from traider.domain.history import PastBar, ProviderRefusedError, ProviderUnavailableError

DAY_S = 86_400
NOW = datetime(2026, 3, 20, 15, 0, tzinfo=NEW_YORK)  # a Friday, while the market is open
MARKET = Market(datetime.fromisoformat("2025-09-02"), datetime.fromisoformat("2026-03-20 14:59:00"))


LATER = NOW + timedelta(days=400)  # when everything has long been published


class Clock:
    def __init__(self, moment: datetime = NOW) -> None:
        self.moment = moment

    def now_ns(self) -> int:
        return ns(self.moment)


class AskedHere(AlphaVantageClient):
    """Answers without a socket."""

    def __init__(self, market: Market = MARKET, answer: Any = None) -> None:
        super().__init__("http://127.0.0.1:1", "KEY", Timing())
        self.queries: list[Mapping[str, str]] = []
        self._market, self._fixed = market, answer

    async def ask(self, query: Mapping[str, str]) -> dict[str, Any]:
        self.queries.append(query)
        answer: dict[str, Any] = self._fixed if self._fixed is not None else json.loads(self._market.answer(query)[1])
        return answer


def ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 10**9


def new_york(text: str) -> int:
    return ns(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK))


def history(client: AskedHere, span_s: int, **more: bool) -> SeriesHistory:
    return SeriesHistory(client, Clock(), symbol="SPY", span_s=span_s, **more)


def bars_of(client: AskedHere, span_s: int, first_ns: int, end_ns: int, now: datetime = LATER) -> list[PastBar]:
    async def everything() -> list[PastBar]:
        found: list[PastBar] = []
        until_ns = first_ns
        async for page in SeriesHistory(client, Clock(now), symbol="SPY", span_s=span_s).pages(first_ns, end_ns):
            assert until_ns < page.until_ns <= end_ns
            assert all(until_ns <= bar.ts_ns < page.until_ns for bar in page.bars)
            until_ns = page.until_ns
            found += page.bars
        assert until_ns == end_ns
        return found

    return asyncio.run(everything())


@given(
    span_s=st.sampled_from([s for s in SPANS_S if s >= 1800]),
    hours=st.tuples(st.integers(0, 140 * 24), st.integers(1, 60 * 24)),
    cut=st.floats(0, 1),
)
def test_a_span_has_the_same_bars_in_one_piece_and_in_two(span_s: int, hours: tuple[int, int], cut: float) -> None:
    first_ns = new_york("2025-09-01") + hours[0] * 3600 * 10**9
    end_ns = first_ns + hours[1] * 3600 * 10**9
    middle_ns = first_ns + int((end_ns - first_ns) * cut)
    whole = bars_of(AskedHere(), span_s, first_ns, end_ns)
    pieces = [bars_of(AskedHere(), span_s, *span) for span in ((first_ns, middle_ns), (middle_ns, end_ns)) if span[0] < span[1]]
    assert [bar for piece in pieces for bar in piece] == whole
    starts = [bar.ts_ns for bar in whole]
    assert starts == sorted(set(starts))
    assert starts == [start for start in every_start(span_s) if first_ns <= start < end_ns]


@lru_cache
def every_start(span_s: int) -> list[int]:
    return [bar.ts_ns for bar in bars_of(AskedHere(), span_s, new_york("2025-09-01"), new_york("2026-03-21"))]


def test_minutes_are_asked_for_month_by_month_of_new_york() -> None:
    client = AskedHere()
    bars_of(client, 60, new_york("2026-01-30 20:00"), new_york("2026-03-01"))
    assert [query["month"] for query in client.queries] == ["2026-01", "2026-02"]
    assert client.queries[0] == {
        "function": "TIME_SERIES_INTRADAY",
        "symbol": "SPY",
        "datatype": "json",
        "interval": "1min",
        "month": "2026-01",
        "outputsize": "full",
        "adjusted": "false",
        "extended_hours": "false",
    }


async def test_a_month_that_is_answered_with_another_is_refused() -> None:
    client = AskedHere(answer=intraday({"2026-03-02 09:30:00": row(1)}, "5min"))
    with pytest.raises(ProviderUnavailableError, match="was asked for 2026-02 and answered with 2026-03-02"):
        _ = [page async for page in history(client, 300).pages(new_york("2026-02-01"), new_york("2026-02-10"))]


def test_what_is_not_published_yet_is_not_taken_for_known() -> None:
    """On the 20th the bars of the 18th and 19th are still to come: they are asked for again the next time."""
    late = Market(MARKET.first, datetime.fromisoformat("2026-03-17 15:59"))

    async def until(span_s: int, first: str, market: Market = late) -> int:
        pages = [page async for page in history(AskedHere(market), span_s).pages(new_york(first), new_york("2026-03-20"))]
        return pages[-1].until_ns

    assert asyncio.run(until(DAY_S, "2026-02-02")) == new_york("2026-03-18")
    assert asyncio.run(until(300, "2026-02-02")) == new_york("2026-03-17 16:00")
    assert asyncio.run(until(DAY_S, "2026-03-18")) == new_york("2026-03-18")
    assert asyncio.run(until(DAY_S, "2026-02-02", MARKET)) == new_york("2026-03-20")


def test_a_month_that_is_not_asked_for_makes_nothing_known_before_it() -> None:
    """On Sunday, the 1st of February, half of Friday is still to come."""
    late = Market(MARKET.first, datetime.fromisoformat("2026-01-30 11:55"))
    sunday = Clock(datetime.fromisoformat("2026-02-01 12:00").replace(tzinfo=NEW_YORK))

    async def until() -> list[int]:
        of = SeriesHistory(AskedHere(late), sunday, symbol="SPY", span_s=300)
        return [page.until_ns async for page in of.pages(new_york("2026-01-05"), await of.complete_until_ns())]

    assert asyncio.run(until()) == [new_york("2026-01-30 12:00")] * 2


async def test_a_month_in_which_no_day_is_wanted_is_not_asked_for() -> None:
    """The 1st of February 2026 is a Sunday: on that day the provider may have no such month yet."""
    client = AskedHere()
    pages = [page async for page in history(client, 300).pages(new_york("2026-01-26"), new_york("2026-02-02"))]
    assert ([query["month"] for query in client.queries], len(pages), pages[-1].bars) == (["2026-01"], 2, ())


@pytest.mark.parametrize(("first", "sizes"), [("2026-01-05", ["compact"]), ("2025-10-28", ["compact"]), ("2025-10-20", ["full"])])
def test_the_latest_hundred_days_are_asked_for_as_such(first: str, sizes: list[str]) -> None:
    client = AskedHere()
    bars = bars_of(client, DAY_S, new_york(first), new_york("2026-03-20"), NOW)
    assert [query["outputsize"] for query in client.queries] == sizes
    assert datetime.fromtimestamp(bars[0].ts_ns / 1e9, NEW_YORK).date() == date.fromisoformat(first)


def test_a_hundred_days_that_do_not_reach_back_are_not_enough() -> None:
    """A provider that has a day more than our calendar, as where other exchanges' holidays are others."""
    day = datetime.fromisoformat("2025-10-28")
    days = {f"{day + timedelta(days=number):%Y-%m-%d}": row(number) for number in range(10, 144)}
    newest = dict(sorted(days.items())[-100:])

    class Other(AskedHere):
        async def ask(self, query: Mapping[str, str]) -> dict[str, Any]:
            self.queries.append(query)
            return daily(newest if query["outputsize"] == "compact" else days)

    client = Other()
    bars = bars_of(client, DAY_S, new_york("2025-11-10"), new_york("2026-03-20"), NOW)
    assert [query["outputsize"] for query in client.queries] == ["compact", "full"]
    assert len(bars) == 130


def test_everything_is_asked_for_in_full_and_begins_where_it_begins() -> None:
    client = AskedHere()
    bars = bars_of(client, DAY_S, 0, new_york("2026-03-20"))
    assert ([query["outputsize"] for query in client.queries], bars[0].ts_ns) == (["full"], new_york("2025-09-02"))


@pytest.mark.parametrize(
    ("now", "span_s", "newest"),
    [
        ("2026-03-20 15:00", DAY_S, "2026-03-19"),
        ("2026-03-20 23:59", DAY_S, "2026-03-19"),
        ("2026-03-21 00:00", DAY_S, "2026-03-20"),
        ("2026-03-20 15:00", 60, "2026-03-20 14:39"),
        ("2026-03-20 15:00", 3600, "2026-03-20 13:40"),
    ],
)
async def test_a_bar_that_may_still_change_is_not_complete(now: str, span_s: int, newest: str) -> None:
    clock = Clock(datetime.fromisoformat(now).replace(tzinfo=NEW_YORK))
    until_ns = await SeriesHistory(AskedHere(), clock, symbol="SPY", span_s=span_s).complete_until_ns()
    assert new_york(newest) < until_ns <= new_york(newest) + 60 * 10**9 * (1 if span_s < DAY_S else 24 * 60)


def test_adjusted_prices_do_not_grow_and_are_asked_for_as_such() -> None:
    client = AskedHere(answer=daily({}))
    by_day, by_minute = history(client, DAY_S, adjusted=True), history(client, 60, adjusted=True, extended_hours=True)
    assert (by_day.grows, by_day.bars_of.prices, by_day.bars_of.hours) == (False, "adjusted for splits and dividends", "")
    assert by_minute.bars_of.hours == "04:00 to 20:00 in New York"

    async def ask(one: SeriesHistory) -> None:
        with pytest.raises(ProviderRefusedError, match="has no bars of SPY"):
            _ = [page async for page in one.pages(new_york("2025-01-02"), new_york("2025-01-03"))]

    asyncio.run(ask(by_day))
    asyncio.run(ask(by_minute))
    assert client.queries[0]["function"] == "TIME_SERIES_DAILY_ADJUSTED"
    assert (client.queries[1]["adjusted"], client.queries[1]["extended_hours"]) == ("true", "true")


def gaps(span_s: int, starts: list[str], first: str | None, end: str) -> list[tuple[str, int]]:
    first_ns = 0 if first is None else new_york(first)
    found = history(AskedHere(), span_s).gaps([new_york(start) for start in starts], first_ns, new_york(end))
    return [(f"{datetime.fromtimestamp(gap.first_ns // 10**9, UTC).astimezone(NEW_YORK):%m-%d %H:%M}", gap.bars) for gap in found]


def test_holidays_and_weekends_are_no_gaps_and_missing_days_are() -> None:
    days = ["2025-12-23", "2025-12-24", "2025-12-26", "2025-12-30", "2026-01-02"]
    assert gaps(DAY_S, days, None, "2026-01-03") == [("12-29 00:00", 1), ("12-31 00:00", 1)]
    assert gaps(DAY_S, days, "2025-12-20", "2026-01-06")[0] == ("12-22 00:00", 1)
    assert gaps(DAY_S, days, "2025-12-20", "2026-01-06")[-1] == ("01-05 00:00", 1)
    assert gaps(DAY_S, [], "2025-12-20", "2026-01-06") == []


def test_minutes_that_are_missing_within_a_day_are_gaps_and_nights_are_not() -> None:
    starts = ["2026-03-06 15:55", "2026-03-09 09:30", "2026-03-09 09:35", "2026-03-09 09:50"]
    assert gaps(300, starts, "2026-03-06", "2026-03-10") == [("03-09 09:40", 2)]
    assert gaps(300, starts, "2026-03-05", "2026-03-10") == [("03-05 00:00", 1), ("03-09 09:40", 2)]
