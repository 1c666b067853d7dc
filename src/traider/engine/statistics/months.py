"""The returns of months and years."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

Months = list[float | None]


@dataclass(frozen=True)
class Year:
    """Returns of twelve months and of the year; None where there is no data, or no equity to measure by."""

    year: int
    months: Months
    total: float | None


def monthly_returns(cash: float, day_ends: list[tuple[int, float]]) -> list[Year]:
    """The returns of UTC months, from each month's last equity to the next; every year from the first to the last."""
    ends: dict[tuple[int, int], float] = {}
    for day, equity in day_ends:
        at = datetime.fromtimestamp(day * 86_400, UTC)
        ends[at.year, at.month] = equity
    years: list[Year] = []
    before = cash
    for year in range(min(ends)[0], max(ends)[0] + 1) if ends else ():
        began = before
        months: Months = []
        for month in range(1, 13):
            equity = ends.get((year, month), math.nan)
            months.append(equity / before - 1 if before > 0 and not math.isnan(equity) else None)
            before = before if math.isnan(equity) else equity
        seen = any((year, month) in ends for month in range(1, 13))
        years.append(Year(year, months, before / began - 1 if seen and began > 0 else None))
    return years
