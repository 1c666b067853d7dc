"""A session that is recorded: the same orders from its recording, and a trader that goes on from it after a crash."""

import asyncio
import errno
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.services.strategies import Restless
from tests.services.support import Place, bars_plan
from traider.cli.main import run as traider
from traider.cli.plan import RecordingPlan
from traider.domain.errors import RecordingError, UserError
from traider.domain.session_record import Asked, Begun, Heard, Saw
from traider.engine.recorded import _Again, rerun
from traider.services.trader import Trader
from traider.storage import session_file
from traider.storage.session_file import SessionFile, read_session, session_path

ROWS = 400
NAME = "tests/services/strategies.py:Restless"


def plan(data_dir: Path, state_dir: Path) -> RecordingPlan:
    return RecordingPlan(bars_plan(Restless, data_dir, rows=ROWS, quantity=0.5, every=2), state_dir, NAME)


async def whole(folder: Path, recorded: RecordingPlan) -> Place:
    place = Place(folder)
    await place.start()
    await Trader(recorded, bus=place.bus, clock=place.clock, state_dir=folder).run()
    await place.stop()
    recorded.close()
    return place


def recording(folder: Path) -> Path:
    (path,) = (folder / "sessions").glob("*.jsonl")
    return path


async def test_a_recorded_session_asks_for_the_same_again(tmp_path: Path, data_dir: Path) -> None:
    place = await whole(tmp_path, plan(data_dir, tmp_path))
    lines = list(read_session(recording(tmp_path), torn_end_is_cut=False))
    assert isinstance(lines[0], Begun)
    assert sum(isinstance(line, Saw) for line in lines) == sum(isinstance(line, Asked) for line in lines) == ROWS
    assert sum(isinstance(line, Heard) for line in lines) == len(place.events())
    run = rerun(lambda: lines, lambda _: Restless)
    assert (run.divergence, run.last_index, run.segments) == (None, ROWS - 1, 1)
    assert run.orders > 100
    assert recording(tmp_path) == session_path(tmp_path, lines[0].session_id)


async def test_the_recorded_session_fills_as_one_that_is_not(tmp_path: Path, data_dir: Path) -> None:
    recorded = await whole(tmp_path / "a", plan(data_dir, tmp_path / "a"))
    place = Place(tmp_path / "b")
    await place.start()
    await place.trader(bars_plan(Restless, data_dir, rows=ROWS, quantity=0.5, every=2)).run()
    await place.stop()
    assert recorded.fills() == place.fills()
    assert len(place.fills()) > 40


@pytest.mark.parametrize("seed", range(4))
async def test_a_trader_that_dies_goes_on_from_its_recording(tmp_path: Path, data_dir: Path, seed: int) -> None:
    """Killed again and again, at any place of its loop: the same orders and fills as one that ran through."""
    source = random.Random(seed)
    expected = (await whole(tmp_path / "whole", plan(data_dir, tmp_path / "whole"))).fills()
    place = Place(tmp_path / "torn")
    await place.start()
    deaths = 0
    while True:
        recorded = plan(data_dir, place.state_dir)
        trading = asyncio.create_task(Trader(recorded, bus=place.bus, clock=place.clock, state_dir=place.state_dir).run())
        await place.handled(source.randint(5, 150), trading)
        if trading.done():
            await trading
            break
        trading.cancel()
        await asyncio.gather(trading, return_exceptions=True)
        recorded.close()
        if source.random() < 0.5:
            with recording(place.state_dir).open("ab") as file:
                file.write(b'{"type":"saw","event":{"ind')
        deaths += 1
    await place.stop()
    recorded.close()
    assert deaths > 2
    assert place.fills() == expected
    run = rerun(lambda: read_session(recording(place.state_dir)), lambda _: Restless)
    assert (run.divergence, run.segments) == (None, 1), "one strategy from the beginning to the end"


async def test_a_strategy_that_decides_otherwise_is_told_by_its_first_event(tmp_path: Path, data_dir: Path) -> None:
    class Changed(Restless):
        name = Restless.name

        def on_bar(self, bar, ctx):  # type: ignore[no-untyped-def]  # as its author would write it
            if self.bars == 100:
                self.quantity = 0.7
            super().on_bar(bar, ctx)

    await whole(tmp_path, plan(data_dir, tmp_path))
    run = rerun(lambda: read_session(recording(tmp_path)), lambda _: Changed)
    assert run.divergence is not None
    assert "market event 101: it asked for" in run.divergence
    changed = replace(plan(data_dir, tmp_path).plan, strategy_class=Changed)
    place = Place(tmp_path)
    await place.start()
    snapshot = place.guard.snapshot()
    await place.stop()
    with pytest.raises(UserError, match="does not decide as it did"):
        RecordingPlan(changed, tmp_path, NAME).resume(snapshot)


class Seldom(Restless):
    """Asks for something at one bar in a hundred; what it asks for hangs on all the bars between."""

    def on_bar(self, bar, ctx):  # type: ignore[no-untyped-def]  # as its author would write it
        self.spent += bar.close * 0.001
        self.bars += 1
        if self.bars % 100 == 0:
            self.last_order = ctx.buy_limit(self.quantity, bar.close - self.spent)


async def test_quiet_events_stepped_together_are_the_same(tmp_path: Path, data_dir: Path) -> None:
    """Together, and one after the other, the strategy ends up with the same memory, bit for bit."""
    seldom = replace(plan(data_dir, tmp_path), plan=bars_plan(Seldom, data_dir, rows=ROWS, quantity=0.5))
    await whole(tmp_path, seldom)
    lines = list(read_session(recording(tmp_path)))
    together = rerun(lambda: lines, lambda _: Seldom)
    apart = _Again(lambda _: Seldom, 0).run(lines)
    assert together.session is not None
    assert apart.session is not None
    assert together.divergence is None
    assert together.orders == apart.orders == ROWS // 100
    assert together.market_events == apart.market_events == ROWS
    assert list(together.events) == list(apart.events)
    assert together.session.session.block.tobytes() == apart.session.session.block.tobytes()
    assert together.session.desk.account.tobytes() == apart.session.desk.account.tobytes()
    assert together.session.desk.positions.tobytes() == apart.session.desk.positions.tobytes()


