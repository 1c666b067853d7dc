"""``traider up`` as a process: it stops cleanly, looks after its guard, and comes to terms with what an earlier one left."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.services.processes import Up
from tests.services.support import until
from traider.bus.memory import MemoryBus
from traider.domain.errors import TraiderError
from traider.domain.orders import OrderFilled
from traider.guard.journal import entries, head_path, lock_path, verify
from traider.guard.lock import holder
from traider.guard.place import JOURNAL, make_directory
from traider.guard.records import SessionStarted
from traider.runtime.clock import SystemClock
from traider.services.hung import end_hung
from traider.services.up import GIVE_UP_AFTER, GuardProcess
from traider.services.watch import GuardWatch

FAST = ("--speed", "8", "--param", "fast=2", "--param", "slow=5", "--interpreted")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    made: list[Up] = []

    def make(*arguments: str) -> Up:
        made.append(Up(tmp_path / "state", *arguments))
        return made[-1]

    yield make
    for up in made:
        up.end()


def wait_for(up: Up, condition: Callable[[], bool], within_s: float = 50.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, up.text()
        assert up.is_running, up.text()
        time.sleep(0.02)


def fills_in(up: Up) -> int:
    journal = up.state_dir / JOURNAL
    return sum(isinstance(entry.record, OrderFilled) for entry in entries(journal)) if journal.exists() else 0


def has_traded(up: Up, more_than: int = 0) -> Callable[[], bool]:
    return lambda: fills_in(up) > more_than


def test_ctrl_c_stops_everything_and_the_next_start_goes_on(make: Callable[..., Up]) -> None:
    up = make(*FAST)
    up.start()
    wait_for(up, has_traded(up))
    assert up.interrupt() == 0
    assert up.guard_pid is None
    assert "PAPER trading BTC-USD with sma_cross; orders go to: simulated exchange; market: simulated exchange on 127.0.0.1:" in up.text()
    assert "Traceback" not in up.text()
    before = verify(up.state_dir / JOURNAL).entries
    up.start()
    wait_for(up, lambda: verify(up.state_dir / JOURNAL).entries > before + 20)
    assert up.interrupt() == 0
    sessions = [entry for entry in entries(up.state_dir / JOURNAL) if isinstance(entry.record, SessionStarted)]
    assert len(sessions) == 1
    with sqlite3.connect(up.state_dir / "traider.sqlite3") as store:
        (stored,) = store.execute("select count(*) from trade_executions").fetchone()
    store.close()
    assert stored == fills_in(up)


def test_ctrl_c_while_it_starts_stops_it_too(make: Callable[..., Up]) -> None:
    up = make(*FAST)
    up.start()
    wait_for(up, lambda: (up.state_dir / "up.lock").exists())
    time.sleep(0.3)  # the guard's process is being started
    assert up.interrupt() in (0, 130)
    assert up.guard_pid is None
    assert "Traceback" not in up.text()


def test_a_guard_that_is_killed_is_started_again_and_trading_goes_on(make: Callable[..., Up]) -> None:
    up = make(*FAST)
    up.start()
    wait_for(up, has_traded(up))
    first = up.guard_pid
    up.kill_guard()
    wait_for(up, has_traded(up, more_than=fills_in(up)))
    assert up.guard_pid not in (None, first)
    assert up.interrupt() == 0
    verify(up.state_dir / JOURNAL)


@pytest.mark.slow
def test_however_often_a_guard_is_killed_it_is_started_again_as_long_as_it_gets_something_done(make: Callable[..., Up]) -> None:
    up = make(*FAST)
    up.start()
    for _ in range(GIVE_UP_AFTER):
        wait_for(up, has_traded(up, more_than=fills_in(up)))
        up.kill_guard()
    wait_for(up, has_traded(up, more_than=fills_in(up)))
    assert up.interrupt() == 0


@pytest.mark.slow
async def test_a_guard_that_hangs_is_ended_and_started_again(tmp_path: Path) -> None:
    """Stopped as by SIGSTOP: it keeps its connections, and never ends by itself."""
    state_dir = tmp_path / "state"
    make_directory(state_dir)
    guard = GuardProcess(
        ("--instrument", "BTC-USD:0.01:0.00000001"), state_dir=state_dir, environment=os.environ | {"TRAIDER_STATE_DIR": str(state_dir)}
    )
    await guard.start()
    watch = GuardWatch(bus=MemoryBus(), clock=SystemClock(), state_dir=state_dir, beat_s=0.05, silent_s=0.2)
    tasks = [
        asyncio.create_task(work)
        for work in (guard.look_after(), watch.run(), end_hung(guard, lambda: watch.connected, patience_s=0.5, poll_s=0.05))
    ]
    try:
        await until(lambda: watch.connected)
        first = guard.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        await until(lambda: guard.pid != first)
        await until(lambda: watch.connected)
        assert not psutil.pid_exists(first)
    finally:
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await guard.stop()


async def test_a_guard_that_has_yet_to_begin_may_take_its_time() -> None:
    """Nothing is ended that has not answered once, nor anything that answers now and then."""
    killed: list[int | None] = []

    class Slow:
        pid: int | None = 7

        def kill(self) -> None:
            killed.append(self.pid)

    async def hear(is_answering: Callable[[], bool]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await end_hung(Slow(), is_answering, patience_s=0.05, poll_s=0.005)

    await hear(lambda: False)
    asked = iter(range(1_000_000))
    await hear(lambda: next(asked) % 3 == 0)
    assert killed == []
    asked = iter(range(1_000_000))
    await hear(lambda: next(asked) == 0)
    assert killed == [7]


async def test_a_guard_that_gets_nothing_done_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traider.services.up.RESTART_S", (0.0,))
    monkeypatch.setattr("traider.services.up.sys.executable", "false")
    guard = GuardProcess((), state_dir=tmp_path)
    await guard.spawn()
    with pytest.raises(TraiderError, match=f"the guard died {GIVE_UP_AFTER} times in a row"):
        await guard.look_after()


@pytest.mark.parametrize(("end", "is_given_up"), [("exit 1", True), ("kill -9 $$", False)])
async def test_a_guard_that_writes_at_each_start_and_ends_by_itself_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, is_given_up: bool
) -> None:
    """One that is killed is not: what it has written may have been work."""
    monkeypatch.setattr("traider.services.up.RESTART_S", (0.0,))
    program, journal, starts = tmp_path / "guard.sh", head_path(tmp_path / JOURNAL), 2 * GIVE_UP_AFTER
    journal.touch()
    enough = f"test $(wc -l < {journal}) -gt {starts} && exec sleep 60"
    program.write_text(f"#!/bin/sh\necho gate >> {journal}\n{enough}\n{end}\n")
    program.chmod(0o700)
    monkeypatch.setattr("traider.services.up.sys.executable", str(program))
    guard = GuardProcess((), state_dir=tmp_path)
    await guard.spawn()
    looking = asyncio.create_task(guard.look_after())
    await until(lambda: looking.done() or len(journal.read_text().splitlines()) > starts)
    assert looking.done() == is_given_up
    looking.cancel()
    with suppress(asyncio.CancelledError, TraiderError):
        await looking
    await guard.stop()


async def test_a_guard_that_is_killed_before_it_listens_is_said_to_be(tmp_path: Path) -> None:
    guard = GuardProcess(("--instrument", "BTC-USD:0.01:0.00000001"), state_dir=tmp_path)
    await guard.spawn()
    assert guard.pid is not None
    os.kill(guard.pid, signal.SIGKILL)
    with pytest.raises(TraiderError, match="ended by SIGKILL before it listened"):
        await guard.listening()


def has_ended(pid: int) -> bool:
    """Whether the process is gone. Where its parent died first, whoever inherited it may take a while to collect what is left."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_guard_that_was_left_behind_is_ended_by_the_next_start(make: Callable[..., Up]) -> None:
    up = make(*FAST)
    up.start()
    wait_for(up, has_traded(up))
    left = up.guard_pid
    up.kill()
    assert up.guard_pid == left, "the guard outlives the trader"
    up.start()
    wait_for(up, lambda: up.guard_pid not in (None, left))
    assert left is not None
    wait_for(up, lambda: has_ended(left))
    assert up.interrupt() == 0
    assert "ending the guard that an earlier start left behind" in up.text()


