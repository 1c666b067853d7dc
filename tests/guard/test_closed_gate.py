"""When the journal can't be written: no risk is taken, nothing is claimed that isn't so, and the ways out stay open."""

import errno
import os
from pathlib import Path

import pytest

from tests.guard.support import OBSERVER, TRADER, Bench, order
from traider.domain.guard_protocol import PROTOCOL_VERSION, Feed, GetSnapshot, MarketEvent, Open, SetKillSwitch, Snapshot, Submit
from traider.domain.orders import OrderAccepted, OrderCancelled, OrderRejected, OrderSubmitted, OrderUnknown
from traider.domain.vocabulary import EventKind, Reason
from traider.guard.journal import Disk, verify


class FailingDisk(Disk):
    """Has no room once it is told so: for the next write but ``spare``. ``stuck`` is one that can't even be cut back."""

    def __init__(self) -> None:
        self.full = False
        self.spare = 0
        self.stuck = False

    def write(self, fd: int, data: bytes) -> None:
        if self.full and self.spare == 0:
            os.write(fd, data[:40])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.full:
            self.spare -= 1
        super().write(fd, data)

    def sync(self, fd: int) -> None:
        if self.full and self.stuck and self.spare == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.fixture
def disk() -> FailingDisk:
    return FailingDisk()


@pytest.fixture
def bench(tmp_path: Path, disk: FailingDisk) -> Bench:
    """An account with one order resting and one held, on a disk that still works."""
    bench = Bench(tmp_path, disk=disk)
    bench.feed(100.0)
    bench.submit(order("held"), order("resting", limit="90"))
    bench.feed(100.0)
    return bench


def next_bar(bench: Bench, price: float = 80.0) -> Feed:
    event = MarketEvent(
        index=bench.books.index + 1, kind=EventKind.BAR, symbol="BTC-USD", ts_ns=bench.books.now_ns + 1, a=price, b=price, c=price, d=price
    )
    return Feed(seq=5, events=(event,))


def test_orders_are_refused_and_nothing_reaches_the_venue(bench: Bench, disk: FailingDisk) -> None:
    disk.full = True
    for name in ("first", "second"):
        (event,) = bench.submit(order(name)).events
        assert isinstance(event, OrderRejected)
        assert (event.n, event.reason) == (0, Reason.GUARD_NOT_READY)
        assert "the gate is closed until the guard is started again" in event.detail
        assert "No space left on device" in event.detail
    assert [open_.request.client_order_id for open_ in bench.snapshot().open_orders] == ["resting"]
    disk.full = False
    (event,) = bench.submit(order("third")).events
    assert isinstance(event, OrderRejected), "it does not open by itself"


def test_a_fill_that_can_not_be_written_is_not_told_and_happens_again_after_a_restart(bench: Bench, disk: FailingDisk) -> None:
    disk.full = True
    feed = next_bar(bench)
    before = bench.snapshot()
    assert "the gate is closed" in bench.refused(feed)
    assert "the gate is closed" in bench.refused(feed)
    after = bench.snapshot()
    assert (after.account, after.open_orders, after.last_index) == (before.account, before.open_orders, before.last_index)
    assert [gate.gate for gate in after.risk.closed] == ["journal"]
    told = len(bench.told)
    bench.restart()
    assert bench.books.open["resting"].filled_size == 0
    assert [event.client_order_id for event in bench.ask(feed).events] == ["resting"]
    assert len(bench.told) == told + 1
    bench.die()
    verify(bench.path)


def test_cancels_still_work_and_are_told_without_a_number(bench: Bench, disk: FailingDisk) -> None:
    disk.full = True
    bench.submit(order("more"))
    (event,) = bench.cancel("resting").events
    assert isinstance(event, OrderCancelled)
    assert (event.n, event.client_order_id, event.reason) == (0, "resting", Reason.REQUESTED)
    assert bench.snapshot().open_orders == ()
    assert bench.cancel().events == ()


def test_an_order_whose_fill_could_not_be_written_can_be_cancelled(bench: Bench, disk: FailingDisk) -> None:
    disk.full = True
    bench.refused(next_bar(bench))
    assert [event.client_order_id for event in bench.cancel().events] == ["resting"]


def test_the_first_thing_that_fails_may_be_a_cancel(bench: Bench, disk: FailingDisk) -> None:
    disk.full = True
    (event,) = bench.cancel().events
    assert event.n == 0
    assert bench.guard.failure is not None


