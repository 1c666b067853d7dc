"""The promise as a user would try it: SIGKILL ``traider up`` or its guard at any moment, start again, and nothing has happened."""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.services.processes import Up, Witness
from tests.services.support import fills
from traider.domain.orders import AnyOrderEvent, OrderAccepted, OrderEvent, OrderFilled, OrderRejected, OrderSubmitted
from traider.guard.journal import Journal, entries, verify
from traider.guard.place import JOURNAL
from traider.guard.records import Checkpoint
from traider.runtime.clock import SystemClock

KILLS = 20
ROWS = 1500
STRATEGY = ("--strategy", "tests/services/strategies.py:Restless", "--param", "every=2", "--quantity", "0.5", "--interpreted")
ACCOUNT = ("--cash", "1000000", "--fee-taker", "0.001", "--fee-maker", "0.0005", "--exit-at-end")


@pytest.fixture
def recording(tmp_path: Path, data_dir: Path) -> Path:
    """The first day of a recorded week."""
    path = tmp_path / "btc-usd.parquet"
    pq.write_table(pq.read_table(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet").slice(0, ROWS), path)
    return path


@pytest.fixture
def ups(tmp_path: Path, recording: Path) -> Iterator[tuple[Up, Up]]:
    """One that runs through, and one that is killed; slow enough to be hit in the middle."""
    whole = Up(tmp_path / "whole", *STRATEGY, *ACCOUNT, "--replay", str(recording), "--speed", "0")
    killed = Up(tmp_path / "killed", *STRATEGY, *ACCOUNT, "--replay", str(recording), "--speed", "12000")
    yield whole, killed
    for up in (whole, killed):
        up.end()


def events_of(up: Up) -> list[AnyOrderEvent]:
    return [entry.record for entry in entries(up.state_dir / JOURNAL) if isinstance(entry.record, OrderEvent)]


def last_checkpoint(up: Up) -> Checkpoint:
    return [entry.record for entry in entries(up.state_dir / JOURNAL) if isinstance(entry.record, Checkpoint)][-1]


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_twenty_kills_change_nothing(ups: tuple[Up, Up]) -> None:
    whole, killed = ups
    whole.start()
    rng = random.Random(20)
    witness = Witness(killed.state_dir)
    watching = asyncio.create_task(witness.run())
    killed.start()
    kills = 0
    while killed.is_running:
        await asyncio.sleep(rng.uniform(0.0, 1.2))
        if kills < KILLS and killed.is_running:
            victim = rng.choice(["guard", "guard", "up", "both"])
            if victim != "up":
                killed.kill_guard()
            if victim != "guard":
                killed.kill()
                killed.start()
            kills += 1
    assert (whole.wait(), killed.status) == (0, 0), whole.text() + killed.text()
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    assert kills >= KILLS // 2, "it was over before it could be killed often enough"
    check_nothing_lost(killed, witness.told)
    check_nothing_twice(killed)
    check_the_same_came_of_it(whole, killed)


def check_nothing_lost(up: Up, told: list[AnyOrderEvent]) -> None:
    written = {event.n: event for event in events_of(up)}
    assert len(told) > 50
    assert [event for event in told if written.get(event.n) != event] == []


def check_nothing_twice(up: Up) -> None:
    events = events_of(up)
    placed = [event.client_order_id for event in events if isinstance(event, OrderAccepted)]
    assert len(placed) == len(set(placed))
    trades = [event.trade_id for event in events if isinstance(event, OrderFilled)]
    assert len(trades) == len(set(trades))
    answered = {event.client_order_id for event in events if isinstance(event, OrderAccepted | OrderRejected)}
    assert {event.client_order_id for event in events if isinstance(event, OrderSubmitted)} <= answered


def check_the_same_came_of_it(whole: Up, killed: Up) -> None:
    for up in (whole, killed):
        verified = verify(up.state_dir / JOURNAL)
        journal = Journal.open(up.state_dir / JOURNAL, clock=SystemClock())
        assert journal.n == verified.entries
        assert journal.notices == []
        journal.close()
        assert verified.segments > 1
    assert fills(events_of(killed)) == fills(events_of(whole))
    ends = [last_checkpoint(up) for up in (whole, killed)]
    assert ends[0].cash == ends[1].cash
    assert ends[0].sizes == ends[1].sizes
    assert ends[0].high_water_mark == ends[1].high_water_mark
    size = sum(event.size * event.side for event in events_of(killed) if isinstance(event, OrderFilled))
    assert float(size) == ends[1].sizes[0]
