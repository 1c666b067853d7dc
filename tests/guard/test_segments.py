"""A journal of many files: one chain, of which a start reads the newest file alone, and comes to the same as from all of them."""

import errno
import os
import random
import shutil
import stat
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.guard.support import BTC, Bench, described, order
from tests.guard.test_recovery import CrashError, Step, UnsyncedDisk, fills, follow, new_bench, script, told_by_journal, without_lines
from traider.domain.errors import JournalError
from traider.domain.guard_protocol import GetHistory, History, Submit
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderAccepted
from traider.domain.vocabulary import EventKind
from traider.guard.books import Books
from traider.guard.carried import carry, unlike
from traider.guard.journal import Journal, JournalWriteError, entries, head_path, verify
from traider.guard.recovery import recover
from traider.guard.segments import partial_path, segment_path, segment_paths


def on_segments(folder: Path, *, events: int = 12) -> Bench:
    """An account whose journal has begun a file after each third market event."""
    bench = Bench(folder, disk=UnsyncedDisk(), limits=RiskLimits(max_position_size=Decimal(3)))
    for number in range(events):
        bench.trade(100.0 + number, 5.0)
        bench.submit(order(f"o{number}", "0.5"))
        bench.submit(order(f"l{number}", "0.1", limit="50"))
        if number % 2:
            bench.cancel(f"l{number}")
        if number % 3 == 2:
            bench.guard.begin_segment()
    return bench


def known(books: Books) -> dict[str, object]:
    """Everything, the counts of the controls included."""
    carried = carry(books, 1)
    return {**described(books), **{name: getattr(carried, name) for name in carried.__struct_fields__ if name != "submissions_ns"}}


def test_the_chain_of_all_files_is_the_chain_of_one(tmp_path: Path) -> None:
    bench = on_segments(tmp_path)
    assert [path.name for _, path in segment_paths(bench.path)] == ["journal.jsonl", *(f"journal-00000{n}.jsonl" for n in (2, 3, 4, 5))]
    bench.die()
    verified = verify(bench.path)
    assert (verified.first_n, verified.segments, verified.end_proven) == (1, 5, True)
    assert [entry.n for entry in entries(bench.path)] == list(range(1, verified.last_n + 1))
    one = tmp_path / "one" / "journal.jsonl"
    one.parent.mkdir()
    one.write_bytes(b"".join(path.read_bytes() for _, path in segment_paths(bench.path)))
    assert verify(one)[:2] == verified[:2]


def test_lines_are_read_from_whichever_file_they_are_in(tmp_path: Path) -> None:
    bench = on_segments(tmp_path)
    everything = list(bench.journal.read())
    assert [entry.n for entry in everything] == list(range(1, bench.journal.n + 1))
    for first in range(1, bench.journal.n + 1):
        last = random.Random(first).randint(first, bench.journal.n)
        assert list(bench.journal.read(first, last)) == everything[first - 1 : last]
    bench.restart()
    assert list(bench.journal.read())[: len(everything)] == everything


def test_a_long_file_is_searched_by_halves(tmp_path: Path) -> None:
    bench = Bench(tmp_path, disk=UnsyncedDisk())
    for number in range(400):
        bench.trade(100.0, 5.0)
        bench.submit(order(f"o{number}", "0.5", limit="50"))
        bench.cancel(f"o{number}")
    bench.guard.begin_segment()
    assert bench.path.stat().st_size > 5 * 65536
    end = bench.journal.n - 1
    for first in (1, 2, 777, end - 1, end):
        assert [entry.n for entry in bench.journal.read(first, first + 3)] == list(range(first, min(first + 3, bench.journal.n) + 1))


