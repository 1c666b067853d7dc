"""The guard's core: what is asked goes in, what is answered comes out, and the journal lies between.

No sockets, no tasks, no waiting but for the disk: ``handle`` is one synchronous step, so that every order of events can be tested.

An order's way: check and place on the desk ─▶ journal ``submitted`` (durable) ─▶ the venue has it ─▶ journal ``accepted`` (durable)
─▶ tell. A refusal is journalled and told. Fills and cancels are journalled before they are told. When the journal can't be written
the gate closes until the next start: no order, no market event; cancels still work, told with ``n`` 0.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from traider.domain.guard_protocol import (
    PROTOCOL_VERSION,
    AnyAsk,
    Cancel,
    Done,
    Feed,
    GetHistory,
    GetSnapshot,
    History,
    MarketEvent,
    Open,
    PastEvent,
    Refused,
    Reply,
    SetKillSwitch,
    Snapshot,
    Submit,
)
from traider.domain.order_state import Order
from traider.domain.orders import AnyOrderEvent, OrderAccepted, OrderEvent, OrderRejected, OrderRequest, OrderSubmitted, OrderUnknown
from traider.domain.ports import Clock
from traider.domain.vocabulary import OrderStatus, Reason

from .batch import Batch
from .books import Books, GuardConfig, KillState
from .journal import Journal, JournalWriteError
from .records import JOURNAL_VERSION, Cause, Configured, KillSwitchSet, SessionStarted
from .recovery import recover
from .refusals import explain, explain_breach
from .state import account_state, risk_state

CHECKPOINT_EVENTS = 1000  # at most so many market events have to be fed again after a crash
CHECKPOINT_NS = 60_000_000_000  # while events come, a checkpoint is written at least so often
RESEND_WITHIN_NS = 60_000_000_000  # an intent that the last run left behind is sent if it is no older
HISTORY_LINES = 2000
BY_GUARD = "guard"
ROLES = ("trader", "observer")


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


class Guard:
    """One account's guard. The caller tells its clients apart by a number of its own."""

    def __init__(self, journal: Journal, config: GuardConfig, clock: Clock) -> None:
        self.journal = journal
        self.books: Books = recover(journal, config)
        self._clock = clock
        self._roles: dict[int, Open] = {}
        self._fed_since_checkpoint = 0
        self._checkpoint_wall_ns = clock.now_ns()

    @property
    def failure(self) -> str | None:
        """Why the gate is closed; None while it is open."""
        return self.journal.failure

    # -- the life of the process

    def start(self) -> Effects:
        """Notes a changed configuration, and settles what the last run submitted without learning what became of it.

        The paper venue is this process: what is not in the journal as accepted never got there, and its market stood still since.
        So an intent goes the rest of its way now, if today's check lets it and it isn't old; else it is rejected as not sent.
        """
        batch = Batch(self.journal, self.books, Cause.START)
        configured = self._configured(batch.n)
        if configured is not None:
            batch.add(configured)
        for order in [order for order in self.books.open.values() if order.status is OrderStatus.PENDING]:
            self._settle(batch, order)
        events = batch.commit()
        self.books.configured = configured or self.books.configured
        return Effects(Done(seq=0), events, changed=True)

    def _configured(self, n: int) -> Configured | None:
        config, last = self.books.config, self.books.configured
        record = Configured(
            n=n,
            ts_ns=self.books.now_ns,
            version=JOURNAL_VERSION,
            cash=float(self.books.desk.account["cash"]) if last is None else last.cash,
            maker_fee=config.maker_fee,
            taker_fee=config.taker_fee,
            fill=config.fill.name.lower(),
            instruments=config.instruments,
            limits=config.limits,
        )
        unchanged = last is not None and msgspec.structs.replace(record, n=last.n, ts_ns=last.ts_ns) == last
        return None if unchanged else record

    def _settle(self, batch: Batch, order: Order) -> None:
        request = order.request
        identifier = request.client_order_id
        (intent,) = self.journal.read(order.n, order.n)
        age_ns = self._clock.now_ns() - intent.wall_ns
        if age_ns > RESEND_WITHIN_NS:
            detail = f"the guard stopped before it was sent, {age_ns // 1_000_000_000} s ago: too old to be sent now"
        else:
            placed, reason = self.books.place(request)
            if placed:
                self.books.id_of[placed] = identifier
                batch.add(self._accepted(batch.n, identifier, placed))
                batch.add_executions(self.books.desk.drain())
                return
            detail = f"the guard stopped before it was sent, and it would be refused now: {explain(reason, request, self.books)}"
        batch.add(self._rejected(batch.n, request, Reason.NOT_SENT, detail))

    def stop(self) -> None:
        """Leaves a checkpoint behind, so that the next start goes on where this one ended."""
        if self.failure is None:
            Batch(self.journal, self.books, Cause.STOP).commit()

    def disconnect(self, client: int) -> None:
        """The client is gone; its orders stay."""
        self._roles.pop(client, None)

    # -- what clients ask

    def handle(self, ask: AnyAsk, client: int) -> Effects:
        """One step. What it changed is durable, or told as not."""
        try:
            if isinstance(ask, Open):
                return self._open(ask, client)
            opened = self._roles.get(client)
            if opened is None:
                return _refused(ask, "say open first")
            if isinstance(ask, Feed | Submit | Cancel) and opened.role != "trader":
                return _refused(ask, f"an {opened.role} may not trade")
            match ask:
                case Feed():
                    return self._feed(ask)
                case Submit():
                    return self._submit(ask)
                case Cancel():
                    return self._cancel(ask)
                case SetKillSwitch():
                    return self._set_kill_switch(ask)
                case GetSnapshot():
                    return Effects(self.snapshot(ask.seq))
                case GetHistory():
                    return Effects(self._history(ask))
        except JournalWriteError as error:
            return _refused(ask, f"the gate is closed: {error}")

    def _open(self, ask: Open, client: int) -> Effects:
        if ask.version != PROTOCOL_VERSION:
            return _refused(ask, f"the guard speaks version {PROTOCOL_VERSION} of the protocol, {ask.client} version {ask.version}")
        if ask.role not in ROLES or client in self._roles:
            return _refused(ask, f"open once, as one of: {', '.join(ROLES)}")
        events: Sequence[AnyOrderEvent] = ()
        if ask.role == "trader":
            other = next((opened.client for opened in self._roles.values() if opened.role == "trader"), None)
            if other is not None:
                return _refused(ask, f"{other} is trading already; there is one trader at a time")
            if ask.session != self.books.session:
                events = self._start_session(ask.session)
            self.books.desk.expect(ask.kinds)
        self._roles[client] = ask
        return Effects(Done(seq=ask.seq), events, changed=bool(events))

    def _start_session(self, session: str) -> Sequence[AnyOrderEvent]:
        batch = Batch(self.journal, self.books, Cause.OPEN)
        self._cancel_on_desk(batch, tuple(self.books.id_of), Reason.REQUESTED)
        batch.add(SessionStarted(n=batch.n, ts_ns=self.books.now_ns, session=session, account=account_state(self.books)))
        return batch.commit()

    def _feed(self, ask: Feed) -> Effects:
        if self.failure is not None:
            return _refused(ask, f"the gate is closed: {self.failure}")
        fresh = [event for event in ask.events if event.index > self.books.index]  # the others were matched before
        problem = self._feed_problem(fresh)
        if problem is not None:
            return _refused(ask, problem)
        books, desk = self.books, self.books.desk
        account = desk.account
        batch = Batch(self.journal, books, Cause.FEED)
        for event in fresh:
            inst = books.instrument_number(event.symbol)
            desk.on_market(int(event.kind) | event.flags, inst, event.ts_ns, event.a, event.b, event.c, event.d, event.e)
            books.index = event.index
            if account["executions"]:
                batch.add_executions(desk.drain())
            if account["days"]:
                desk.drain_day_ends()
            self._watch_limits(batch)
        tripped = any(isinstance(record, KillSwitchSet) for record in batch.records)
        self._checkpoint_now_and_then(batch, len(fresh))
        try:
            return Effects(Done(seq=ask.seq), batch.commit(), changed=bool(fresh), urgent=tripped)
        except JournalWriteError:
            # What the desk has matched did not happen: the market will be fed again.
            self.books = recover(self.journal, self.books.config)
            raise

    def _feed_problem(self, events: Sequence[MarketEvent]) -> str | None:
        expected, now_ns = self.books.index + 1, self.books.now_ns
        for event in events:
            if event.index != expected:
                return f"market event {event.index} does not follow event {expected - 1}"
            if self.books.instrument_number(event.symbol) < 0:
                return f"market event {event.index}: {event.symbol} is not traded here"
            if event.ts_ns < now_ns:
                return f"market event {event.index} is older than the one before"
            if not all(map(math.isfinite, (event.a, event.b, event.c, event.d, event.e))):
                return f"market event {event.index} holds a number that is not finite"
            expected, now_ns = expected + 1, event.ts_ns
        return None

    def _checkpoint_now_and_then(self, batch: Batch, fed: int) -> None:
        self._fed_since_checkpoint += fed
        wall_ns = self._clock.now_ns()
        if batch.records or self._fed_since_checkpoint >= CHECKPOINT_EVENTS or wall_ns - self._checkpoint_wall_ns >= CHECKPOINT_NS:
            batch.add_checkpoint()
            self._fed_since_checkpoint = 0
            self._checkpoint_wall_ns = wall_ns

    def _watch_limits(self, batch: Batch) -> None:
        """Trips the kill switch when the loss or drawdown limit is reached; once for each time that it is."""
        breach = self.books.desk.breached()
        if breach is not Reason.NONE and not self.books.breach_seen and not self.books.kill.on:
            self._kill(batch, on=True, reason=explain_breach(breach, self.books), by=BY_GUARD)
        self.books.breach_seen = breach is not Reason.NONE

    def _submit(self, ask: Submit) -> Effects:
        conflict = self._conflict(ask.orders)
        if conflict is not None:
            return _refused(ask, conflict)
        books = self.books
        known = [request for request in ask.orders if request.client_order_id in books.lines]
        fresh = [request for request in ask.orders if request.client_order_id not in books.lines]
        repeats = [event for request in known for event in self._events_of(request.client_order_id)]
        done = Done(seq=ask.seq)
        if not fresh:
            return Effects(done, repeats=repeats)
        if self.failure is not None:
            return Effects(done, [self._not_ready(request, self.failure) for request in fresh], repeats)
        intents = Batch(self.journal, books, Cause.SUBMIT)
        placed: dict[str, int] = {}
        for request in fresh:
            number, reason = books.place(request)
            if number:
                placed[request.client_order_id] = number
                books.id_of[number] = request.client_order_id
                intents.add(OrderSubmitted(n=intents.n, ts_ns=books.now_ns, client_order_id=request.client_order_id, request=request))
            else:
                intents.add(self._rejected(intents.n, request, reason, explain(reason, request, books)))
        try:
            events = intents.commit()
        except JournalWriteError as error:
            return Effects(done, self._unplaced(fresh, placed, error), repeats, changed=True, urgent=True)
        if placed:
            events = [*events, *self._sent(placed)]
        return Effects(done, events, repeats, changed=True)

    def _sent(self, placed: dict[str, int]) -> Sequence[AnyOrderEvent]:
        """The venue has the orders now, and has answered."""
        answers = Batch(self.journal, self.books, Cause.SUBMIT)
        for identifier, number in placed.items():
            answers.add(self._accepted(answers.n, identifier, number))
        answers.add_executions(self.books.desk.drain())
        try:
            return answers.commit()
        except JournalWriteError as error:
            detail = f"it was sent, but the answer could not be journalled ({error}); the next start of the guard resolves it"
            unknown = [OrderUnknown(n=0, ts_ns=self.books.now_ns, client_order_id=identifier, detail=detail) for identifier in placed]
            for event in unknown:
                self.books.note(event)
            return unknown

    def _unplaced(
        self, fresh: Sequence[OrderRequest], placed: dict[str, int], error: JournalWriteError
    ) -> Sequence[OrderRejected | OrderUnknown]:
        """Nothing was sent. Where the intent may nevertheless be in the file, the next start decides, so the order is unknown."""
        desk = self.books.desk
        for number in placed.values():
            desk.cancel(number)
            del self.books.id_of[number]
        desk.drain()
        if error.undone:
            return [self._not_ready(request, str(error)) for request in fresh]
        detail = f"it was not sent, but the journal may hold it as submitted ({error}); the next start of the guard resolves it"
        return [
            OrderUnknown(n=0, ts_ns=self.books.now_ns, client_order_id=request.client_order_id, detail=detail)
            if request.client_order_id in placed
            else self._not_ready(request, str(error))
            for request in fresh
        ]

    def _conflict(self, requests: Sequence[OrderRequest]) -> str | None:
        seen: set[str] = set()
        for request in requests:
            identifier = request.client_order_id
            if not identifier or identifier in seen:
                return f"client order id {identifier!r} can't be used here: each order of a request needs one of its own"
            seen.add(identifier)
            lines = self.books.lines.get(identifier)
            if lines:
                (entry,) = self.journal.read(lines[0], lines[0])
                if isinstance(entry.record, OrderSubmitted | OrderRejected) and entry.record.request != request:
                    return f"client order id {identifier} belongs to another order: it is never used again"
        return None

    def _events_of(self, identifier: str) -> Iterable[AnyOrderEvent]:
        for n in self.books.lines[identifier]:
            for entry in self.journal.read(n, n):
                if isinstance(entry.record, OrderEvent):
                    yield entry.record

    def _cancel(self, ask: Cancel) -> Effects:
        books = self.books
        wanted = set(ask.client_order_ids) or set(books.id_of.values())
        numbers = tuple(number for number, identifier in books.id_of.items() if identifier in wanted)
        over = [identifier for identifier in ask.client_order_ids if identifier in books.lines and identifier not in books.open]
        repeats = [event for identifier in over for event in self._events_of(identifier)]
        batch = Batch(self.journal, books, Cause.CANCEL) if numbers else None
        if batch is None:
            return Effects(Done(seq=ask.seq), repeats=repeats)
        self._cancel_on_desk(batch, numbers, Reason.REQUESTED)
        try:
            events = batch.commit()
        except JournalWriteError:
            events = batch.tell_only()
        return Effects(Done(seq=ask.seq), events, repeats, changed=True)

    def _cancel_on_desk(self, batch: Batch, numbers: Iterable[int], reason: Reason) -> None:
        desk = self.books.desk
        for number in numbers:
            desk.cancel(number, reason)
        batch.add_executions(desk.drain())

    def _set_kill_switch(self, ask: SetKillSwitch) -> Effects:
        kill = self.books.kill
        if not ask.on and not ask.reason.strip():
            return _refused(ask, "switching the kill switch off needs a reason")
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

    def _kill(self, batch: Batch, *, on: bool, reason: str, by: str) -> None:
        """The desk refuses everything from here on, or no longer; what is open is cancelled."""
        self.books.desk.set_kill(on)
        batch.add(KillSwitchSet(n=batch.n, ts_ns=self.books.now_ns, on=on, reason=reason, by=by))
        if on:
            self._cancel_on_desk(batch, tuple(self.books.id_of), Reason.KILL_SWITCH)

    # -- what clients are told

    def snapshot(self, seq: int = 0) -> Snapshot:
        """Everything a client needs to go on after a restart."""
        books = self.books
        return Snapshot(
            seq=seq,
            instruments=books.config.instruments,
            account=account_state(books),
            risk=risk_state(books),
            open_orders=books.open_orders(),
            last_index=books.index,
            journal_n=self.journal.n,
            session=books.session or "",
            session_id=f"s{books.session_n}",
            session_start=books.session_start,
        )

    def _history(self, ask: GetHistory) -> History:
        first = max(ask.after_n, self.books.session_n) + 1
        last = min(first + HISTORY_LINES - 1, self.journal.n)
        events = tuple(
            PastEvent(index=entry.index, matched=entry.cause is Cause.FEED, event=entry.record)
            for entry in self.journal.read(first, last)
            if isinstance(entry.record, OrderEvent)
        )
        return History(seq=ask.seq, events=events, next_n=max(last, ask.after_n), complete=last >= self.journal.n)

    def _accepted(self, n: int, identifier: str, number: int) -> OrderAccepted:
        return OrderAccepted(n=n, ts_ns=self.books.now_ns, client_order_id=identifier, venue_order_id=str(number))

    def _rejected(self, n: int, request: OrderRequest, reason: Reason, detail: str) -> OrderRejected:
        return OrderRejected(
            n=n, ts_ns=self.books.now_ns, client_order_id=request.client_order_id, reason=reason, detail=detail, request=request
        )

    def _not_ready(self, request: OrderRequest, why: str) -> OrderRejected:
        return self._rejected(0, request, Reason.GUARD_NOT_READY, f"the gate is closed until the guard is started again: {why}")


def _refused(ask: AnyAsk, message: str) -> Effects:
    return Effects(Refused(seq=ask.seq, message=message))
