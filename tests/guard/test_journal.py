"""The journal: what it holds can't be changed unnoticed, a torn tail is cut, a failing disk closes it."""

import errno
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traider.domain.errors import JournalError, UserError
from traider.domain.orders import AnyOrderEvent, OrderCancelled
from traider.domain.vocabulary import Reason
from traider.guard.journal import Disk, Draft, Journal, JournalWriteError, entries, head_path, lock_path, verify
from traider.guard.lock import holder
from traider.guard.records import Cause, KillSwitchSet


class FixedClock:
    def now_ns(self) -> int:
        return 1_700_000_000_000_000_000


def draft(n: int) -> Draft:
    record: AnyOrderEvent | KillSwitchSet
    if n % 3 == 0:
        record = KillSwitchSet(n=n, ts_ns=n, on=True, reason=f"reason {n} “ü”", by="owner")
    else:
        record = OrderCancelled(n=n, ts_ns=n * 10, client_order_id=f"s-{n}", reason=Reason.REQUESTED)
    return Draft(index=n, cause=Cause.FEED, record=record)


def fill(journal: Journal, *batches: int) -> None:
    for size in batches:
        journal.append([draft(journal.n + 1 + i) for i in range(size)])


def written(folder: Path, *batches: int) -> Path:
    path = folder / "journal.jsonl"
    journal = Journal.open(path, clock=FixedClock())
    fill(journal, *batches)
    journal.close()
    return path


def test_what_was_appended_is_read_back_and_goes_on_after_reopening(tmp_path: Path) -> None:
    path = written(tmp_path, 1, 3, 2)
    journal = Journal.open(path, clock=FixedClock())
    fill(journal, 2)
    assert journal.n == 8
    read = list(journal.read())
    assert [entry.record for entry in read] == [draft(n).record for n in range(1, 9)]
    assert [entry.left for entry in read] == [0, 2, 1, 0, 1, 0, 1, 0]
    assert {entry.wall_ns for entry in read} == {FixedClock().now_ns()}
    assert [entry.n for entry in journal.read(3, 5)] == [3, 4, 5]
    assert list(journal.read(9)) == []
    assert [entry.n for entry in journal.read(8, 20)] == [8]
    assert list(entries(path)) == read
    journal.close()
    assert verify(path) == (8, journal.head, True, 1, 1)


def test_each_line_is_chained_to_the_one_before_as_documented(tmp_path: Path) -> None:
    import hashlib
    import json

    before = "0" * 64
    for line in written(tmp_path, 2, 2).read_text().splitlines():
        body, _, _ = line.rpartition(',"hash":"')
        expected = hashlib.sha256((before + body).encode()).hexdigest()
        assert json.loads(line)["hash"] == expected
        before = expected


@pytest.mark.parametrize("sizes", [(1,), (1, 2, 1), (3, 3)])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_of_a_single_byte_goes_unnoticed(tmp_path: Path, sizes: tuple[int, ...], data: st.DataObject) -> None:
    path = tmp_path / "journal.jsonl"
    if not path.exists():
        written(tmp_path, *sizes)
    good = path.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != good[at]))
    try:
        path.write_bytes(good[:at] + bytes([value]) + good[at + 1 :])
        line = good[:at].count(b"\n") + 1
        for reader in (verify, lambda path: Journal.open(path, clock=FixedClock())):
            with pytest.raises(JournalError, match=f"line {line}: "):
                reader(path)
    finally:
        path.write_bytes(good)


