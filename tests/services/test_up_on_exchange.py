"""``traider up`` against the simulated exchange: whichever of its three processes is killed, the same account goes on."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from tests.cli.secrets_of import files_with, places_in_process
from tests.services.processes import Up
from tests.services.test_up import fills_in, has_traded, wait_for
from traider.connectors.sim.exchange.state_file import read_state
from traider.domain.orders import OrderFilled
from traider.guard.gates import Cause
from traider.guard.journal import entries, verify
from traider.guard.lock import holder
from traider.guard.place import JOURNAL
from traider.guard.records import GateSet, SessionStarted

FAST = ("--speed", "8", "--param", "fast=2", "--param", "slow=5", "--quantity", "0.05", "--interpreted")
ATOM = Decimal(10) ** -24


class Exchange:
    """The simulated exchange of an ``up``: its process, and what it remembers."""

    def __init__(self, up: Up) -> None:
        self._folder = up.state_dir / "exchange"

    @property
    def pid(self) -> int:
        held = holder(self._folder / "state.jsonl.lock")
        return 0 if held is None else held.pid

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    @property
    def secret(self) -> str:
        return str(json.loads((self._folder / "key.json").read_text())["privateKey"])

    def holds(self) -> dict[str, Decimal]:
        """What the account has of each currency, free and held, as the file says."""
        wallets: dict[str, list[int]] = {}
        for line in read_state(self._folder / "state.jsonl"):
            wallets = line.get("accounts", {}).get("main", {}).get("wallets", wallets)
        return {currency: (free + held) * ATOM for currency, (free, held, _) in wallets.items() if free + held}


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path / "state", *FAST)
    yield up
    exchange = Exchange(up)
    up.end()
    exchange.kill()


def kill_exchange(up: Up) -> None:
    Exchange(up).kill()


def kill_all(up: Up) -> None:
    Exchange(up).kill()
    up.kill_guard()
    up.kill()
    up.start()


def kill_up(up: Up) -> None:
    up.kill()
    up.start()


def stop(up: Up) -> None:
    assert up.interrupt() == 0
    up.start()


def check_account(up: Up) -> None:
    """The books are what the exchange says, by way of every fill; the gate for a difference never closed."""
    records = [entry.record for entry in entries(up.state_dir / JOURNAL)]
    fills = [record for record in records if isinstance(record, OrderFilled)]
    assert len({fill.trade_id for fill in fills}) == len(fills)
    assert [record for record in records if isinstance(record, GateSet) and record.closed and record.gate == Cause.BALANCE] == []
    assert sum(isinstance(record, SessionStarted) for record in records) == 1
    cash = Decimal(100_000) - sum((fill.price * fill.size * int(fill.side) + fill.fee for fill in fills), Decimal(0))
    coins = sum((fill.size * int(fill.side) for fill in fills), Decimal(0))
    assert Exchange(up).holds() == {currency: amount for currency, amount in (("USD", cash), ("BTC", coins)) if amount}


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("what", [kill_exchange, Up.kill_guard, kill_up, kill_all, stop], ids=lambda what: what.__name__)
def test_the_account_goes_on_whatever_is_killed(up: Up, what: Callable[[Up], None]) -> None:
    up.start()
    wait_for(up, has_traded(up))
    before = Exchange(up).pid
    what(up)
    wait_for(up, lambda: Exchange(up).pid not in (0, before) or what is Up.kill_guard)
    wait_for(up, has_traded(up, more_than=fills_in(up) + 2))
    assert up.interrupt() == 0
    assert (up.guard_pid, Exchange(up).pid) == (None, 0)
    check_account(up)
    verify(up.state_dir / JOURNAL)
    assert "Traceback" not in up.text()


def test_the_exchanges_key_is_in_the_guard_and_in_its_own_file_alone(up: Up) -> None:
    up.start()
    wait_for(up, has_traded(up))
    exchange = Exchange(up)
    secret = exchange.secret
    (pid,) = [process.pid for process in psutil.process_iter() if _is_up(process, up)]
    assert up.guard_pid is not None
    assert places_in_process(up.guard_pid, secret) != [], "what looks for it finds it where it is"
    assert places_in_process(pid, secret) == []
    assert up.interrupt() == 0
    assert files_with(up.state_dir, secret) == ["exchange/key.json"]
    assert (up.state_dir / "exchange" / "key.json").stat().st_mode & 0o777 == 0o600
    assert (up.state_dir / "exchange").stat().st_mode & 0o077 == 0
    assert secret.splitlines()[-2] not in up.text()


def _is_up(process: psutil.Process, up: Up) -> bool:
    try:
        return "up" in process.cmdline() and process.environ().get("TRAIDER_STATE_DIR") == str(up.state_dir)
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False


def test_a_key_of_a_real_account_is_passed_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``up`` has no use for one, and starts over without it."""
    secret = "not-to-be-seen-" * 4
    monkeypatch.setenv("COINBASE_API_KEY", "organizations/o/apiKeys/k")
    monkeypatch.setenv("COINBASE_API_SECRET", secret)
    up = Up(tmp_path / "state", *FAST)
    try:
        up.start()
        wait_for(up, lambda: up.guard_pid is not None and Exchange(up).pid != 0 and (up.state_dir / "guard.endpoint").exists())
        (pid,) = [process.pid for process in psutil.process_iter() if _is_up(process, up)]
        for one in (pid, up.guard_pid, Exchange(up).pid):
            assert one is not None
            assert places_in_process(one, secret) == []
        assert up.interrupt() == 0
    finally:
        up.end()
        Exchange(up).kill()


def test_why_no_order_leaves_yet_is_said_and_when_one_may(up: Up) -> None:
    up.start()
    wait_for(up, has_traded(up))
    kill_exchange(up)
    wait_for(up, lambda: "orders are held back: " in up.text())
    assert "every gate of the guard is open: orders may leave" in up.text()
    assert up.interrupt() == 0
