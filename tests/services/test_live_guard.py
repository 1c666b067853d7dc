"""The guard's process with an exchange behind it: the real link, the real pilot, a scripted exchange in this process."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.guard.live.exchange import Exchange, Fault, lost
from tests.services.support import BTC, until
from traider.cli.main import run as traider
from traider.domain.errors import LinkError
from traider.domain.guard_protocol import MarketEvent
from traider.domain.limits import RiskLimits
from traider.domain.orders import AnyOrderEvent, OrderRequest
from traider.domain.state import AccountState, RiskState
from traider.domain.vocabulary import EventKind, OrderType, Side
from traider.guard.books import GuardConfig
from traider.guard.client import GuardClient
from traider.guard.place import find_guard
from traider.runtime.virtual_time import VirtualClock
from traider.services.guard import GuardOptions, run_guard


class Ear:
    def __init__(self) -> None:
        self.events: list[str] = []
        self.gates: tuple[str, ...] = ("not told yet",)

    def on_order_event(self, event: AnyOrderEvent) -> None:
        self.events.append(f"{event.client_order_id} {type(event).__name__.removeprefix('Order').lower()}")

    def on_state(self, account: AccountState, risk: RiskState) -> None:
        self.gates = risk.gates


@pytest.fixture
async def exchange() -> Exchange:
    exchange = Exchange((BTC,), {"USD": Decimal(1000), "BTC": Decimal(0)})
    exchange.price["BTC-USD"] = Decimal(100)
    return exchange


@pytest.fixture
async def state_dir(tmp_path: Path, exchange: Exchange) -> AsyncIterator[Path]:
    """Where a guard runs over that exchange, until the test is over."""
    options = GuardOptions(
        state_dir=tmp_path,
        store_url=f"sqlite:///{tmp_path / 'store.sqlite3'}",
        config=GuardConfig(instruments=(BTC,), limits=RiskLimits(), cash=0.0),
    )
    guarding = asyncio.create_task(run_guard(options, VirtualClock(), lambda: exchange))
    await until(lambda: guarding.done() or (tmp_path / "guard.endpoint").exists())
    yield tmp_path
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(guarding, 20)


async def connected(state_dir: Path, ear: Ear, **how: bool) -> GuardClient:
    client = await GuardClient.connect(*find_guard(state_dir), ear, role="trader", client="t", session="s", **how)  # type: ignore[arg-type]  # the switches among its options
    await client.feed([MarketEvent(index=0, kind=EventKind.TRADE, symbol="BTC-USD", ts_ns=VirtualClock().now_ns(), a=100.0, b=1.0)])
    await until(lambda: ear.gates == ())
    return client


def order(identifier: str) -> OrderRequest:
    return OrderRequest(
        client_order_id=identifier, symbol="BTC-USD", side=Side.BUY, type=OrderType.LIMIT, size=Decimal(1), limit_price=Decimal(90)
    )


async def test_an_order_goes_to_the_exchange_and_its_fill_comes_back(state_dir: Path, exchange: Exchange) -> None:
    ear = Ear()
    client = await connected(state_dir, ear)
    await client.submit([order("a")])
    await until(lambda: "a accepted" in ear.events)
    exchange.fill(exchange.id_of("a"), "0.5")
    await until(lambda: "a filled" in ear.events)
    account = (await client.snapshot()).account
    assert [(position.symbol, position.size) for position in account.positions] == [("BTC-USD", Decimal("0.5"))]
    await client.amend("a", size=Decimal(2), limit_price=Decimal(91))
    await until(lambda: "a amended" in ear.events)
    await client.cancel(["a"])
    await until(lambda: "a cancelled" in ear.events)
    assert ear.events == ["a submitted", "a accepted", "a filled", "a amended", "a cancelled"]


async def test_an_order_whose_answer_is_lost_is_told_as_unknown_and_then_found(state_dir: Path, exchange: Exchange) -> None:
    ear = Ear()
    client = await connected(state_dir, ear)
    exchange.silent = True
    exchange.fail("submit", Fault(after=lost()))
    await client.submit([order("a")])
    await until(lambda: "a accepted" in ear.events)
    assert ear.events == ["a submitted", "a unknown", "a accepted"]


async def test_a_trader_whose_process_dies_leaves_no_order_behind(state_dir: Path, exchange: Exchange) -> None:
    ear = Ear()
    client = await connected(state_dir, ear, cancel_on_disconnect=True)
    await client.submit([order("a")])
    await until(lambda: "a accepted" in ear.events)
    client.close()  # what the guard sees of a SIGKILL: the socket is closed
    gone_s = asyncio.get_running_loop().time()
    await until(lambda: not exchange.open_ids())
    assert asyncio.get_running_loop().time() - gone_s < 5.0


async def test_the_gates_are_told_to_whoever_watches(state_dir: Path, exchange: Exchange) -> None:
    ear = Ear()
    await connected(state_dir, ear)
    await until(lambda: ear.gates == ())
    exchange.drop("the socket closed")
    await until(lambda: any("the socket closed" in gate for gate in ear.gates))
    exchange.revive()
    await until(lambda: ear.gates == ())


async def test_what_can_not_be_done_is_refused_in_words(state_dir: Path) -> None:
    client = await connected(state_dir, Ear())
    with pytest.raises(LinkError, match="no open limit order"):
        await client.amend("nothing", size=Decimal(1), limit_price=Decimal(1))
    with pytest.raises(LinkError, match="needs a reason"):
        await client.accept_balances(by="owner", reason="")


async def test_balances_are_accepted_from_the_command_line(state_dir: Path, exchange: Exchange, capsys: pytest.CaptureFixture[str]) -> None:
    ear = Ear()
    await connected(state_dir, ear)
    exchange.money["USD"] += 500
    exchange.drop("to have it looked at")
    exchange.revive()
    await until(lambda: any("the exchange has 1500 USD" in gate for gate in ear.gates))
    assert await asyncio.to_thread(traider, ["accept-balances", "--reason", "a deposit", "--state-dir", str(state_dir)]) == 0
    assert capsys.readouterr().out.endswith("the books are the exchange's: 1500.0 USD\n")
    await until(lambda: ear.gates == ())


async def test_balances_are_not_accepted_without_a_reason(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await connected(state_dir, Ear())
    assert await asyncio.to_thread(traider, ["accept-balances", "--reason", " ", "--state-dir", str(state_dir)]) == 1
    assert capsys.readouterr().err.endswith("error: accepting the exchange's balances needs a reason\n")


async def test_the_kill_switch_is_turned_from_the_command_line_without_api_or_store(
    state_dir: Path, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    ear = Ear()
    client = await connected(state_dir, ear)
    await until(lambda: ear.gates == ())
    await client.submit([order("a")])
    await until(lambda: "a accepted" in ear.events)
    assert await asyncio.to_thread(traider, ["kill-switch", "--reason", "enough", "--state-dir", str(state_dir)]) == 0
    assert capsys.readouterr().out.endswith("the kill switch is on (enough); being cancelled: a\n")
    await until(lambda: not exchange.open_ids())
    snapshot = await client.snapshot()
    assert (snapshot.risk.kill_switch, bool(snapshot.risk.kill_by)) == (True, True)


def test_without_a_guard_the_kill_switch_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert traider(["kill-switch", "--state-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"error: no guard has been started in {tmp_path}\n"
