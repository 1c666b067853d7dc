"""The guard's core: what is asked goes in, what is answered comes out, and the journal lies between.

No sockets, no tasks, no waiting but for the disk: ``handle`` is one synchronous step, so that every order of events can be tested.

An order's way: check and place on the desk ─▶ journal ``submitted`` (durable) ─▶ the venue has it ─▶ journal ``accepted`` (durable)
─▶ tell. A refusal is journalled and told. Fills and cancels are journalled before they are told. When the journal can't be written
the gate closes until the next start: no order, no market event; cancels still work, told with ``n`` 0.
"""

from collections.abc import Iterable, Sequence

import msgspec

from traider.domain.guard_protocol import Advance, Amend, Cancel, Done, Feed, RestoreBook, Submit
from traider.domain.order_state import Order
from traider.domain.orders import (
    AnyOrderEvent,
    OrderAccepted,
    OrderAmended,
    OrderRejected,
    OrderRequest,
    OrderSubmitted,
    OrderUnknown,
)
from traider.domain.ports import Clock
from traider.domain.vocabulary import EventKind, OrderStatus, OrderType, Reason

from .base import BY_GUARD, Effects, GuardBase, refused
from .batch import Batch
from .books import Books, GuardConfig, KillState
from .carried import carry
from .journal import Journal, JournalWriteError
from .numbers import exact
from .placing import Placing
from .records import Advanced, Cause, KillSwitchSet, PaperCarried, SessionStarted
from .recovery import recover
from .refusals import explain
from .state import account_state

RESEND_WITHIN_NS = 60_000_000_000  # an intent that the last run left behind is sent if it is no older


