"""One row of Alpha Vantage's bars: which requests it takes, and what they have to answer."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from traider.domain.history import (
    BarHistory,
    BarPage,
    BarsOf,
    Gap,
    PastBar,
    ProviderRefusedError,
    ProviderUnavailableError,
    known_until_ns,
)
from traider.domain.ports import Clock

from .client import AlphaVantageClient
from .read_series import NEW_YORK, read_series
from .us_calendar import trading_days

_SECOND_NS = 1_000_000_000
_DAY_S = 86_400
INTERVALS = {60: "1min", 300: "5min", 900: "15min", 1800: "30min", 3600: "60min"}
SPANS_S = (*INTERVALS, _DAY_S)
_COMPACT_ROWS = 100
_DELAY_S = 20 * 60  # bars of minutes are told up to a quarter of an hour late: until then the last of them may lack trades
_SURE_S = 5 * _DAY_S  # what is missing after so long was not traded; before that it may not have been published
_ADJUSTED = "adjusted for splits and dividends"


class SeriesHistory:
    """A ``BarHistory`` of one symbol, by day or by minutes."""

    def __init__(
        self, client: AlphaVantageClient, clock: Clock, *, symbol: str, span_s: int, adjusted: bool = False, extended_hours: bool = False
    ) -> None:
        """``adjusted`` prices change whenever a dividend is paid or a share is split; ``extended_hours`` are bars of minutes alone."""
        by_day = span_s == _DAY_S
        self.bars_of = BarsOf(
            provider="Alpha Vantage",
            symbol=symbol,
            span_s=span_s,
            prices=_ADJUSTED if adjusted else "as traded",
            hours="" if by_day else "04:00 to 20:00 in New York" if extended_hours else "09:30 to 16:00 in New York",
        )
        self.grows = not adjusted
        self._client = client
        self._clock = clock
        self._adjusted = adjusted
        self._extended_hours = extended_hours

    async def complete_until_ns(self) -> int:
        """Of days, the midnight in New York that began today; of minutes, what ended some time ago."""
        now_s = self._clock.now_ns() // _SECOND_NS
        if self.bars_of.span_s == _DAY_S:
            return _midnight_ns(_day_of(now_s * _SECOND_NS))
        return (now_s - _DELAY_S - self.bars_of.span_s + 1) * _SECOND_NS

    async def pages(self, first_ns: int, end_ns: int) -> AsyncIterator[BarPage]:
        """Days come in one page, minutes month by month. A ``ProviderError`` says which kind of none there is."""
        if first_ns >= end_ns:
            return
        if self.bars_of.span_s == _DAY_S:
            yield self._page(await self._days(first_ns), first_ns, end_ns)
            return
        known_ns = first_ns
        for month, next_month in pairwise(_months(first_ns, end_ns)):
            begin_ns, until_ns = max(first_ns, _midnight_ns(month)), min(end_ns, _midnight_ns(next_month))
            traded = any(trading_days(_day_of(begin_ns), _day_of(until_ns - 1) + timedelta(days=1)))
            page = self._page(await self._month(month) if traded else (), known_ns, until_ns)
            known_ns = page.until_ns
            yield page

    def gaps(self, starts_ns: Sequence[int], first_ns: int, end_ns: int) -> Iterator[Gap]:
        """Days on which New York's exchanges traded and that have no bar; bars of minutes that are missing between two of one day.

        The days before the first bar are not looked at where everything was asked for (``first_ns`` is 0).
        """
        if not starts_ns:
            return
        days = [_day_of(start_ns) for start_ns in starts_ns]
        there = set(days)
        first, last = days[0] if first_ns <= 0 else _day_of(first_ns), _day_of(end_ns - 1)
        found = [(day, _midnight_ns(day), 1) for day in trading_days(first, last + timedelta(days=1)) if day not in there]
        span_ns = self.bars_of.span_s * _SECOND_NS
        if self.bars_of.span_s != _DAY_S:
            for (day, start_ns), (next_day, next_ns) in pairwise(zip(days, starts_ns, strict=True)):
                if day == next_day and next_ns - start_ns > span_ns:
                    found.append((day, start_ns + span_ns, (next_ns - start_ns) // span_ns - 1))
        for _, gap_ns, count in sorted(found):
            yield Gap(first_ns=gap_ns, last_ns=gap_ns + (count - 1) * span_ns, bars=count)

    def _page(self, bars: Sequence[PastBar], first_ns: int, until_ns: int) -> BarPage:
        within = tuple(bar for bar in bars if first_ns <= bar.ts_ns < until_ns)
        sure_ns = self._clock.now_ns() - _SURE_S * _SECOND_NS
        span_ns = self.bars_of.span_s * _SECOND_NS
        return BarPage(bars=within, until_ns=known_until_ns(within, span_ns, first_ns=first_ns, until_ns=until_ns, sure_ns=sure_ns))

    async def _days(self, first_ns: int) -> tuple[PastBar, ...]:
        today = _day_of(self._clock.now_ns())
        # The latest hundred days are for every key; the whole past may not be.
        if first_ns > 0 and sum(1 for _ in trading_days(_day_of(first_ns), today + timedelta(days=1))) <= _COMPACT_ROWS:
            bars = await self._asked(outputsize="compact")
            if len(bars) < _COMPACT_ROWS or bars[0].ts_ns <= first_ns:
                return bars
        return await self._asked(outputsize="full")

    async def _month(self, month: date) -> tuple[PastBar, ...]:
        bars = await self._asked(
            interval=INTERVALS[self.bars_of.span_s],
            month=f"{month:%Y-%m}",
            outputsize="full",
            adjusted="true" if self._adjusted else "false",
            extended_hours="true" if self._extended_hours else "false",
        )
        odd = next((bar for bar in bars if _day_of(bar.ts_ns).replace(day=1) != month), None)
        if odd is not None:
            raise ProviderUnavailableError(f"Alpha Vantage was asked for {month:%Y-%m} and answered with {_day_of(odd.ts_ns)}")
        return bars

    async def _asked(self, **parameters: str) -> tuple[PastBar, ...]:
        by_day = self.bars_of.span_s == _DAY_S
        daily = "TIME_SERIES_DAILY_ADJUSTED" if self._adjusted else "TIME_SERIES_DAILY"
        query = {"function": daily if by_day else "TIME_SERIES_INTRADAY", "symbol": self.bars_of.symbol, "datatype": "json"}
        answer = await self._client.ask(query | parameters)
        bars = read_series(answer, symbol=self.bars_of.symbol, adjusted_daily=by_day and self._adjusted)
        if not bars:
            of = f" in {parameters['month']}" if "month" in parameters else ""
            raise ProviderRefusedError(f"Alpha Vantage has no bars of {self.bars_of.symbol}{of}")
        return bars


@asynccontextmanager
async def series_history(
    client: AlphaVantageClient, clock: Clock, *, symbol: str, span_s: int, adjusted: bool, extended_hours: bool
) -> AsyncIterator[BarHistory]:
    """The symbol's bars, while this is entered."""
    await client.start()
    try:
        yield SeriesHistory(client, clock, symbol=symbol, span_s=span_s, adjusted=adjusted, extended_hours=extended_hours)
    finally:
        await client.stop()


def _day_of(moment_ns: int) -> date:
    """The day in New York."""
    return datetime.fromtimestamp(moment_ns // _SECOND_NS, UTC).astimezone(NEW_YORK).date()


def _midnight_ns(day: date) -> int:
    """Its beginning in New York."""
    return int(datetime(day.year, day.month, day.day, tzinfo=NEW_YORK).timestamp()) * _SECOND_NS


def _months(first_ns: int, end_ns: int) -> Iterator[date]:
    """The first days of the months in New York that [``first_ns``, ``end_ns``) touches, and of the one after them."""
    month, last = _day_of(first_ns).replace(day=1), _day_of(end_ns - 1)
    while month <= last:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)
    yield month
