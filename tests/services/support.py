"""A guard behind its real endpoint in the test's own event loop, which can be stopped dead at any request."""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from traider.bus.memory import MemoryBus
from traider.cli.plan import PaperPlan, replayed
from traider.connectors.sim.replay import Replay
from traider.domain.bus_events import ACCOUNT, MARKET, ORDERS, RISK, SYSTEM
from traider.domain.errors import LinkError
from traider.domain.guard_protocol import AnyAsk
from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.domain.limits import RiskLimits
from traider.domain.orders import AnyOrderEvent, OrderEvent, OrderFilled
from traider.engine.tape import bars_tape
from traider.guard.approval import Guard
from traider.guard.base import Effects
from traider.guard.books import GuardConfig
from traider.guard.journal import Disk, Journal, entries
from traider.guard.place import JOURNAL, SECRET, SOCKET, announce
from traider.kernel.kit import Strategy
from traider.runtime.clock import SystemClock
from traider.runtime.link import Link, endpoint_in, load_secret
from traider.runtime.link_server import LinkServer, serve
from traider.services.guard import GuardService
from traider.services.trader import Trader

BTC = instrument_from_symbol("BTC-USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))


class UnsyncedDisk(Disk):
    def sync(self, fd: int) -> None:
        pass


class MortalGuard(Guard):
    """Dies with its request number ``dies_at``: before it is handled, or after, when nobody has been told yet."""

    dies_at = -1
    after = False
    handled = 0

    def handle(self, ask: AnyAsk, client: int) -> Effects:
        self.handled += 1
        if self.handled == self.dies_at and not self.after:
            raise LinkError("the guard died")
        effects = super().handle(ask, client)
        if self.handled == self.dies_at:
            raise LinkError("the guard died")
        return effects


class Place:
    """A state directory, the guard in it, and what a trader would need to find it."""

    def __init__(
        self,
        state_dir: Path,
        *,
        limits: RiskLimits | None = None,
        instruments: Sequence[Instrument] = (BTC,),
        cash: float | None = 1_000_000.0,
        fee: float = 0.001,
    ) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.state_dir = state_dir
        self.clock = SystemClock()
        self.bus = MemoryBus()
        self.config = GuardConfig(instruments=tuple(instruments), limits=limits or RiskLimits(), cash=cash, maker_fee=fee, taker_fee=fee)
        self.server: LinkServer | None = None

    async def start(self, *, dies_at: int = -1, after: bool = False) -> None:
        self.journal = Journal.open(self.state_dir / JOURNAL, clock=self.clock, disk=UnsyncedDisk())
        self.guard = MortalGuard(self.journal, self.config, self.clock)
        self.guard.dies_at, self.guard.after = dies_at, after
        self.guard.start()
        self.service = GuardService(self.guard)
        self.server = await serve(endpoint_in(self.state_dir, SOCKET), load_secret(self.state_dir / SECRET), self.service)
        announce(self.state_dir, self.server.endpoint)

    @property
    def is_dead(self) -> bool:
        """Whether the request came that the guard dies with."""
        return 0 < self.guard.dies_at <= self.guard.handled

    async def dead(self, trading: "asyncio.Task[None]") -> None:
        """Returns when the guard dies, or the trader is done."""
        await until(lambda: self.is_dead or trading.done())

    async def handled(self, more: int, trading: "asyncio.Task[None]") -> None:
        """Returns when the guard has handled so many requests more, or the trader is done."""
        stop_at = self.guard.handled + more
        await until(lambda: self.guard.handled >= stop_at or trading.done())

    async def stop(self) -> None:
        """As a crash would: nothing more is written."""
        if self.server is not None:
            for link in list(self.service._numbers):
                abort(link)
            await self.server.close("dead")
            self.server = None
            self.journal.close()

    def trader(self, plan: PaperPlan) -> Trader:
        return Trader(plan, bus=self.bus, clock=self.clock, state_dir=self.state_dir)

    def events(self) -> list[AnyOrderEvent]:
        """Every order event of the journal."""
        return [entry.record for entry in entries(self.state_dir / JOURNAL) if isinstance(entry.record, OrderEvent)]

    def fills(self) -> list[tuple[str, Decimal, Decimal, int]]:
        return fills(self.events())


async def until(condition: Callable[[], bool], within_s: float = 30.0) -> None:
    """Returns as soon as the condition holds."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in code that knows of no event to set
            await asyncio.sleep(0)


def abort(link: Link) -> None:
    link.end("the guard died")


def fills(events: Sequence[AnyOrderEvent]) -> list[tuple[str, Decimal, Decimal, int]]:
    """In the order in which they happened, without journal numbers."""
    return [(event.trade_id, event.price, event.size, event.ts_ns) for event in events if isinstance(event, OrderFilled)]


def everything(bus: MemoryBus) -> Any:
    return bus.subscribe(MARKET, ORDERS, ACCOUNT, RISK, SYSTEM)


def bars_plan(strategy: type[Strategy], data_dir: Path, *, rows: int, speed: float = 0.0, **values: object) -> PaperPlan:
    """The strategy on the first rows of a recorded week of BTC-USD minutes, interpreted: nothing has to be compiled."""
    table = pq.read_table(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet").slice(0, rows)
    names = {"open_": "open", "high": "high", "low": "low", "close": "close", "volume": "volume"}
    columns = {name: np.asarray(table[column].to_numpy(), np.float64) for name, column in names.items()}
    replay = Replay(bars_tape(table["ts"].to_numpy(), **columns), ["BTC-USD"], sha256=f"first {rows}", speed=speed)
    source_of, description = replayed(replay)
    return PaperPlan(strategy, values, BTC, description, source_of, interpreted=True)
