"""A live guard and its pilot over the scripted exchange, in virtual time, and what has to hold after every story."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from tests.guard.live.exchange import LIVE, Exchange
from tests.guard.live.market import Market
from tests.guard.live.virtual import VirtualClock, play
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
from traider.domain.orders import AnyOrderEvent, OrderFilled, OrderRejected, OrderRequest
from traider.domain.vocabulary import EventKind, OrderStatus, Reason, Side
from traider.guard.base import Effects
from traider.guard.books import GuardConfig
from traider.guard.gates import Cause as Gate
from traider.guard.journal import Disk, Journal
from traider.guard.live.books import LiveBooks
from traider.guard.live.core import LiveGuard
from traider.guard.live.pilot import Pilot
from traider.guard.live.recovery import recover_live
from traider.guard.records import Noted

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
        self.violations: list[str] = []
        self.seq = 0
        self.exchange.on_receipt = self._received
        self.exchange.on_change = self._measure
        self.market: Market | None = None  # the guard's own view of it
        self.not_enabled: Callable[[KeyInfo, RiskLimits, int], str] | None = None
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
        """I5: the moment in which an order arrives at the exchange."""
        self._measure()
        reducing = self.books.reduces(_without_itself(request))
        gate = self.guard.gates.refusal(request.symbol, reduces=reducing)
        if gate is not None:
            self.violations.append(f"I5: {request.client_order_id} was received while a gate was closed ({gate.text()})")

    def _measure(self) -> None:
        """I9: on the exchange's truth, what strategies can have at most is never above the limit."""
        limit = self.config.limits.max_gross_exposure
        if limit is None:
            return
        worst = Decimal(0)
        for instrument in self.config.instruments:
            price = self.exchange.price.get(instrument.symbol, Decimal(0))
            held = self.exchange.money.get(instrument.base, Decimal(0)) * price
            worst += held + sum(
                ((o.size - o.filled_size) * (o.limit_price or price) for o in self.exchange.orders.values() if _buys(o, instrument)),
                Decimal(0),
            )
        if worst > limit:
            self.violations.append(f"I9: exposure {worst} is above {limit}")

    def check(self, *, latched: frozenset[Gate] = frozenset()) -> None:
        """The invariants of the fault matrix, after everything has calmed down."""
        exchange, books = self.exchange, self.books
        booked = [entry.record for entry in self.guard.journal.read() if isinstance(entry.record, OrderFilled)]
        assert sorted((f.trade_id, f.price, f.size, f.fee) for f in booked) == sorted(
            (f.trade_id, f.price, f.size, f.fee) for f in exchange.fills_made
        ), "I1: the fills are the exchange's, each once"
        made = [order.client_order_id for order in exchange.orders.values() if order.client_order_id]
        assert len(made) == len(set(made)), "I2: at most one order for each intent"
        sent = [request.what.client_order_id for request in exchange.seen if isinstance(request.what, OrderRequest)]
        assert len(sent) == len(set(sent)), "I2: no client order id is sent twice"
        local = {order.venue_order_id for order in books.open.values()}
        assert local == exchange.open_ids(), "I3: the same orders are open here and there"
        totals = {currency: total for currency, total in books.totals.items() if total}
        assert totals == {currency: total for currency, total in exchange.money.items() if total}, "I4: the same balances, exactly"
        assert self.violations == [], "I5, I9"
        self._check_recovery()
        for start in range(len(exchange.seen)):
            within = [request for request in exchange.seen[start:] if request.at_s < exchange.seen[start].at_s + 1.0]
            assert len(within) <= REQUESTS_PER_S, "I8: never more requests within a second"
        unknown = [o.request.client_order_id for o in books.open.values() if o.status is OrderStatus.UNKNOWN]
        assert unknown == list(self.guard.risk().unknown_orders) == [], "I11: no order is left unknown"
        assert self.closed() == latched, "I12: the gates are open again"

    def _check_recovery(self) -> None:
        """I6 and I7: what the journal says, read twice, is what the running guard knows."""
        copy = self.path.with_name("copy.jsonl")
        shutil.copy(self.path, copy)
        shutil.copy(self.path.with_name(self.path.name + ".head"), copy.with_name(copy.name + ".head"))
        described = []
        for _ in range(2):
            journal = Journal.open(copy, clock=self.clock, disk=UnsyncedDisk())
            try:
                described.append(knowledge(recover_live(journal, self.config)))
            finally:
                journal.close()
        assert described[0] == described[1], "I7: two recoveries come to the same"
        assert described[0] == knowledge(self.books), "I6: the journal gives what the running guard knows"


def knowledge(books: LiveBooks) -> dict[str, Any]:
    """Everything that the books know but for marks since the last checkpoint and wishes."""
    account = books.desk.account
    return {
        "cash": float(account["cash"]),
        "fees": float(account["fees"]),
        "killed": int(account["killed"]),
        "positions": [
            (float(p["size"]), float(p["average_price"]), float(p["open_buys"]), float(p["open_sells"])) for p in books.desk.positions
        ],
        "working": sorted((float(o["size"]), float(o["filled"]), float(o["limit_price"])) for o in books.desk.open_orders()),
        "open": books.open,
        "ended": books.ended,
        "lines": books.lines,
        "venue_ids": books.venue_ids,
        "trades": books.trades,
        "totals": books.totals,
        "kill": books.kill,
        "opened_ns": books.opened_ns,
        "session": (books.session, books.session_n),
        "halted": books.asked.halt_reason(),
    }


def _without_itself(request: OrderRequest) -> OrderRequest:
    return msgspec.structs.replace(request, size=Decimal(0))


def _buys(told: Any, instrument: Instrument) -> bool:
    return told.symbol == instrument.symbol and told.side > 0 and told.status in LIVE


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