def test_the_kill_switch_still_goes_on_but_not_off(bench: Bench, disk: FailingDisk) -> None:
    disk.full = True
    effects = bench.ask(SetKillSwitch(seq=9, on=True, reason="disk", by="owner"), OBSERVER)
    assert "on until the guard stops, but it could not be journalled" in str(effects.reply)
    assert [(event.n, event.client_order_id) for event in effects.events] == [(0, "resting")]
    assert bench.snapshot().risk.kill_switch
    assert "the gate is closed" in bench.refused(SetKillSwitch(seq=9, on=False, reason="trying", by="admin"), OBSERVER)
    assert bench.snapshot().risk.kill_switch
    bench.restart()
    assert not bench.snapshot().risk.kill_switch


def test_the_kill_switch_stays_on_when_its_end_can_not_be_written(bench: Bench, disk: FailingDisk) -> None:
    bench.kill(True, "before")
    disk.full = True
    assert "the gate is closed" in bench.refused(SetKillSwitch(seq=9, on=False, reason="trying", by="admin"), OBSERVER)
    assert bench.snapshot().risk.kill_reason == "before"
    assert bench.books.desk.account["killed"] == 1


def test_an_intent_that_may_be_in_the_file_is_unknown_until_the_next_start(bench: Bench, disk: FailingDisk) -> None:
    disk.full = disk.stuck = True
    events = bench.submit(order("maybe"), order("never", "0.0001")).events
    assert isinstance(events[0], OrderUnknown)
    assert "the next start of the guard resolves it" in events[0].detail
    assert isinstance(events[1], OrderRejected)
    assert [open_.request.client_order_id for open_ in bench.snapshot().open_orders] == ["resting"]


def test_an_answer_that_can_not_be_written_leaves_the_order_unknown_and_cancellable(bench: Bench, disk: FailingDisk) -> None:
    disk.full, disk.spare = True, 1
    submitted, unknown = bench.submit(order("sent", limit="80")).events
    assert isinstance(submitted, OrderSubmitted)
    assert isinstance(unknown, OrderUnknown)
    assert unknown.n == 0
    assert {open_.request.client_order_id for open_ in bench.snapshot().open_orders} == {"resting", "sent"}
    used = {limit.name: limit.used for limit in bench.snapshot().risk.limits}
    assert used["max_open_orders"] == 2, "what is unknown counts"
    bench.die()
    started = bench.start()
    (accepted,) = started.events
    assert isinstance(accepted, OrderAccepted)
    assert accepted.client_order_id == "sent"


def test_an_unknown_order_can_be_cancelled(bench: Bench, disk: FailingDisk) -> None:
    disk.full, disk.spare = True, 1
    bench.submit(order("sent", limit="80"))
    assert [event.client_order_id for event in bench.cancel("sent").events] == ["sent"]


def test_observers_and_the_same_trader_may_come_back_another_session_may_not(bench: Bench, disk: FailingDisk) -> None:
    disk.full = True
    bench.submit(order("more"))
    for client in (TRADER, OBSERVER):
        bench.guard.disconnect(client)
    bench.open_clients()
    assert isinstance(bench.ask(GetSnapshot(seq=1), OBSERVER).reply, Snapshot)
    bench.guard.disconnect(TRADER)
    other = Open(seq=3, version=PROTOCOL_VERSION, role="trader", client="t", session="another")
    assert "the gate is closed" in bench.refused(other)


def test_known_orders_are_still_told_of(bench: Bench, disk: FailingDisk) -> None:
    disk.full = True
    effects = bench.done(Submit(seq=4, orders=(order("held"), order("new"))))
    assert [type(event).__name__ for event in effects.repeats] == ["OrderSubmitted", "OrderAccepted", "OrderFilled"]
    assert [event.client_order_id for event in effects.events] == ["new"]


def test_a_stop_with_a_broken_journal_is_quiet(bench: Bench, disk: FailingDisk) -> None:
    disk.full = True
    bench.submit(order("more"))
    bench.guard.stop()


def test_whoever_watches_is_told_of_the_gate_and_of_orders_whose_fate_hangs_on_it(bench: Bench, disk: FailingDisk) -> None:
    assert not bench.guard.risk().closed
    assert not bench.guard.risk().unresolved
    disk.full, disk.spare = True, 1  # the intent is durable, the venue's answer is not
    bench.submit(order("doubtful"))
    risk = bench.guard.risk()
    (gate,) = risk.closed
    assert (gate.gate, gate.symbol, gate.since_ns) == ("journal", "", bench.clock.ns)
    assert "No space left on device" in gate.detail
    assert gate.opens == "at the guard's next start, when the journal can be written again"
    assert risk.gates == (f"journal: {gate.detail}",)
    (unknown,) = risk.unresolved
    assert (unknown.client_order_id, unknown.since_ns) == ("doubtful", bench.clock.ns)
    assert unknown.doing == "the guard's next start finds in the journal what became of it"
    assert risk.unknown_orders == ("doubtful",)
