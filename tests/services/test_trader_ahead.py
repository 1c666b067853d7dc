"""A trader on an exchange does not wait for the guard before it decides: one write, the same recording, and nothing old is sent."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.services.strategies import Restless
from tests.services.support import Place, bars_plan, until
from traider.cli.plan import RecordingPlan
from traider.domain.guard_protocol import AnyAsk, Cancel, Feed, Submit
from traider.domain.orders import OrderRejected, OrderSubmitted
from traider.domain.session_record import Asked, Heard, Saw
from traider.domain.vocabulary import Reason
from traider.engine.recorded import rerun
from traider.guard.base import Effects
from traider.guard.client import GuardClient, GuardRefusedError
from traider.guard.place import find_guard
from traider.runtime.link import Link
from traider.services.trader import STALE_S, Trader
from traider.services.trader.lag import Lag
from traider.storage.session_file import read_session

ROWS = 300
NAME = "tests/services/strategies.py:Restless"
SECOND_NS = 10**9


class MarketClock:
    """Stands so many seconds after the last event that the guard has had."""

    def __init__(self, place: Place, behind_s: float) -> None:
        self._place, self._behind_s = place, behind_s

    def now_ns(self) -> int:
        return int(self._place.guard.books.now_ns + self._behind_s * SECOND_NS)


def recording_plan(data_dir: Path, place: Place) -> RecordingPlan:
    return RecordingPlan(bars_plan(Restless, data_dir, rows=ROWS, quantity=0.5, every=2), place.state_dir, NAME)


def trader(place: Place, plan: RecordingPlan, *, behind_s: float = 0.0) -> Trader:
    return Trader(plan, bus=place.bus, clock=MarketClock(place, behind_s), state_dir=place.state_dir, on_exchange=True)


async def test_event_and_orders_leave_in_one_write_and_the_recording_has_the_event_first(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)
    await place.start()
    writes: list[tuple[str, ...]] = []
    send_all = Link.send_all

    def note(link: Link, frames: list[bytes]) -> None:
        writes.append(tuple(str(msgspec.msgpack.decode(frame)["type"]) for frame in frames))
        send_all(link, frames)

    monkeypatch.setattr(Link, "send_all", note)
    plan = recording_plan(data_dir, place)
    await asyncio.wait_for(trader(place, plan).run(), 60)
    await place.stop()
    plan.close()
    assert ("feed", "submit") in writes
    assert ("feed", "cancel", "submit") in writes or ("feed", "submit", "cancel") in writes
    assert not any(write[:1] == ("submit",) for write in writes)
    (path,) = (tmp_path / "sessions").glob("*.jsonl")
    lines = list(read_session(path))
    assert sum(isinstance(line, Saw) for line in lines) == ROWS
    run = rerun(lambda: lines, lambda _: Restless)
    assert (run.divergence, run.last_index) == (None, ROWS - 1)
    assert run.orders > 50


class Silent:
    def on_order_event(self, event: object) -> None: ...

    def on_state(self, account: object, risk: object) -> None: ...


async def test_what_is_refused_of_a_write_is_told(tmp_path: Path, data_dir: Path) -> None:
    place = Place(tmp_path)
    await place.start()
    client = await GuardClient.connect(*find_guard(tmp_path), Silent(), role="trader", client="t", session="s")
    events = list(bars_plan(Restless, data_dir, rows=3, quantity=0.5, every=2).source_of().history(0, 3))
    await client.step(events[:1], [])
    with pytest.raises(GuardRefusedError, match="market event 2 does not follow event 0"):
        await client.step(events[2:], [["nobody"]])
    await client.step(events[1:], [["nobody"]])
    assert place.guard.books.index == 2
    client.close()
    await place.stop()


async def stop_before_the_first_order(place: Place, data_dir: Path) -> int:
    """Kills the guard when it has the event of the first order and not the order; how many orders the trader had asked for."""
    plan = recording_plan(data_dir, place)
    handle, reached = place.guard.handle, asyncio.Event()

    def until_the_first_order(ask: AnyAsk, client: int) -> Effects:
        if isinstance(ask, Submit | Cancel):
            reached.set()
        if reached.is_set() and isinstance(ask, Feed | Submit | Cancel):
            place.guard.dies_at = place.guard.handled + 1
        return handle(ask, client)

    place.guard.handle = until_the_first_order  # type: ignore[method-assign]  # the same guard, with an end
    trading = asyncio.create_task(trader(place, plan).run())
    await asyncio.wait_for(reached.wait(), 30)
    await until(lambda: place.is_dead)
    trading.cancel()
    await asyncio.gather(trading, return_exceptions=True)
    plan.close()
    await place.stop()
    (path,) = (place.state_dir / "sessions").glob("*.jsonl")
    asked = [one for line in read_session(path) if isinstance(line, Asked) for one in line.wanted]
    assert asked
    assert not any(isinstance(event, OrderSubmitted) for event in place.events())
    return len(asked)


@pytest.mark.parametrize("behind_s", [0.0, STALE_S + 1])
async def test_what_was_decided_and_never_left_is_sent_only_while_it_is_fresh(tmp_path: Path, data_dir: Path, behind_s: float) -> None:
    place = Place(tmp_path)
    await place.start()
    asked = await stop_before_the_first_order(place, data_dir)
    await place.start()
    plan = recording_plan(data_dir, place)
    trading = asyncio.create_task(trader(place, plan, behind_s=behind_s).run())
    await until(lambda: place.guard.books.index > 5 or trading.done())
    trading.cancel()
    await asyncio.gather(trading, return_exceptions=True)
    plan.close()
    await place.stop()
    (path,) = (tmp_path / "sessions").glob("*.jsonl")
    lines = list(read_session(path))
    first = [one.client_order_id for line in lines if isinstance(line, Asked) for one in line.wanted if not isinstance(one, str)][:asked]
    sent = [event.client_order_id for event in place.events() if isinstance(event, OrderSubmitted)]
    told = [line.event for line in lines if isinstance(line, Heard) and isinstance(line.event, OrderRejected)]
    not_sent = [event.client_order_id for event in told if event.reason is Reason.NOT_SENT]
    if behind_s:
        assert not set(first) & set(sent)
        assert not_sent == first
    else:
        assert set(first) <= set(sent)
        assert not_sent == []


class Hung:
    """A clock that is 20 s further while these market events are taken, as after a process was stopped for so long."""

    def __init__(self, place: Place, first: int, last: int) -> None:
        self._place, self._first, self._last = place, first, last

    def now_ns(self) -> int:
        books = self._place.guard.books
        taken = books.index + 1
        return int(books.now_ns + (80 if self._first <= taken <= self._last else 60) * SECOND_NS)


async def test_nothing_but_cancels_is_sent_of_what_was_decided_on_old_news(tmp_path: Path, data_dir: Path) -> None:
    first, last = 100, 160
    place = Place(tmp_path)
    await place.start()
    plan = recording_plan(data_dir, place)
    slow = Trader(plan, bus=place.bus, clock=Hung(place, first, last), state_dir=place.state_dir, on_exchange=True)
    await asyncio.wait_for(slow.run(), 60)
    plan.close()
    await place.stop()
    sent = {int(event.client_order_id.split("-")[1]) for event in place.events() if isinstance(event, OrderSubmitted)}
    assert not sent & set(range(first, last + 1))
    assert min(sent) < first
    assert max(sent) > last
    (path,) = (tmp_path / "sessions").glob("*.jsonl")
    lines = list(read_session(path))
    told = [line.event for line in lines if isinstance(line, Heard) and isinstance(line.event, OrderRejected)]
    kept = {int(event.client_order_id.split("-")[1]) for event in told if event.reason is Reason.NOT_SENT}
    assert len(kept) > 10, "the strategy knows of each that it never left"
    assert kept <= set(range(first, last + 1))
    assert rerun(lambda: lines, lambda _: Restless).divergence is None


def test_news_are_old_beside_the_freshest_there_was() -> None:
    lag = Lag()
    assert not lag.is_stale(0, 9 * SECOND_NS), "it may be the clock"
    assert lag.is_stale(0, 11 * SECOND_NS)
    assert not lag.is_stale(0, 3 * SECOND_NS), "so it always seems to be here"
    assert not lag.is_stale(0, 8 * SECOND_NS)
    assert lag.is_stale(0, 9 * SECOND_NS)
    assert not lag.is_stale(100 * SECOND_NS, 0), "times from the future are no measure"
    assert not lag.is_stale(0, 0)
    assert lag.is_stale(0, SECOND_NS)
