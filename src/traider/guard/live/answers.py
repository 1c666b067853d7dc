"""What the exchange has answered, and what it says when it is asked: how either changes the live guard's books."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from traider.domain.guard_protocol import Done
from traider.domain.order_state import Order
from traider.domain.orders import AnyOrderEvent, OrderAccepted, OrderAmended, OrderUnknown
from traider.domain.ports import Clock
from traider.domain.state import RiskState, UnknownOrder
from traider.domain.venue import Balance
from traider.domain.vocabulary import OrderStatus, Reason

from ..base import BY_GUARD, Effects
from ..batch import Batch
from ..books import GuardConfig
from ..gates import Cause as Gate
from ..journal import Journal, JournalWriteError
from ..records import BalancesTaken, Cause, Looked
from .books import ZERO
from .keeper import NOTHING, NotEnabled
from .market import MarketView
from .settle import MISSES, Absence, Settlement
from .view import View

LOOKED_EVERY_NS = 60_000_000_000


class Answers(MarketView):
    """``in_flight`` are orders that were sent and not answered; ``lagging`` those with fills that the exchange counts and does not list."""

    def __init__(self, journal: Journal, config: GuardConfig, clock: Clock, not_enabled: NotEnabled | None = None) -> None:
        super().__init__(journal, config, clock, not_enabled)
        self.in_flight: set[str] = set()
        self.lagging: tuple[str, ...] = ()
        self._absence = Absence()
        self._unequal = ""  # how the balances differed at the last look
        self._last_balances: tuple[Balance, ...] | None = None

    def is_unproven(self) -> bool:
        """Whether there is a gate closed that another look at the exchange could open."""
        return (
            bool(self._unequal)
            or (self.books.kill.on and not self.kill_proven)
            or any(map(self.gates.is_closed, (Gate.START, Gate.RECONCILIATION, Gate.BALANCE, Gate.VENUE)))
        )

    def risk(self) -> RiskState:
        """What holds orders back, and of each order whose fate is unknown what is being done about it."""
        unresolved = tuple(self._unresolved(order) for order in self.books.open.values() if order.status is OrderStatus.UNKNOWN)
        return msgspec.structs.replace(super().risk(), unresolved=unresolved)

    def _unresolved(self, order: Order) -> UnknownOrder:
        identifier = order.request.client_order_id
        denied, _ = self._absence.denied.get(identifier, (0, 0))
        doing = "the exchange is asked for it at every look"
        if self.failure is not None:
            doing = "the guard's next start asks the exchange for it"
        elif denied:
            doing += (
                f"; it has denied it {denied} times, and {MISSES} times, an age and no trace of it elsewhere prove that it is not there"
            )
        return UnknownOrder(client_order_id=identifier, since_ns=order.updated_ts_ns, detail=order.detail, doing=doing)

    # -- what was answered

    def accepted(self, venue_order_ids: Mapping[str, str]) -> Effects:
        """The exchange has taken these orders, by client order id; nothing happens to one of which it had said so before.

        All of them are made durable at once.
        """
        events: list[AnyOrderEvent] = []
        now_ns = self._now()
        for identifier, venue_order_id in venue_order_ids.items():
            self.in_flight.discard(identifier)
            order = self.books.open.get(identifier)
            if order is not None and order.venue_order_id is None:
                events.append(OrderAccepted(n=0, ts_ns=now_ns, client_order_id=identifier, venue_order_id=venue_order_id))
        return self._tell(Cause.VENUE, *events) if events else NOTHING

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

    def _tell(self, cause: Cause, *events: AnyOrderEvent) -> Effects:
        batch = Batch(self.journal, self.books, cause)
        for event in events:
            batch.add(msgspec.structs.replace(event, n=batch.n))
        try:
            told = batch.commit()
        except JournalWriteError:
            self._journal_failed()
            told = batch.tell_only()  # the exchange has said it: the next start hears it again
        return Effects(Done(seq=0), [*told, *self._watch_halts()], changed=True, urgent=True)

    # -- what is said when it is asked

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


def _differences(totals: dict[str, Decimal], balances: Iterable[Balance]) -> str:
    """Where the exchange holds another amount than the fills come to, in words; empty where it is the same."""
    held = {balance.currency: balance.available + balance.held for balance in balances}
    found = []
    for currency in sorted(held.keys() | totals.keys()):
        there, here = held.get(currency, ZERO), totals.get(currency, ZERO)
        if there != here:
            found.append(f"the exchange has {there:f} {currency}, the fills come to {here:f}")
    return "; ".join(found)