@pytest.mark.parametrize("what", ["remove", "swap", "repeat", "insert"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_removed_swapped_or_added_line_goes_unnoticed(tmp_path: Path, what: str, data: st.DataObject) -> None:
    path = tmp_path / "journal.jsonl"
    if not path.exists():
        written(tmp_path, 1, 2, 3, 1, 1)
    lines = path.read_bytes().splitlines(keepends=True)
    good = b"".join(lines)
    i = data.draw(st.integers(0, len(lines) - 2))
    if what == "remove":
        del lines[i]
    elif what == "swap":
        j = data.draw(st.integers(i + 1, len(lines) - 1))
        lines[i], lines[j] = lines[j], lines[i]
    elif what == "repeat":
        lines.insert(i, lines[i])
        i += 1
    else:
        lines.insert(i, b"{}\n")
    try:
        path.write_bytes(b"".join(lines))
        for reader in (verify, lambda path: Journal.open(path, clock=FixedClock())):
            with pytest.raises(JournalError, match=f"line {i + 1}: "):
                reader(path)
    finally:
        path.write_bytes(good)


def test_a_truncation_of_durable_lines_is_an_error_at_every_length(tmp_path: Path) -> None:
    path = written(tmp_path, 1, 2, 1)
    good = path.read_bytes()
    for length in range(0, len(good), 7):
        path.write_bytes(good[:length])
        for reader in (verify, lambda path: Journal.open(path, clock=FixedClock())):
            with pytest.raises(JournalError, match="line"):
                reader(path)


@pytest.mark.parametrize("made", [("journal.jsonl.head",), ("journal.jsonl.head", "journal.jsonl")])
def test_killed_while_it_was_being_made_it_is_made_at_the_next_start(tmp_path: Path, made: tuple[str, ...]) -> None:
    for name in made:
        (tmp_path / name).touch()
    path = tmp_path / "journal.jsonl"
    if path.exists():
        assert verify(path).entries == 0, "who reads it at that moment finds an empty one"
    journal = Journal.open(path, clock=FixedClock())
    assert journal.n == 0
    journal.close()
    assert verify(path).end_proven


def test_a_torn_tail_is_found_by_verify_and_cut_at_open(tmp_path: Path) -> None:
    path = written(tmp_path, 1, 2)
    good, head = path.read_bytes(), head_path(path).read_bytes()
    (tmp_path / "more").mkdir()
    more = written(tmp_path / "more", 1, 2, 3).read_bytes()
    assert more.startswith(good)
    for length in range(len(good) + 1, len(more), 5):
        path.write_bytes(more[:length])
        head_path(path).write_bytes(head)
        with pytest.raises(JournalError, match=r"line [456]: "):
            verify(path)
        journal = Journal.open(path, clock=FixedClock())
        assert journal.n == 3
        assert journal.notices == [notice for notice in journal.notices if f"cut {length - len(good)} bytes" in notice] != []
        journal.close()
        assert path.read_bytes() == good
        assert verify(path).entries == 3


def test_lines_that_became_durable_before_the_head_file_knew_are_kept(tmp_path: Path) -> None:
    path = written(tmp_path, 1, 2)
    journal = Journal.open(path, clock=FixedClock())
    head = head_path(path).read_bytes()
    fill(journal, 2)
    journal.close()
    head_path(path).write_bytes(head)
    assert verify(path).entries == 5
    journal = Journal.open(path, clock=FixedClock())
    assert (journal.n, journal.notices) == (5, [])
    journal.close()
    assert head_path(path).read_bytes() > head


def beyond_the_head(folder: Path, *batches: int) -> tuple[Path, bytes]:
    """A journal whose head file knows three lines, and these batches after them; its first three lines."""
    path = written(folder, 1, 2)
    good, head = path.read_bytes(), head_path(path).read_bytes()
    journal = Journal.open(path, clock=FixedClock())
    fill(journal, *batches)
    journal.close()
    head_path(path).write_bytes(head)
    return path, good


def test_a_last_batch_with_a_wrong_byte_that_was_never_acknowledged_is_cut(tmp_path: Path) -> None:
    """A write that the power interrupted need not leave a shorter file: whole lines may be there, and a sector of them not."""
    path, good = beyond_the_head(tmp_path, 3)
    whole, head = path.read_bytes(), head_path(path).read_bytes()
    for at in range(len(good) + len(b'{"n":4,"left":2,'), len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x11]) + whole[at + 1 :])
        with pytest.raises(JournalError, match=r"line [456]: "):
            verify(path)
        journal = Journal.open(path, clock=FixedClock())
        assert journal.n == 3
        assert f"cut {len(whole) - len(good)} bytes that were never made durable" in journal.notices[0]
        journal.close()
        assert path.read_bytes() == good
        head_path(path).write_bytes(head)


