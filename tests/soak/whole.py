"""The whole live platform in one process on virtual time: the simulated exchange, the guard, a trader, over real sockets.

Time goes on as soon as everybody waits, so that a week takes minutes. What is durable is written and not synced, and the store, which
a thread writes, is left out: virtual time would not wait for it.
"""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from tests.guard.live.bench import UnsyncedDisk
from tests.guard.live.virtual import START_NS, VirtualClock, VirtualLoop
from traider.bus.memory import MemoryBus
from traider.connectors.coinbase.build import Options, coinbase_feed, coinbase_venue
from traider.connectors.coinbase.config import Addresses
from traider.connectors.coinbase.credentials import ApiKey
from traider.connectors.coinbase.market_feed import MarketFeed
from traider.connectors.coinbase.venue import CoinbaseVenue
from traider.connectors.sim.exchange.generated import GeneratedMarket
from traider.connectors.sim.exchange.serving import Address, Serving
from traider.connectors.sim.exchange.settings import FUNDS, Bounds, Config
from traider.connectors.sim.exchange.simulator import Setup, Simulator
from traider.domain.guard_protocol import MarketEvent, Snapshot
from traider.domain.instruments import instrument_from_symbol
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import EventKind
from traider.engine.live import LiveSession
from traider.guard.books import GuardConfig
from traider.guard.journal import Journal
from traider.guard.live.core import LiveGuard
from traider.guard.live.pilot import Pilot
from traider.guard.place import SECRET, SOCKET, announce
from traider.kernel.events import Quote
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param
from traider.runtime.link import endpoint_in, load_secret
from traider.runtime.link_server import serve
from traider.services.guard import GuardService
from traider.services.trader import Resumed, Trader

