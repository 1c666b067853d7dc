"""The core of a guard whose venue is an exchange: what may go out, and what came of it.

An order's way: gates and check ─▶ journal ``submitted`` (durable) ─▶ ``outgoing``, where the pilot fetches it ─▶ the exchange ─▶
``accepted``, ``rejected`` or ``unknown`` ─▶ journal ─▶ tell. An order whose fate is unknown counts in full against every limit until
the exchange, asked for it, says what became of it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec

from traider.domain.guard_protocol import AcceptBalances, Amend, AnyAsk, Cancel, Done, Feed, Submit
from traider.domain.order_state import Order
from traider.domain.orders import AnyOrderEvent, OrderRequest, OrderSubmitted, OrderUnknown
from traider.domain.ports import Clock
from traider.domain.vocabulary import BAR_MADE, OrderStatus, OrderType, Reason

from ..base import Effects, refused
from ..batch import Batch
from ..books import GuardConfig
from ..gates import EVERYWHERE
from ..gates import Cause as Gate
from ..journal import Journal, JournalWriteError
from ..placing import ROOM, Asked
from ..records import Amending, Cause, KillSwitchSet, LiveCarried, SessionStarted
from ..refusals import explain
from ..state import account_state
from .answers import Answers
from .books import ZERO, not_carried
from .carried import carry_live
from .keeper import NotEnabled
from .reserving import Reserving


class LiveGuard(Answers):
    """One account's guard on an exchange. ``outgoing`` are orders to send, ``amendments`` orders to amend, by client order id.

    ``go`` is called at the end of a step that let orders pass: what is outgoing may leave at once.
    """

    def __init__(self, journal: Journal, config: GuardConfig, clock: Clock, not_enabled: NotEnabled | None = None) -> None:
        super().__init__(journal, config, clock, not_enabled)
        self.go: Callable[[], object] = lambda: None
        self.outgoing: deque[str] = deque()
        self.amendments: deque[str] = deque()
        self._reserving = Reserving()

    def _market_ns(self) -> int:
        return self.books.fed_ns

    # -- the life of the process

    def start(self) -> Effects:
        """Closes the gates, and calls unknown what the last run sent, or was about to, without learning what became of it."""
        self.books.touch(self._clock.now_ns())
        batch = Batch(self.journal, self.books, Cause.START)
        configured = self._configured(batch.n)
        if configured is not None:
            batch.add(configured)
        self._close(batch, Gate.START, "the exchange was not asked yet how things stand")
        self._close(batch, Gate.STREAM, "not connected yet")
        why = self._why_not_enabled(EVERYWHERE, self.now_ns())
        if why:
            self._close(batch, Gate.NOT_ENABLED, why)
        for order in [order for order in self.books.open.values() if order.status is OrderStatus.PENDING]:
            detail = "the guard stopped before the exchange's answer was known"
            batch.add(OrderUnknown(n=batch.n, ts_ns=self.books.now_ns, client_order_id=order.request.client_order_id, detail=detail))
        events = batch.commit()
        self.books.configured = configured or self.books.configured
        if self.books.kill.on:
            self._want_gone(self.books.open, Reason.KILL_SWITCH)
        self._note_what_is_not_followed()
        return Effects(Done(seq=0), events, changed=True)

    def _carried(self, n: int) -> LiveCarried:
        return carry_live(self.books, n)

    def _note_what_is_not_followed(self) -> None:
        for held in account_state(self.books).positions:
            if held.size and held.symbol not in self.followed:
                self.note("market-data", f"{held.size:f} of {held.symbol} are held, and it is not followed: they count at its last price")

    def _start_session(self, session: str) -> Sequence[AnyOrderEvent]:
        batch = Batch(self.journal, self.books, Cause.OPEN)
        batch.add(SessionStarted(n=batch.n, ts_ns=self.books.now_ns, session=session, account=account_state(self.books)))
        events = batch.commit()
        self._want_gone((order.request.client_order_id for order in self.books.own_open()), Reason.REQUESTED)
        return events

    # -- what clients ask

    def handle(self, ask: AnyAsk, client: int) -> Effects:
        self._heard_ns[client] = now_ns = self._clock.now_ns()
        self.books.touch(now_ns)
        if self.has_market and isinstance(ask, Submit | Amend):
            self._watch_market(self._now())  # a book that has just become invalid is not acted on
        effects = super().handle(ask, client)
        if self.outgoing:
            self.go()
        self.wake()
        return effects

    def disconnect(self, client: int) -> None:
        """The client is gone; its orders stay, unless it asked for them to be cancelled then."""
        opened = self._roles.get(client)
        super().disconnect(client)
        self._heard_ns.pop(client, None)
        if opened is not None and opened.role == "trader" and opened.cancel_on_disconnect:
            self._let_go(opened, "its connection ended")

    def _feed(self, ask: Feed) -> Effects:
        if self.failure is not None:
            return refused(ask, f"the gate is closed: {self.failure}")
        fresh = [event for event in ask.events if event.index > self.books.index]
        problem = self._feed_problem(fresh)
        if problem is not None:
            return refused(ask, problem)
        books = self.books
        batch = Batch(self.journal, books, Cause.FEED)
        for event in fresh:
            books.index = event.index
            if event.flags & BAR_MADE:
                continue  # of trades that were fed before: it bears its start, and is nothing new to the market
            if not self.has_market:
                self._take_price(batch, books.instrument_number(event.symbol), event, event.ts_ns)
                self._watch_limits(batch)
            books.fed_ns = event.ts_ns
        tripped = any(isinstance(record, KillSwitchSet) for record in batch.records)
        self._checkpoint_now_and_then(batch, len(fresh))
        try:
            return Effects(Done(seq=ask.seq), batch.commit(), changed=bool(fresh), urgent=tripped)
        except JournalWriteError:
            self._journal_failed()
            raise

    def _submit(self, ask: Submit) -> Effects:
        conflict = self._conflict(ask.orders)
        if conflict is not None:
            return refused(ask, conflict)
        books = self.books
        fresh = [request for request in ask.orders if request.client_order_id not in books.lines]
        known = [request.client_order_id for request in ask.orders if request.client_order_id in books.lines]
        repeats = [event for identifier in known for event in self._events_of(identifier)]
        done = Done(seq=ask.seq)
        if not fresh:
            return Effects(done, repeats=repeats)
        if self.failure is not None:
            return Effects(done, [self._not_ready(request, self.failure) for request in fresh], repeats)
        batch = Batch(self.journal, books, Cause.SUBMIT)
        passed: list[str] = []
        now_ns = books.now_ns
        for n, (request, reason, detail) in enumerate(self._reserved(fresh), batch.n):
            if reason is Reason.NONE:
                identifier = request.client_order_id
                passed.append(identifier)
                batch.add(OrderSubmitted(n=n, ts_ns=now_ns, client_order_id=identifier, request=request))
            else:
                batch.add(self._rejected(n, request, reason, detail))
        try:
            events = batch.commit()
        except JournalWriteError as error:
            self._journal_failed()
            return Effects(done, self._unsent(fresh, passed, error), repeats, changed=True, urgent=True)
        self.outgoing.extend(passed)
        return Effects(done, [*events, *self._watch_halts()], repeats, changed=True)

    def _reserved(self, requests: Sequence[OrderRequest]) -> Iterator[tuple[OrderRequest, Reason, str]]:
        """The orders, each with NONE when it has its place in the table, else with the first rule that refuses it, in words.

        As many as possible are asked at once. Where a gate is closed it is one at a time: whether an order reduces the position hangs
        on those before it.
        """
        books, reserving = self.books, self._reserving
        run: list[OrderRequest] = []
        room = ROOM if self.gates.are_open() else 1
        for request in requests:
            reason, detail = self._held_back(request)
            if reason is Reason.NONE:
                reason = reserving.put(len(run), books, request)
            if reason is Reason.NONE:
                run.append(request)
            if reason is not Reason.NONE or len(run) == room:
                yield from self._explained(reserving.reserve(books, run))
                run = []
            if reason is not Reason.NONE:
                yield request, reason, detail or explain(reason, request, books)
        yield from self._explained(reserving.reserve(books, run))

    def _explained(self, asked: Iterable[Asked]) -> Iterator[tuple[OrderRequest, Reason, str]]:
        for request, number, reason in asked:
            yield request, reason, "" if number else explain(reason, request, self.books)

    def _refusal(self, request: OrderRequest, replaces: Order) -> tuple[Reason, str]:
        """The first rule by which an order may not go in place of an open one, in words; NONE where it may."""
        books = self.books
        reason, detail = self._held_back(request, replaces)
        if reason is Reason.NONE:
            reason = books.check(request, replaces)
            if reason is not Reason.NONE:
                with books.without(replaces):  # the head-room that is told is that of the order which it would become
                    detail = explain(reason, request, books)
        return reason, detail

    def _held_back(self, request: OrderRequest, replaces: Order | None = None) -> tuple[Reason, str]:
        """What refuses the order before the desk is asked; NONE where nothing does."""
        books = self.books
        if books.kill.on:
            return Reason.KILL_SWITCH, explain(Reason.KILL_SWITCH, request, books)
        if request.symbol not in self.followed:
            return Reason.MARKET_NOT_ALLOWED, f"this guard was started for {', '.join(self.followed)}, and does not follow {request.symbol}"
        cannot = not_carried(request)
        if cannot:
            return Reason.INVALID_ORDER, cannot
        gate = None if self.gates.are_open() else self.gates.refusal(request.symbol, reduces=lambda: books.reduces(request, replaces))
        if gate is not None:
            return Reason.GATE_CLOSED, f"{gate.text()}; it opens by itself when that is over"
        not_taken = self._not_taken_now(request)
        if not_taken:
            return Reason.GATE_CLOSED, not_taken
        too_far = self._reaches_too_far(request)
        return (Reason.PRICE_COLLAR, too_far) if too_far else (Reason.NONE, "")

    def _unsent(self, fresh: Sequence[OrderRequest], passed: Sequence[str], error: JournalWriteError) -> Sequence[AnyOrderEvent]:
        """Nothing was sent. Where the intent may be in the file all the same, the next start finds out that it never left."""
        for identifier in passed:
            self.books.release(identifier)
        if error.undone:
            return [self._not_ready(request, str(error)) for request in fresh]
        detail = f"it was not sent, but the journal may hold it as submitted ({error}); the next start of the guard resolves it"
        return [
            OrderUnknown(n=0, ts_ns=self.books.now_ns, client_order_id=request.client_order_id, detail=detail)
            if request.client_order_id in passed
            else self._not_ready(request, str(error))
            for request in fresh
        ]

    def _cancel(self, ask: Cancel) -> Effects:
        """The wish is noted and goes out, whatever is closed; that the order is over is told when the exchange has said so."""
        own = [order.request.client_order_id for order in self.books.own_open()]
        wanted = [identifier for identifier in ask.client_order_ids if identifier in self.books.open] if ask.client_order_ids else own
        self._want_gone(wanted, Reason.REQUESTED)
        over = [identifier for identifier in ask.client_order_ids if identifier in self.books.lines and identifier not in self.books.open]
        return Effects(Done(seq=ask.seq), repeats=[event for identifier in over for event in self._events_of(identifier)])

    def _amend(self, ask: Amend) -> Effects:
        books = self.books
        order = books.open.get(ask.client_order_id)
        if ask.amend_id in books.amendments:
            return Effects(Done(seq=ask.seq))
        if order is None or order.request.type is not OrderType.LIMIT or order.venue_order_id is None:
            return refused(ask, f"{ask.client_order_id} is no open limit order that the exchange has accepted")
        if ask.client_order_id in books.amending or ask.client_order_id in books.cancelling:
            return refused(ask, f"{ask.client_order_id} is being amended or cancelled")
        if self.failure is not None:
            return refused(ask, f"the gate is closed: {self.failure}")
        if not (ask.size.is_finite() and ask.limit_price.is_finite()):
            return refused(ask, f"{ask.client_order_id} can't become {ask.size} at {ask.limit_price}: give finite numbers")
        size, limit_price = ask.size or order.request.size, ask.limit_price or order.request.limit_price or ZERO
        why = self._amend_refusal(order, size, limit_price)
        if why:
            return refused(ask, why)
        batch = Batch(self.journal, books, Cause.AMEND)
        batch.add(
            Amending(
                n=batch.n,
                ts_ns=books.now_ns,
                client_order_id=ask.client_order_id,
                size=size,
                limit_price=limit_price,
                amend_id=ask.amend_id,
            )
        )
        try:
            batch.commit()
        except JournalWriteError:
            self._journal_failed()
            raise
        self.amendments.append(ask.client_order_id)
        return Effects(Done(seq=ask.seq), changed=True)

    def _amend_refusal(self, order: Order, size: Decimal, limit_price: Decimal) -> str:
        """Why the order may not become that, as if it were cancelled and sent anew for what is left; empty where it may."""
        books = self.books
        left = msgspec.structs.replace(order.request, size=size - order.filled_size, limit_price=limit_price)
        if size <= order.filled_size:
            return f"{order.filled_size} of it are filled already: an amendment can't make it {size}"
        reason = books.asked.check_amend(books.now_ns)
        if reason is not Reason.NONE:
            return explain(reason, left, books)
        return self._refusal(left, order)[1]

    def _accept_balances(self, ask: AcceptBalances) -> Effects:
        if not ask.reason.strip():
            return refused(ask, "accepting the exchange's balances needs a reason")
        if self._last_balances is None:
            return refused(ask, "the exchange's balances are not known")
        self._take_balances(self._last_balances, self.books.opened_ns, (), by=ask.by, reason=ask.reason)
        self._unequal = ""
        return Effects(Done(seq=ask.seq), self.open_gate(Gate.BALANCE).events, changed=True, urgent=True)

    def why_not_send(self, request: OrderRequest) -> tuple[Reason, str]:
        """Asked in the moment before the send, because since the check something may have happened; NONE sends it."""
        if self.failure is not None:
            return Reason.GUARD_NOT_READY, self.failure
        if self.books.kill.on:
            return Reason.KILL_SWITCH, explain(Reason.KILL_SWITCH, request, self.books)
        if request.client_order_id in self.books.cancelling:
            return Reason.REQUESTED, "cancelled before it was sent"
        if self.has_market:
            self._watch_market(self._now())
        gate = self.gates.refusal(request.symbol, reduces=lambda: self._still_reduces(request))
        why = self._not_taken_now(request) if gate is None else gate.text()
        return (Reason.GATE_CLOSED, why) if why else (Reason.NONE, "")

    def why_not_amend(self, identifier: str) -> str:
        """Asked in the moment before an amendment is sent, as ``why_not_send`` is of an order; empty where it may go."""
        amending, order = self.books.amending.get(identifier), self.books.open.get(identifier)
        if amending is None or order is None:
            return "it is over"
        if self.failure is not None:
            return self.failure
        if self.books.kill.on or identifier in self.books.cancelling:
            return "it is to be cancelled"
        left = msgspec.structs.replace(order.request, size=amending.size - order.filled_size, limit_price=amending.limit_price)
        with self.books.without(order):
            gate = self.gates.refusal(order.request.symbol, reduces=lambda: self.books.reduces(left))
        return "" if gate is None else gate.text()

    def _still_reduces(self, request: OrderRequest) -> bool:
        # its own place in the table is counted already
        return self.books.reduces(msgspec.structs.replace(request, size=ZERO))
