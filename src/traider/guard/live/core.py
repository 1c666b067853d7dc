"""The core of a guard whose venue is an exchange: what may go out, and what came of it.

An order's way: gates and check ─▶ journal ``submitted`` (durable) ─▶ ``outgoing``, where the pilot fetches it ─▶ the exchange ─▶
``accepted``, ``rejected`` or ``unknown`` ─▶ journal ─▶ tell. An order whose fate is unknown counts in full against every limit until
the exchange, asked for it, says what became of it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import msgspec

from traider.domain.guard_protocol import AcceptBalances, Amend, AnyAsk, Cancel, Done, Feed, KeyInfo, Open, Submit
from traider.domain.limits import RiskLimits
from traider.domain.order_state import Order
from traider.domain.orders import (
    AnyOrderEvent,
    OrderAccepted,
    OrderAmended,
    OrderRequest,
    OrderSubmitted,
    OrderUnknown,
)
from traider.domain.ports import Clock
from traider.domain.state import RiskState
from traider.domain.venue import Balance
from traider.domain.vocabulary import EventKind, OrderStatus, OrderType, Reason

from ..authorization import limits_hash
from ..base import BY_GUARD, Effects, GuardBase, refused
from ..batch import Batch
from ..books import GuardConfig, KillState
from ..gates import EVERYWHERE, Change, Gates
from ..gates import Cause as Gate
from ..journal import Journal, JournalWriteError
from ..records import LIVE, Amending, BalancesTaken, Cause, GateSet, KillSwitchSet, Looked, Noted, SessionStarted, Valued
from ..refusals import explain
from ..state import account_state
from .books import ZERO, LiveBooks
from .recovery import recover_live
from .settle import Absence, Settlement
from .view import View

NOTHING = Effects(Done(seq=0))
LOOKED_EVERY_NS = 60_000_000_000


class LiveGuard(GuardBase[LiveBooks]):
    """One account's guard on an exchange. ``wake`` is called whenever there may be something to send."""

    def __init__(
        self, journal: Journal, config: GuardConfig, clock: Clock, not_enabled: Callable[[KeyInfo, RiskLimits, int], str] | None = None
    ) -> None:
        super().__init__(journal, recover_live(journal, config), clock)
        self.gates = Gates()
        self._not_enabled = not_enabled or (lambda _key, _limits, _now_ns: "")
        self._key = KeyInfo(seq=0)
        self.wake: Callable[[], None] = lambda: None
        self.outgoing: deque[str] = deque()
        self.amendments: deque[str] = deque()
        self.in_flight: set[str] = set()
        self.notes: deque[Noted] = deque()  # for whoever tells people
        self.reconciled_ns = 0
        self.kill_proven = False  # since the kill switch was turned on, the exchange was seen to have no open order
        self.lagging: tuple[str, ...] = ()
        self._absence = Absence()
        self._stream_live = False
        self._unequal = ""  # how the balances differed at the last look
        self._last_balances: tuple[Balance, ...] | None = None
        self._heard_ns: dict[int, int] = {}

    def _fill_word(self) -> str:
        return LIVE

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
        why = self._not_enabled(self._key, self.books.config.limits, self.now_ns())
        if why:
            self._close(batch, Gate.NOT_ENABLED, why)
        for order in [order for order in self.books.open.values() if order.status is OrderStatus.PENDING]:
            detail = "the guard stopped before the exchange's answer was known"
            batch.add(OrderUnknown(n=batch.n, ts_ns=self.books.now_ns, client_order_id=order.request.client_order_id, detail=detail))
        events = batch.commit()
        self.books.configured = configured or self.books.configured
        if self.books.kill.on:
            self._want_gone(self.books.open, Reason.KILL_SWITCH)
        return Effects(Done(seq=0), events, changed=True)

    def _start_session(self, session: str) -> Sequence[AnyOrderEvent]:
        batch = Batch(self.journal, self.books, Cause.OPEN)
        batch.add(SessionStarted(n=batch.n, ts_ns=self.books.now_ns, session=session, account=account_state(self.books)))
        events = batch.commit()
        self._want_gone((order.request.client_order_id for order in self.books.own_open()), Reason.REQUESTED)
        return events

    # -- what clients ask

    def handle(self, ask: AnyAsk, client: int) -> Effects:
        self.books.touch(self._clock.now_ns())
        self._heard_ns[client] = self._clock.now_ns()
        effects = super().handle(ask, client)
        self.wake()
        return effects

    def disconnect(self, client: int) -> None:
        """The client is gone; its orders stay, unless it asked for them to be cancelled then."""
        opened = self._roles.get(client)
        super().disconnect(client)
        self._heard_ns.pop(client, None)
        if opened is not None and opened.role == "trader" and opened.cancel_on_disconnect:
            self._let_go(opened, "its connection ended")

    def _let_go(self, opened: Open, why: str) -> None:
        orders = [order.request.client_order_id for order in self.books.own_open()]
        if orders:
            self._want_gone(orders, Reason.REQUESTED)
            self.note("trader-gone", f"{opened.client}: {why}; its open orders are cancelled: {', '.join(orders)}")
            self.wake()

    def _feed(self, ask: Feed) -> Effects:
        if self.failure is not None:
            return refused(ask, f"the gate is closed: {self.failure}")
        fresh = [event for event in ask.events if event.index > self.books.index]
        problem = self._feed_problem(fresh)
        if problem is not None:
            return refused(ask, problem)
        books, desk = self.books, self.books.desk
        batch = Batch(self.journal, books, Cause.FEED)
        for event in fresh:
            inst = books.instrument_number(event.symbol)
            if event.symbol in books.unvalued:
                price = event.d if event.kind is EventKind.BAR else event.a
                batch.add(Valued(n=batch.n, ts_ns=books.now_ns, symbol=event.symbol, size=books.value(event.symbol, price), price=price))
            now_ns = books.now_ns
            desk.on_market(int(event.kind), inst, event.ts_ns, event.a, event.b, event.c, event.d, event.e)
            books.touch(now_ns)
            books.index, books.fed_ns = event.index, event.ts_ns
            books.asked.see_market(inst, event.ts_ns, float(desk.positions[inst]["mark_price"]))
            if desk.account["days"]:
                desk.drain_day_ends()
            self._watch_limits(batch)
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
        for request in fresh:
            reason, detail = self._refusal(request)
            if reason is Reason.NONE:
                books.reserve(request, books.now_ns)
                passed.append(request.client_order_id)
                batch.add(OrderSubmitted(n=batch.n, ts_ns=books.now_ns, client_order_id=request.client_order_id, request=request))
            else:
                batch.add(self._rejected(batch.n, request, reason, detail))
        try:
            events = batch.commit()
        except JournalWriteError as error:
            self._journal_failed()
            return Effects(done, self._unsent(fresh, passed, error), repeats, changed=True, urgent=True)
        self.outgoing.extend(passed)
        return Effects(done, [*events, *self._watch_halts()], repeats, changed=True)

    def _refusal(self, request: OrderRequest) -> tuple[Reason, str]:
        """The first rule that refuses, in words; NONE where the order may go."""
        books = self.books
        if books.kill.on:
            return Reason.KILL_SWITCH, explain(Reason.KILL_SWITCH, request, books)
        gate = self.gates.refusal(request.symbol, reduces=books.reduces(request))
        if gate is not None:
            return Reason.GATE_CLOSED, f"{gate.text()}; it opens by itself when that is over"
        reason = books.check(request)
        return reason, "" if reason is Reason.NONE else explain(reason, request, books)

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

    def _want_gone(self, identifiers: Iterable[str], reason: Reason) -> None:
        for identifier in tuple(identifiers):
            self.books.cancelling[identifier] = reason
        self.wake()

    def _kill(self, batch: Batch, *, on: bool, reason: str, by: str) -> None:
        batch.add(KillSwitchSet(n=batch.n, ts_ns=self.books.now_ns, on=on, reason=reason, by=by))
        if on:
            self.kill_proven = False
            self.books.desk.set_kill(True)  # before it is durable: nothing passes any more
            self.books.kill = KillState(True, reason, by, self._clock.now_ns())
            self._want_gone(self.books.open, Reason.KILL_SWITCH)

    def _amend(self, ask: Amend) -> Effects:
        books = self.books
        order = books.open.get(ask.client_order_id)
        if order is None or order.request.type is not OrderType.LIMIT or order.venue_order_id is None:
            return refused(ask, f"{ask.client_order_id} is no open limit order that the exchange has accepted")
        if ask.client_order_id in books.amending or ask.client_order_id in books.cancelling:
            return refused(ask, f"{ask.client_order_id} is being amended or cancelled")
        if self.failure is not None:
            return refused(ask, f"the gate is closed: {self.failure}")
        why = self._amend_refusal(order, ask.size, ask.limit_price)
        if why:
            return refused(ask, why)
        batch = Batch(self.journal, books, Cause.AMEND)
        batch.add(Amending(n=batch.n, ts_ns=books.now_ns, client_order_id=ask.client_order_id, size=ask.size, limit_price=ask.limit_price))
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
        with books.without(order):
            reason, detail = self._refusal(left)
        return "" if reason in (Reason.NONE, Reason.ORDER_RATE, Reason.DUPLICATE_ORDER) else detail

    def _accept_balances(self, ask: AcceptBalances) -> Effects:
        if not ask.reason.strip():
            return refused(ask, "accepting the exchange's balances needs a reason")
        if self._last_balances is None:
            return refused(ask, "the exchange's balances are not known")
        self._take_balances(self._last_balances, self.books.opened_ns, (), by=ask.by, reason=ask.reason)
        self._unequal = ""
        return Effects(Done(seq=ask.seq), self.open_gate(Gate.BALANCE).events, changed=True, urgent=True)

    # -- what the exchange answered

    def why_not_send(self, request: OrderRequest) -> tuple[Reason, str]:
        """Asked in the moment before the send, because since the check something may have happened; NONE sends it."""
        if self.failure is not None:
            return Reason.GUARD_NOT_READY, self.failure
        if self.books.kill.on:
            return Reason.KILL_SWITCH, explain(Reason.KILL_SWITCH, request, self.books)
        if request.client_order_id in self.books.cancelling:
            return Reason.REQUESTED, "cancelled before it was sent"
        gate = self.gates.refusal(request.symbol, reduces=self._still_reduces(request))
        return (Reason.NONE, "") if gate is None else (Reason.GATE_CLOSED, gate.text())

    def _still_reduces(self, request: OrderRequest) -> bool:
        # its own place in the table is counted already
        return self.books.reduces(msgspec.structs.replace(request, size=ZERO))

    def accepted(self, identifier: str, venue_order_id: str) -> Effects:
        """The exchange has taken the order; nothing happens when it had said so before."""
        self.in_flight.discard(identifier)
        order = self.books.open.get(identifier)
        if order is None or order.venue_order_id is not None:
            return NOTHING
        event = OrderAccepted(n=0, ts_ns=self._now(), client_order_id=identifier, venue_order_id=venue_order_id)
        return self._tell(Cause.VENUE, event)

    def rejected(self, identifier: str, reason: Reason, detail: str) -> Effects:
        """The order is not at the exchange: by its own word, or because it was not sent."""
        self.in_flight.discard(identifier)
        order = self.books.open.get(identifier)
        if order is None or order.venue_order_id is not None:
            return NOTHING
        return self._tell(Cause.VENUE, self._rejected(0, order.request, reason, detail))

    def unknown(self, identifier: str, detail: str) -> Effects:
        """The order was sent, and no answer says what became of it."""
        self.in_flight.discard(identifier)
        order = self.books.open.get(identifier)
        if order is None or order.status is not OrderStatus.PENDING:
            return NOTHING
        return self._tell(Cause.VENUE, OrderUnknown(n=0, ts_ns=self._now(), client_order_id=identifier, detail=detail))

    def amended(self, identifier: str, *, done: bool) -> Effects:
        """The exchange has answered an amendment: the order is what was asked for, or what it was."""
        amending, order = self.books.amending.get(identifier), self.books.open.get(identifier)
        if amending is None or order is None:
            return NOTHING
        size, price = (amending.size, amending.limit_price) if done else (order.request.size, order.request.limit_price)
        event = OrderAmended(n=0, ts_ns=self._now(), client_order_id=identifier, size=max(size, order.filled_size), limit_price=price)
        return self._tell(Cause.VENUE, event)

    def now_ns(self) -> int:
        """The machine's time."""
        return self._clock.now_ns()

    def is_unproven(self) -> bool:
        """Whether there is a gate closed that another look at the exchange could open."""
        return (
            bool(self._unequal)
            or (self.books.kill.on and not self.kill_proven)
            or any(map(self.gates.is_closed, (Gate.START, Gate.RECONCILIATION, Gate.BALANCE, Gate.VENUE)))
        )

    def _now(self) -> int:
        self.books.touch(self._clock.now_ns())
        return self.books.now_ns

    def _tell(self, cause: Cause, event: AnyOrderEvent) -> Effects:
        batch = Batch(self.journal, self.books, cause)
        batch.add(msgspec.structs.replace(event, n=batch.n))
        try:
            events = batch.commit()
        except JournalWriteError:
            self._journal_failed()
            events = batch.tell_only()  # the exchange has said it: the next start hears it again
        return Effects(Done(seq=0), [*events, *self._watch_halts()], changed=True, urgent=True)

    # -- what the exchange says when it is asked

    def reconciled(self, view: View) -> Effects:
        """Brings the books to what the exchange has said, and opens the gates that this proves."""
        if self.failure is not None:
            return NOTHING
        self._now()
        try:
            if not view.partial and self.books.opened_ns == 0:
                if view.balances is None:
                    return NOTHING
                since_ns = min((fill.ts_ns for fill in view.fills), default=view.taken_ns)
                trades = tuple(fill.trade_id for fill in view.fills)
                self._take_balances(view.balances, since_ns, trades, by=BY_GUARD, reason="what the account held at its first start")
            batch = Batch(self.journal, self.books, Cause.RECONCILE)
            settled = Settlement(batch, self.books, self._absence, frozenset(self.in_flight)).settle(view)
            for surprise in settled.surprises:
                self._note(batch, "external", surprise)
            self._watch_limits(batch)
            events = batch.commit()
        except JournalWriteError:
            self._journal_failed()
            return Effects(Done(seq=0), changed=True, urgent=True)
        events += self._watch_halts()
        if self.books.kill.on:
            self._want_gone(self.books.open, Reason.KILL_SWITCH)
        if not view.partial:
            self.lagging = settled.lagging
            self._compare_balances(view)
            self._open_proven(view)
        elif settled.lagging:
            self.lagging = settled.lagging
        self.wake()
        return Effects(Done(seq=0), events, changed=True, urgent=bool(events))

    def _compare_balances(self, view: View) -> None:
        """Unequal balances close a gate at the second look: a fill may be in the one before it is in the other."""
        if view.balances is None or self.lagging:
            return
        self._last_balances = view.balances
        unequal = _differences(self.books.totals, view.balances)
        if not unequal:
            self.open_gate(Gate.BALANCE)
        elif self._unequal:
            self.close_gate(Gate.BALANCE, unequal)
        self._unequal = unequal

    def _open_proven(self, view: View) -> None:
        self.reconciled_ns = view.taken_ns
        if view.taken_ns - self.books.looked_ns >= LOOKED_EVERY_NS and not self.lagging:
            self._looked(view.taken_ns)
        self.open_gate(Gate.VENUE)
        if view.balances is not None and not self.lagging and (not self._unequal or self.gates.is_closed(Gate.BALANCE)):
            self.open_gate(Gate.START)
        if not self.books.has_room():
            self.close_gate(Gate.RECONCILIATION, "more orders are open than can be counted")
        else:
            self.open_gate(Gate.RECONCILIATION)
            if self._stream_live:
                self.open_gate(Gate.STREAM)

    def _looked(self, taken_ns: int) -> None:
        batch = Batch(self.journal, self.books, Cause.RECONCILE)
        batch.add(Looked(n=batch.n, ts_ns=self._now(), taken_ns=taken_ns))
        try:
            batch.commit()
        except JournalWriteError:
            self._journal_failed()

    def _take_balances(self, balances: Iterable[Balance], since_ns: int, trades: tuple[str, ...], *, by: str, reason: str) -> None:
        batch = Batch(self.journal, self.books, Cause.RECONCILE)
        totals = {balance.currency: balance.available + balance.held for balance in balances}
        batch.add(BalancesTaken(n=batch.n, ts_ns=self._now(), totals=totals, since_ns=since_ns, trades=trades, by=by, reason=reason))
        batch.commit()

    # -- gates

    def stream_lost(self, detail: str) -> None:
        """What happens at the exchange is not told any more: news may be missing until it was asked."""
        self._stream_live = False
        self.close_gate(Gate.STREAM, detail or "the exchange's user channel is lost")
        self.close_gate(Gate.RECONCILIATION, "since the user channel was lost, the exchange was not asked how things stand")

    def stream_is_live(self) -> None:
        """Changes are told from here on; the gates open when the exchange has been asked once more."""
        self._stream_live = True

    @property
    def stream_live(self) -> bool:
        return self._stream_live

    def close_gate(self, cause: Gate, detail: str, symbol: str = EVERYWHERE) -> Effects:
        """Closes a gate, with a line in the journal where that can be had."""
        return self._journal_gate(self.gates.close(cause, detail, self._clock.now_ns(), symbol))

    def open_gate(self, cause: Gate, symbol: str = EVERYWHERE) -> Effects:
        """Opens a gate."""
        return self._journal_gate(self.gates.open(cause, symbol))

    def _journal_gate(self, change: Change | None) -> Effects:
        if change is None:
            return NOTHING
        if self.failure is None:
            batch = Batch(self.journal, self.books, Cause.GATE)
            batch.add(_gate_set(batch.n, self._now(), change))
            try:
                batch.commit()
            except JournalWriteError:
                self._journal_failed()
        return Effects(Done(seq=0), changed=True, urgent=True)

    def _close(self, batch: Batch, cause: Gate, detail: str) -> None:
        change = self.gates.close(cause, detail, self._clock.now_ns())
        if change is not None:
            batch.add(_gate_set(batch.n, self.books.now_ns, change))

    def _journal_failed(self) -> None:
        self.gates.close(Gate.JOURNAL, f"{self.failure}; it opens when the guard is started again", self._clock.now_ns())

    # -- what is watched

    def tick(self) -> Effects:
        """Looks at what depends on time alone: a trader that has fallen silent, market data that has grown old."""
        now_ns = self._now()
        for client, opened in list(self._roles.items()):
            if opened.heartbeat_s > 0 and now_ns - self._heard_ns.get(client, now_ns) > opened.heartbeat_s * 1e9:
                super().disconnect(client)
                if opened.cancel_on_disconnect and opened.role == "trader":
                    self._let_go(opened, f"nothing was heard of it for {opened.heartbeat_s:g} s")
        changed = [self._watch_enabled(now_ns)]
        age_s = self.books.config.limits.max_market_data_age_s
        if age_s is not None:
            changed += [self._watch_age(number, now_ns, age_s) for number in range(len(self.books.config.instruments))]
        return next((effects for effects in changed if effects.changed), NOTHING)

    def _watch_enabled(self, now_ns: int) -> Effects:
        why = self._not_enabled(self._key, self.books.config.limits, now_ns)
        return self.close_gate(Gate.NOT_ENABLED, why) if why else self.open_gate(Gate.NOT_ENABLED)

    def key_is(self, key: KeyInfo) -> None:
        """What the exchange says that the key may do."""
        self._key = key

    def key(self, seq: int) -> KeyInfo:
        return msgspec.structs.replace(self._key, seq=seq, limits_sha256=limits_hash(self.books.config.limits))

    def _watch_age(self, number: int, now_ns: int, age_s: Decimal) -> Effects:
        symbol, seen_ns = self.books.config.instruments[number].symbol, self.books.asked.seen_ns(number)
        if seen_ns and now_ns - seen_ns <= age_s * 1_000_000_000:
            return self.open_gate(Gate.MARKET_DATA, symbol)
        return self.close_gate(Gate.MARKET_DATA, f"no price of {symbol} within MAX_MARKET_DATA_AGE_S {age_s} s", symbol)

    def _watch_limits(self, batch: Batch) -> None:
        if self.books.opened_ns:  # before, there is nothing that a loss could be measured from
            super()._watch_limits(batch)

    def _watch_halts(self) -> list[AnyOrderEvent]:
        """Trips the kill switch when refusals or fills have come too fast."""
        halt = self.books.asked.halt_reason()
        if halt is Reason.NONE or self.books.kill.on or self.failure is not None:
            return []
        batch = Batch(self.journal, self.books, Cause.KILL)
        limits = self.books.config.limits
        told = {
            Reason.REPEATED_REJECTIONS: f"MAX_REJECTIONS_IN_A_ROW {limits.max_rejections_in_a_row} is reached",
            Reason.REPEATED_EXECUTIONS: f"more than MAX_EXECUTIONS_PER_MINUTE {limits.max_executions_per_minute} fills",
        }
        self._kill(batch, on=True, reason=f"{halt.label}: {told[halt]}", by=BY_GUARD)
        try:
            return batch.commit()
        except JournalWriteError:
            self._journal_failed()
            return []

    def note(self, name: str, detail: str) -> None:
        """Notes something that a person has to know, in the journal and for whoever tells people."""
        if self.failure is not None:
            self.notes.append(Noted(n=0, ts_ns=self.books.now_ns, name=name, detail=detail))
            return
        batch = Batch(self.journal, self.books, Cause.GATE)
        self._note(batch, name, detail)
        try:
            batch.commit()
        except JournalWriteError:
            self._journal_failed()

    def _note(self, batch: Batch, name: str, detail: str) -> None:
        note = Noted(n=batch.n, ts_ns=self.books.now_ns, name=name, detail=detail)
        self.notes.append(note)
        batch.add(note)

    def risk(self) -> RiskState:
        unknown = tuple(identifier for identifier, order in self.books.open.items() if order.status is OrderStatus.UNKNOWN)
        return msgspec.structs.replace(
            super().risk(),
            gates=tuple(gate.text() for gate in self.gates.closed()),
            unknown_orders=unknown,
            reconciled_ns=self.reconciled_ns,
        )


def _gate_set(n: int, ts_ns: int, change: Change) -> GateSet:
    return GateSet(n=n, ts_ns=ts_ns, closed=change.closed, gate=str(change.cause), symbol=change.symbol, detail=change.detail)


def _differences(totals: dict[str, Decimal], balances: Iterable[Balance]) -> str:
    """Where the exchange holds another amount than the fills come to, in words; empty where it is the same."""
    held = {balance.currency: balance.available + balance.held for balance in balances}
    found = []
    for currency in sorted(held.keys() | totals.keys()):
        there, here = held.get(currency, ZERO), totals.get(currency, ZERO)
        if there != here:
            found.append(f"the exchange has {there:f} {currency}, the fills come to {here:f}")
    return "; ".join(found)
