"""``traider doctor``: whether this machine and configuration can run the platform, and what to do about what can't."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from traider.api.static import built_dashboard, is_built
from traider.domain.errors import JournalError, StoreError
from traider.guard.journal import verify
from traider.guard.place import JOURNAL
from traider.runtime.clock import SystemClock
from traider.runtime.environment import (
    Finding,
    Verdict,
    check_clock,
    check_packages,
    check_ports,
    check_python,
    check_settings,
    check_state_directory,
    fail,
    ok,
    warn,
)
from traider.runtime.settings import AlphaVantageSettings
from traider.storage.engine import store_url
from traider.storage.migrate import current_revision, head_revision, knows_revision

_COLOURS = {Verdict.OK: typer.colors.GREEN, Verdict.WARN: typer.colors.YELLOW, Verdict.FAIL: typer.colors.RED}


def doctor(json_: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False) -> int:
    """Check this environment and say what to do about what is missing.

    Exit status 0 when nothing keeps the platform from starting, 1 when something does.
    """
    findings = list(examine())
    healthy = not any(finding.verdict is Verdict.FAIL for finding in findings)
    if json_:
        sys.stdout.write(json.dumps({"healthy": healthy, "findings": msgspec.to_builtins(findings)}) + "\n")
    else:
        for finding in findings:
            _print(finding)
    return 0 if healthy else 1


def examine() -> Iterator[Finding]:
    """Every finding, in the order in which things are needed."""
    yield check_python()
    yield check_packages()
    settings, findings = check_settings(os.environ)
    yield from findings
    state_dir = settings.state.directory
    yield from check_state_directory(state_dir)
    yield check_clock(SystemClock(), state_dir)
    yield from check_ports(settings)
    yield _check_store(settings.store_url)
    yield _check_journal(state_dir / JOURNAL)
    yield _check_dashboard()
    yield _check_providers(settings.alphavantage)


def _print(finding: Finding) -> None:
    verdict = typer.style(f"{finding.verdict:<4}", fg=_COLOURS[finding.verdict], bold=True)
    remedy = f" -> {finding.remedy}" if finding.remedy else ""
    typer.echo(f"{verdict}  {finding.check}: {finding.detail}{remedy}")


def _check_store(url: str) -> Finding:
    try:
        parsed = store_url(url)
        # Connecting would make the file.
        if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
            return ok("store", f"{parsed.database} will be made at the first start")
        revision = asyncio.run(current_revision(url))
    except StoreError as error:
        return fail("store", str(error), "check STATE_STORE_URI, and that the database runs and lets you in")
    where = parsed.render_as_string(hide_password=True)
    if revision == head_revision():
        return ok("store", f"{where} answers and is migrated")
    if revision is None or knows_revision(revision):
        return ok("store", f"{where} answers and will be migrated at the next start")
    return fail("store", f"{where} is of a newer traider (revision {revision})", "update traider, or name another STATE_STORE_URI")


def _check_journal(path: Path) -> Finding:
    if not path.exists():
        return ok("journal", "there is none yet")
    try:
        verified = verify(path)
    except (JournalError, OSError) as error:
        return fail("journal", str(error), "keep a copy of the state directory; the guard says at its start whether it can go on")
    if not verified.end_proven:
        return warn("journal", f"{verified.entries} entries hold, but nothing proves that there were no more", "look for its head file")
    return ok("journal", f"{verified.entries} entries hold")


def _check_dashboard() -> Finding:
    directory = built_dashboard()
    if is_built(directory):
        return ok("dashboard", "built")
    return warn("dashboard", "not built", "`make run` builds it; without it the API still answers")


def _check_providers(settings: AlphaVantageSettings) -> Finding:
    if settings.api_key is None:
        return ok("market data", "downloads from Coinbase need no key; for Alpha Vantage ALPHAVANTAGE_API_KEY is not set")
    return ok("market data", "downloads from Coinbase need no key; for Alpha Vantage there is one")