def test_a_second_up_is_refused_and_does_the_first_no_harm(make: Callable[..., Up]) -> None:
    first, second = make(*FAST), make(*FAST)
    first.start()
    wait_for(first, has_traded(first))
    second.start()
    assert second.wait() == 2
    assert "is in use by process" in second.text()
    assert first.is_running
    assert first.interrupt() == 0


def test_a_guard_started_by_hand_is_left_alone(make: Callable[..., Up], tmp_path: Path) -> None:
    up = make(*FAST)
    up.state_dir.mkdir()
    command = (
        sys.executable,
        "-m",
        "traider.cli.main",
        "guard",
        "--instrument",
        "BTC-USD:0.01:0.00000001",
        "--state-dir",
        str(up.state_dir),
    )
    with up.log.open("ab") as log:
        by_hand = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline_s = time.monotonic() + 50
        while not (up.state_dir / "guard.endpoint").exists():
            assert time.monotonic() < deadline_s, up.text()
            time.sleep(0.02)
        up.start()
        assert up.wait() == 2
        assert f"a guard started by hand (process {by_hand.pid}) is using" in up.text()
        assert by_hand.poll() is None
        by_hand.send_signal(signal.SIGTERM)
        assert by_hand.wait(30) == 0
    finally:
        by_hand.kill()
        by_hand.wait()
    assert holder(lock_path(up.state_dir / JOURNAL)) is None


