"""A simulated week of the whole live platform in minutes: ``python -m tests.soak [--days 7] [--parts]`` (``make soak``).

Prints memory, journal and orders as the days go by, and how much each grows once everything that is bounded is full. Exit status 1
when the process grows faster than what it has to remember of each order explains.
"""

import argparse
import sys
import tempfile
import time
import tracemalloc
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.whole import Soak, bytes_of_parts, hours, play, soaking
from traider.connectors.coinbase import user_channel, venue
from traider.connectors.sim.exchange.settings import Bounds
from traider.guard.live import books

EVERY_H = 4
FULL_AFTER = 0.4  # of the time: then everything that is bounded is full
MOST_AN_ORDER = 1200  # bytes that the guard may remember of an order for good
ALLOWED_MIB_A_DAY = 0.75  # beside that: what the allocator does not give back evens out slowly
MIB = 1024 * 1024
# Small, so that everything that is bounded is full within some hours: the exchange's past, and what guard and client remember of orders.
REMEMBERED = 200
BOUNDS = Bounds(closed_orders=500, fills=500, truth=500, trades=100, minutes=60, hours=24)


@dataclass
class Report:
    parts: bool
    journal: Path
    began_s: float = field(default_factory=time.monotonic)
    rows: list[dict[str, float]] = field(default_factory=list)

    def note(self, soak: Soak, hour: int) -> None:
        row: dict[str, float] = {
            "day": hour / 24,
            "seconds": time.monotonic() - self.began_s,
            "rss MiB": resident_bytes() / MIB,
            "journal MiB": self.journal.stat().st_size / MIB,
            "orders": soak.orders,
            "quotes": soak.source.seen,
        }
        if self.parts:
            row |= {f"{name} MiB": size / MIB for name, size in bytes_of_parts().items()}
        if not self.rows:
            print("  ".join(f"{name:>14}" for name in row), flush=True)
        self.rows.append(row)
        print("  ".join(f"{value:14,.2f}" for value in row.values()), flush=True)

    def verdict(self) -> int:
        """Prints the slopes of the second part of the time."""
        late = self.rows[int(len(self.rows) * FULL_AFTER) :]
        if len(late) < 3:
            print("too short to tell how anything grows")
            return 0
        slopes = {
            name: slope([row["day"] for row in late], [row[name] for row in late]) for name in late[0] if name not in ("day", "seconds")
        }
        print("\ngrows a day, from then on:", ", ".join(f"{name} {value:+,.2f}" for name, value in slopes.items()))
        allowed = ALLOWED_MIB_A_DAY + slopes["orders"] * MOST_AN_ORDER / MIB
        flat = slopes["rss MiB"] <= allowed
        word = "flat" if flat else "NOT flat"
        print(f"{word}: {slopes['rss MiB']:+.2f} MiB a day, {allowed:.2f} allowed with {slopes['orders']:,.0f} orders")
        return 0 if flat else 1


def slope(at: list[float], values: list[float]) -> float:
    """Of the straight line with the least squares."""
    middle, mean = sum(at) / len(at), sum(values) / len(values)
    return sum((x - middle) * (y - mean) for x, y in zip(at, values, strict=True)) / sum((x - middle) ** 2 for x in at)


def resident_bytes() -> int:
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * 4096


def bound_what_is_remembered() -> None:
    """So many of the guard's 10,000 orders that are over, and of those that the client has sent and was told of."""
    books.ENDED_REMEMBERED = REMEMBERED
    venue._MOST_REMEMBERED = REMEMBERED
    user_channel._MOST_SIZES = REMEMBERED


def main() -> int:
    bound_what_is_remembered()
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--parts", action="store_true", help="also what each part holds, which takes three times as long")
    given = parser.parse_args()
    if given.parts:
        tracemalloc.start()
    with tempfile.TemporaryDirectory(prefix="traider-soak-") as folder:
        report = Report(given.parts, Path(folder) / "journal.jsonl")

        async def run() -> None:
            async with soaking(Path(folder), bounds=BOUNDS) as soak:
                for period in range(1, round(given.days * 24 / EVERY_H) + 1):
                    await hours(soak, EVERY_H)
                    report.note(soak, period * EVERY_H)

        play(run)
        return report.verdict()


if __name__ == "__main__":
    sys.exit(main())
