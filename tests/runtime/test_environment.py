import os
import shutil
import socket
import tempfile
import threading
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from traider.runtime import environment
from traider.runtime.environment import (
    Finding,
    Verdict,
    check_clock,
    check_packages,
    check_ports,
    check_python,
    check_settings,
    check_state_directory,
)
from traider.runtime.settings import load_settings

NOW_NS = 1_900_000_000 * 1_000_000_000
Usage = namedtuple("Usage", "total used free")


class FixedClock:
    def __init__(self, ns: int = NOW_NS) -> None:
        self.ns = ns

    def now_ns(self) -> int:
        return self.ns


def verdicts(findings: Iterator[Finding]) -> dict[str, Verdict]:
    return {finding.check: finding.verdict for finding in findings}


def test_this_python_will_do_and_an_old_one_will_not() -> None:
    assert check_python().verdict is Verdict.OK
    old = check_python((3, 10, 12))
    assert (old.verdict, old.detail) == (Verdict.FAIL, "3.10.12")
    assert "3.11" in old.remedy


def test_what_is_declared_is_installed() -> None:
    assert check_packages().verdict is Verdict.OK


def test_what_is_missing_or_too_old_is_named() -> None:
    found = check_packages(["numpy>=999.1", "no-such-package>=1", "pydantic", 'torch>=2; extra == "ml"', "sqlalchemy[asyncio]>=2"])
    assert found.verdict is Verdict.FAIL
    assert "numpy " in found.detail
    assert "older than 999.1" in found.detail
    assert "no-such-package is missing" in found.detail
    assert "torch" not in found.detail
    assert "pydantic" not in found.detail
    assert "sqlalchemy" not in found.detail


def test_each_wrong_setting_is_a_finding_and_the_others_are_used() -> None:
    settings, findings = check_settings({"API_PORT": "http", "MAX_DAILY_LOSS": "-1", "SMA_WINDOW": "12"})
    assert [(finding.verdict, finding.detail.partition(":")[0]) for finding in findings] == [
        (Verdict.FAIL, "MAX_DAILY_LOSS"),
        (Verdict.FAIL, "API_PORT"),
    ]
    assert (settings.api.port, settings.strategy.sma_window) == (8000, 12)


@pytest.mark.parametrize("wrong", [{"API_PORT": "9108"}, {"METRICS_PORT": "8000"}, {"API_PORT": "9108", "METRICS_PORT": "9108"}])
def test_ports_that_clash_do_not_stop_the_other_checks(wrong: dict[str, str]) -> None:
    settings, findings = check_settings(wrong)
    assert [finding.verdict for finding in findings] == [Verdict.FAIL]
    assert (settings.api.port, settings.metrics.port) == (8000, 9108)


def test_right_settings_are_one_finding() -> None:
    assert [finding.verdict for finding in check_settings({})[1]] == [Verdict.OK]


def test_a_state_directory_that_can_be_written_is_fine(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "not" / "yet"):
        found = verdicts(check_state_directory(directory))
        assert found["state directory"] is Verdict.OK
        assert set(found) == {"state directory", "fdatasync", "disk space"}
    assert not (tmp_path / "not").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_state_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (finding,) = check_state_directory(tmp_path / "file")
    assert (finding.verdict, finding.detail) == (Verdict.FAIL, f"{tmp_path / 'file'} is not a directory")
    assert "TRAIDER_STATE_DIR" in finding.remedy


def test_a_state_directory_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    (finding,) = check_state_directory(tmp_path)
    assert finding.verdict is Verdict.FAIL
    assert finding.detail.endswith("can't be written: Permission denied")


@pytest.mark.parametrize(("free", "verdict"), [(10**8, Verdict.FAIL), (10**9, Verdict.WARN), (10**10, Verdict.OK)])
def test_a_disk_that_is_getting_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, verdict: Verdict) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - free, free))
    assert verdicts(check_state_directory(tmp_path))["disk space"] is verdict


def test_a_slow_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "SLOW_SYNC_S", 0.0)
    assert verdicts(check_state_directory(tmp_path))["fdatasync"] is Verdict.WARN


def test_a_clock_before_this_program_is_wrong(tmp_path: Path) -> None:
    assert check_clock(FixedClock(), tmp_path / "not yet").verdict is Verdict.OK
    early = check_clock(FixedClock(0), tmp_path)
    assert (early.verdict, early.detail) == (Verdict.FAIL, "1970-01-01 00:00:00 UTC")


def test_a_clock_before_what_was_written_is_odd(tmp_path: Path) -> None:
    written = tmp_path / "journal.jsonl"
    written.write_text("")
    os.utime(written, ns=(NOW_NS, NOW_NS))
    assert check_clock(FixedClock(NOW_NS), tmp_path).verdict is Verdict.OK
    assert check_clock(FixedClock(NOW_NS - 3600 * 10**9), tmp_path).verdict is Verdict.WARN


@contextmanager
def listening() -> Iterator[int]:
    """A port that a stranger has, who says nothing in HTTP."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        def hang_up() -> None:
            try:
                while True:
                    connection, _ = taken.accept()
                    with connection:
                        connection.recv(1000)
                        connection.sendall(b"220 mail\r\n")
            except OSError:
                pass  # closed: the test is over

        threading.Thread(target=hang_up, daemon=True).start()
        try:
            yield taken.getsockname()[1]
        finally:
            taken.shutdown(socket.SHUT_RDWR)


class Platform(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("X-Trace-Id", "0" * 32)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running_platform() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Platform) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_free_ports_are_fine() -> None:
    settings = load_settings({"API_PORT": "0", "METRICS_PORT": "0"})
    assert verdicts(check_ports(settings)) == {"API port": Verdict.OK, "metrics port": Verdict.OK}


def test_a_strangers_port_fails_for_the_api_and_warns_for_metrics() -> None:
    with listening() as port:
        assert verdicts(check_ports(load_settings({"API_PORT": str(port), "METRICS_PORT": "0"})))["API port"] is Verdict.FAIL
        assert verdicts(check_ports(load_settings({"API_PORT": "0", "METRICS_PORT": str(port)})))["metrics port"] is Verdict.WARN


def test_a_platform_that_already_runs_is_recognised() -> None:
    with running_platform() as port:
        finding = next(check_ports(load_settings({"API_PORT": str(port)})))
    assert (finding.verdict, finding.detail) == (Verdict.WARN, f"a platform already runs on 127.0.0.1:{port}")


def test_an_address_of_another_machine_fails() -> None:
    settings = load_settings({"API_HOST": "192.0.2.1", "METRICS_PORT": "0"})
    assert verdicts(check_ports(settings))["API port"] is Verdict.FAIL
