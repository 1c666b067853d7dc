"""Group D of the fault matrix over real sockets: the guard's own market feed, while nobody else tells it prices."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.exchange.running import Running, exchange
from tests.guard.live.bench import UnsyncedDisk
from tests.services.support import until
from tests.services.test_guard_on_exchange import BTC, order
from traider.connectors.coinbase.build import Options, coinbase_venue
from traider.connectors.coinbase.config import Addresses, SocketTiming
from traider.connectors.coinbase.credentials import ApiKey
from traider.connectors.coinbase.venue_market import coinbase_market
from traider.domain.guard_protocol import PROTOCOL_VERSION, Open, Submit
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderRejected, OrderRequest
from traider.domain.vocabulary import Reason
from traider.guard.books import GuardConfig
from traider.guard.gates import Cause as Gate
from traider.guard.journal import Journal
from traider.guard.live.core import LiveGuard
from traider.guard.live.pace import Pace
from traider.guard.live.pilot import Pilot
from traider.guard.records import Noted
from traider.runtime.clock import SystemClock


@asynccontextmanager
async def watching(folder: Path, running: Running, *, venue_check_s: float = 0.2) -> AsyncIterator[LiveGuard]:
    """A guard on the exchange with a market feed of its own, its gates open; no trader has told it a price."""
    socket = running.base.replace("http", "ws")
    timing = SocketTiming(snapshot_timeout_s=1.0, first_backoff_s=0.1, resubscribe_every_s=0.2)
    options = Options(addresses=Addresses(rest_url=running.base, market_url=socket, user_urls=(socket,)), socket_timing=timing)
    clock = SystemClock()
    journal = Journal.open(folder / "journal.jsonl", clock=clock, disk=UnsyncedDisk())
    guard = LiveGuard(journal, GuardConfig(instruments=(BTC,), limits=RiskLimits(), cash=0.0), clock)
    guard.start()
    guard.handle(Open(seq=0, version=PROTOCOL_VERSION, role="trader", client="t", session="s"), 1)
    venue = coinbase_venue(ApiKey(running.key["name"], running.key["privateKey"]), clock, options)
    pace = Pace(compare_s=0.2, venue_check_s=venue_check_s, between_statuses_s=0.2)
    pilot = Pilot(guard, venue, lambda effects: None, pace, coinbase_market((BTC,), options))
    try:
        async with pilot.running() as task:
            await until(lambda: task.done() or not guard.gates.closed())
            yield guard
            if task.done():
                task.result()
    finally:
        journal.close()


def refusal(guard: LiveGuard, request: OrderRequest) -> tuple[Reason, str]:
    (event, *_) = guard.handle(Submit(seq=1, orders=(request,)), 1).events
    return (event.reason, event.detail) if isinstance(event, OrderRejected) else (Reason.NONE, "")


def mark(guard: LiveGuard) -> float:
    return float(guard.books.desk.positions[0]["mark_price"])


def closed(guard: LiveGuard) -> set[Gate]:
    return {gate.cause for gate in guard.gates.closed()}


def notes(guard: LiveGuard) -> list[str]:
    return [entry.record.detail for entry in guard.journal.read() if isinstance(entry.record, Noted)]


def set_book(running: Running, *levels: tuple[int, int, int]) -> None:
    """Side, ticks, lots (0 removes the level)."""
    market = running.simulator.exchange.markets["BTC-USD"]

    def act(matcher: object) -> None:
        for side, ticks, lots in levels:
            market.matcher.on_level(side, ticks, lots)

    running.simulator.exchange.step(market, act)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange(virtual=False) as running:
        yield running


async def test_marks_come_from_the_exchanges_book(tmp_path: Path, running: Running) -> None:
    async with watching(tmp_path, running) as guard:
        assert mark(guard) == 100.0
        set_book(running, (1, 100, 500))
        await until(lambda: mark(guard) == 100.5)


async def test_d1_a_sequence_gap_closes_the_gate_until_a_fresh_snapshot(tmp_path: Path, running: Running) -> None:
    async with watching(tmp_path, running) as guard:
        await running.fault(do="ws.skip", count=1, channel="level2")
        set_book(running, (1, 99, 1500))  # its message is lost, with its number
        set_book(running, (1, 98, 2500))  # this one shows the gap
        await until(lambda: Gate.MARKET_DATA in closed(guard))
        reason, detail = refusal(guard, order("a", 90))
        assert (reason, "market data for BTC-USD" in detail) == (Reason.GATE_CLOSED, True)
        await until(lambda: not guard.gates.closed())
        assert refusal(guard, order("b", 90))[0] is Reason.NONE
        assert mark(guard) == 100.0


async def test_d4_a_stale_book_with_live_heartbeats_is_found_by_comparing_with_rest(tmp_path: Path, running: Running) -> None:
    async with watching(tmp_path, running) as guard:
        await running.fault(do="ws.stall", channels=["level2"])
        set_book(running, (1, 99, 0), (1, 97, 1000))  # bids are 98, 97 now, and nobody is told
        await until(lambda: Gate.MARKET_DATA in closed(guard))
        assert refusal(guard, order("a", 90))[0] is Reason.GATE_CLOSED
        assert [note for note in notes(guard) if "stands at 99 / 101, the exchange at 98 / 101" in note]
        await until(lambda: not guard.gates.closed())  # the channel gave no snapshot, so there is another connection
        assert mark(guard) == 99.5
        assert refusal(guard, order("b", 90))[0] is Reason.NONE


async def test_d4_a_calm_book_stays_good_because_rest_says_the_same(tmp_path: Path, running: Running) -> None:
    async with watching(tmp_path, running) as guard:
        told_ns = guard._told_ns["BTC-USD"]
        await until(lambda: guard._told_ns["BTC-USD"] > told_ns)
        assert closed(guard) == set()
        assert refusal(guard, order("a", 90))[0] is Reason.NONE


FLAGS = {"limit_only": "limit orders alone", "post_only": "post-only", "auction_mode": "auction", "cancel_only": "cancels only"}


@pytest.mark.parametrize(("flag", "words"), FLAGS.items())
async def test_r12_flags_of_the_product_are_refusals(tmp_path: Path, running: Running, flag: str, words: str) -> None:
    async with watching(tmp_path, running) as guard:
        await running.fault(do="product", product_id="BTC-USD", **{flag: True})
        before = guard._states
        await until(lambda: guard._states["BTC-USD"] != before["BTC-USD"])
        reason, detail = refusal(guard, order("m"))
        assert (reason, words in detail) == (Reason.GATE_CLOSED, True), detail


@pytest.mark.parametrize(("change", "words"), [({"status": "offline"}, "does not trade it now"), ({"cancel_only": True}, "cancels only")])
async def test_r12_a_market_that_changes_is_told_by_its_stream(
    tmp_path: Path, running: Running, change: dict[str, Any], words: str
) -> None:
    async with watching(tmp_path, running, venue_check_s=3600.0) as guard:  # nobody asks by himself
        await running.fault(do="product", product_id="BTC-USD", **change)
        await until(lambda: Gate.VENUE in closed(guard))
        reason, detail = refusal(guard, order("a", 90))
        assert (reason, words in detail) == (Reason.GATE_CLOSED, True), detail
