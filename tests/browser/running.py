"""The platform as a user starts it, for a browser to look at."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILT_PAGE = ROOT / "src" / "traider" / "api" / "static" / "index.html"
PASSWORD = "open sesame"

# A made-up market that runs fast, and a strategy that changes its mind every few seconds.
RESTLESS = ("--speed", "20", "--param", "fast=2", "--param", "slow=5")
READY_WITHIN_S = 120  # the first start of all compiles the strategy
STOPPED_WITHIN_S = 20


def dashboard_is_built() -> bool:
    return BUILT_PAGE.is_file()


class Platform:
    """``traider up`` in a state directory of its own, on ports of its own; it can be stopped and started again."""

    def __init__(self, state_dir: Path, options: Sequence[str] = RESTLESS, settings: Mapping[str, str] | None = None) -> None:
        self._state_dir = state_dir
        self._command = (sys.executable, "-m", "traider.cli.main", "up", *options)
        self._settings = dict(settings or {})
        self._log = state_dir.with_suffix(".log")
        self._port = _free_port()
        self._metrics_port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns when it is ready to trade."""
        environment = os.environ | {
            "TRAIDER_STATE_DIR": str(self._state_dir),
            "DASHBOARD_PASSWORD": PASSWORD,
            "API_PORT": str(self._port),
            "METRICS_PORT": str(self._metrics_port),
            **self._settings,
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._state_dir.parent, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline_s = time.monotonic() + READY_WITHIN_S
        while not self._is_ready():
            assert self._process.poll() is None, f"traider up ended with status {self._process.returncode}: {self._log_tail()}"
            assert time.monotonic() < deadline_s, f"traider up is not ready after {READY_WITHIN_S} s: {self._log_tail()}"
            time.sleep(0.1)

    def stop(self) -> None:
        """As Ctrl-C does."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"traider up did not stop within {STOPPED_WITHIN_S} s: {self._log_tail()}") from None

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _log_tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-3000:]


@contextmanager
def running(state_dir: Path, options: Sequence[str] = RESTLESS, settings: Mapping[str, str] | None = None) -> Iterator[Platform]:
    """A platform that is ready to trade, until the block ends."""
    platform = Platform(state_dir, options, settings)
    try:
        platform.start()
        yield platform
    finally:
        platform.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
