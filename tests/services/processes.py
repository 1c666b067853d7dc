"""``traider up`` as a process of its own, and an observer that remembers everything its guard ever said."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from traider.domain.errors import LinkError
from traider.domain.orders import AnyOrderEvent
from traider.domain.state import AccountState, RiskState
from traider.guard.client import GuardClient
from traider.guard.journal import lock_path
from traider.guard.lock import holder
from traider.guard.place import JOURNAL, find_guard

UP = (sys.executable, "-m", "traider.cli.main", "up", "--no-api")


class Up:
    """One state directory, and the ``traider up`` on it."""

    def __init__(self, state_dir: Path, *arguments: str) -> None:
        self.state_dir = state_dir
        self.log = state_dir.with_suffix(".log")
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAX_")}
        environment |= {
            "TRAIDER_STATE_DIR": str(self.state_dir),
            "LOG_LEVEL": "WARNING",
            "MAX_ORDERS_PER_MINUTE": "4096",
            "JOURNAL_SEGMENT_LINES": "1000",
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen((*UP, *self._arguments), env=environment, stdout=log, stderr=log, start_new_session=True)

    @property
    def status(self) -> int | None:
        return None if self._process is None else self._process.poll()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def guard_pid(self) -> int | None:
        held = holder(lock_path(self.state_dir / JOURNAL))
        return held.pid if held is not None and held.pid else None

    def kill(self) -> None:
        """SIGKILL to ``traider up`` alone; its guard stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def kill_guard(self) -> None:
        pid = self.guard_pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def interrupt(self) -> int:
        """As Ctrl-C does; the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(30)

    def wait(self, within_s: float = 50.0) -> int:
        assert self._process is not None
        return self._process.wait(within_s)

    def end(self) -> None:
        """Leaves nothing running, whatever the test did."""
        self.kill()
        deadline_s = time.monotonic() + 10
        while self.guard_pid is not None and time.monotonic() < deadline_s:
            self.kill_guard()
            time.sleep(0.02)

    def text(self) -> str:
        return self.log.read_text(errors="replace")


class Witness:
    """An observer that comes back whenever its connection is lost."""

    def __init__(self, state_dir: Path) -> None:
        self.told: list[AnyOrderEvent] = []
        self.accounts = 0
        self._state_dir = state_dir

    def on_order_event(self, event: AnyOrderEvent) -> None:
        self.told.append(event)

    def on_state(self, account: AccountState, risk: RiskState) -> None:
        self.accounts += 1

    async def run(self) -> None:
        while True:
            try:
                client = await GuardClient.connect(*find_guard(self._state_dir), self, role="observer", client="witness")
                try:
                    await client.lost
                finally:
                    client.close()
            except LinkError:
                await asyncio.sleep(0.02)