def test_a_sector_of_zeros_in_the_last_batch_is_cut_with_it(tmp_path: Path) -> None:
    path, good = beyond_the_head(tmp_path, 9)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(good) + 100] + bytes(512) + whole[len(good) + 612 :])
    journal = Journal.open(path, clock=FixedClock())
    assert (journal.n, path.read_bytes()) == (3, good)
    journal.close()


def test_where_the_first_line_does_not_say_how_long_its_batch_is_nothing_is_cut(tmp_path: Path) -> None:
    """It might be a batch of its own, and the others one that followed when it was durable."""
    path, good = beyond_the_head(tmp_path, 3)
    whole = path.read_bytes()
    for at in range(len(good), len(good) + len(b'{"n":4,"left":2,')):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x11]) + whole[at + 1 :])
        with pytest.raises(JournalError, match="line 4: "):
            Journal.open(path, clock=FixedClock())


@pytest.mark.parametrize("batches", [(3, 1), (1, 1), (1, 2, 3)])
def test_a_wrong_byte_in_a_batch_that_another_one_follows_is_damage_of_durable_lines(tmp_path: Path, batches: tuple[int, ...]) -> None:
    """The next batch was written when this one was durable, whatever the head file knew."""
    path, good = beyond_the_head(tmp_path, *batches)
    whole = path.read_bytes()
    first = len(b"".join(whole[len(good) :].splitlines(keepends=True)[: batches[0]]))
    for at in range(len(good), len(good) + first - 1, 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x11]) + whole[at + 1 :])
        with pytest.raises(JournalError, match=r"line [456]: "):
            Journal.open(path, clock=FixedClock())


def test_without_a_head_file_nothing_says_that_a_wrong_line_was_not_acknowledged(tmp_path: Path) -> None:
    path, good = beyond_the_head(tmp_path, 3)
    head_path(path).unlink()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(good) + 30] + b"x" + whole[len(good) + 31 :])
    with pytest.raises(JournalError, match="line 4: its hash does not follow"):
        Journal.open(path, clock=FixedClock())


def test_zeros_where_a_write_was_lost_are_a_torn_tail(tmp_path: Path) -> None:
    path = written(tmp_path, 1)
    with path.open("ab") as file:
        file.write(b"\0" * 300)
    journal = Journal.open(path, clock=FixedClock())
    assert journal.n == 1
    journal.close()


def test_another_journal_in_its_place_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path, 1, 1)
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "journal.jsonl"
    journal = Journal.open(other, clock=FixedClock())
    journal.append([Draft(0, Cause.KILL, KillSwitchSet(n=1, ts_ns=1, on=True, reason="", by=""))])
    fill(journal, 4)
    journal.close()
    path.write_bytes(other.read_bytes())
    for reader in (verify, lambda path: Journal.open(path, clock=FixedClock())):
        with pytest.raises(JournalError, match="line 2 is not the one that was written: the journal was replaced"):
            reader(path)


def test_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal here"):
        verify(tmp_path / "journal.jsonl")
    path = written(tmp_path, 1)
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(JournalError, match=r"journal.jsonl is missing though"):
        Journal.open(path, clock=FixedClock())
    path.write_bytes(content)
    head_path(path).unlink()
    assert verify(path).end_proven is False
    journal = Journal.open(path, clock=FixedClock())
    assert "journal.jsonl.head was missing" in journal.notices[0]
    journal.close()
    assert verify(path).end_proven is True
    head_path(path).write_text("nonsense")
    with pytest.raises(JournalError, match="does not name the journal's last line"):
        verify(path)


