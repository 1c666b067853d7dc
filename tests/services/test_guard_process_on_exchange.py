"""The guard as its own process, the Coinbase client in it, and the exchange simulator: life-cycle, SIGKILL, a trader that dies."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.exchange.running import Running, exchange
from tests.services.guard_process import GuardProcess, total
from tests.services.test_guard_on_exchange import order
from tests.services.test_live_guard import Ear
from traider.domain.orders import OrderFilled, OrderSubmitted
from traider.domain.vocabulary import Side
from traider.guard.journal import entries, verify
from traider.guard.place import JOURNAL

PATIENCE_S = 20.0
pytestmark = pytest.mark.timeout(150)  # the first guard on a machine compiles
DYING_TRADER = """
import asyncio, sys
from decimal import Decimal
from pathlib import Path
from traider.domain.orders import OrderAccepted, OrderRequest
from traider.domain.vocabulary import OrderType, Side
from traider.guard.client import GuardClient
from traider.guard.place import find_guard

class Ear:
    accepted = 0
    def on_order_event(self, event):
        self.accepted += isinstance(event, OrderAccepted)
        if self.accepted == 3:
            print("resting", flush=True)
    def on_state(self, account, risk): pass

async def trade():
    client = await GuardClient.connect(
        *find_guard(Path(sys.argv[1])), Ear(), role="trader", client="t", session="s", cancel_on_disconnect=True
    )
    limit = {"symbol": "BTC-USD", "side": Side.BUY, "type": OrderType.LIMIT, "size": Decimal(1)}
    await client.submit([OrderRequest(client_order_id=f"d{n}", limit_price=Decimal(80 + n), **limit) for n in range(3)])
    await client.lost

asyncio.run(trade())
"""


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange(virtual=False) as running:
        yield running


@pytest.fixture
async def guard(tmp_path: Path, running: Running) -> AsyncIterator[GuardProcess]:
    guard = GuardProcess(tmp_path, running)
    guard.start()
    yield guard
    guard.kill()


async def until(condition: Callable[[], Any], guard: GuardProcess) -> None:
    """Returns when the condition holds; what it looks at changes in other processes."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(guard.log.read_text()[-4000:]) from None


def open_ids(running: Running) -> set[str]:
    return {order.client_order_id for order in running.account.open.values()}


def placed(running: Running) -> list[str]:
    return [order.client_order_id for order in running.account.orders.values()]


def booked(guard: GuardProcess) -> list[OrderFilled]:
    return [entry.record for entry in entries(guard.state_dir / JOURNAL) if isinstance(entry.record, OrderFilled)]


async def check_fills(guard: GuardProcess, running: Running) -> None:
    """Each trade of the exchange is booked once, as it was; no order is there twice; the journal is whole."""
    truth = await running.truth()
    there = sorted(
        (f["trade_id"], f["client_order_id"], Decimal(f["price"]), Decimal(f["size"]), Decimal(f["commission"])) for f in truth["fills"]
    )
    assert sorted((f.trade_id, f.client_order_id, f.price, f.size, f.fee) for f in booked(guard)) == there
    assert len(placed(running)) == len(set(placed(running)))
    assert verify(guard.state_dir / JOURNAL).end_proven


async def test_from_order_to_fill_the_books_are_the_exchanges(guard: GuardProcess, running: Running) -> None:
    ear = Ear()
    client = await guard.trader(ear)
    await client.submit([order("a", 90), order("b", 91), order("m"), order("s", 98, "0.25", Side.SELL)])
    await until(lambda: {"a accepted", "b accepted", "m filled", "s filled"} <= set(ear.events), guard)
    await client.amend("a", size=Decimal("0.7"), limit_price=Decimal(92))
    await until(lambda: "a amended" in ear.events, guard)
    await running.fault(do="fill", client_order_id="a", size="0.2")
    await until(lambda: "a filled" in ear.events, guard)
    await client.cancel(["b"])
    await until(lambda: "b cancelled" in ear.events, guard)
    assert open_ids(running) == {"a"}
    await check_fills(guard, running)
    account = (await client.snapshot()).account
    assert {position.symbol: position.size for position in account.positions} == {"BTC-USD": total(running, "BTC")}
    assert abs(account.cash - total(running, "USD")) < Decimal("1e-6")  # the guard's cash is a float
    client.close()
    assert guard.stop() == 0


