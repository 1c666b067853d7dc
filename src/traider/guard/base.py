"""What every guard does, whichever venue it trades on: it knows its clients, answers what they ask, and watches the limits.

``traider.guard.approval`` has the guard that matches orders itself, ``traider.guard.live`` the one that sends them to an exchange.
No sockets, no tasks, no waiting but for the disk: ``handle`` is one synchronous step, so that every order of events can be tested.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from traider.domain.guard_protocol import (
    PROTOCOL_VERSION,
    AcceptBalances,
    Advance,
    Amend,
    AnyAsk,
    Beat,
    Cancel,
    Done,
    Feed,
    GetHistory,
    GetKey,
    GetSnapshot,
    History,
    KeyInfo,
    MarketEvent,
    Open,
    Refused,
    Reply,
    RestoreBook,
    SetKillSwitch,
    Snapshot,
    Submit,
)
from traider.domain.order_state import Order
from traider.domain.orders import AnyOrderEvent, OrderEvent, OrderRejected, OrderRequest, OrderSubmitted
from traider.domain.ports import Clock
from traider.domain.state import RiskState, UnknownOrder
from traider.domain.vocabulary import BAR_MADE, OrderStatus, Reason

from .batch import Batch
from .books import Books, KillState
from .control_refusals import explain_halt
from .gates import EVERYWHERE, Closed
from .gates import Cause as Gate
from .history import past_events
from .journal import Draft, Journal, JournalWriteError
from .records import JOURNAL_VERSION, Cause, Configured, KillSwitchSet, LiveCarried, PaperCarried, SegmentStarted
from .refusals import explain_breach
from .segments import OlderSegmentError
from .state import account_state, risk_state

CHECKPOINT_EVENTS = 1000  # at most so many market events have to be fed again after a crash
CHECKPOINT_NS = 60_000_000_000  # while events come, a checkpoint is written at least so often
HISTORY_LINES = 2000
BY_GUARD = "guard"
ROLES = ("trader", "observer")
B = TypeVar("B", bound=Books)


@dataclass(frozen=True, slots=True)
class Effects:
    """What a step came to: ``events`` are for everybody, ``repeats`` and then ``reply`` for who asked.

    ``changed`` tells whether account or limits may look different now, ``urgent`` that this should be told at once.
    """

    reply: Reply
    events: Sequence[AnyOrderEvent] = ()
    repeats: Sequence[AnyOrderEvent] = ()
    changed: bool = False
    urgent: bool = False


class GuardBase(ABC, Generic[B]):
    """One account's guard. The caller tells its clients apart by a number of its own."""

    def __init__(self, journal: Journal, books: B, clock: Clock) -> None:
        self.journal = journal
        self.books = books
        self._clock = clock
        self._roles: dict[int, Open] = {}
        self._fed_since_checkpoint = 0
        self._checkpoint_wall_ns = clock.now_ns()

    @property
    def failure(self) -> str | None:
        """Why nothing can be recorded any more; None while the journal can be written."""
        return self.journal.failure

    @abstractmethod
    def start(self) -> Effects:
        """Notes a changed configuration, and settles what the last run left behind."""

    def stop(self) -> None:
        """Leaves a checkpoint behind, so that the next start goes on where this one ended."""
        if self.failure is None:
            Batch(self.journal, self.books, Cause.STOP).commit()

    @abstractmethod
    def _carried(self, n: int) -> PaperCarried | LiveCarried:
        """The books, as line ``n`` is to carry them into another segment."""

    def begin_segment(self) -> None:
        """Has the journal go on in another file, which begins with what is known now.

        ``JournalWriteError`` when that can't be had; ``undone`` says that the journal goes on as before.
        """
        journal, books = self.journal, self.books
        n = journal.n + 1
        record = SegmentStarted(n=n, ts_ns=books.now_ns, segment=journal.segment.number + 1, follows=journal.head, books=self._carried(n))
        try:
            wall_ns = journal.begin_segment(Draft(books.index, Cause.SEGMENT, record))
        except JournalWriteError as error:
            if not error.undone:
                self._journal_failed()
            raise
        books.take(record, wall_ns)

    def _journal_failed(self) -> None:
        """The journal can't be written any more."""

    @abstractmethod
    def _start_session(self, session: str) -> Sequence[AnyOrderEvent]: ...

    @abstractmethod
    def _feed(self, ask: Feed) -> Effects: ...

    @abstractmethod
    def _submit(self, ask: Submit) -> Effects: ...

    @abstractmethod
    def _cancel(self, ask: Cancel) -> Effects: ...

    @abstractmethod
    def _amend(self, ask: Amend) -> Effects: ...

    def _advance(self, ask: Advance) -> Effects:
        """An exchange's time is its own: nothing happens there because a trader's timer is due."""
        return Effects(Done(seq=ask.seq))

    def _restore_book(self, ask: RestoreBook) -> Effects:
        """What orders meet on an exchange is not here."""
        return Effects(Done(seq=ask.seq))

    def _accept_balances(self, ask: AcceptBalances) -> Effects:
        return refused(ask, "on paper the books are the balances: there is nothing to accept")

    @abstractmethod
    def _kill(self, batch: Batch, *, on: bool, reason: str, by: str) -> None: ...

    # -- what clients ask

    def disconnect(self, client: int) -> None:
        """The client is gone; its orders stay."""
        self._roles.pop(client, None)

    def handle(self, ask: AnyAsk, client: int) -> Effects:
        """One step. What it changed is durable, or told as not."""
        try:
            if isinstance(ask, Open):
                return self._open(ask, client)
            opened = self._roles.get(client)
            if opened is None:
                return refused(ask, "say open first")
            if isinstance(ask, Feed | Submit | Cancel | Amend | Advance | RestoreBook) and opened.role != "trader":
                return refused(ask, f"an {opened.role} may not trade")
            match ask:
                case Feed():
                    return self._feed(ask)
                case Submit():
                    return self._submit(ask)
                case Cancel():
                    return self._cancel(ask)
                case Amend():
                    return self._amend(ask)
                case Advance():
                    return self._advance(ask)
                case RestoreBook():
                    return self._restore_book(ask)
                case AcceptBalances():
                    return self._accept_balances(ask)
                case Beat():
                    return Effects(Done(seq=ask.seq))
                case SetKillSwitch():
                    return self._set_kill_switch(ask)
                case GetKey():
                    return Effects(self.key(ask.seq))
                case GetSnapshot():
                    return Effects(self.snapshot(ask.seq))
                case GetHistory():
                    return Effects(self._history(ask))
        except JournalWriteError as error:
            return refused(ask, f"the gate is closed: {error}")
        except OlderSegmentError as error:
            return refused(ask, str(error))

    def _open(self, ask: Open, client: int) -> Effects:
        if ask.version != PROTOCOL_VERSION:
            return refused(ask, f"the guard speaks version {PROTOCOL_VERSION} of the protocol, {ask.client} version {ask.version}")
        if ask.role not in ROLES or client in self._roles:
            return refused(ask, f"open once, as one of: {', '.join(ROLES)}")
        events: Sequence[AnyOrderEvent] = ()
        if ask.role == "trader":
            other = next((opened.client for opened in self._roles.values() if opened.role == "trader"), None)
            if other is not None:
                return refused(ask, f"{other} is trading already; there is one trader at a time")
            if ask.session != self.books.session:
                events = self._start_session(ask.session)
            self.books.desk.expect(ask.kinds)
        self._roles[client] = ask
        return Effects(Done(seq=ask.seq), events, changed=bool(events))

    def _feed_problem(self, events: Sequence[MarketEvent]) -> str | None:
        expected, now_ns = self.books.index + 1, self._market_ns()
        for event in events:
            if event.index != expected:
                return f"market event {event.index} does not follow event {expected - 1}"
            if self.books.instrument_number(event.symbol) < 0:
                return f"market event {event.index}: {event.symbol} is not traded here"
            made = bool(event.flags & BAR_MADE)  # of trades that were fed before: it bears its start, and is nothing new to the market
            if event.ts_ns < now_ns and not made:
                return f"market event {event.index} is older than the one before"
            if not all(map(math.isfinite, (event.a, event.b, event.c, event.d, event.e))):
                return f"market event {event.index} holds a number that is not finite"
            expected, now_ns = expected + 1, max(now_ns, event.ts_ns)
        return None

    def _market_ns(self) -> int:
        """The time of the last market event."""
        return self.books.now_ns

    def _conflict(self, requests: Sequence[OrderRequest]) -> str | None:
        seen: set[str] = set()
        for request in requests:
            identifier = request.client_order_id
            if not identifier or identifier in seen:
                return f"client order id {identifier!r} can't be used here: each order of a request needs one of its own"
            seen.add(identifier)
            if identifier in self.books.lines:
                lines = self.books.lines[identifier]
                (entry,) = self.journal.read(lines[0], lines[0])
                if isinstance(entry.record, OrderSubmitted | OrderRejected) and entry.record.request != request:
                    return f"client order id {identifier} belongs to another order: it is never used again"
            elif identifier in self.books.spent:
                return f"client order id {identifier} is used up, by an order that is over and long ago, or as old as that: it is not sent"
        return None

    def _events_of(self, identifier: str) -> Iterable[AnyOrderEvent]:
        for n in self.books.lines[identifier]:
            for entry in self.journal.read(n, n):
                if isinstance(entry.record, OrderEvent):
                    yield entry.record

    def _set_kill_switch(self, ask: SetKillSwitch) -> Effects:
        kill = self.books.kill
        if not ask.on and not ask.reason.strip():
            return refused(ask, "switching the kill switch off needs a reason")
        if kill.on == ask.on:
            return Effects(Done(seq=ask.seq))
        batch = Batch(self.journal, self.books, Cause.KILL)
        self._kill(batch, on=ask.on, reason=ask.reason, by=ask.by)
        try:
            return Effects(Done(seq=ask.seq), batch.commit(), changed=True, urgent=True)
        except JournalWriteError as error:
            if not ask.on:
                self.books.desk.set_kill(True)
                raise
            self.books.kill = KillState(True, ask.reason, ask.by, self._clock.now_ns())
            told = Refused(seq=ask.seq, message=f"the kill switch is on until the guard stops, but it could not be journalled: {error}")
            return Effects(told, batch.tell_only(), changed=True, urgent=True)

    # -- what is watched

    def _watch_limits(self, batch: Batch) -> None:
        """Trips the kill switch when the loss or drawdown limit is reached; once for each time that it is."""
        breach = self.books.desk.breached()
        if breach is not Reason.NONE and not self.books.breach_seen and not self.books.kill.on:
            self._kill(batch, on=True, reason=explain_breach(breach, self.books), by=BY_GUARD)
        self.books.breach_seen = breach is not Reason.NONE

    def _is_halted(self) -> bool:
        """Whether the controls let nothing go any more: refusals or fills have come too fast."""
        controls = self.books.controls
        return controls is not None and controls.halt_reason() is not Reason.NONE

    def _trip_on_halt(self, batch: Batch) -> None:
        """Trips the kill switch when refusals or fills have come too fast."""
        controls = self.books.controls
        if controls is None or not self._is_halted():
            return
        if not self.books.kill.on and not any(isinstance(record, KillSwitchSet) for record in batch.records):
            self._kill(batch, on=True, reason=explain_halt(controls.halt_reason(), self.books.config.limits), by=BY_GUARD)

    def _checkpoint_now_and_then(self, batch: Batch, fed: int) -> None:
        self._fed_since_checkpoint += fed
        wall_ns = self._clock.now_ns()
        if batch.records or self._fed_since_checkpoint >= CHECKPOINT_EVENTS or wall_ns - self._checkpoint_wall_ns >= CHECKPOINT_NS:
            batch.add_checkpoint()
            self._fed_since_checkpoint = 0
            self._checkpoint_wall_ns = wall_ns

    def _fill_word(self) -> str:
        """How the journal names the way in which orders are filled here."""
        return self.books.config.fill.name.lower()

    def _configured(self, n: int) -> Configured | None:
        config, last = self.books.config, self.books.configured
        record = Configured(
            n=n,
            ts_ns=self.books.now_ns,
            version=JOURNAL_VERSION,
            cash=float(self.books.desk.account["cash"]) if last is None else last.cash,
            maker_fee=config.maker_fee,
            taker_fee=config.taker_fee,
            fill=self._fill_word(),
            instruments=config.instruments,
            limits=config.limits,
        )
        unchanged = last is not None and msgspec.structs.replace(record, n=last.n, ts_ns=last.ts_ns) == last
        return None if unchanged else record

    # -- what clients are told

    def key(self, seq: int) -> KeyInfo:
        """What the key may do that orders are sent with; on paper there is none."""
        return KeyInfo(seq=seq)

    def risk(self) -> RiskState:
        """The kill switch, the limits, and whatever else holds orders back now."""
        risk = risk_state(self.books)
        if self.failure is None:
            return risk
        gate = Closed(Gate.JOURNAL, EVERYWHERE, self.failure, self.journal.failed_ns)
        unknown = [order for order in self.books.open.values() if order.status is OrderStatus.UNKNOWN]
        return msgspec.structs.replace(
            risk,
            gates=(gate.text(),),
            unknown_orders=tuple(order.request.client_order_id for order in unknown),
            closed=(gate.state(),),
            unresolved=tuple(self._left_over(order) for order in unknown),
        )

    def _left_over(self, order: Order) -> UnknownOrder:
        doing = "the guard's next start finds in the journal what became of it"
        return UnknownOrder(
            client_order_id=order.request.client_order_id, since_ns=self.journal.failed_ns, detail=order.detail, doing=doing
        )

    def snapshot(self, seq: int = 0) -> Snapshot:
        """Everything a client needs to go on after a restart."""
        books = self.books
        return Snapshot(
            seq=seq,
            instruments=books.config.instruments,
            account=account_state(books),
            risk=self.risk(),
            open_orders=books.open_orders(),
            last_index=books.index,
            journal_n=self.journal.n,
            session=books.session or "",
            session_id=f"s{books.session_n}",
            session_start=books.session_start,
            last_tick=books.tick,
            book_lost=books.book_lost and books.desk.books is not None,
        )

    def _history(self, ask: GetHistory) -> History:
        first = max(ask.after_n, self.books.session_n) + 1
        last = min(first + HISTORY_LINES - 1, self.journal.n)
        events = tuple(past_events(self.journal, self.books.session_n, first, last))
        return History(seq=ask.seq, events=events, next_n=max(last, ask.after_n), complete=last >= self.journal.n)

    def _rejected(self, n: int, request: OrderRequest, reason: Reason, detail: str) -> OrderRejected:
        return OrderRejected(
            n=n, ts_ns=self.books.now_ns, client_order_id=request.client_order_id, reason=reason, detail=detail, request=request
        )

    def _not_ready(self, request: OrderRequest, why: str) -> OrderRejected:
        return self._rejected(0, request, Reason.GUARD_NOT_READY, f"the gate is closed until the guard is started again: {why}")


def refused(ask: AnyAsk, message: str) -> Effects:
    """The request was wrong; nothing of it was done."""
    return Effects(Refused(seq=ask.seq, message=message))
