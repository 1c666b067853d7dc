"""A simulated exchange that stands for Coinbase, and ``traider live`` on it, as processes and by the environment, as a user has them."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import Any, get_args

from tests.cli.steady import Steady
from traider.connectors.sim.exchange.accounts import identity
from traider.domain.orders import AnyOrderEvent, OrderEvent, OrderFilled
from traider.guard.journal import entries, lock_path
from traider.guard.lock import holder
from traider.guard.place import JOURNAL
from traider.research.evidence import Evidence, Kind, version_of, write_evidence

TRAIDER = (sys.executable, "-m", "traider.cli.main")
STRATEGY = ("tests/cli/steady.py:Steady", "--quantity", "0.001")
VALUES = Steady(quantity=0.001).values()
ACCOUNT = identity(1, "portfolio", "main")  # as the exchange names it: whose seed is 1
WITHIN_S = 90.0
LIMITS = {"MAX_ORDER_NOTIONAL": "1000", "MAX_GROSS_EXPOSURE": "5000", "MAX_DAILY_LOSS": "500"}


def free_port() -> int:
    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(condition: Callable[[], bool], why: Callable[[], str], within_s: float = WITHIN_S) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, why()
        time.sleep(0.05)


class LivePlace:
    """One folder with the exchange's key, the state directory and the log of everything that was said."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state_dir, self.log = folder, folder / "state", folder / "live.log"
        self.key_file = folder / "key.json"
        self.port, self.control = free_port(), free_port()
        self.exchange: subprocess.Popen[str] | None = None
        self.process: subprocess.Popen[bytes] | None = None

    # -- the exchange

    def start_exchange(self) -> None:
        command = (*TRAIDER, "exchange-sim", "--port", str(self.port), "--control-port", str(self.control), "--key-out", str(self.key_file))
        self.exchange = subprocess.Popen((*command, "--speed", "4", "--fund", "USD=10000"), stdout=subprocess.PIPE, text=True)
        assert self.exchange.stdout is not None
        assert self.exchange.stdout.readline().startswith("exchange on")

    def truth(self) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control}/truth", timeout=10) as reply:
            return json.load(reply)

    def open_orders(self) -> list[str]:
        return [order["client_order_id"] for order in self.truth()["orders"] if order["status"] == "OPEN"]

    @property
    def secret(self) -> str:
        return str(json.loads(self.key_file.read_text())["privateKey"])

    # -- the platform

    def environment(self, **more: str) -> dict[str, str]:
        url = f"127.0.0.1:{self.port}"
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("MAX_", "COINBASE_", "LIVE_"))}
        return ours | {
            "TRAIDER_STATE_DIR": str(self.state_dir),
            "COINBASE_KEY_FILE": str(self.key_file),
            "COINBASE_REST_URL": f"http://{url}",
            "COINBASE_WS_URL": f"ws://{url}",
            "COINBASE_WS_USER_URL": f"ws://{url}",
            "LIVE_TRADING_DEFAULT": "true",
            "DRY_RUN": "false",
            "LIVE_PAPER_DAYS": "0",
            "METRICS_PORT": "0",
            **LIMITS,
            **more,
        }

    def give_evidence(self) -> None:
        kinds: tuple[Kind, ...] = get_args(Kind)
        for kind in kinds:
            finding = Evidence(
                kind=kind,
                strategy=STRATEGY[0],
                version=version_of(Steady, VALUES),
                traider="0",
                data_sha256="0",
                settings={},
                passed=True,
                verdict="well",
                finding="",
                made_ns=1,
            )
            write_evidence(self.folder / "paper", finding)

    def enable(self, typed: str = ACCOUNT, **more: str) -> subprocess.CompletedProcess[str]:
        command = (*TRAIDER, "enable-live", *STRATEGY, "--paper-dir", str(self.folder / "paper"))
        return subprocess.run(
            command, env=self.environment(**more), input=f"{typed}\n", capture_output=True, text=True, timeout=WITHIN_S, check=False
        )

    def refusal(self, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        """The exit status of a ``traider live`` that is expected to end by itself, and what it says last."""
        command = (*TRAIDER, "live", *(arguments or STRATEGY), "--no-api", "--interpreted")
        done = subprocess.run(command, env=environment or self.environment(), capture_output=True, text=True, timeout=WITHIN_S, check=False)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr.splitlines()[-1] if done.stderr else done.stdout

    def start(self, *arguments: str, **more: str) -> None:
        command = (*TRAIDER, "live", *STRATEGY, "--interpreted", *(arguments or ("--no-api",)))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment(**more), stdout=log, stderr=log, start_new_session=True)

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def guard_pid(self) -> int:
        held = holder(lock_path(self.state_dir / JOURNAL))
        return 0 if held is None else held.pid

    def events(self) -> list[AnyOrderEvent]:
        journal = self.state_dir / JOURNAL
        return [entry.record for entry in entries(journal) if isinstance(entry.record, OrderEvent)] if journal.exists() else []

    def fills(self) -> int:
        return sum(isinstance(event, OrderFilled) for event in self.events())

    def wait(self, condition: Callable[[], bool], within_s: float = WITHIN_S) -> None:
        assert self.process is not None
        process = self.process
        wait_for(lambda: process.poll() is not None or condition(), self.text, within_s)
        assert process.poll() is None, self.text()

    def wait_for_fills(self, more_than: int = 0) -> None:
        self.wait(lambda: self.fills() > more_than)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def interrupt(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def end(self) -> None:
        self.kill()
        if self.guard_pid:
            os.kill(self.guard_pid, signal.SIGKILL)
        if self.exchange is not None:
            self.exchange.kill()
            self.exchange.communicate()


@contextmanager
def live_place(folder: Path) -> Iterator[LivePlace]:
    """The exchange runs, there is evidence, and nothing is enabled yet."""
    place = LivePlace(folder)
    try:
        place.start_exchange()
        place.give_evidence()
        yield place
    finally:
        place.end()
