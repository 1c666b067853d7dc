"""A recorded session's fills beside those of the backtest over the market events that it saw, each difference with its reason."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from traider.domain.errors import UserError
from traider.domain.orders import (
    OrderAmended,
    OrderCancelled,
    OrderEvent,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    OrderUnknown,
)
from traider.domain.session_record import Begun
from traider.domain.vocabulary import Reason
from traider.engine.fill_pairs import Compared, Sums, Verdict, compare_fills, find_twins, sums_of
from traider.engine.manifest import code_of
from traider.engine.recorded_backtest import Retold, Terms, backtest_recording
from traider.guard import journal
from traider.guard.live.books import EXTERNAL
from traider.guard.records import LIVE, SIMULATED, Configured, KillSwitchSet, SessionStarted
from traider.kernel.kit import Strategy
from traider.kernel.simulation import Fees, FillMode
from traider.storage.session_file import read_session
from traider.strategies.registry import find_strategy

from . import amounts

TWINS_WITHIN = 20  # market events between the session's decision and the backtest's that are taken for the same


class SessionParity(msgspec.Struct, frozen=True, kw_only=True):
    """What the comparison came to. ``notes`` are what was not the same for both over the whole session."""

    session: str
    strategy: str
    venue: str  # "live" or "simulated" on an exchange, on the paper venue the guard's fill mode
    currency: str
    market_events: int
    fills_session: int
    fills_backtest: int
    sums: Sums
    notes: tuple[str, ...]
    compared: tuple[Compared, ...]

    @property
    def equal(self) -> bool:
        return not (self.sums.different or self.sums.missed or self.sums.extra)


def session_parity(recording: Path, journal_path: Path) -> SessionParity:
    """Compares them; UserError says which of recording and journal is missing, or that they do not belong together."""
    begun = _last_beginning(recording)
    told = _read_journal(journal_path, begun.session_id)
    strategy = find_strategy(begun.strategy)
    retold = backtest_recording(read_session(recording), strategy, told.terms())
    twins = find_twins(told.fills, retold.fills, retold.decided, TWINS_WITHIN)
    compared = compare_fills(told.fills, retold.fills, twins)
    reasons = _Reasons(told, retold, begun.session_id, compared)
    explained = tuple(msgspec.structs.replace(one, reason=reasons.of(one)) for one in compared)
    return SessionParity(
        session=begun.session_id,
        strategy=begun.strategy,
        venue=told.configured.fill,
        currency=begun.instruments[0].quote,
        market_events=len(retold.event_ns),
        fills_session=len(told.fills),
        fills_backtest=len(retold.fills),
        sums=sums_of(explained),
        notes=(*_changed(begun, strategy), *told.notes),
        compared=explained,
    )


def _changed(begun: Begun, strategy: type[Strategy]) -> Iterator[str]:
    now = code_of(strategy)
    for name, then in begun.code.items():
        if getattr(now, name, None) != then:
            yield f"{name} has changed since the session: the backtest runs what is there now"


def _last_beginning(recording: Path) -> Begun:
    begun: Begun | None = None
    for line in read_session(recording):
        if isinstance(line, Begun):
            begun = line
    if begun is None:
        raise UserError(f"{recording}: there is no session in it")
    return begun


@dataclass
class _Told:
    """What the journal says of the session."""

    configured: Configured
    fills: list[OrderFilled] = field(default_factory=list)
    submitted: set[str] = field(default_factory=set)
    rejected: dict[str, OrderRejected] = field(default_factory=dict)
    cancelled: dict[str, Reason] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    amended: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def terms(self) -> Terms:
        told = self.configured
        fill = FillMode.NEXT_OPEN if told.fill in (LIVE, SIMULATED) else amounts.fill_mode(told.fill.replace("_", "-"))
        return Terms(fees=Fees(maker=told.maker_fee, taker=told.taker_fee), fill=fill, limits=told.limits)

    def take(self, event: OrderEvent) -> None:
        identifier = event.client_order_id
        match event:
            case OrderFilled():
                self.fills.append(event)
            case OrderSubmitted():
                self.submitted.add(identifier)
            case OrderRejected():
                self.rejected[identifier] = event
            case OrderCancelled():
                self.cancelled[identifier] = event.reason
            case OrderUnknown():
                self.unknown[identifier] = event.detail
            case OrderAmended():
                self.amended.add(identifier)


def _read_journal(path: Path, session_id: str) -> _Told:
    """The session's lines: from its beginning to the next session's."""
    if not path.exists():
        raise UserError(f"{path}: the guard's journal is not there; name the directory that it is in with --state-dir")
    journal.verify(path)
    first = int(session_id[1:]) if re.fullmatch(r"s\d+", session_id) else 0
    configured: Configured | None = None
    told: _Told | None = None
    for entry in journal.entries(path):
        match entry.record:
            case SessionStarted() if told is not None:
                break
            case SessionStarted() if entry.n == first and configured is not None:
                told = _Told(configured)
            case Configured() as configured if told is not None:
                told.notes.append(
                    f"the guard was started with other settings during the session (journal line {entry.n}): the backtest has the first"
                )
            case KillSwitchSet() as kill if told is not None:
                told.notes.append(
                    f"the kill switch was turned {'on' if kill.on else 'off'} by {kill.by} (journal line {entry.n}): {kill.reason}"
                )
            case OrderEvent() as event if told is not None:
                told.take(event)
    if told is None:
        raise UserError(f"{path}: line {first} begins no session: the recording of {session_id} belongs to another journal")
    return told


class _Reasons:
    """Why a part is not the same, as far as journal and backtest tell."""

    def __init__(self, told: _Told, retold: Retold, session_id: str, compared: Sequence[Compared]) -> None:
        self._told, self._retold, self._id = told, retold, session_id
        self._parts: dict[str, int] = {}
        for one in compared:
            if one.session is not None:
                self._parts[one.client_order_id] = self._parts.get(one.client_order_id, 0) + 1
        changed = (one.client_order_id for one in compared if one.verdict is not Verdict.SAME)
        self._first = next(changed, "")  # what is asked for otherwise after this one may follow from it

    def of(self, one: Compared) -> str:
        """In words, empty where there is nothing to explain."""
        match one.verdict:
            case Verdict.SAME:
                return ""
            case Verdict.MISSED:
                return self._missed(one)
            case Verdict.EXTRA:
                return self._extra(one)
        return "; ".join(self._different(one))

    def _missed(self, one: Compared) -> str:
        told, identifier = self._told, one.client_order_id
        if identifier in told.rejected:
            refusal = told.rejected[identifier]
            return f"refused: {refusal.reason.label}" + (f" ({refusal.detail})" if refusal.detail else "")
        part = " after a part was filled" if identifier in self._parts else ""
        if identifier in told.cancelled:
            return f"cancelled{part}: {told.cancelled[identifier].label}"
        if identifier in told.unknown:
            return f"its fate is unknown: {told.unknown[identifier]}"
        if identifier in told.submitted:
            return "still open, a part of it filled" if part else "still open at the end of the session"
        if identifier in self._retold.asked:
            return "asked for, and the guard has not heard of it"
        return self._decided_otherwise("the session did not ask for it")

    def _extra(self, one: Compared) -> str:
        identifier, retold = one.client_order_id, self._retold
        if identifier.startswith(f"{EXTERNAL}-"):
            return "ordered elsewhere"
        if not identifier.startswith(f"{self._id}-"):
            return "an order of an earlier session"
        if identifier in retold.refusals:
            return f"the backtest refuses it: {retold.refusals[identifier].label}"
        if identifier in retold.cancels:
            return f"the backtest's is cancelled before: {retold.cancels[identifier].label}"
        if identifier in retold.still_open:
            return "the backtest's is still open at the end"
        if retold.event_ns and one.ts_ns > retold.event_ns[-1]:
            return "after the last market event that was recorded"
        return self._decided_otherwise("the backtest does not ask for it")

    def _decided_otherwise(self, what: str) -> str:
        return f"{what}: it follows from what {self._first} came to" if self._first else what

    def _different(self, one: Compared) -> list[str]:
        session, backtest = one.session, one.backtest
        if session is None or backtest is None:
            return []
        reasons: list[str] = []
        if one.backtest_order_id:
            apart = self._retold.decided[one.client_order_id] - self._retold.decided[one.backtest_order_id]
            reasons.append(f"decided {_events(apart)} {'later' if apart >= 0 else 'earlier'}")
            refusal = self._told.rejected.get(one.backtest_order_id)
            if refusal is not None:
                reasons.append(f"refused at first: {refusal.reason.label}")
        if not session.whole:
            reasons.append("part of a larger fill")
        elif not backtest.whole:
            reasons.append(f"filled in {self._parts[one.client_order_id]} parts")
        if session.ts_ns != backtest.ts_ns:
            later = session.ts_ns > backtest.ts_ns
            reasons.append(f"filled {abs(one.later_ms or 0.0):,.3f} ms {'later' if later else 'earlier'}")
        if session.liquidity is not backtest.liquidity:
            reasons.append(f"as {session.liquidity}, not {backtest.liquidity}")
        if one.client_order_id in self._told.amended:
            reasons.append("amended")
        if session.price != backtest.price and session.ts_ns == backtest.ts_ns:
            reasons.append("at another price of the same moment")
        elif session.fee != backtest.fee and session.price == backtest.price and session.liquidity is backtest.liquidity:
            reasons.append("another fee rate")
        return reasons


def _events(count: int) -> str:
    return "1 market event" if abs(count) == 1 else f"{abs(count)} market events"
