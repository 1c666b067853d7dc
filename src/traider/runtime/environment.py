"""Checks of the machine and of the configuration: what ``traider doctor`` tells. Each says what was found and what to do about it."""

import http.client
import os
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import msgspec

from traider.domain.ports import Clock

from .metrics import ADDRESS
from .misspelt import misspelt
from .settings import Settings, load_settings, settings_problems

MIN_PYTHON = (3, 11)
_MB = 1_000_000
MIN_FREE_BYTES = 200 * _MB
LOW_FREE_BYTES = 2000 * _MB
SLOW_SYNC_S = 0.02
_SYNCS = 5
# Nothing that this program records is older than the program.
_NOT_BEFORE_NS = 1_735_689_600 * 1_000_000_000  # 2025-01-01T00:00:00Z
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?(?:>=(?P<minimum>[0-9.]+))?(?:\s*;\s*(?P<marker>.*))?$")


class Verdict(StrEnum):
    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``remedy`` says what to do; it is empty where all is well."""

    check: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def ok(check: str, detail: str) -> Finding:
    return Finding(check=check, verdict=Verdict.OK, detail=detail)


def warn(check: str, detail: str, remedy: str) -> Finding:
    return Finding(check=check, verdict=Verdict.WARN, detail=detail, remedy=remedy)


def fail(check: str, detail: str, remedy: str) -> Finding:
    return Finding(check=check, verdict=Verdict.FAIL, detail=detail, remedy=remedy)


def check_python(found: tuple[int, int, int] | None = None) -> Finding:
    found = sys.version_info[:3] if found is None else found
    told = ".".join(map(str, found))
    if found[:2] < MIN_PYTHON:
        return fail("python", told, f"install Python {MIN_PYTHON[0]}.{MIN_PYTHON[1]} or newer and run `make setup`")
    return ok("python", told)


def check_packages(requirements: list[str] | None = None) -> Finding:
    """Whether everything that traider is declared to need is there, in a version that will do."""
    wrong: list[str] = []
    count = 0
    for requirement in (requires("traider") or []) if requirements is None else requirements:
        parsed = _REQUIREMENT.match(requirement)
        if parsed is None or "extra ==" in (parsed["marker"] or ""):
            continue
        if parsed["marker"] == 'sys_platform != "win32"' and sys.platform == "win32":
            continue
        count += 1
        try:
            found = version(parsed["name"])
        except PackageNotFoundError:
            wrong.append(f"{parsed['name']} is missing")
            continue
        if parsed["minimum"] and _numbers(found) < _numbers(parsed["minimum"]):
            wrong.append(f"{parsed['name']} {found} is older than {parsed['minimum']}")
    if wrong:
        return fail("packages", ", ".join(wrong), "run `make setup`")
    return ok("packages", f"{count} installed")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text.partition("+")[0]))


def check_settings(environment: Mapping[str, str]) -> tuple[Settings, list[Finding]]:
    """The settings to go on checking with, and one finding for each variable that can't be used (left out of those settings).

    One that looks like a setting and is none is a finding too.
    """
    problems = settings_problems(environment)
    findings = [
        fail("settings", f"{name}: {problem}", f"set {name} as docs/configuration.md says, or leave it unset") for name, problem in problems
    ]
    broken = {name for name, _ in problems}
    if "METRICS_PORT" in broken:
        broken.add("API_PORT")  # what is wrong may be that the two are the same
    settings = load_settings({name: value for name, value in environment.items() if name not in broken})
    slips = [warn("settings", str(slip), "correct its name, or take it away") for slip in misspelt(environment)]
    return settings, [*findings, *slips] or [ok("settings", "every variable can be used")]


def check_state_directory(directory: Path) -> Iterator[Finding]:
    """Whether the state can be kept there: that it can be written, made durable soon enough, and has room."""
    where = directory.absolute()
    existing = next(parent for parent in (where, *where.parents) if parent.exists())
    remedy = "name a directory of your own with TRAIDER_STATE_DIR"
    if not existing.is_dir():
        yield fail("state directory", f"{existing} is not a directory", remedy)
        return
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            slowest_s = _sync_s(file.fileno())
    except OSError as error:
        yield fail("state directory", f"{existing} can't be written: {error.strerror}", remedy)
        return
    yield ok("state directory", f"{where} can be written" if existing == where else f"{where} can be made")
    if slowest_s > SLOW_SYNC_S:
        yield warn("fdatasync", f"takes {slowest_s * 1e3:.1f} ms here", "each batch of orders waits for it: use a local disk")
    else:
        yield ok("fdatasync", f"takes {slowest_s * 1e6:.0f} us")
    yield _check_space(existing)


def _sync_s(fd: int) -> float:
    """The median time of making a small write durable."""
    took: list[float] = []
    for _ in range(_SYNCS):
        os.write(fd, b"traider doctor\n")
        start = time.perf_counter()
        os.fdatasync(fd)
        took.append(time.perf_counter() - start)
    return sorted(took)[_SYNCS // 2]


def _check_space(directory: Path) -> Finding:
    free = shutil.disk_usage(directory).free
    told = f"{free / 1e9:.1f} GB free"
    if free < MIN_FREE_BYTES:
        return fail("disk space", told, "make room: the journal can't be written on a full disk, and then no order is sent")
    if free < LOW_FREE_BYTES:
        return warn("disk space", told, "make room soon")
    return ok("disk space", told)


def check_clock(clock: Clock, state_dir: Path) -> Finding:
    """Whether the clock can be right: not before this program, and not before what the state directory holds."""
    now_ns = clock.now_ns()
    told = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_ns // 1_000_000_000))
    remedy = "set the clock (timedatectl set-ntp true): sessions and days depend on it"
    if now_ns < _NOT_BEFORE_NS:
        return fail("clock", told, remedy)
    written_ns = max((path.stat().st_mtime_ns for path in state_dir.glob("*") if path.is_file()), default=0)
    if written_ns > now_ns + 60 * 1_000_000_000:
        return warn("clock", f"{told}, but the state directory was written later", remedy)
    return ok("clock", told)


def check_ports(settings: Settings) -> Iterator[Finding]:
    """Whether the ports are free; a platform of ours that already runs is told apart from a stranger."""
    host, port = settings.api.host, settings.api.port
    problem = _port_problem(host, port)
    if problem is None:
        yield ok("API port", f"{host}:{port} is free")
    elif _answers_as_traider(host, port):
        yield warn("API port", f"a platform already runs on {host}:{port}", "stop it before starting another one")
    else:
        yield fail("API port", f"{host}:{port}: {problem}", "set API_PORT to a free port")
    port = settings.metrics.port
    problem = _port_problem(ADDRESS, port)
    if problem is None:
        yield ok("metrics port", f"{ADDRESS}:{port} is free")
    else:
        yield warn("metrics port", f"{ADDRESS}:{port}: {problem}", "set METRICS_PORT to a free port, or there are no metrics")


def _port_problem(host: str, port: int) -> str | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _answers_as_traider(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status == 200 and answer.getheader("X-Trace-Id") is not None
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
