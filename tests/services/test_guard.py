"""The guard's process around its core: clients, the account that is pushed, and the store that follows the journal."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.strategies import Restless
from tests.services.support import BTC, Place, bars_plan, until
from traider.domain.errors import LinkError, StoreError, UserError
from traider.domain.guard_protocol import MarketEvent, OrderEventPush
from traider.domain.limits import RiskLimits
from traider.domain.orders import AnyOrderEvent, OrderFilled, OrderRequest
from traider.domain.state import AccountState, RiskState
from traider.domain.vocabulary import EventKind, OrderType, Side
from traider.guard.books import GuardConfig
from traider.guard.client import GuardClient, GuardRefusedError
from traider.guard.journal import head_path, verify
from traider.guard.lock import holder
from traider.guard.place import JOURNAL, SECRET, find_guard
from traider.runtime.clock import SystemClock
from traider.runtime.link import Link, connect, load_secret
from traider.services.guard import GuardOptions, StoreWriter, run_guard
from traider.storage.engine import create_engine
from traider.storage.migrate import migrate
from traider.storage.projection import Projection
from traider.storage.repository import Repository


class Ear:
    def __init__(self) -> None:
        self.events: list[AnyOrderEvent] = []
        self.accounts: list[AccountState] = []
        self.risks: list[RiskState] = []

    def on_order_event(self, event: AnyOrderEvent) -> None:
        self.events.append(event)

    def on_state(self, account: AccountState, risk: RiskState) -> None:
        self.accounts.append(account)
        self.risks.append(risk)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path)
    await place.start()
    yield place
    await place.stop()


async def client(place: Place, ear: Ear, role: str = "trader") -> GuardClient:
    return await GuardClient.connect(*find_guard(place.state_dir), ear, role=role, client=role, session="test", answer_s=5.0)


def bar(index: int, price: float) -> MarketEvent:
    return MarketEvent(index=index, kind=EventKind.BAR, symbol="BTC-USD", ts_ns=time_of(index), a=price, b=price, c=price, d=price)


def time_of(index: int) -> int:
    return 1_700_000_000_000_000_000 + index * 60 * 10**9


def buy(identifier: str, size: str = "1") -> OrderRequest:
    return OrderRequest(client_order_id=identifier, symbol="BTC-USD", side=Side.BUY, type=OrderType.MARKET, size=Decimal(size))


async def test_the_reply_comes_after_every_event_that_the_request_caused(place: Place) -> None:
    ear, other = Ear(), Ear()
    trader, observer = await client(place, ear), await client(place, other, "observer")
    await trader.feed([bar(0, 100.0)])
    await trader.submit([buy("a"), buy("b")])
    assert [type(event).__name__ for event in ear.events] == ["OrderSubmitted"] * 2 + ["OrderAccepted"] * 2
    await trader.feed([bar(1, 101.0), bar(2, 102.0)])
    assert [event.client_order_id for event in ear.events if isinstance(event, OrderFilled)] == ["a", "b"]
    await until(lambda: other.events == ear.events)
    assert [past.event for past in await observer.history()] == ear.events
    for one in (trader, observer):
        one.close()


async def test_account_and_limits_are_pushed_after_changes_but_not_at_every_event(place: Place) -> None:
    ear = Ear()
    trader = await client(place, ear)
    for index in range(400):
        await trader.feed([bar(index, 100.0 + index)])
    await until(lambda: bool(ear.accounts) and ear.accounts[-1].ts_ns == time_of(399))
    assert len(ear.accounts) < 200
    count = len(ear.risks)
    await trader.set_kill_switch(on=True, reason="x", by="y")
    assert [risk.kill_switch for risk in ear.risks[count:]] == [True]
    trader.close()


async def test_one_trader_at_a_time_and_the_next_one_when_it_is_gone(place: Place) -> None:
    first = await client(place, Ear())
    with pytest.raises(GuardRefusedError, match="trader is trading already"):
        await client(place, Ear())
    first.close()
    await until(lambda: len(place.service._numbers) == 0)
    second = await client(place, Ear())
    second.close()


async def test_a_client_that_talks_nonsense_is_disconnected_and_nobody_else(place: Place) -> None:
    ear = Ear()
    trader = await client(place, ear)

    class Stranger:
        lost: str = ""

        def on_open(self, link: Link) -> None: ...

        def on_frame(self, link: Link, frame: bytes) -> None: ...

        def on_lost(self, link: Link, reason: LinkError) -> None:
            self.lost = str(reason)

    stranger = Stranger()
    endpoint, secret = find_guard(place.state_dir)
    for frame in (b"\xc1", msgspec.msgpack.encode({"type": "order", "seq": 1}), msgspec.msgpack.encode(OrderEventPush(event=buy_event()))):
        stranger.lost = ""
        link = await connect(endpoint, secret, stranger)
        link.send(frame)
        await until(lambda: bool(stranger.lost))
    await trader.feed([bar(0, 100.0)])
    trader.close()


def buy_event() -> Any:
    from traider.domain.orders import OrderSubmitted

    return OrderSubmitted(n=1, ts_ns=1, client_order_id="a", request=buy("a"))


async def test_a_guard_that_does_not_answer_is_given_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    trader = await client(place, Ear())
    trader._answer_s = 0.1
    monkeypatch.setattr(place.service, "on_frame", lambda link, frame: None)
    with pytest.raises(LinkError, match=r"did not answer within 0.1 s"):
        await trader.feed([bar(0, 100.0)])
    assert not trader.connected
    with pytest.raises(LinkError, match="did not answer"):
        await trader.snapshot()


@pytest.fixture
async def store_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    await migrate(url)
    return url


async def test_the_store_follows_the_journal_and_catches_up(place: Place, store_url: str, data_dir: Path) -> None:
    plan = bars_plan(Restless, data_dir, rows=200, quantity=0.5)
    changed = place.service.changed
    writer = StoreWriter(place.guard, Projection(store_url), changed)
    await writer.open(rebuild=False)
    writing = asyncio.create_task(writer.run())
    await place.trader(plan).run()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await writer.flush()
    await writer.close()
    assert await stored(store_url) == expected(place)
    # what is written again changes nothing; what is thrown away is written anew
    for rebuild in (False, True):
        again = StoreWriter(place.guard, Projection(store_url), changed)
        await again.open(rebuild=rebuild)
        await again.close()
        assert await stored(store_url) == expected(place)


async def test_the_store_is_written_over_all_segments_of_the_journal(place: Place, store_url: str, data_dir: Path) -> None:
    plan = bars_plan(Restless, data_dir, rows=200, quantity=0.5)
    trading = asyncio.create_task(place.trader(plan).run())
    while not trading.done():
        await asyncio.sleep(0.02)
        place.guard.begin_segment()
    await trading
    journal = place.guard.journal
    assert journal.segment.number > 3
    writer = StoreWriter(place.guard, Projection(store_url), place.service.changed)
    await writer.open(rebuild=True)
    await writer.close()
    assert await stored(store_url) == expected(place)


async def test_a_store_that_needs_lines_which_are_not_here_says_so(place: Place, store_url: str, data_dir: Path) -> None:
    plan = bars_plan(Restless, data_dir, rows=100, quantity=0.5)
    await place.trader(plan).run()
    place.guard.begin_segment()
    first = place.guard.journal.path
    first.rename(first.with_suffix(".away"))
    writer = StoreWriter(place.guard, Projection(store_url), place.service.changed)
    with pytest.raises(StoreError, match=r"has journal entries up to 0, and can't follow: .*journal.jsonl: can't be read: No such file"):
        await writer.open(rebuild=False)
    first.with_suffix(".away").rename(first)
    await writer.open(rebuild=False)
    await writer.close()
    assert await stored(store_url) == expected(place)


async def stored(url: str) -> dict[str, Any]:
    engine = create_engine(url)
    repository = Repository(engine)
    try:
        orders = [one.order for one in await repository.orders(open_only=False, limit=10_000)]
        fills = {fill.trade_id for fill in await repository.fills(limit=10_000)}
        account = await repository.account()
    finally:
        await engine.dispose()
    statuses = {order.request.client_order_id: order.status.value for order in orders}
    return {"orders": statuses, "fills": fills, "cash": None if account is None else account.cash}


def expected(place: Place) -> dict[str, Any]:
    from traider.domain.order_state import Order, apply

    orders: dict[str, Order] = {}
    for event in place.events():
        orders[event.client_order_id] = apply(orders.get(event.client_order_id), event)
    return {
        "orders": {name: order.status.value for name, order in orders.items()},
        "fills": {fill[0] for fill in place.fills()},
        "cash": place.guard.snapshot().account.cash,
    }


async def test_a_store_that_knows_more_than_the_journal_stops_the_start(
    place: Place, store_url: str, data_dir: Path, tmp_path: Path
) -> None:
    await place.trader(bars_plan(Restless, data_dir, rows=100, quantity=0.5)).run()
    writer = StoreWriter(place.guard, Projection(store_url), place.service.changed)
    await writer.open(rebuild=False)
    await writer.close()
    other = Place(tmp_path / "other")
    await other.start()
    writer = StoreWriter(other.guard, Projection(store_url), other.service.changed)
    with pytest.raises(StoreError, match="do not belong together"):
        await writer.open(rebuild=False)
    await writer.open(rebuild=True)
    await writer.close()
    assert await stored(store_url) == {"orders": {}, "fills": set(), "cash": None}
    await other.stop()


async def test_a_store_that_fails_is_tried_again_and_the_guard_goes_on(
    place: Place, store_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traider.services.guard.STORE_RETRY_S", 0.01)
    projection = Projection(store_url)
    apply, failures = projection.apply, 0

    async def failing(*arguments: Any) -> None:
        nonlocal failures
        if failures < 3:
            failures += 1
            raise StoreError("database is locked")
        await apply(*arguments)

    writer = StoreWriter(place.guard, projection, place.service.changed)
    await writer.open(rebuild=False)
    monkeypatch.setattr(projection, "apply", failing)
    writing = asyncio.create_task(writer.run())
    await place.trader(bars_plan(Restless, data_dir, rows=100, quantity=0.5)).run()
    await until(lambda: failures == 3 and writer.last_n == place.journal.n)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await writer.close()
    assert await stored(store_url) == expected(place)


def options(state_dir: Path) -> GuardOptions:
    return GuardOptions(
        state_dir=state_dir,
        store_url=f"sqlite:///{state_dir / 'store.sqlite3'}",
        config=GuardConfig(instruments=(BTC,), limits=RiskLimits(), cash=1000.0),
    )


async def test_a_writer_of_the_store_ends_after_what_it_is_writing_and_not_within(
    place: Place, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that is left open keeps the store locked for the last write, and the process from ending."""
    await migrate(store_url)
    begun, go_on = asyncio.Event(), asyncio.Event()
    written: list[int] = []
    apply = Projection.apply

    async def slowly(self: Projection, events: Any, account: Any, risk: Any) -> None:
        begun.set()
        await go_on.wait()
        await apply(self, events, account, risk)
        written.append(len(written))

    monkeypatch.setattr(Projection, "apply", slowly)
    writer = StoreWriter(place.guard, Projection(store_url), place.service.changed)
    running = asyncio.create_task(writer.run())
    place.service.changed.set()
    await begun.wait()
    writer.end()
    await asyncio.sleep(0)
    assert not running.done()
    go_on.set()
    await asyncio.wait_for(running, 5)
    assert written
    await writer.close()


