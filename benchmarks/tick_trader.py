"""The trader's process of the tick-to-order benchmark: the real feed, compiled step, trader and client of the guard.

``python -m benchmarks.tick_trader STATE_DIR MARKET_URL``. When it is told to stop it writes where its time went.
"""

import asyncio
import math
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from traider.bus.memory import MemoryBus
from traider.connectors.coinbase.build import Options, coinbase_feed
from traider.connectors.coinbase.compiled_feed import CompiledMarketFeed
from traider.connectors.coinbase.config import Addresses, SocketTiming
from traider.connectors.coinbase.market_feed import MarketFeed
from traider.domain.guard_protocol import MarketEvent, Snapshot
from traider.domain.state import AccountState, RiskState
from traider.domain.vocabulary import EventKind
from traider.engine.live import LiveSession
from traider.guard.client import GuardClient
from traider.guard.place import find_guard
from traider.kernel.events import Quote
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy
from traider.runtime.clock import SystemClock
from traider.runtime.loop import run
from traider.services.trader import Resumed, Trader

from .stamps import Stamps, now_ns
from .tick_guard import ALONE, APART_S, BTC, HOT_APART_S

KINDS = 1 << EventKind.QUOTE


class EveryQuote(Strategy):
    """An order at each quote, so that every message makes one."""

    def on_quote(self, quote: Quote, ctx: Context) -> None:
        ctx.buy_limit(0.001, quote.bid)


class Source:
    """The feed's events as the trader takes them."""

    symbol, untraded, in_moments = "BTC-USD", 0, False
    unfed: Sequence[MarketEvent] = ()

    def __init__(self, feed: MarketFeed, stamps: Stamps) -> None:
        self._feed = feed
        self._stamps = stamps

    def continue_after(self, last_index: int, last_ns: int) -> None:
        pass

    def history_start(self, last_index: int) -> int:
        return 0

    def history(self, start: int, stop: int) -> Sequence[MarketEvent]:
        return []

    async def events(self, start_index: int) -> AsyncIterator[MarketEvent]:
        async for event in self._feed.events():
            if isinstance(event, MarketEvent):
                self._stamps.mark("event")
                yield event


class Plan:
    kinds = KINDS

    def __init__(self, source: Source, stamps: Stamps) -> None:
        self._source = source
        self._stamps = stamps

    def session(self, snapshot: Snapshot) -> str:
        return "benchmark"

    def source(self, snapshot: Snapshot) -> Source:
        return self._source

    def strategy(self, snapshot: Snapshot) -> LiveSession:
        session = live_session(snapshot.session_id, snapshot.account.cash)
        marked: Any = session
        marked.on_market = self._stamps.before_and_after("step", session.on_market)
        return session

    def resume(self, snapshot: Snapshot) -> Resumed | None:
        return None


def live_session(session_id: str, cash: Decimal) -> LiveSession:
    return LiveSession(EveryQuote(), (BTC,), session_id=session_id, cash=cash, kinds=KINDS)


def steps_alone(apart_s: float) -> list[int]:
    """The compiled step with nothing around it."""
    session = live_session("alone", Decimal(1_000_000))
    took: list[int] = []
    for index in range(ALONE):
        time.sleep(apart_s)
        event = MarketEvent(index=index, kind=EventKind.QUOTE, symbol="BTC-USD", ts_ns=index, a=30_000.0, b=1.0 + index, c=30_000.01, d=1.0)
        began = now_ns()
        session.on_market(event)
        took.append(now_ns() - began)
    return took


class Deaf:
    def on_order_event(self, event: object) -> None:
        pass

    def on_state(self, account: AccountState, risk: RiskState) -> None:
        pass


async def links_alone(state_dir: Path, apart_s: float) -> list[int]:
    """A request that the guard does nothing for, and its answer."""
    client = await GuardClient.connect(*find_guard(state_dir), Deaf(), role="observer", client="alone")
    took: list[int] = []
    for _ in range(ALONE):
        await asyncio.sleep(apart_s)
        began = now_ns()
        await client.beat()
        took.append(now_ns() - began)
    client.close()
    return took


async def trade(state_dir: Path, market_url: str, stamps: Stamps) -> None:
    stamps.times["link alone"] = await links_alone(state_dir, APART_S)
    stamps.times["link hot"] = await links_alone(state_dir, HOT_APART_S)
    client: Any = GuardClient
    client.feed = stamps.around("feed", GuardClient.feed)
    client.submit = stamps.around("order", GuardClient.submit)
    patient = SocketTiming(heartbeat_timeout_s=600, silence_timeout_s=600, snapshot_timeout_s=600)
    options = Options(addresses=Addresses(market_url=market_url), socket_timing=patient)
    feed, session = coinbase_feed([BTC], options, channels=("level2",), depth=False, make_feed=CompiledMarketFeed)
    frames: Any = feed
    frames.take_frame = stamps.before_and_after("frame", feed.take_frame)
    plan = Plan(Source(feed, stamps), stamps)
    # the frames are recorded ones: their time is long ago
    trader = Trader(plan, bus=MemoryBus(), clock=SystemClock(), state_dir=state_dir, on_exchange=True, stale_s=math.inf)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tasks = [asyncio.create_task(trader.run()), asyncio.create_task(session.run()), asyncio.create_task(stop.wait())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def main() -> None:
    state_dir, market_url = Path(sys.argv[1]), sys.argv[2]
    stamps = Stamps()
    stamps.times["step alone"] = steps_alone(APART_S)
    stamps.times["step hot"] = steps_alone(HOT_APART_S)
    run(trade(state_dir, market_url, stamps))
    stamps.write(state_dir / "trader.json")


if __name__ == "__main__":
    main()
