"""When the journal goes on in another file: when one is full and nobody waits, and not again and again where it can't."""

import asyncio
from pathlib import Path

from tests.guard.support import Bench, order
from tests.guard.test_recovery import UnsyncedDisk
from tests.guard.test_segments import FullDisk
from traider.guard.journal import verify
from traider.guard.rotation import AGAIN_S, LOOK_EVERY_S, Rotation
from traider.runtime.virtual_time import play


def write(bench: Bench, lines: int) -> None:
    until = bench.journal.n + lines
    while bench.journal.n < until:
        bench.submit(order(f"o{bench.journal.n}", "0.0001"))  # refused: one line


def test_a_full_file_is_followed_by_another_when_nothing_is_written(tmp_path: Path) -> None:
    bench = Bench(tmp_path, disk=UnsyncedDisk())
    rotation = Rotation(bench.guard, lines=20)
    write(bench, 19 - bench.journal.n)
    assert [rotation.is_due(), rotation.is_due()] == [False, False], "it is not full"
    write(bench, 1)
    assert [rotation.is_due(), rotation.is_due()] == [False, True], "something was written since the last look"
    write(bench, 1)
    assert rotation.is_due() is False
    write(bench, 1)
    assert rotation.is_due() is True, "overdue"


def test_a_journal_that_failed_is_left_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path, disk=UnsyncedDisk())
    write(bench, 30)
    bench.journal.failure = "no disk"
    rotation = Rotation(bench.guard, lines=20)
    assert [rotation.is_due(), rotation.is_due()] == [False, False]


def test_it_runs_beside_the_guard_and_tries_again_where_there_was_no_room(tmp_path: Path) -> None:
    disk = FullDisk()
    bench = Bench(tmp_path, disk=disk)

    async def whole() -> None:
        task = asyncio.create_task(Rotation(bench.guard, lines=20).run())
        write(bench, 25)
        disk.fails = "write"
        await asyncio.sleep(3 * LOOK_EVERY_S)
        disk.fails = ""
        assert bench.journal.segment.number == 1
        await asyncio.sleep(AGAIN_S - 5)
        assert bench.journal.segment.number == 1, "not at every look"
        await asyncio.sleep(6)
        assert bench.journal.segment.number == 2
        await asyncio.sleep(10 * LOOK_EVERY_S)
        assert bench.journal.segment.number == 2, "the next one is not full"
        write(bench, 30)
        await asyncio.sleep(LOOK_EVERY_S)
        assert bench.journal.segment.number == 3
        task.cancel()

    play(whole)
    bench.die()
    assert verify(bench.path).segments == 3


def test_a_file_that_was_full_already_at_the_start_is_followed_at_once(tmp_path: Path) -> None:
    """As the one file of an older guard is, however long it is."""
    bench = Bench(tmp_path, disk=UnsyncedDisk())
    write(bench, 500)
    bench.restart(UnsyncedDisk())
    assert Rotation(bench.guard, lines=20).is_due()
