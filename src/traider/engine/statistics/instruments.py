"""What each instrument brought, of an account that trades one or several. Money is in the account's quote currency."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...domain.instruments import Instrument
from ..fills import Fills
from ..round_trips import Ledger


@dataclass(frozen=True)
class InstrumentFigures:
    """Of one instrument. The profits of all instruments add up to the account's, and so do fees, fills and turnover."""

    symbol: str
    fills: int
    turnover: float  # the sum of price x size
    fees: float
    realized: float  # of round trips, before fees
    unrealized: float  # of what is still held, at the last price
    round_trips: int
    hit_rate: float | None  # round trips that made more than their fees / all
    profit_factor: float | None  # their sum / the sum of what the others lost, after fees; None without a loss
    expectancy: float | None  # the mean result of a round trip, after fees
    position: float  # still held; negative when it is short
    exposure: float | None  # fraction of the time with a position; None when that is no time

    @property
    def net_profit(self) -> float:
        return self.realized + self.unrealized - self.fees

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {**asdict(self), "net_profit": self.net_profit}


def figures_by_instrument(
    fills: Fills, ledger: Ledger, instruments: Sequence[Instrument], last_prices: Mapping[int, float], *, start_ns: int, end_ns: int
) -> list[InstrumentFigures]:
    """One row an instrument, in the account's order. ``ledger`` is of the fills, ``last_prices`` go by the account's number
    of the instrument and are asked for only where something is still held; the time is the run's."""
    return [_figures(number, one, fills, ledger, last_prices, (start_ns, end_ns)) for number, one in enumerate(instruments)]


def _figures(
    number: int, instrument: Instrument, fills: Fills, ledger: Ledger, last_prices: Mapping[int, float], period: tuple[int, int]
) -> InstrumentFigures:
    mine = fills[fills["inst"] == number]
    trips = ledger.trips[ledger.trips["inst"] == number]
    held = [position for position in ledger.open if position.inst == number]
    net = trips["pnl"] - trips["fees"]
    lost = -_sum(net[net < 0])
    whole = period[1] - period[0]
    return InstrumentFigures(
        symbol=instrument.symbol,
        fills=len(mine),
        turnover=_sum(mine["price"] * mine["size"]),
        fees=_sum(mine["fee"]),
        realized=_sum(trips["pnl"]),
        unrealized=math.fsum(position.size * (last_prices[number] - position.average_price) for position in held),
        round_trips=len(trips),
        hit_rate=np.count_nonzero(net > 0) / len(trips) if len(trips) else None,
        profit_factor=_sum(net[net > 0]) / lost if lost > 0 else None,
        expectancy=_sum(net) / len(trips) if len(trips) else None,
        position=math.fsum(position.size for position in held),
        exposure=_held_ns(mine, instrument, period[1]) / whole if whole else None,
    )


def _held_ns(fills: Fills, instrument: Instrument, until_ns: int) -> int:
    """How long one instrument's position was other than flat. Sizes are counted in whole increments, so that flat is flat."""
    if not len(fills):
        return 0
    num, den = instrument.size_increment.as_integer_ratio()
    units = np.rint(fills["size"] * float(den) / float(num)).astype(np.int64) * fills["side"]
    held = np.cumsum(units) != 0
    return int(np.diff(fills["ts_ns"], append=np.int64(until_ns))[held].sum())


def _sum(values: np.ndarray[Any, Any]) -> float:
    return math.fsum(values.tolist())