BTC = instrument_from_symbol("BTC-USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))
HOUR_S = 3600
T = TypeVar("T")
STEP_S = 1.0  # of the exchange's time
KINDS = 1 << EventKind.QUOTE
PARTS = {"exchange": "*/connectors/sim/*", "guard": "*/traider/guard/*", "client": "*/connectors/coinbase/*"}


class Breather(Strategy):
    """In and out in turns with market orders, and an order that rests far away and is taken back."""

    every: int = param(30, low=2, high=10_000)

    def setup(self) -> None:
        self.quotes = 0
        self.resting = 0

    def on_quote(self, quote: Quote, ctx: Context) -> None:
        self.quotes += 1
        turn = self.quotes % (self.every * 3)
        if turn == 0:
            ctx.buy(0.01)
        elif turn == self.every:
            ctx.cancel(self.resting)
            self.resting = ctx.buy_limit(0.01, float(int(quote.bid * 0.98)))
        elif turn == self.every * 2 and ctx.position() >= 0.01:
            ctx.sell(0.01)


@dataclass
class Source:
    """The feed's events as the trader takes them."""

    feed: MarketFeed
    symbol: str = "BTC-USD"
    untraded: int = 0
    seen: int = 0

    def continue_after(self, last_index: int, last_ns: int) -> None:
        pass

    def history_start(self, last_index: int) -> int:
        return 0

    def history(self, start: int, stop: int) -> Sequence[MarketEvent]:
        return []

    async def events(self, start_index: int) -> AsyncIterator[MarketEvent]:
        async for event in self.feed.events():
            if isinstance(event, MarketEvent):
                self.seen += 1
                yield event


@dataclass
class Plan:
    source_: Source
    every: int
    kinds: int = KINDS
    session_: LiveSession | None = None

    def session(self, snapshot: Snapshot) -> str:
        return "soak"

    def source(self, snapshot: Snapshot) -> Source:
        return self.source_

    def strategy(self, snapshot: Snapshot) -> LiveSession:
        self.session_ = LiveSession(
            Breather(every=self.every), (BTC,), session_id=snapshot.session_id, cash=snapshot.account.cash, interpreted=True, kinds=KINDS
        )
        self.session_.restore(snapshot)
        return self.session_

    def resume(self, snapshot: Snapshot) -> Resumed | None:
        return None


class InlineLoop(VirtualLoop):
    """What is meant for a thread is done at once: virtual time does not know how long a thread takes."""

    def run_in_executor(  # type: ignore[override]  # of the same kinds, without the standard library's type variables
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            done.set_exception(error)
        return done


def play(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a story to its end in virtual time."""
    with asyncio.Runner(loop_factory=InlineLoop) as runner:
        return runner.run(story())


@dataclass
class Soak:
    """The parts while they run."""

    simulator: Simulator
    guard: LiveGuard
    venue: CoinbaseVenue
    pilot: Pilot
    service: GuardService
    source: Source
    plan: Plan
    broken: list[BaseException] = field(default_factory=list)

    def bounded(self) -> dict[str, int]:
        """How many there are of everything that must not grow with time."""
        books, session = self.guard.books, self.plan.session_
        assert session is not None
        return {
            "exchange: planned calls": len(self.simulator.agenda._heap),
            "exchange: open orders": sum(len(account.open) for account in self.simulator.exchange.accounts.values()),
            "exchange: connections": len(list(self.simulator.sessions())),
            "guard: open orders": len(books.open),
            "guard: orders in the desk's table": len(books.number_of),
            "guard: cancels under way": len(books.cancelling),
            "guard: to be sent": len(self.guard.outgoing) + len(self.guard.amendments),
            "guard: to be told": len(self.guard.notes),
            "guard: in flight": len(self.guard.in_flight),
            "guard: denials": len(self.guard._absence.denied),
            "guard: tasks": len(self.pilot._sends) + len(self.pilot._hinted) + len(self.pilot._cancel_sent_s),
            "guard: clients": len(self.service._numbers),
            "feed: waiting": len(self.source.feed._waiting),
            "trader: orders": len(session._requests) + len(session._order_ids),
            "trader: references": len(session._refs),
            "tasks of the loop": len(asyncio.all_tasks()),
        }

    @property
    def orders(self) -> int:
        """Every order ever."""
        return len(self.guard.books.lines)


@asynccontextmanager
async def soaking(folder: Path, *, every: int = 15, bounds: Bounds | None = None) -> AsyncIterator[Soak]:
    """The platform at work in this folder, until the block is left."""
    clock = VirtualClock()
    simulator = Simulator(Setup(Config(bounds=bounds or Bounds()), virtual_start_ns=START_NS))
    product = simulator.list_product("BTC-USD")
    key = simulator.issue_key(simulator.open_account("alice", dict(FUNDS)), "ed25519", ("view", "trade"))
    async with Serving(simulator, Address()) as serving:
        simulator.play(product, GeneratedMarket(product, seed=1, start=60_000.0, depth=5, steps_per_s=0.5, trades_per_s=0.1))
        base = f"127.0.0.1:{serving.port}"
        options = Options(addresses=Addresses(rest_url=f"http://{base}", market_url=f"ws://{base}", user_urls=(f"ws://{base}",)))
        venue = coinbase_venue(ApiKey(key["id"], key["privateKey"]), clock, options)
        config = GuardConfig(instruments=(BTC,), limits=_limits(), cash=0.0, maker_fee=0.004, taker_fee=0.006)
        journal = Journal.open(folder / "journal.jsonl", clock=clock, disk=UnsyncedDisk())
        guard = LiveGuard(journal, config, clock)
        service = GuardService(guard)
        guard.start()
        server = await serve(endpoint_in(folder, SOCKET), load_secret(folder / SECRET), service)
        announce(folder, server.endpoint)
        pilot = Pilot(guard, venue, service.tell)
        feed, session = coinbase_feed([BTC], options, channels=("level2",), depth=False)
        source = Source(feed)
        plan = Plan(source, every)
        trader = Trader(plan, bus=MemoryBus(), clock=clock, state_dir=folder)
        soak = Soak(simulator, guard, venue, pilot, service, source, plan)
        async with pilot.running() as piloting:
            tasks = [
                piloting,
                asyncio.create_task(_time_goes_on(simulator), name="soak: time"),
                asyncio.create_task(session.run(), name="soak: feed"),
                asyncio.create_task(trader.run(), name="soak: trader"),
            ]
            for task in tasks:
                task.add_done_callback(lambda task: _note_broken(soak, task))
            try:
                yield soak
            finally:
                for task in tasks[1:]:
                    task.cancel()
                await asyncio.gather(*tasks[1:], return_exceptions=True)
                await server.close("the soak is over")
        journal.close()


def _limits() -> RiskLimits:
    return RiskLimits(max_order_notional=Decimal(100_000), max_gross_exposure=Decimal(10_000_000), max_open_orders=20)


def _note_broken(soak: Soak, task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        soak.broken.append(task.exception() or RuntimeError(f"{task.get_name()} has ended"))


async def _time_goes_on(simulator: Simulator) -> None:
    while True:
        await asyncio.sleep(STEP_S)
        await simulator.agenda.advance(STEP_S)


async def hours(soak: Soak, count: float) -> None:
    """Lets so many hours pass; raises what broke a part meanwhile."""
    await asyncio.sleep(count * HOUR_S)
    if soak.broken:
        raise soak.broken[0]


def bytes_of_parts() -> dict[str, int]:
    """What each part's own code holds now, as ``tracemalloc`` counts it."""
    gc.collect()
    snapshot = tracemalloc.take_snapshot()
    return {
        part: sum(trace.size for trace in snapshot.filter_traces([tracemalloc.Filter(True, pattern)]).statistics("filename"))
        for part, pattern in PARTS.items()
    } | {"everything": tracemalloc.get_traced_memory()[0]}
