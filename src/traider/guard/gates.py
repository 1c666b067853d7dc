"""The gates: what has to be true before an order may leave, and what still may while it is not.

Each cause closes a gate of its own and opens it again when it is gone; nobody has to. An order passes when none that concerns it is
closed. What a closed gate still lets through hangs on why it is closed:

- the account is not known for certain (``START``, ``RECONCILIATION``, ``BALANCE``), nothing can be recorded (``JOURNAL``), nothing can
  be done there (``VENUE``, ``KEY``), or nobody has said that it may be done (``NOT_ENABLED``): no order;
- the account is known, but the market or the way news comes is not (``STREAM``, ``CLOCK``, ``MARKET_DATA``): orders that reduce.

Cancels pass every gate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from traider.domain.state import ClosedGate

EVERYWHERE = ""


class Cause(StrEnum):
    """Why a gate is closed."""

    START = "start"  # since this start, the venue has not been asked how things stand
    RECONCILIATION = "reconciliation"  # news may be missing, or the venue's word and the books can't be brought together
    BALANCE = "balance"  # the venue's balances are not what the fills come to
    JOURNAL = "journal"  # it can't be written: opens at the next start only
    VENUE = "venue"  # it takes no orders, or does not answer
    NOT_ENABLED = "not enabled"  # nobody has enabled live trading for this account, or that has run out
    KEY = "key"  # it may not trade, or may do more than trade
    STREAM = "stream"  # the venue's user channel is lost: changes are told by asking only
    CLOCK = "clock"  # the machine's clock is off
    MARKET_DATA = "market data"  # stale, or its sequence has a gap


REDUCING_PASSES = frozenset({Cause.STREAM, Cause.CLOCK, Cause.MARKET_DATA})


OPENS = {
    Cause.START: "by itself, when the exchange has told how things stand and its balances are what the fills come to",
    Cause.RECONCILIATION: "by itself, when the exchange is asked once more and its word and the books agree",
    Cause.BALANCE: "by itself, when the balances are equal; or a person takes the exchange's over: traider accept-balances",
    Cause.JOURNAL: "at the guard's next start, when the journal can be written again",
    Cause.VENUE: "by itself, when the exchange answers and takes orders again",
    Cause.NOT_ENABLED: "by a person: traider enable-live",
    Cause.KEY: "by itself, when the exchange says that the key may trade and may not transfer",
    Cause.STREAM: "by itself, when the user channel is back and the exchange was asked once more",
    Cause.CLOCK: "by itself, when the clock is right again",
    Cause.MARKET_DATA: "by itself, with the next price",
}


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed gate: for one market, or ``EVERYWHERE``."""

    cause: Cause
    symbol: str
    detail: str
    since_ns: int

    def text(self) -> str:
        """In a person's words."""
        where = f" for {self.symbol}" if self.symbol else ""
        return f"{self.cause}{where}: {self.detail}"

    def state(self) -> ClosedGate:
        """As everybody sees it."""
        return ClosedGate(gate=str(self.cause), symbol=self.symbol, detail=self.detail, since_ns=self.since_ns, opens=OPENS[self.cause])


@dataclass(frozen=True, slots=True)
class Change:
    """A gate that has closed or opened, as it is told and journalled; of an opened one ``detail`` says what had closed it."""

    closed: bool
    cause: Cause
    symbol: str
    detail: str


class Gates:
    """All gates of one account. ``close`` and ``open`` say what changed, None where nothing did."""

    def __init__(self) -> None:
        self._closed: dict[tuple[Cause, str], Closed] = {}

    def close(self, cause: Cause, detail: str, now_ns: int, symbol: str = EVERYWHERE) -> Change | None:
        """Closes a gate. One that is closed already takes the new detail and keeps its time."""
        key = (cause, symbol)
        before = self._closed.get(key)
        self._closed[key] = Closed(cause, symbol, detail, before.since_ns if before else now_ns)
        return None if before else Change(True, cause, symbol, detail)

    def open(self, cause: Cause, symbol: str = EVERYWHERE) -> Change | None:
        """Opens the gate that this cause closed."""
        before = self._closed.pop((cause, symbol), None)
        return None if before is None else Change(False, cause, symbol, before.detail)

    def is_closed(self, cause: Cause, symbol: str = EVERYWHERE) -> bool:
        return (cause, symbol) in self._closed

    def are_open(self) -> bool:
        """Whether every gate is."""
        return not self._closed

    def closed(self) -> tuple[Closed, ...]:
        """Every closed gate, the oldest first."""
        return tuple(sorted(self._closed.values(), key=lambda gate: gate.since_ns))

    def refusal(self, symbol: str, *, reduces: Callable[[], bool]) -> Closed | None:
        """The gate that this order does not pass, None when it passes all. Whether it ``reduces`` is asked where that matters."""
        if not self._closed:
            return None
        for gate in self.closed():
            if gate.symbol in (EVERYWHERE, symbol) and not (gate.cause in REDUCING_PASSES and reduces()):
                return gate
        return None