@pytest.mark.parametrize("kind", [EventKind.BAR, EventKind.TRADE])
@pytest.mark.parametrize("seed", range(6))
def test_what_a_snapshot_says_is_what_all_lines_come_to(tmp_path: Path, seed: int, kind: EventKind) -> None:
    """After every step the guard, one that reads the newest file, and one that reads all of them know the same."""
    steps, rng = script(seed, 40, kind), random.Random(seed)
    bench = new_bench(tmp_path / "a", UnsyncedDisk())
    begun = 0
    for _ in follow(bench, steps):
        if rng.random() < 0.3:
            bench.guard.begin_segment()
            begun += 1
        if rng.random() < 0.3:
            bench.guard.stop()
            newest, whole = (recover(bench.journal, bench.config, whole=whole) for whole in (False, True))
            assert known(newest) == known(whole)
            assert described(newest) == described(bench.books)
            assert unlike(carry(newest, 1), carry(bench.books, 1)) == []
        if rng.random() < 0.2:
            bench.guard.stop()
            bench.restart(UnsyncedDisk())
    assert begun > 5
    assert len(fills(bench.told)) > 5


class CrashingDisk(UnsyncedDisk):
    """Dies at call ``at``, counted over writes, syncs and renames: before it, in the middle of a write, or after it."""

    def __init__(self, at: int, when: str) -> None:
        self.calls = 0
        self._at = at
        self._when = when

    def _call(self) -> bool:
        self.calls += 1
        if self.calls == self._at and self._when == "before":
            raise CrashError
        return self.calls == self._at

    def write(self, fd: int, data: bytes) -> None:
        dies = self._call()
        super().write(fd, data[: len(data) // 2] if dies and self._when == "within" else data)
        if dies:
            raise CrashError

    def sync(self, fd: int) -> None:
        if self._call():
            raise CrashError

    def rename(self, old: Path, new: Path) -> None:
        dies = self._call()
        super().rename(old, new)
        if dies:
            raise CrashError


def follow_on_segments(bench: Bench, steps: list[Step]) -> Iterator[int]:
    for number in follow(bench, steps):
        if number % 4 == 3:
            bench.guard.begin_segment()
        yield number


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_a_crash_at_any_call_of_the_disk_changes_nothing_in_the_end(tmp_path: Path, when: str) -> None:
    steps = script(5, 16, EventKind.TRADE)
    whole = new_bench(tmp_path / "whole", counting := CrashingDisk(0, when))
    opened = counting.calls
    for _ in follow_on_segments(whole, steps):
        pass
    expected_fills, expected = fills(whole.told), without_lines(described(whole.books))
    for at in range(opened + 1, counting.calls + 1):
        bench = new_bench(tmp_path / f"crash-{at}", CrashingDisk(at, when))
        with pytest.raises(CrashError):
            for _ in follow_on_segments(bench, steps):
                pass
        acknowledged = list(bench.told)
        bench.restart(UnsyncedDisk())
        assert bench.journal.notices == [] or "cut" in bench.journal.notices[0]
        for _ in follow_on_segments(bench, steps):
            pass
        assert told_by_journal(bench)[: len(acknowledged)] == acknowledged, "something acknowledged was lost"
        assert fills(told_by_journal(bench)) == expected_fills
        placed = [event.client_order_id for event in told_by_journal(bench) if isinstance(event, OrderAccepted)]
        assert len(placed) == len(set(placed)), "an order was placed twice"
        assert without_lines(described(bench.books)) == expected
        bench.die()
        verify(bench.path)
        assert not list(bench.path.parent.glob("*.new"))


class FullDisk(UnsyncedDisk):
    """Has no room for what begins a file, fails to rename it, or to make its name durable."""

    fails = ""

    def write(self, fd: int, data: bytes) -> None:
        if self.fails == "write" and data.startswith(b'{"n"') and b'"type":"snapshot"' in data:
            os.write(fd, data[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(fd, data)

    def rename(self, old: Path, new: Path) -> None:
        if self.fails == "rename":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().rename(old, new)
        if self.fails == "renamed":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def sync(self, fd: int) -> None:
        if self.fails == "directory" and stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("fails", ["write", "rename"])
def test_where_the_next_file_can_not_be_begun_the_journal_goes_on_as_before(tmp_path: Path, fails: str) -> None:
    disk = FullDisk()
    bench = Bench(tmp_path, disk=disk)
    bench.trade(100.0, 1.0)
    disk.fails = fails
    with pytest.raises(JournalWriteError, match=r"journal-000002.jsonl can't be begun") as failed:
        bench.guard.begin_segment()
    assert failed.value.undone
    assert not partial_path(segment_path(bench.path, 2)).exists()
    assert bench.guard.failure is None
    bench.submit(order("a", limit="50"))
    disk.fails = ""
    bench.guard.begin_segment()
    bench.submit(order("b", limit="50"))
    before = known(bench.books)
    bench.restart()
    assert known(bench.books)["lines"] == before["lines"]
    assert verify(bench.path).segments == 2


@pytest.mark.parametrize("fails", ["renamed", "directory"])
def test_a_name_that_may_not_be_durable_closes_the_journal(tmp_path: Path, fails: str) -> None:
    disk = FullDisk()
    bench = Bench(tmp_path, disk=disk)
    bench.trade(100.0, 1.0)
    disk.fails = fails
    with pytest.raises(JournalWriteError, match=r"journal-000002.jsonl can't be begun: Input/output error") as failed:
        bench.guard.begin_segment()
    assert not failed.value.undone
    assert "Input/output error" in (bench.guard.failure or "")
    assert bench.submit(order("a")).events[0].n == 0, "nothing is taken any more"
    bench.restart(UnsyncedDisk())
    assert bench.journal.segment.number == 2
    assert bench.submit(order("a", limit="50")).events[0].n > 0


def test_an_edit_anywhere_is_found_by_verify_and_one_in_the_newest_file_by_a_start(tmp_path: Path) -> None:
    bench = on_segments(tmp_path)
    bench.trade(100.0, 1.0)
    bench.submit(order("z"))
    bench.die()
    for number, path in segment_paths(bench.path):
        good = path.read_bytes()
        for at in range(20, len(good) - 80, 997):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            with pytest.raises(JournalError):
                verify(bench.path)
            if number == 5:
                with pytest.raises(JournalError):
                    Journal.open(bench.path, clock=bench.clock)
        path.write_bytes(good)
    assert verify(bench.path).segments == 5


def test_a_file_that_is_cut_missing_or_of_another_journal_is_found(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    bench, other = on_segments(tmp_path / "a"), on_segments(tmp_path / "b", events=11)
    bench.die()
    other.die()
    newest, before = segment_path(bench.path, 5), segment_path(bench.path, 4)
    good, good_before = newest.read_bytes(), before.read_bytes()

    def refused(words: str, *, start: bool = True) -> None:
        with pytest.raises(JournalError, match=words):
            verify(bench.path)
        if start:
            with pytest.raises(JournalError, match=words):
                Journal.open(bench.path, clock=bench.clock)

    newest.unlink()
    refused(r"journal-000004.jsonl: it ends after line \d+, and line \d+ was durable")
    newest.write_bytes(b"")
    refused("its first line can't be read")
    newest.write_bytes(good[: len(good) // 2])
    refused("its first line can't be read")
    newest.write_bytes(good)
    before.write_bytes(good_before[: good_before.rindex(b"\n", 0, -1) + 1])
    refused("does not follow the end of journal-000004.jsonl")
    before.write_bytes(segment_path(other.path, 4).read_bytes()[:-1])
    refused("journal-000005.jsonl: it does not follow the end of|cut off|does not follow")
    before.unlink()
    refused("journal-000004.jsonl is not here, and older segments are: put it back")
    before.write_bytes(good_before)
    assert verify(bench.path).segments == 5


def test_the_oldest_files_may_lie_elsewhere(tmp_path: Path) -> None:
    bench = on_segments(tmp_path)
    expected = known(bench.books)
    bench.die()
    session_n = bench.books.session_n
    for number in (1, 2, 3):
        segment_path(bench.path, number).rename(tmp_path / f"away-{number}")
    verified = verify(bench.path)
    assert verified.first_n > 1
    assert verified.last_n == bench.journal.n
    bench.start(UnsyncedDisk())
    assert bench.journal.notices == []
    assert {name: value for name, value in known(bench.books).items() if name not in ("checkpoint", "session")} == {
        name: value for name, value in expected.items() if name not in ("checkpoint", "session")
    }
    assert "put it back" in bench.refused(Submit(seq=7, orders=(order("o0", "0.5"),))), "the order that bears the id is told from there"
    assert "is in a segment that is not here any more: put it back" in bench.refused(GetHistory(seq=8, after_n=session_n))
    segment_path(bench.path, 4).unlink()
    bench.restart(UnsyncedDisk())
    assert bench.journal.notices == ["journal-000004.jsonl is not here: that journal-000005.jsonl follows it was not seen"]


def test_an_older_copy_that_was_put_back_is_noticed(tmp_path: Path) -> None:
    bench = on_segments(tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    for _, path in segment_paths(bench.path):
        shutil.copy(path, copy)
    bench.submit(order("later", limit="50"))
    bench.guard.begin_segment()
    bench.die()
    for path in copy.iterdir():
        shutil.copy(path, tmp_path)
    segment_path(bench.path, 6).unlink()
    with pytest.raises(JournalError, match=r"it ends after line \d+, and line \d+ was durable"):
        bench.start()


@pytest.mark.parametrize("back", [1, 2, 30])
def test_a_head_file_that_is_late_by_a_segment_is_no_harm_and_one_of_another_journal_is(tmp_path: Path, back: int) -> None:
    bench = on_segments(tmp_path)
    everything = [entry.n for entry in bench.journal.read()]
    hashes = [line[-67:-3].decode() for _, path in segment_paths(bench.path) for line in path.read_bytes().splitlines(keepends=True)]
    bench.die()
    n = everything[-1] - back
    head_path(bench.path).write_text(f"{n:020d} {hashes[n - 1]}\n")
    bench.start()
    bench.die()
    head_path(bench.path).write_text(f"{n:020d} {'1' * 64}\n")
    with pytest.raises(JournalError, match=f"line {n} is not the one that was written"):
        bench.start()
    with pytest.raises(JournalError, match=f"line {n} is not the one that was written"):
        verify(bench.path)


def test_the_history_of_a_session_is_read_over_all_files(tmp_path: Path) -> None:
    bench = on_segments(tmp_path)
    told = bench.ask(GetHistory(seq=1, after_n=0)).reply
    assert isinstance(told, History)
    assert [one.event for one in told.events] == told_by_journal(bench)
    assert told.complete


def test_ids_are_used_up_for_ever_though_their_orders_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traider.guard.books.IDS_REMEMBERED", 4)
    bench = Bench(tmp_path, disk=UnsyncedDisk())
    for number in range(8):
        bench.trade(100.0, 5.0)
        bench.submit(order(f"s2-{number}-0", "0.5"), order(f"own {number}", "0.5"), order(f"s2-{number}t1-1", "0.5"))
        bench.cancel()
    open_one = order("s2-0-7", "0.1", limit="50")
    bench.submit(open_one)
    bench.guard.begin_segment()
    for _ in range(2):
        assert set(bench.books.lines) == {"s2-6t1-1", "s2-7-0", "own 7", "s2-7t1-1", "s2-0-7"}
        for gone in ("s2-0-0", "s2-6-1", "s2-3t2-0", "own 0", "own 6", "s1-99-0"):
            assert "is used up" in bench.refused(Submit(seq=1, orders=(order(gone, "0.5"),)))
        assert bench.submit(open_one).repeats[0].client_order_id == "s2-0-7"
        assert len(bench.submit(order("s2-7-0", "0.5")).repeats) > 1
        bench.restart(UnsyncedDisk())
    assert bench.submit(order("s2-9-0", limit="50"), order("own 9", limit="50")).events[0].n > 0
    whole = recover(bench.journal, bench.config, whole=True)
    assert known(whole) == known(recover(bench.journal, bench.config))


def test_a_journal_of_one_file_goes_on_in_the_next(tmp_path: Path) -> None:
    """Of version 2, as guards before this one have left them."""
    bench = Bench(tmp_path, disk=UnsyncedDisk())
    bench.feed(100.0)
    bench.submit(order("a", "0.5"), order("b", limit="50"))
    bench.feed(101.0)
    bench.die()
    bench.start()
    bench.guard.begin_segment()
    bench.restart()
    assert [o.request.client_order_id for o in bench.snapshot().open_orders] == ["b"]
    assert bench.snapshot().account.positions[0].size == BTC.size_increment * 500