def test_a_second_writer_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal.open(path, clock=FixedClock(), started_by="up")
    held = holder(lock_path(path))
    assert held is not None
    assert (held.pid, held.started_by) == (os.getpid(), "up")
    script = (
        "import sys, pathlib; from traider.guard.journal import Journal; from traider.runtime.clock import SystemClock\n"
        "Journal.open(pathlib.Path(sys.argv[1]), clock=SystemClock())"
    )
    second = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False, timeout=30)
    assert f"UserError: the journal {path} is in use by process {os.getpid()}" in second.stderr
    fill(journal, 1)
    journal.close()
    assert holder(lock_path(path)) is None


def test_two_openings_in_one_process_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal.open(path, clock=FixedClock())
    with pytest.raises(UserError, match="is in use by process"):
        Journal.open(path, clock=FixedClock())
    journal.close()


class FullDisk(Disk):
    """Writes some bytes of a batch, then has no room; ``broken_sync`` fails later."""

    def __init__(self, room: int, *, broken_sync: bool = False) -> None:
        self.room = room
        self.broken_sync = broken_sync
        self.syncs = 0
        self.written = False

    def write(self, fd: int, data: bytes) -> None:
        self.written = True
        os.write(fd, data[: self.room])
        if len(data) > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(data)

    def sync(self, fd: int) -> None:
        self.syncs += 1
        if self.broken_sync and self.written:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fdatasync(fd)


@pytest.mark.parametrize("room", [0, 1, 250, 700])
def test_a_full_disk_closes_the_journal_and_leaves_it_whole(tmp_path: Path, room: int) -> None:
    path = written(tmp_path, 1, 1)
    journal = Journal.open(path, clock=FixedClock(), disk=FullDisk(room))
    with pytest.raises(JournalWriteError, match="can't be written: No space left on device") as failed:
        fill(journal, 8)
    assert failed.value.undone
    assert journal.n == 2
    with pytest.raises(JournalWriteError, match="No space left"):
        fill(journal, 1)
    assert len(list(journal.read())) == 2
    journal.close()
    assert verify(path).entries == 2


def test_a_sync_that_fails_closes_the_journal(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.jsonl", clock=FixedClock(), disk=FullDisk(10**6, broken_sync=True))
    with pytest.raises(JournalWriteError, match="Input/output error") as failed:
        fill(journal, 1)
    assert not failed.value.undone
    with pytest.raises(JournalWriteError):
        fill(journal, 1)
    journal.close()


def test_one_batch_is_one_sync(tmp_path: Path) -> None:
    disk = FullDisk(10**6)
    journal = Journal.open(tmp_path / "journal.jsonl", clock=FixedClock(), disk=disk)
    before = disk.syncs
    fill(journal, 50, 1)
    assert disk.syncs == before + 2
    journal.close()


def test_a_record_with_another_number_is_refused(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.jsonl", clock=FixedClock())
    with pytest.raises(ValueError, match="record 2 can't be line 1"):
        journal.append([draft(2)])
    journal.close()


def test_verify_while_a_guard_writes_sees_whole_batches_only(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal.open(path, clock=FixedClock())
    fill(journal, 2)
    with path.open("ab") as file:
        file.write(b'{"half a li')
    assert verify(path).entries == 2
    assert len(list(entries(path))) == 2
    journal.close()
    with pytest.raises(JournalError, match="line 3: it is cut off"):
        verify(path)


def test_long_journals_are_read_in_pieces(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.jsonl", clock=FixedClock(), disk=FullDisk(10**9))
    sizes = [random.Random(7).randint(1, 200) for _ in range(80)]
    fill(journal, *sizes)
    assert [entry.n for entry in journal.read()] == list(range(1, sum(sizes) + 1))
    assert (tmp_path / "journal.jsonl").stat().st_size > 1 << 20
    journal.close()
