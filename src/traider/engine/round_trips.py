"""Round trips: what was made of each entry, from the fills.

Average cost, as the account's own (``kernel.portfolio``): fills that add to a position average their prices in, fills that
reduce it realise (price - average price) x size. A run of reducing fills is one round trip; it ends when the position is
flat, turns, or is added to again. So an exit in ten partial fills is one round trip, and a strategy that only ever
lightens a position has round trips too. Sizes are counted in whole size increments, so that flat is exactly flat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..domain.instruments import Instrument
from .fills import Fills

ROUND_TRIPS = np.dtype(
    [
        ("inst", "<i8"),
        ("side", "<i8"),  # 1 long, -1 short
        ("entry", "<i8"),  # number of the fill that opened the position
        ("exit", "<i8"),  # number of the fill that ended the round trip
        ("entry_ns", "<i8"),
        ("exit_ns", "<i8"),
        ("size", "<f8"),
        ("entry_price", "<f8"),  # averages, weighted by size
        ("exit_price", "<f8"),
        ("pnl", "<f8"),  # before fees
        ("fees", "<f8"),  # the exit's, and the entry's in proportion to the size closed
    ]
)


@dataclass(frozen=True)
class OpenPosition:
    """What is still held after the last fill; ``size`` is negative when it is short."""

    inst: int
    entry_ns: int
    size: float
    average_price: float
    fees: float  # of the entry


@dataclass(frozen=True)
class Ledger:
    """``trips`` are ``ROUND_TRIPS``, in the order in which they ended. ``holdings`` are the times from flat to flat, in order:
    (start, end) in nanoseconds, of all instruments together; the last one has no end when something is still held."""

    trips: np.ndarray[Any, np.dtype[np.void]]
    open: list[OpenPosition]
    holdings: list[tuple[int, int | None]]

    @property
    def realized_pnl(self) -> float:
        """Before fees."""
        return float(self.trips["pnl"].sum())

    def held_ns(self, until_ns: int) -> int:
        """How long there was any position, up to this time."""
        return sum(max(0, min(until_ns, until_ns if end is None else end) - start) for start, end in self.holdings)


@dataclass(slots=True)
class _Book:
    """One instrument's position and the round trip that is ending."""

    inst: int
    num: float  # the size increment is num / den, both whole
    den: float
    rows: list[tuple[Any, ...]]
    side: int = 0
    units: int = 0  # size increments held
    average: float = 0.0
    entry_fees: float = 0.0
    entry: int = 0
    entry_ns: int = 0
    closed: int = 0
    exit_value: float = 0.0  # sum of units x price
    pnl: float = 0.0
    fees: float = 0.0

    def size(self, units: int) -> float:
        """The float nearest to this many increments."""
        return units * self.num / self.den

    def add(self, number: int, ts_ns: int, side: int, price: float, units: int, fee: float) -> None:
        if self.side == 0:
            self.side, self.entry, self.entry_ns = side, number, ts_ns
        self.average = (self.average * self.units + price * units) / (self.units + units) if self.units else price
        self.units += units
        self.entry_fees += fee

    def reduce(self, price: float, units: int, fee: float) -> None:
        share = self.entry_fees * (units / self.units)
        self.entry_fees -= share
        self.fees += share + fee
        self.pnl += self.size(units) * (price - self.average) * self.side
        self.exit_value += units * price
        self.closed += units
        self.units -= units

    def end_trip(self, number: int, ts_ns: int) -> None:
        exit_price = self.exit_value / self.closed
        times = self.entry, number, self.entry_ns, ts_ns
        self.rows.append((self.inst, self.side, *times, self.size(self.closed), self.average, exit_price, self.pnl, self.fees))
        self.closed, self.exit_value, self.pnl, self.fees = 0, 0.0, 0.0, 0.0

    def go_flat(self) -> None:
        self.side, self.average, self.entry_fees = 0, 0.0, 0.0


def round_trips(fills: Fills, instruments: Sequence[Instrument]) -> Ledger:
    """The round trips of these fills; ``instruments`` are the account's, in its order."""
    rows: list[tuple[Any, ...]] = []
    increments = [instrument.size_increment.as_integer_ratio() for instrument in instruments]
    books = [_Book(number, float(num), float(den), rows) for number, (num, den) in enumerate(increments)]
    nums, dens = np.array([book.num for book in books]), np.array([book.den for book in books])
    units = np.rint(fills["size"] * dens[fills["inst"]] / nums[fills["inst"]]).astype(np.int64)
    last = [(0, 0)] * len(books)  # each instrument's latest fill
    holdings: list[tuple[int, int | None]] = []
    held = 0
    columns = (fills[name].tolist() for name in ("ts_ns", "inst", "side", "price", "fee"))
    for number, (ts_ns, inst, side, price, fee, left) in enumerate(zip(*columns, units.tolist(), strict=True)):
        book = books[inst]
        was_held = book.side != 0
        if book.side == -side:
            closing = min(left, book.units)
            part = fee * (closing / left)
            book.reduce(price, closing, part)
            left -= closing
            fee -= part
            if book.units == 0:
                book.end_trip(number, ts_ns)
                book.go_flat()
        elif book.closed:
            book.end_trip(*last[inst])
        if left:
            book.add(number, ts_ns, side, price, left, fee)
        last[inst] = number, ts_ns
        if (book.side != 0) != was_held:
            held += -1 if was_held else 1
            if was_held and held == 0:
                holdings[-1] = holdings[-1][0], ts_ns
            elif not was_held and held == 1:
                holdings.append((ts_ns, None))
    for book in books:
        if book.closed:
            book.end_trip(*last[book.inst])
    rows.sort(key=lambda row: row[3])  # by the fill that ended it
    still_open = [
        OpenPosition(book.inst, book.entry_ns, book.side * book.size(book.units), book.average, book.entry_fees)
        for book in books
        if book.units
    ]
    return Ledger(np.array(rows, ROUND_TRIPS), still_open, holdings)
