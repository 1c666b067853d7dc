"""What really happened at the exchange, as whoever runs it knows, and the tally of what was checked against it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

import msgspec

from traider.domain.venue import Balance, VenueFill, VenueOrder
from traider.domain.vocabulary import OrderStatus

INVARIANTS = {
    "I1": "the booked fills are the exchange's: same trade ids, sizes, prices and fees, each once",
    "I2": "at most one order at the exchange for each intent, and no intent is sent twice",
    "I3": "the same orders are open here and there, once faults have ended",
    "I4": "the same balances here and there, exactly",
    "I5": "no order that increases risk leaves while a gate is closed",
    "I6": "the journal gives what the running guard knows, read from its beginning and from its last snapshot",
    "I7": "two recoveries of one journal against one exchange come to the same ids and events",
    "I8": "never more requests than the rate limit allows, recovery included",
    "I9": "position, open and unknown orders together never come above the limit, at any instant",
    "I10": "no secret in logs, journal or errors",
    "I11": "every unknown order ends resolved, or a person was told",
    "I12": "once faults stop, the gates open by themselves, but for those that latch by design",
}
LIVE = (OrderStatus.PENDING, OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)


class Arrival(NamedTuple):
    """A request that reached the exchange; ``client_order_id`` where it was the submission of an order."""

    at_ns: int
    client_order_id: str = ""


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """One account. ``orders`` are all that there ever were, ``arrivals`` all requests in the order in which they came."""

    orders: tuple[VenueOrder, ...]
    fills: tuple[VenueFill, ...]
    balances: tuple[Balance, ...]
    arrivals: tuple[Arrival, ...]

    def open_orders(self) -> tuple[VenueOrder, ...]:
        return tuple(order for order in self.orders if order.status in LIVE)

    def totals(self) -> dict[str, Decimal]:
        """Holds included; currencies of which there is nothing are left out."""
        return {balance.currency: total for balance in self.balances if (total := balance.available + balance.held)}


class RateLimit(NamedTuple):
    """A token bucket."""

    per_s: float
    burst: int


class Violation(msgspec.Struct, frozen=True):
    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


@dataclass
class Tally:
    """How often each invariant was looked at, and where it did not hold."""

    checks: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def check(self, invariant: str, holds: bool, what: str) -> None:
        """Counts one look; ``what`` says in words what is wrong where it does not hold."""
        self.checks[invariant] += 1
        if not holds:
            self.violations.append(Violation(invariant, what))

    def violated(self, invariant: str, what: str) -> None:
        self.check(invariant, False, what)

    def add(self, other: "Tally") -> None:
        self.checks.update(other.checks)
        self.violations += other.violations

    def of(self, invariant: str) -> Iterable[Violation]:
        return [violation for violation in self.violations if violation.invariant == invariant]
