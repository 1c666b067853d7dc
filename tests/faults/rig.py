"""The guard, the Coinbase client and the simulated exchange on virtual time, and one row of the fault matrix played on them."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from traider.connectors.coinbase.credentials import ApiKey
from traider.domain.guard_protocol import (
    PROTOCOL_VERSION,
    Cancel,
    Done,
    Feed,
    MarketEvent,
    Open,
    SetKillSwitch,
    Submit,
)
from traider.domain.limits import RiskLimits
from traider.domain.order_state import Order
from traider.domain.orders import AnyOrderEvent, OrderRejected, OrderRequest
from traider.domain.vocabulary import EventKind, OrderStatus, OrderType, Reason, Side, TimeInForce
from traider.guard.audit.invariants import (
    balances_agree,
    fills_are_booked,
    gates_are_open,
    intents_are_sent_once,
    nothing_is_left_to_do,
    open_orders_agree,
    rate_is_kept,
    rejected_are_not_there,
    secrets_are_kept,
    unknown_ends,
)
from traider.guard.audit.recoveries import recoveries_agree
from traider.guard.audit.truth import Tally
from traider.guard.audit.witness import is_within
from traider.guard.base import Effects
from traider.guard.books import GuardConfig
from traider.guard.gates import Cause as Gate
from traider.guard.live.core import LiveGuard
from traider.research.chaos.exchange import INSTRUMENT, SYMBOL, ChaosExchange
from traider.research.chaos.machine import GuardGoneError, Machine
from traider.research.chaos.overheard import overheard
from traider.research.chaos.wires import Network
from traider.runtime.virtual_time import play

TRADER, OWNER = 1, 2
CREATE = {"method": "POST", "path": "/orders"}
CANCEL = {"method": "POST", "path": "/orders/batch_cancel"}
FILLS = {"method": "GET", "path": "/orders/historical/fills"}
LIST = {"method": "GET", "path": "/orders/historical/batch"}
SETTLED_S = 90.0


class Rig:
    """One account. A price is fed every second; what the guard tells is in ``told``."""

    def __init__(self, folder: Path, limits: RiskLimits) -> None:
        self.exchange = ChaosExchange(1)
        self.network = Network(self.exchange.simulator, random.Random(1))
        key = ApiKey(self.exchange.key["id"], self.exchange.key["privateKey"])
        self.secret = key.secret
        self.tally = Tally()
        self.limits = limits
        config = GuardConfig(instruments=(INSTRUMENT,), limits=limits, cash=0.0, maker_fee=0.006, taker_fee=0.012)
        self.machine = Machine(folder / "journal.jsonl", config, self.network, key, random.Random(2), self.tally, segment_lines=30)
        self.told: list[AnyOrderEvent] = []
        self.machine.deliver = self.told.append
        self.exchange.simulator.exchange.order_observers.append(self._measure)
        self._client = TRADER
        self._open = False

    @property
    def guard(self) -> LiveGuard:
        assert self.machine.guard is not None
        return self.machine.guard

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(self.exchange.simulator.agenda.run()), loop.create_task(self._feed())]
        self.machine.start()
        try:
            await asyncio.sleep(3)
            assert self.closed() == set()
            yield
            assert self.machine.broken is None, self.machine.broken
        finally:
            self.machine.kill()
            await self.machine.ended()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.network.close()

    async def _feed(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            guard = self.machine.guard
            if guard is None or guard.failure is not None:
                continue
            event = MarketEvent(
                index=guard.books.index + 1,
                kind=EventKind.TRADE,
                symbol=SYMBOL,
                ts_ns=max(self.machine.clock.now_ns(), guard.books.fed_ns),
                a=self.price(),
                b=1.0,
            )
            if isinstance(self._ask(Feed(seq=0, events=(event,))).reply, Done):
                continue
            self._client += 2
            self._open = False

    def _ask(self, ask: Any) -> Effects:
        if not self._open:
            for client, role in ((self._client, "trader"), (self._client + 1, "observer")):
                self.machine.ask(Open(seq=0, version=PROTOCOL_VERSION, role=role, client=role, session="rows"), client)
            self._open = True
        return self.machine.ask(ask, self._client + 1 if isinstance(ask, SetKillSwitch) else self._client)

    # -- what is done

    def price(self) -> float:
        return self.exchange.simulator.exchange.market_of(self.exchange.product).last / 100

    def fault(self, **rule: Any) -> None:
        """A rule of the exchange's fault API."""
        self.exchange.simulator.faults.add(rule)

    def submit(self, identifier: str, size: str = "1", side: Side = Side.BUY, *, away: float | None = 0.02, ioc: bool = False) -> Effects:
        """A limit order so far from the market, as a fraction of it, or a market order."""
        limit = None if away is None else Decimal(round(self.price() * (1 - int(side) * away) * 100)) / 100
        request = OrderRequest(
            client_order_id=identifier,
            symbol=SYMBOL,
            side=side,
            type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            size=Decimal(size),
            limit_price=limit,
            time_in_force=TimeInForce.IOC if ioc else TimeInForce.GTC,
        )
        return self._ask(Submit(seq=0, orders=(request,)))

    def refusal(self, identifier: str, **how: Any) -> Reason:
        event = self.submit(identifier, **how).events[0]
        return event.reason if isinstance(event, OrderRejected) else Reason.NONE

    def cancel(self, *identifiers: str) -> None:
        self._ask(Cancel(seq=0, client_order_ids=identifiers))

    def kill_switch(self, on: bool) -> None:
        self._ask(SetKillSwitch(seq=0, on=on, reason="the row wants it", by="owner"))

    async def until(self, condition: Callable[[], bool], *, within_s: float) -> None:
        """Returns as soon as it holds; an error when that takes longer."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while not condition():
            assert loop.time() < until_s, f"not within {within_s} s"
            await asyncio.sleep(0.01)

    async def restart(self) -> None:
        await self.machine.restart()
        self._open = False
        await asyncio.sleep(1.5)

    # -- what is seen

    def order(self, identifier: str) -> Order:
        found = self.guard.books.find(identifier)
        assert found is not None, identifier
        return found

    def status(self, identifier: str) -> OrderStatus:
        return self.order(identifier).status

    def story_of(self, identifier: str) -> list[str]:
        return [type(event).__name__.removeprefix("Order").lower() for event in self.told if event.client_order_id == identifier]

    def closed(self) -> set[Gate]:
        return {gate.cause for gate in self.guard.gates.closed()}

    def is_nothing_open(self) -> bool:
        """Whether the exchange's list of open orders was read back empty under the kill switch."""
        return self.guard.kill_proven

    def position(self) -> Decimal:
        return Decimal(repr(float(self.guard.books.desk.positions[0]["size"])))

    def sent(self, identifier: str) -> int:
        return sum(arrival.client_order_id == identifier for arrival in self.network.arrivals)

    def made(self, identifier: str) -> int:
        return sum(order.client_order_id == identifier for order in self.exchange.orders())

    def requests(self, path: str, since_s: float = 0.0) -> list[dict[str, Any]]:
        """As the exchange has them in its log."""
        began_ns = self.exchange.simulator.agenda.time_ns() - round((asyncio.get_running_loop().time() - since_s) * 1e9)
        found = self.exchange.simulator.truth.requests.items
        return [one for one in found if one["path"].endswith(path) and one["ts_ns"] >= began_ns]

    def _measure(self, _order: object) -> None:
        is_within(self.limits, INSTRUMENT, self.exchange.open_orders(), self.exchange.balances(), self.tally, "at the exchange")

    def check(self) -> None:
        """I1 to I9, I11 and I12, now that everything has calmed down."""
        guard, tally, truth = self.guard, self.tally, self.exchange.truth(self.network.arrivals)
        records = [entry.record for entry in guard.journal.read()]
        fills_are_booked(records, truth.fills, tally)
        intents_are_sent_once(truth, tally)
        open_orders_agree(guard.books, truth, tally)
        balances_agree(guard.books, truth, tally)
        recoveries_agree(guard, truth, tally)
        rate_is_kept(truth.arrivals, self.exchange.rate_limit, tally)
        unknown_ends(guard.books, records, tally)
        rejected_are_not_there(records, truth, tally)
        gates_are_open(guard.gates.closed(), (), tally)
        nothing_is_left_to_do(guard.books, tally)


def row(folder: Path, told: Callable[[Rig], Awaitable[None]], limits: RiskLimits | None = None) -> None:
    """Plays a row and checks every invariant when ``SETTLED_S`` have passed since."""

    async def whole() -> Rig:
        rig = Rig(folder, limits or RiskLimits(max_position_size=Decimal(5), max_gross_exposure=Decimal(1_000)))
        async with rig.running():
            await told(rig)
            rig.exchange.simulator.faults.clear()
            await asyncio.sleep(SETTLED_S)
            rig.check()
        return rig

    with overheard() as texts:
        rig = play(whole)
    journal = (folder / "journal.jsonl").read_text()
    secrets_are_kept([*texts, journal, *map(repr, rig.told)], {rig.secret}, rig.tally)
    assert [str(violation) for violation in rig.tally.violations] == []


__all__ = ["CANCEL", "CREATE", "FILLS", "LIST", "Gate", "GuardGoneError", "OrderStatus", "Reason", "Rig", "Side", "row"]