def test_a_guard_that_can_not_start_stops_the_start_with_its_reason(make: Callable[..., Up]) -> None:
    up = make(*FAST, "--cash", "5000")
    up.start()
    wait_for(up, lambda: up.guard_pid is not None and (up.state_dir / "guard.endpoint").exists())
    assert up.interrupt() == 0
    richer = make(*FAST, "--cash", "6000")
    richer.start()
    assert richer.wait() == 2, richer.text()
    assert "error: this account was opened with 5000 USD, not 6000 USD: leave out what it begins with" in richer.text()
    assert "the exchange did not start (exit status 2); its message is above" in richer.text()
    (up.state_dir / JOURNAL).write_bytes((up.state_dir / JOURNAL).read_bytes()[:-30])
    up.start()
    assert up.wait() == 1
    assert "error: " in up.text()
    assert "it is cut off" in up.text()
    assert "Traceback" not in up.text()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--speed", "-1"), "--speed is -1"),
        (("--replay", "nothing.parquet", "--fill", "same"), "give next-open or next-close"),
        (("--fill", "next-open"), "--fill is for --replay FILE"),
        (("--exit-at-end",), "--exit-at-end is for --replay FILE"),
        (("--market", "binance"), "--market is 'binance'; give sim or coinbase"),
        (("--market", "coinbase", "--speed", "2"), "Coinbase has a pace of its own"),
        (("--bars", "soon"), "--bars is 'soon'; give a time such as 5s"),
        (("--symbol", "BTC"), "--symbol BTC: write BASE-QUOTE"),
        (("--strategy", "nobody"), "unknown strategy 'nobody'"),
        (("--param", "fast"), "write NAME=VALUE"),
        (("--strategy", "touch_maker"), "sells what it does not hold, and BTC-USD there is spot"),
        (("--replay", "nothing.parquet"), "there is no such file"),
        (("--cash", "nan"), "--cash is nan"),
        (("--quantity", "0"), "--quantity is 0"),
    ],
)
def test_what_can_not_be_is_told_before_anything_starts(
    arguments: tuple[str, ...], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from traider.cli.main import run

    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr("traider.cli.up.configure_logging", lambda _log: None)  # this process goes on with its own
    assert run(["up", "--no-api", *arguments]) == 2
    told = capsys.readouterr().err
    assert problem in told
    assert told.count("\n") == 1
    assert not (tmp_path / "state").exists()
