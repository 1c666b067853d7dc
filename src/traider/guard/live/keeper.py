"""What the live guard is while nothing is asked of it: its gates, what it watches, and what it tells people."""

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from traider.domain.guard_protocol import Done, KeyInfo, Open
from traider.domain.limits import RiskLimits
from traider.domain.orders import AnyOrderEvent
from traider.domain.ports import Clock
from traider.domain.state import RiskState
from traider.domain.vocabulary import OrderStatus, Reason

from ..authorization import limits_hash
from ..base import Effects, GuardBase
from ..batch import Batch
from ..books import GuardConfig, KillState
from ..gates import EVERYWHERE, Change, Gates
from ..gates import Cause as Gate
from ..journal import Journal, JournalWriteError
from ..records import LIVE, SIMULATED, Cause, GateSet, KillSwitchSet, Noted
from .books import LiveBooks
from .recovery import recover_live

NOTHING = Effects(Done(seq=0))
NotEnabled = Callable[[KeyInfo, RiskLimits, str, int], str]  # why no order of this market may leave, or of any ("")


class GateKeeper(GuardBase[LiveBooks]):
    """``wake`` is called whenever there may be something to send; ``notes`` are for whoever tells people."""

    def __init__(self, journal: Journal, config: GuardConfig, clock: Clock, not_enabled: NotEnabled | None = None) -> None:
        super().__init__(journal, recover_live(journal, config), clock)
        self.gates = Gates()
        self.wake: Callable[[], None] = lambda: None
        self.notes: deque[Noted] = deque()
        self.reconciled_ns = 0  # when the exchange was last asked and the books are the same; 0 since this start
        self.kill_proven = False  # since the kill switch was turned on, the exchange was seen to have no open order
        self._not_enabled = not_enabled or (lambda _key, _limits, _symbol, _now_ns: "")
        # The account may hold more than what this guard was started for, of starts before: nothing of that is followed, nor traded.
        self.followed = tuple(instrument.symbol for instrument in config.instruments)
        self._key = KeyInfo(seq=0)
        self._stream_live = False
        self._heard_ns: dict[int, int] = {}

    def _fill_word(self) -> str:
        return SIMULATED if self.books.config.simulated else LIVE

    def now_ns(self) -> int:
        """The machine's time."""
        return self._clock.now_ns()

    def _now(self) -> int:
        self.books.touch(self._clock.now_ns())
        return self.books.now_ns

    def key_is(self, key: KeyInfo) -> None:
        """What the exchange says that the key may do."""
        self._key = key

    def key(self, seq: int) -> KeyInfo:
        return msgspec.structs.replace(self._key, seq=seq, limits_sha256=limits_hash(self.books.config.limits))

    def risk(self) -> RiskState:
        unknown = tuple(identifier for identifier, order in self.books.open.items() if order.status is OrderStatus.UNKNOWN)
        return msgspec.structs.replace(
            super().risk(),
            gates=tuple(gate.text() for gate in self.gates.closed()),
            unknown_orders=unknown,
            closed=tuple(gate.state() for gate in self.gates.closed()),
            reconciled_ns=self.reconciled_ns,
        )

    def _want_gone(self, identifiers: Iterable[str], reason: Reason) -> None:
        for identifier in tuple(identifiers):
            self.books.cancelling[identifier] = reason
        self.wake()

    def _let_go(self, opened: Open, why: str) -> None:
        orders = [order.request.client_order_id for order in self.books.own_open()]
        if orders:
            self._want_gone(orders, Reason.REQUESTED)
            self.note("trader-gone", f"{opened.client}: {why}; its open orders are cancelled: {', '.join(orders)}")
            self.wake()

    def _kill(self, batch: Batch, *, on: bool, reason: str, by: str) -> None:
        batch.add(KillSwitchSet(n=batch.n, ts_ns=self.books.now_ns, on=on, reason=reason, by=by))
        if on:
            self.kill_proven = False
            self.books.desk.set_kill(True)  # before it is durable: nothing passes any more
            self.books.kill = KillState(True, reason, by, self._clock.now_ns())
            self._want_gone(self.books.open, Reason.KILL_SWITCH)

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
        changed.append(self._watch_market(now_ns))
        return next((effects for effects in changed if effects.changed), NOTHING)

    def _watch_market(self, now_ns: int) -> Effects:
        """Closes the gate of each market whose last price has grown old."""
        age_s = self.books.config.limits.max_market_data_age_s
        if age_s is None:
            return NOTHING
        changed = [self._watch_age(self.books.instrument_number(symbol), now_ns, age_s) for symbol in self.followed]
        return next((effects for effects in changed if effects.changed), NOTHING)

    def _watch_enabled(self, now_ns: int) -> Effects:
        why, effects = self._why_not_enabled(EVERYWHERE, now_ns), NOTHING
        for symbol in (EVERYWHERE, *self.followed):
            told = why if symbol == EVERYWHERE else "" if why else self._why_not_enabled(symbol, now_ns)
            change = self.close_gate(Gate.NOT_ENABLED, told, symbol) if told else self.open_gate(Gate.NOT_ENABLED, symbol)
            effects = change if change.changed else effects
        return effects

    def _why_not_enabled(self, symbol: str, now_ns: int) -> str:
        return self._not_enabled(self._key, self.books.config.limits, symbol, now_ns)

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
        if self.failure is not None or self.books.asked.halt_reason() is Reason.NONE:
            return []
        if not self._is_halted():
            return []
        batch = Batch(self.journal, self.books, Cause.KILL)
        self._trip_on_halt(batch)
        try:
            return batch.commit()
        except JournalWriteError:
            self._journal_failed()
            return []

    # -- what people are told

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


def _gate_set(n: int, ts_ns: int, change: Change) -> GateSet:
    return GateSet(n=n, ts_ns=ts_ns, closed=change.closed, gate=str(change.cause), symbol=change.symbol, detail=change.detail)
