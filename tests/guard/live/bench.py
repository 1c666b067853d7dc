"""A live guard and its pilot over the scripted exchange, in virtual time, and what has to hold after every story."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.guard.live.exchange import Exchange
from tests.guard.live.market import Market
from tests.guard.support import BTC, OBSERVER, TRADER, order
from traider.domain.guard_protocol import (
    PROTOCOL_VERSION,
    Amend,
    AnyAsk,
    Cancel,
    Done,
    Feed,
    KeyInfo,
    MarketEvent,
    Open,
    Refused,
    SetKillSwitch,
    Submit,
)
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.orders import AnyOrderEvent, OrderRejected, OrderRequest
from traider.domain.vocabulary import EventKind, OrderStatus, Reason, Side
from traider.guard.audit.invariants import (
    balances_agree,
    fills_are_booked,
    gates_are_open,
    intents_are_sent_once,
    nothing_is_left_to_do,
    open_orders_agree,
    rate_is_kept,
    rejected_are_not_there,
    unknown_ends,
)
from traider.guard.audit.recoveries import recoveries_agree
from traider.guard.audit.truth import Arrival, RateLimit, Tally, Truth
from traider.guard.audit.witness import is_exposed_within, is_within, may_leave
from traider.guard.base import Effects
from traider.guard.books import GuardConfig
from traider.guard.gates import Cause as Gate
from traider.guard.journal import Disk, Journal
from traider.guard.live.books import LiveBooks
from traider.guard.live.core import LiveGuard
from traider.guard.live.pilot import Pilot
from traider.guard.records import Noted
from traider.runtime.virtual_time import VirtualClock, play

__all__ = ["BTC", "Bench", "Decimal", "Side", "order", "story"]
REQUESTS_PER_S = 40


class UnsyncedDisk(Disk):
    def sync(self, fd: int) -> None:
        pass


class Bench:
    """One account. ``up`` is a run of the guard's process: leaving it is a SIGKILL, what was under way is not finished."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: RiskLimits | None = None,
        instruments: Sequence[Instrument] = (BTC,),
        money: dict[str, str] | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.path = folder / "journal.jsonl"
        self.clock = VirtualClock()
        self.disk = disk or UnsyncedDisk()
        self.config = GuardConfig(instruments=tuple(instruments), limits=limits or RiskLimits(), cash=0.0, maker_fee=0.001, taker_fee=0.001)
        held = {currency: Decimal(amount) for currency, amount in (money or {"USD": "100000", "BTC": "0"}).items()}
        self.exchange = Exchange(tuple(instruments), held)
        self.opening = dict(held)
        self.told: list[AnyOrderEvent] = []
        self.tally = Tally()
        self.seq = 0
        self.exchange.on_receipt = self._received
        self.exchange.on_change = self._measure
        self.market: Market | None = None  # the guard's own view of it
        self.not_enabled: Callable[[KeyInfo, RiskLimits, str, int], str] | None = None
        self.guard: LiveGuard

    @asynccontextmanager
    async def up(self, *, client: bool = True, price: float | None = 100.0) -> AsyncIterator["Bench"]:
        """The guard runs, has asked how things stand, and a trader is there."""
        journal = Journal.open(self.path, clock=self.clock, disk=self.disk)
        try:
            self.guard = LiveGuard(journal, self.config, self.clock, self.not_enabled)
            self._tell(self.guard.start())
            self.pilot = Pilot(self.guard, self.exchange, self._tell, market=self.market)
            async with self.pilot.running() as task:
                self.task = task
                if client:
                    self.open_clients()
                if price is not None:
                    self.feed(price)
                await asyncio.sleep(1.0)
                yield self
                if task.done():
                    task.result()
        finally:
            journal.close()

    def open_clients(self, *, cancel_on_disconnect: bool = False, heartbeat_s: float = 0.0) -> None:
        for client, role in ((TRADER, "trader"), (OBSERVER, "observer")):
            self.done(
                Open(
                    seq=0,
                    version=PROTOCOL_VERSION,
                    role=role,
                    client=role,
                    session="test",
                    cancel_on_disconnect=cancel_on_disconnect,
                    heartbeat_s=heartbeat_s,
                ),
                client,
            )

    def _tell(self, effects: Effects) -> None:
        self.told += effects.events

    @property
    def books(self) -> LiveBooks:
        return self.guard.books

    # -- what clients do

    def ask(self, ask: AnyAsk, client: int = TRADER) -> Effects:
        effects = self.guard.handle(ask, client)
        self._tell(effects)
        return effects

    def done(self, ask: AnyAsk, client: int = TRADER) -> Effects:
        effects = self.ask(ask, client)
        assert isinstance(effects.reply, Done), effects.reply
        return effects

    def _seq(self) -> int:
        self.seq += 1
        return self.seq

    def feed(self, price: float, symbol: str = "BTC-USD") -> None:
        self.exchange.price[symbol] = Decimal(repr(price))
        event = MarketEvent(index=self.books.index + 1, kind=EventKind.TRADE, symbol=symbol, ts_ns=self.clock.now_ns(), a=price, b=1.0)
        self.done(Feed(seq=self._seq(), events=(event,)))

    def submit(self, *requests: OrderRequest) -> Effects:
        return self.done(Submit(seq=self._seq(), orders=requests))

    def refusal(self, request: OrderRequest) -> tuple[Reason, str]:
        """Why the guard refuses it; NONE when it takes it."""
        event = self.submit(request).events[0]
        return (event.reason, event.detail) if isinstance(event, OrderRejected) else (Reason.NONE, "")

    def cancel(self, *identifiers: str) -> Effects:
        return self.done(Cancel(seq=self._seq(), client_order_ids=identifiers))

    def amend(self, identifier: str, size: str, price: str) -> str:
        """Empty where the guard takes the amendment, else why not."""
        effects = self.ask(Amend(seq=self._seq(), client_order_id=identifier, size=Decimal(size), limit_price=Decimal(price)))
        return effects.reply.message if isinstance(effects.reply, Refused) else ""

    def kill(self, on: bool = True, reason: str = "enough") -> None:
        self.done(SetKillSwitch(seq=self._seq(), on=on, reason=reason, by="owner"), OBSERVER)

    # -- what is seen

    def status(self, identifier: str) -> OrderStatus:
        found = self.books.find(identifier)
        assert found is not None, f"no order {identifier}"
        return found.status

    def story_of(self, identifier: str) -> list[str]:
        return [type(event).__name__.removeprefix("Order").lower() for event in self.told if event.client_order_id == identifier]

    def closed(self) -> set[Gate]:
        return {gate.cause for gate in self.guard.gates.closed()}

    def position(self) -> float:
        return float(self.books.desk.positions[0]["size"])

    def killed_because(self) -> str:
        """Why the kill switch is on; empty while it is off."""
        return self.books.kill.reason if self.books.kill.on else ""

    def notes(self) -> list[str]:
        return [entry.record.detail for entry in self.guard.journal.read() if isinstance(entry.record, Noted)]

    # -- what has to hold

    def _received(self, request: OrderRequest) -> None:
        """The moment in which an order arrives at the exchange."""
        self._measure()
        may_leave(self.guard, request, self.tally)

    def _measure(self) -> None:
        exchange, config = self.exchange, self.config
        orders, balances = exchange.orders.values(), exchange.balances_now()
        is_exposed_within(config.limits, config.instruments, exchange.price, orders, balances, self.tally)
        for instrument in config.instruments:
            is_within(config.limits, instrument, orders, balances, self.tally, "at the exchange")

    def truth(self) -> Truth:
        exchange = self.exchange
        return Truth(
            orders=tuple(exchange.orders.values()),
            fills=tuple(exchange.fills_made),
            balances=exchange.balances_now(),
            arrivals=tuple(
                Arrival(round(seen.at_s * 1e9), seen.what.client_order_id if isinstance(seen.what, OrderRequest) else "")
                for seen in exchange.seen
            ),
        )

    def check(self, *, latched: frozenset[Gate] = frozenset()) -> None:
        """The invariants of the fault matrix, after everything has calmed down."""
        tally, books, truth = self.tally, self.books, self.truth()
        records = [entry.record for entry in self.guard.journal.read()]
        fills_are_booked(records, truth.fills, tally)
        intents_are_sent_once(truth, tally)
        open_orders_agree(books, truth, tally)
        balances_agree(books, truth, tally)
        recoveries_agree(self.guard, truth, tally)
        rate_is_kept(truth.arrivals, RateLimit(per_s=REQUESTS_PER_S, burst=REQUESTS_PER_S), tally)
        unknown_ends(books, records, tally)
        rejected_are_not_there(records, truth, tally)
        gates_are_open(self.guard.gates.closed(), latched, tally)
        nothing_is_left_to_do(books, tally)
        assert list(self.guard.risk().unknown_orders) == [], "I11: no order is left unknown"
        assert [str(violation) for violation in tally.violations] == []


def story(folder: Path, told: Callable[[Bench], Awaitable[None]], *, latched: frozenset[Gate] = frozenset(), **how: Any) -> Bench:
    """Plays a story on an account whose guard runs from beginning to end, and checks the invariants half a minute later."""

    async def whole() -> Bench:
        bench = Bench(folder, **how)
        async with bench.up():
            await told(bench)
            await asyncio.sleep(30)
            bench.check(latched=latched)
        return bench

    return play(whole)