async def test_the_process_guards_until_it_is_told_to_stop(tmp_path: Path) -> None:
    guarding = asyncio.create_task(run_guard(options(tmp_path), SystemClock()))
    await until(lambda: guarding.done() or (tmp_path / "guard.endpoint").exists())
    ear = Ear()
    one = await GuardClient.connect(*find_guard(tmp_path), ear, role="trader", client="t", session="s")
    await one.feed([bar(0, 100.0)])
    await one.submit([buy("a")])
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(guarding, 20)
    assert str(await asyncio.wait_for(asyncio.shield(one.lost), 5)) == "the peer closed the link"
    assert verify(tmp_path / JOURNAL).entries >= ear.events[-1].n
    assert await stored(options(tmp_path).store_url) == {"orders": {"a": "open"}, "fills": set(), "cash": Decimal("1000.0")}
    assert holder(tmp_path / f"{JOURNAL}.lock") is None


async def test_the_process_starts_where_an_intent_was_left_behind(tmp_path: Path) -> None:
    guarding = asyncio.create_task(run_guard(options(tmp_path), SystemClock()))
    await until(lambda: guarding.done() or (tmp_path / "guard.endpoint").exists())
    one = await GuardClient.connect(*find_guard(tmp_path), Ear(), role="trader", client="t", session="s")
    await one.feed([bar(0, 100.0)])
    await one.submit([buy("a")])
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(guarding, 20)
    lines = (tmp_path / JOURNAL).read_text().splitlines(keepends=True)
    (intent,) = (number for number, line in enumerate(lines) if '"type":"submitted"' in line)
    (tmp_path / JOURNAL).write_text("".join(lines[: intent + 1]))
    head_path(tmp_path / JOURNAL).unlink()
    (tmp_path / "guard.endpoint").unlink()
    guarding = asyncio.create_task(run_guard(options(tmp_path), SystemClock()))
    await until(lambda: guarding.done() or (tmp_path / "guard.endpoint").exists())
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(guarding, 20)
    assert '"type":"accepted"' in (tmp_path / JOURNAL).read_text()


async def test_an_error_that_nobody_foresaw_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr("traider.guard.approval.Guard._submit", broken)
    guarding = asyncio.create_task(run_guard(options(tmp_path), SystemClock()))
    await until(lambda: guarding.done() or (tmp_path / "guard.endpoint").exists())
    one = await GuardClient.connect(*find_guard(tmp_path), Ear(), role="trader", client="t", session="s")
    with pytest.raises(LinkError):
        await one.submit([buy("a")])
    with pytest.raises(Exception, match="an error of its own: ZeroDivisionError"):
        await asyncio.wait_for(guarding, 20)


async def test_a_start_that_can_not_be_leaves_the_lock_free(tmp_path: Path) -> None:
    load_secret(tmp_path / SECRET).decode()
    (tmp_path / SECRET).chmod(0o644)
    with pytest.raises(UserError, match="can be read by others"):
        await run_guard(options(tmp_path), SystemClock())
    (tmp_path / SECRET).chmod(0o600)
    (tmp_path / "store.sqlite3").write_text("this is no database")
    with pytest.raises(StoreError):
        await run_guard(options(tmp_path), SystemClock())
    assert holder(tmp_path / f"{JOURNAL}.lock") is None