async def test_the_kill_switch_leaves_nothing_open(guard: GuardProcess, running: Running) -> None:
    ear = Ear()
    client = await guard.trader(ear)
    await client.submit([order(f"o{number}", 80 + number) for number in range(5)])
    await until(lambda: len(open_ids(running)) == 5, guard)
    await running.place("BUY", "70", "0.1", "from-elsewhere")
    await client.set_kill_switch(on=True, reason="enough", by="owner")
    await until(lambda: not open_ids(running), guard)
    await until(lambda: sum(event.endswith("cancelled") for event in ear.events) == 6, guard)
    assert (await running.get("/orders/historical/batch?order_status=OPEN"))["orders"] == []
    assert (await client.snapshot()).open_orders == ()
    await check_fills(guard, running)
    client.close()


async def test_killed_between_acceptance_and_answer_it_neither_sends_twice_nor_loses_the_order(
    guard: GuardProcess, running: Running
) -> None:
    client = await guard.trader(Ear())
    await running.fault(match={"method": "POST", "path": "/orders"}, do="delay", seconds=60, when="after_apply")
    await client.submit([order("a", 90)])
    await until(lambda: open_ids(running) == {"a"}, guard)  # taken, and the answer is held back
    guard.kill()
    client.close()
    (guard.state_dir / "guard.endpoint").unlink()
    await running.control("DELETE", "/faults")
    guard.start()
    ear = Ear()
    client = await guard.trader(ear)
    known = [held.request.client_order_id for held in (await client.snapshot()).open_orders]
    assert known == ["a"]
    await client.submit([order("a", 90), order("b", 91)])  # the trader does not know either, and sends it again
    await until(lambda: "b accepted" in ear.events, guard)
    assert sorted(placed(running)) == ["a", "b"]
    sent = [e.record.client_order_id for e in entries(guard.state_dir / JOURNAL) if isinstance(e.record, OrderSubmitted)]
    assert sent == ["a", "b"]
    await running.fault(do="fill", client_order_id="a", size="0.5")
    await until(lambda: "a filled" in ear.events, guard)
    await check_fills(guard, running)
    client.close()


async def test_killed_before_the_request_arrived_the_order_is_settled_as_not_there(guard: GuardProcess, running: Running) -> None:
    client = await guard.trader(Ear())
    await running.fault(match={"method": "POST", "path": "/orders"}, do="delay", seconds=60, when="before_apply")
    await client.submit([order("a", 90)])
    await until(lambda: any(r["method"] == "POST" for r in running.simulator.truth.requests.items), guard)
    guard.kill()
    client.close()
    (guard.state_dir / "guard.endpoint").unlink()
    await running.control("DELETE", "/faults")
    guard.start()
    client = await guard.trader(ear := Ear())
    await client.submit([order("b", 91)])
    await until(lambda: "b accepted" in ear.events, guard)
    # Sent again under its id, or found not to be there: at most one order came of it, and both sides agree on which.
    assert placed(running).count("a") <= 1
    assert {held.request.client_order_id for held in (await client.snapshot()).open_orders} == open_ids(running)
    await check_fills(guard, running)
    client.close()


async def test_a_trader_that_is_killed_leaves_no_order_behind(guard: GuardProcess, running: Running) -> None:
    (await guard.trader(Ear())).close()
    trader = await asyncio.create_subprocess_exec(sys.executable, "-c", DYING_TRADER, str(guard.state_dir), stdout=asyncio.subprocess.PIPE)
    try:
        assert trader.stdout is not None
        assert await asyncio.wait_for(trader.stdout.readline(), PATIENCE_S) == b"resting\n"
        assert open_ids(running) == {"d0", "d1", "d2"}
        trader.kill()
        killed_s = time.monotonic()
        await until(lambda: not open_ids(running), guard)
        assert time.monotonic() - killed_s < 5.0
    finally:
        if trader.returncode is None:
            trader.kill()
        await trader.communicate()
    await check_fills(guard, running)