async def test_an_order_where_there_was_none_is_told_by_its_event(tmp_path: Path, data_dir: Path) -> None:
    """Though many events that were quiet are stepped together."""

    class Sooner(Seldom):
        name = Seldom.name

        def on_bar(self, bar, ctx):  # type: ignore[no-untyped-def]  # as its author would write it
            if self.bars == 150:
                ctx.buy(self.quantity)
            super().on_bar(bar, ctx)  # type: ignore[no-untyped-call]

    seldom = replace(plan(data_dir, tmp_path), plan=bars_plan(Seldom, data_dir, rows=ROWS, quantity=0.5))
    await whole(tmp_path, seldom)
    run = rerun(lambda: read_session(recording(tmp_path)), lambda _: Sooner)
    assert run.divergence is not None
    assert "market event 150: it asks for" in run.divergence


@pytest.mark.parametrize("damage", ["edited", "missing", "swapped"])
async def test_a_recording_that_was_changed_does_not_hold(tmp_path: Path, data_dir: Path, damage: str) -> None:
    await whole(tmp_path, plan(data_dir, tmp_path))
    path = recording(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "edited":
        lines[10] = lines[10].replace(b'"index":', b'"index":1', 1) if b'"index":' in lines[10] else lines[10][:20] + b"9" + lines[10][21:]
    elif damage == "missing":
        del lines[10]
    else:
        lines[10], lines[11] = lines[11], lines[10]
    path.write_bytes(b"".join(lines))
    with pytest.raises(UserError, match="line 11 does not follow from the line before"):
        list(read_session(path))


class Disk:
    """What a recording is written through: its disk has no room at some writes, and half a line lands there."""

    def __init__(self, full_at: set[int]) -> None:
        self.full_at, self.writes = full_at, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, fd: int, data: memoryview) -> int:
        self.writes += 1
        if self.writes in self.full_at:
            os.write(fd, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(fd, data)


async def test_a_full_disk_stops_the_trader_until_there_is_room_and_loses_nothing(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = await whole(tmp_path / "through", plan(data_dir, tmp_path / "through"))
    disk = Disk(full_at={3, 40, 41, 300, 500, 777, 778})
    monkeypatch.setattr(session_file, "os", disk)
    place = await whole(tmp_path / "full", plan(data_dir, tmp_path / "full"))
    assert disk.writes > 800
    assert place.fills() == through.fills()
    run = rerun(lambda: list(read_session(recording(tmp_path / "full"), torn_end_is_cut=False)), lambda _: Restless)
    assert (run.divergence, run.last_index) == (None, ROWS - 1)


def test_a_recording_that_can_not_be_written_says_so_and_takes_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sessions" / "s1.jsonl"
    monkeypatch.setattr(session_file, "os", Disk(full_at={2}))
    with SessionFile(path) as file:
        file.write(Asked(wanted=("a",)))
        for _ in range(2):
            with pytest.raises(RecordingError, match=r"s1.jsonl can't be written: No space left on device"):
                file.write(Asked(wanted=("b",)))
    monkeypatch.setattr(session_file, "LEAST_FREE_BYTES", 1 << 62)
    with pytest.raises(RecordingError, match=r"bytes are free on its disk, and it takes"):
        SessionFile(path)
    assert list(read_session(path)) == [Asked(wanted=("a",))]


def test_a_torn_end_is_cut_and_written_on(tmp_path: Path) -> None:
    path = tmp_path / "sessions" / "s1.jsonl"
    with SessionFile(path) as file:
        file.write(Asked(wanted=("a",)))
        file.write(Asked(wanted=("b",)))
    path.write_bytes(path.read_bytes()[:-7])
    with SessionFile(path) as file:
        file.write(Asked(wanted=("c",)))
    assert list(read_session(path, torn_end_is_cut=False)) == [Asked(wanted=("a",)), Asked(wanted=("c",))]


async def test_the_command_says_same_or_names_the_event(tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await whole(tmp_path, plan(data_dir, tmp_path))
    path = recording(tmp_path)
    assert traider(["replay", str(path)]) == 0
    assert "the same, " in capsys.readouterr().out
    assert traider(["replay", path.stem, "--state-dir", str(tmp_path), "--json"]) == 0
    assert '"same": true' in capsys.readouterr().out
    lines = list(read_session(path))
    at = next(number for number, line in enumerate(lines) if isinstance(line, Asked) and line.wanted)
    lines[at] = Asked(wanted=())
    forged = tmp_path / "forged.jsonl"
    with SessionFile(forged) as file:
        for line in lines:
            file.write(line)
    assert traider(["replay", str(forged)]) == 1
    out = capsys.readouterr().out
    assert f"line {at + 1}, market event" in out
    assert "and did not" in out


def test_a_session_that_is_not_there_is_told_with_those_that_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert traider(["replay", "s9", "--state-dir", str(tmp_path)]) == 2
    assert "no session s9 is recorded in" in (told := capsys.readouterr().err)
    assert "there is none; a session is recorded while it trades" in told
    for session in ("s2", "s13"):
        path = session_path(tmp_path, session)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert traider(["verify", "parity", "s9", "--state-dir", str(tmp_path)]) == 2
    assert "there are: s2, s13" in capsys.readouterr().err
