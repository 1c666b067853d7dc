"""Group G of the fault matrix: the guard dies, at any moment, and starts again."""

import asyncio
import errno
import os
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from tests.guard.live.bench import Bench, Side, UnsyncedDisk, order
from tests.guard.live.exchange import Fault, down
from tests.guard.support import Bench as PaperBench
from traider.domain.errors import UserError
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderRejected
from traider.domain.vocabulary import OrderStatus, Reason
from traider.guard.gates import Cause as Gate
from traider.guard.journal import Journal, head_path
from traider.runtime.virtual_time import play


class KilledError(BaseException):
    """The process is gone. No part of it can catch that."""


class MortalDisk(UnsyncedDisk):
    """The process dies in its write number ``dies_at``: nothing of it, a part of it, or all of it has reached the disk."""

    def __init__(self, dies_at: int, written: str) -> None:
        self.dies_at = dies_at
        self.written = written
        self.writes = 0

    def write(self, fd: int, data: bytes) -> None:
        self.writes += 1
        if self.dies_at and self.writes > self.dies_at:
            raise KilledError  # it is dead already: nobody writes any more
        if self.writes != self.dies_at:
            super().write(fd, data)
            return
        if self.written == "all":
            super().write(fd, data)
        elif self.written == "part":
            super().write(fd, data[: len(data) // 2])
        raise KilledError


class FullDisk(UnsyncedDisk):
    full = False

    def write(self, fd: int, data: bytes) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(fd, data)


def test_g1_g2_open_orders_are_taken_over_and_what_happened_meanwhile_is_booked_once(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path, limits=RiskLimits(max_position_size=Decimal(3)))
        async with bench.up():
            for name in ("a", "b", "c"):
                bench.submit(order(name, limit="90"))
            await asyncio.sleep(1)
        bench.exchange.fill("v1", "0.4")
        bench.exchange.fill("v2")
        bench.exchange.end("v3")
        bench.exchange.order_elsewhere(Side.BUY, "0.5", "80")
        async with bench.up():
            assert bench.story_of("a") == ["submitted", "accepted", "filled"]
            assert (bench.status("b"), bench.status("c")) == (OrderStatus.FILLED, OrderStatus.CANCELLED)
            assert bench.position() == 1.4
            assert bench.refusal(order("d", "0.501", limit="90"))[0] is Reason.POSITION_SIZE, "1.4 held, 0.6 and 0.5 open"
            assert bench.refusal(order("e", "0.5", limit="90"))[0] is Reason.NONE
            await asyncio.sleep(30)
            bench.check()
        return bench

    play(whole)


def journal_writes(folder: Path) -> int:
    """How many writes the busy day of ``test_g3`` makes."""
    disk = MortalDisk(0, "none")
    play(lambda: busy_day(folder, disk))
    return disk.writes


async def busy_day(folder: Path, disk: MortalDisk) -> Bench:
    """Everything that is journalled, until the disk dies."""
    bench = Bench(folder, disk=disk)
    try:
        async with bench.up():
            bench.submit(order("a", limit="90"), order("b", limit="91"))
            await asyncio.sleep(1)
            bench.exchange.fill(bench.exchange.id_of("a"), "0.4")
            bench.amend("b", "2", "92")
            await asyncio.sleep(1)
            bench.feed(101.0)
            bench.cancel("b")
            bench.exchange.fill(bench.exchange.order_elsewhere(Side.BUY, "0.1", "101"))
            await asyncio.sleep(2)
            bench.submit(order("c", "0.1"))
            await asyncio.sleep(1)
            bench.kill()
            await asyncio.sleep(3)
            bench.kill(False, "seen to")
    except (KilledError, BaseExceptionGroup):
        pass
    return bench


WRITES = 19


def test_the_number_of_writes_of_that_day_is_known(tmp_path: Path) -> None:
    """If this fails, give ``WRITES`` the number: every single write is to be died at."""
    assert journal_writes(tmp_path) == WRITES


@pytest.mark.parametrize("written", ["none", "part", "all"])
def test_g3_killed_at_every_journal_write_it_comes_back_to_what_the_exchange_has(tmp_path: Path, written: str) -> None:
    for dies_at in range(1, WRITES + 1):
        folder = tmp_path / f"{dies_at}"
        folder.mkdir()
        play(partial(day_and_restart, folder, MortalDisk(dies_at, written)))


async def day_and_restart(folder: Path, disk: MortalDisk) -> None:
    bench = await busy_day(folder, disk)
    bench.disk = UnsyncedDisk()
    async with bench.up():
        await asyncio.sleep(45)
        bench.check()


def test_g4_a_torn_tail_is_cut_and_the_exchange_fills_the_hole(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path)
        async with bench.up():
            bench.submit(order("a", limit="90"))
            await asyncio.sleep(1)
        with bench.path.open("ab") as file:
            file.write(b'{"n":99,"left":0,"wall_ns":17')
        bench.exchange.fill("v1")
        async with bench.up():
            assert bench.guard.journal.notices
            assert bench.position() == 1.0
            await asyncio.sleep(30)
            bench.check()
        return bench

    play(whole)


def test_g4_a_damaged_last_batch_is_cut_and_the_exchange_fills_the_hole(tmp_path: Path) -> None:
    """The power fails in the write of the exchange's answer: whole lines are there, and their hash is wrong."""

    async def whole() -> Bench:
        bench = Bench(tmp_path)
        async with bench.up():
            head = head_path(bench.path).read_bytes()
            size = bench.path.stat().st_size
            bench.submit(order("a", limit="90"))
        written = bench.path.read_bytes()
        bench.path.write_bytes(written[: size + 200] + b"#" + written[size + 201 :])
        head_path(bench.path).write_bytes(head)
        bench.exchange.order_elsewhere(Side.BUY, "0.5", "80")
        async with bench.up():
            assert "cut" in bench.guard.journal.notices[0]
            await asyncio.sleep(30)
            bench.check()
        return bench

    play(whole)


def test_g6_a_full_disk_closes_the_gate_and_cancels_still_go(tmp_path: Path) -> None:
    async def whole() -> Bench:
        disk = FullDisk()
        bench = Bench(tmp_path, disk=disk)
        async with bench.up():
            bench.submit(order("a", limit="90"))
            await asyncio.sleep(1)
            disk.full = True
            (event,) = bench.submit(order("b", limit="90")).events
            assert isinstance(event, OrderRejected)
            assert event.reason is Reason.GUARD_NOT_READY
            assert bench.exchange.count("submit") == 1
            assert Gate.JOURNAL in bench.closed()
            bench.cancel("a")
            await asyncio.sleep(1)
            assert bench.exchange.orders["v1"].status is OrderStatus.CANCELLED
            disk.full = False
            assert bench.submit(order("c", limit="90")).events[0].n == 0, "it does not open by itself"
        async with bench.up():
            await asyncio.sleep(30)
            bench.check()
        return bench

    play(whole)


def test_g6_a_disk_that_is_full_when_the_answer_comes_loses_no_order(tmp_path: Path) -> None:
    async def whole() -> Bench:
        disk = FullDisk()
        bench = Bench(tmp_path, disk=disk)
        async with bench.up():
            bench.exchange.fail("submit", Fault(wait_after_s=1.0))
            bench.exchange.silent = True
            bench.submit(order("a", limit="90"))
            await asyncio.sleep(0.5)
            disk.full = True
            await asyncio.sleep(1)
            assert bench.status("a") is OrderStatus.OPEN
            assert bench.told[-1].n == 0
            bench.exchange.fill("v1")
            await asyncio.sleep(40)
            assert bench.position() == 0.0, "what can't be journalled is not booked"
        disk.full = False
        bench.exchange.silent = False
        async with bench.up():
            assert bench.position() == 1.0
            await asyncio.sleep(30)
            bench.check()
        return bench

    play(whole)


def test_g7_a_second_guard_does_not_start(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path)
        async with bench.up():
            with pytest.raises(UserError, match="is in use by"):
                Journal.open(bench.path, clock=bench.clock)
            bench.check()
        return bench

    play(whole)


def test_g10_a_question_that_fails_at_the_start_is_no_empty_account(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path)
        async with bench.up():
            bench.submit(order("a", "1"))
            await asyncio.sleep(1)
        for call in ("balances", "open_orders", "fills"):
            bench.exchange.fail(call, *[Fault(before=down())] * 3)
        async with bench.up():
            assert bench.position() == 1.0
            assert Gate.START in bench.closed()
            assert bench.refusal(order("b", "1", Side.SELL))[0] is Reason.GATE_CLOSED
            await asyncio.sleep(180)  # nine questions have failed, each one asked later than the one before
            bench.check()
        return bench

    play(whole)


def test_the_kill_switch_is_on_after_a_restart_and_cancels_what_is_found(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path)
        async with bench.up():
            bench.submit(order("a", limit="90"))
            await asyncio.sleep(1)
            bench.exchange.go_down()
            bench.kill()
        bench.exchange.come_back()
        async with bench.up():
            assert bench.books.kill.on
            await asyncio.sleep(5)
            assert bench.exchange.open_ids() == set()
            await asyncio.sleep(25)
            bench.check()
        return bench

    play(whole)


def test_a_paper_account_and_a_live_one_are_not_mixed_up(tmp_path: Path) -> None:
    async def live() -> None:
        async with Bench(tmp_path).up():
            pass

    play(live)
    with pytest.raises(UserError, match="this account trades on an exchange"):
        PaperBench(tmp_path)
    paper = tmp_path / "paper"
    paper.mkdir()
    PaperBench(paper).die()

    async def on_paper() -> None:
        async with Bench(paper).up():
            pass

    with pytest.raises(UserError, match="this account was opened on the paper venue"):
        play(on_paper)