class Guard(GuardBase[Books]):
    """The guard of an account on paper: its venue is the kernel's matching, in this process."""

    def __init__(self, journal: Journal, config: GuardConfig, clock: Clock) -> None:
        super().__init__(journal, recover(journal, config), clock)
        self._placing = Placing()

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
        batch.add_executions(self.books.desk.drain())
        batch.add_sizes()
        batch.note_places()
        events = batch.commit()
        self.books.configured = configured or self.books.configured
        return Effects(Done(seq=0), events, changed=True)

    def _settle(self, batch: Batch, order: Order) -> None:
        request = order.request
        identifier = request.client_order_id
        (intent,) = self.journal.read(order.n, order.n)
        age_ns = self._clock.now_ns() - intent.wall_ns
        if age_ns > RESEND_WITHIN_NS:
            detail = f"the guard stopped before it was sent, {age_ns // 1_000_000_000} s ago: too old to be sent now"
        else:
            ((_, placed, reason),) = self._placing.place(self.books, (request,))
            if placed:
                self.books.id_of[placed] = identifier
                batch.add(self._accepted(batch.n, identifier, placed))
                return
            detail = f"the guard stopped before it was sent, and it would be refused now: {explain(reason, request, self.books)}"
        batch.add(self._rejected(batch.n, request, Reason.NOT_SENT, detail))

    # -- what clients ask

    def _carried(self, n: int) -> PaperCarried:
        return carry(self.books, n)

    def _start_session(self, session: str) -> Sequence[AnyOrderEvent]:
        batch = Batch(self.journal, self.books, Cause.OPEN)
        self._cancel_on_desk(batch, tuple(self.books.id_of), Reason.REQUESTED)
        batch.add(SessionStarted(n=batch.n, ts_ns=self.books.now_ns, session=session, account=account_state(self.books)))
        return batch.commit()

    def _feed(self, ask: Feed) -> Effects:
        if self.failure is not None:
            return refused(ask, f"the gate is closed: {self.failure}")
        fresh = [event for event in ask.events if event.index > self.books.index]  # the others were matched before
        problem = self._feed_problem(fresh)
        if problem is not None:
            return refused(ask, problem)
        books, desk = self.books, self.books.desk
        account = desk.account
        batch = Batch(self.journal, books, Cause.FEED)
        for event in fresh:
            inst = books.instrument_number(event.symbol)
            desk.on_market(int(event.kind) | event.flags, inst, event.ts_ns, event.a, event.b, event.c, event.d, event.e)
            books.index, books.tick = event.index, 0
            if account["executions"]:
                batch.add_executions(desk.drain())
                batch.add_sizes()
            if account["days"]:
                desk.drain_day_ends()
            self._watch_limits(batch)
            self._trip_on_halt(batch)
        tripped = any(isinstance(record, KillSwitchSet) for record in batch.records)
        self._checkpoint_now_and_then(batch, len(fresh))
        try:
            return Effects(Done(seq=ask.seq), batch.commit(), changed=bool(fresh), urgent=tripped)
        except JournalWriteError:
            # What the desk has matched did not happen: the market will be fed again.
            self.books = recover(self.journal, self.books.config)
            raise

    def _restore_book(self, ask: RestoreBook) -> Effects:
        books = self.books
        for event in ask.events if books.book_lost else ():
            inst = books.instrument_number(event.symbol)
            if event.kind is EventKind.DEPTH and inst >= 0 and event.index <= books.index:
                books.desk.restore_book(int(event.kind) | event.flags, inst, event.a, event.b, event.c)
            books.book_lost = event.index < books.index
        return Effects(Done(seq=ask.seq))

    def _submit(self, ask: Submit) -> Effects:
        conflict = self._conflict(ask.orders)
        if conflict is not None:
            return refused(ask, conflict)
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
        now_ns = books.now_ns
        for n, (request, number, reason) in enumerate(self._placing.place(books, fresh), intents.n):
            if number:
                identifier = request.client_order_id
                placed[identifier] = number
                books.id_of[number] = identifier
                intents.add(OrderSubmitted(n=n, ts_ns=now_ns, client_order_id=identifier, request=request))
            else:
                intents.add(self._rejected(n, request, reason, explain(reason, request, books)))
        try:
            events = intents.commit()
        except JournalWriteError as error:
            return Effects(done, self._unplaced(fresh, placed, error), repeats, changed=True, urgent=True)
        if placed:
            events = [*events, *self._sent(placed)]
        before = books.kill.on
        events = [*events, *self._watch_halts()]
        return Effects(done, events, repeats, changed=True, urgent=books.kill.on and not before)

    def _watch_halts(self) -> Sequence[AnyOrderEvent]:
        """Trips the kill switch when refusals or fills have come too fast; where that can't be journalled, until the guard stops."""
        if not self._is_halted():
            return []
        batch = Batch(self.journal, self.books, Cause.KILL)
        self._trip_on_halt(batch)
        try:
            return batch.commit()
        except JournalWriteError as error:
            reason = f"a halt that could not be journalled: {error}"
            self.books.kill = KillState(True, reason, BY_GUARD, self._clock.now_ns())
            return batch.tell_only()

    def _sent(self, placed: dict[str, int]) -> Sequence[AnyOrderEvent]:
        """The venue has the orders now, and has answered."""
        answers = Batch(self.journal, self.books, Cause.SUBMIT)
        now_ns = self.books.now_ns
        for n, (identifier, number) in enumerate(placed.items(), answers.n):
            answers.add(OrderAccepted(n=n, ts_ns=now_ns, client_order_id=identifier, venue_order_id=str(number)))
        answers.add_executions(self.books.desk.drain())
        answers.add_sizes()
        answers.note_places()
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
        batch.add_sizes()
        batch.note_places()

    def _amend(self, ask: Amend) -> Effects:
        books, done = self.books, Done(seq=ask.seq)
        known = books.amendments.get(ask.amend_id) if ask.amend_id else None
        if known is not None:
            (entry,) = self.journal.read(known, known)
            return Effects(done, repeats=[entry.record] if isinstance(entry.record, OrderAmended) else ())
        order = books.open.get(ask.client_order_id)
        if order is None or order.venue_order_id is None:
            return Effects(done)  # it is over, as an order may be by the time that an amendment arrives
        if self.failure is not None:
            return refused(ask, f"the gate is closed: {self.failure}")
        if not _is_exact(ask):
            return refused(ask, f"{ask.client_order_id} can't become {ask.size} at {ask.limit_price}: give finite numbers of 0 or more")
        batch = Batch(self.journal, books, Cause.AMEND)
        reason = books.desk.amend(int(order.venue_order_id), size=float(ask.size), price=float(ask.limit_price))
        executions = books.desk.drain()
        batch.add(self._amended(batch.n, ask, order, reason))
        batch.add_executions(executions)
        batch.add_sizes()
        batch.note_places()
        try:
            events = batch.commit()
        except JournalWriteError:
            self.books = recover(self.journal, self.books.config)
            raise
        return Effects(done, [*events, *self._watch_halts()], changed=True)

    def _amended(self, n: int, ask: Amend, order: Order, reason: Reason) -> OrderAmended:
        """What the order is now: what was asked for, or what it was."""
        before, amend_id = order.request, ask.amend_id or f"n{n}"
        wanted = _with(before, ask)
        after = before if reason is not Reason.NONE or wanted.size <= order.filled_size else wanted
        return OrderAmended(
            n=n,
            ts_ns=self.books.now_ns,
            client_order_id=before.client_order_id,
            size=after.size,
            limit_price=after.limit_price,
            stop_price=after.stop_price,
            reason=reason,
            detail="" if reason is Reason.NONE else explain(reason, wanted, self.books),
            amend_id=amend_id,
        )

    def _advance(self, ask: Advance) -> Effects:
        books, done = self.books, Done(seq=ask.seq)
        if (ask.index, ask.tick) <= (books.index, books.tick):
            return Effects(done)  # of before a restart
        if self.failure is not None:
            return refused(ask, f"the gate is closed: {self.failure}")
        if ask.index != books.index or ask.tick != books.tick + 1 or ask.ts_ns < books.now_ns:
            return refused(ask, f"advance {ask.tick} after market event {ask.index} does not follow {books.tick} after {books.index}")
        batch = Batch(self.journal, books, Cause.TIMER)
        books.desk.advance(ask.ts_ns)
        batch.add(Advanced(n=batch.n, ts_ns=books.now_ns, tick=ask.tick))
        batch.add_executions(books.desk.drain())
        batch.add_sizes()
        batch.note_places()
        try:
            return Effects(done, batch.commit(), changed=True)
        except JournalWriteError:
            self.books = recover(self.journal, self.books.config)
            raise

    def _kill(self, batch: Batch, *, on: bool, reason: str, by: str) -> None:
        """The desk refuses everything from here on, or no longer; what is open is cancelled."""
        self.books.desk.set_kill(on)
        batch.add(KillSwitchSet(n=batch.n, ts_ns=self.books.now_ns, on=on, reason=reason, by=by))
        if on:
            self._cancel_on_desk(batch, tuple(self.books.id_of), Reason.KILL_SWITCH)

    # -- what clients are told

    def _accepted(self, n: int, identifier: str, number: int) -> OrderAccepted:
        return OrderAccepted(n=n, ts_ns=self.books.now_ns, client_order_id=identifier, venue_order_id=str(number))


def _is_exact(ask: Amend) -> bool:
    return all(number.is_finite() and number >= 0 and exact(float(number)) == number for number in (ask.size, ask.limit_price))


def _with(request: OrderRequest, ask: Amend) -> OrderRequest:
    """The order as the amendment wants it; the price is a stop order's stop, else the limit where there is one."""
    size = ask.size or request.size
    if not ask.limit_price:
        return msgspec.structs.replace(request, size=size)
    if request.type is OrderType.STOP:
        return msgspec.structs.replace(request, size=size, stop_price=ask.limit_price)
    return msgspec.structs.replace(request, size=size, limit_price=ask.limit_price)
