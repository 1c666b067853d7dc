"""What the guard tells reaches the bus once and in order, whatever happens to the connection."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.strategies import Restless
from tests.services.support import Place, bars_plan, until
from traider.domain.bus_events import ACCOUNT, ORDERS, RISK, SYSTEM
from traider.domain.errors import LinkError
from traider.domain.orders import AnyOrderEvent
from traider.domain.ports import GuardPort
from traider.runtime.link import Link
from traider.services.guard import GuardService
from traider.services.watch import GuardWatch


class Watching:
    """A watch that runs, and what came of it on the bus."""

    def __init__(self, place: Place, **patience: float) -> None:
        self.watch = GuardWatch(bus=place.bus, clock=place.clock, state_dir=place.state_dir, **patience)
        self.heard: dict[str, list[Any]] = {ORDERS: [], ACCOUNT: [], RISK: [], SYSTEM: []}
        self._bus = place.bus

    async def __aenter__(self) -> "Watching":
        self._listening = asyncio.create_task(self._listen())
        self._running = asyncio.create_task(self.watch.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._running, self._listening):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self) -> None:
        async for topic, payload in self._bus.subscribe(*self.heard):
            self.heard[topic].append(payload)

    @property
    def orders(self) -> list[AnyOrderEvent]:
        return self.heard[ORDERS]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path)
    await place.start()
    yield place
    await place.stop()


async def test_every_order_event_is_published_once_in_the_journals_order(place: Place, data_dir: Path) -> None:
    async with Watching(place) as watching:
        await until(lambda: watching.watch.connected)
        await place.trader(bars_plan(Restless, data_dir, rows=100, quantity=0.5)).run()
        await until(lambda: len(watching.orders) >= len(place.events()))
        assert watching.orders == place.events()
        await until(lambda: bool(watching.heard[ACCOUNT]) and watching.heard[ACCOUNT][-1].ts_ns == place.guard.books.now_ns)
        assert watching.heard[ACCOUNT][-1] == place.guard.snapshot().account
        assert watching.heard[RISK][-1] == place.guard.snapshot().risk


async def test_what_happened_while_the_connection_was_lost_is_told_afterwards(place: Place, data_dir: Path) -> None:
    async with Watching(place) as watching:
        await until(lambda: watching.watch.connected)
        trading = asyncio.create_task(place.trader(bars_plan(Restless, data_dir, rows=300, quantity=0.5)).run())
        for _ in range(3):
            await place.handled(80, trading)
            await place.stop()
            await place.start()
        await trading
        await until(lambda: len(watching.orders) >= len(place.events()))
        assert watching.orders == place.events()
        states = [event.state for event in watching.heard[SYSTEM] if event.component == "guard"]
        assert states[0] == "up"
        assert states.count("up") >= 2
        assert "down" in states


async def test_the_api_asks_through_the_watch(place: Place) -> None:
    async with Watching(place) as watching:
        port: GuardPort = watching.watch
        await until(lambda: port.connected)
        assert (await port.snapshot()).journal_n == place.journal.n
        await port.set_kill_switch(on=True, reason="asked", by="owner")
        assert (await port.snapshot()).risk.kill_reason == "asked"
        await until(lambda: bool(watching.heard[RISK]) and watching.heard[RISK][-1].kill_switch)
        with pytest.raises(LinkError, match="needs a reason"):
            await port.set_kill_switch(on=False, reason="", by="owner")


async def test_without_a_guard_it_says_so_and_waits(tmp_path: Path) -> None:
    place = Place(tmp_path)
    async with Watching(place) as watching:
        await until(lambda: bool(watching.heard[SYSTEM]))
        assert "no guard has been started" in watching.heard[SYSTEM][0].detail
        assert not watching.watch.connected
        with pytest.raises(LinkError, match="not connected"):
            await watching.watch.snapshot()
        await place.start()
        await until(lambda: watching.watch.connected)
        await until(lambda: len(watching.heard[SYSTEM]) > 1)
        assert [event.state for event in watching.heard[SYSTEM]] == ["down", "up"]
    await place.stop()


async def test_a_guard_that_hangs_does_not_count_as_connected(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket stays open and says nothing, as that of a process that was stopped, or that waits for its disk."""
    unanswered: list[tuple[Link, bytes]] = []
    async with Watching(place, beat_s=0.01, silent_s=0.05) as watching:
        await until(lambda: watching.watch.connected)
        with monkeypatch.context() as hanging:
            hanging.setattr(GuardService, "on_frame", lambda _service, link, frame: unanswered.append((link, frame)))
            await until(lambda: not watching.watch.connected)
            await until(lambda: watching.heard[SYSTEM][-1].state == "down")
            assert "has not answered for 0.05 s" in watching.heard[SYSTEM][-1].detail
        for link, frame in unanswered:
            place.service.on_frame(link, frame)
        await until(lambda: watching.watch.connected)
        await until(lambda: watching.heard[SYSTEM][-1].state == "up")
