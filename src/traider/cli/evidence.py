"""Keeps what a ``verify`` command found in the state directory."""

import sys
from collections.abc import Sequence
from pathlib import Path

import traider
from traider.kernel.kit import Strategy, Value
from traider.research.evidence import Evidence, Kind, hashes_of, version_of, write_evidence
from traider.runtime.clock import SystemClock
from traider.runtime.settings import load_settings


def keep(
    kind: Kind,
    *,
    strategy: str,
    cls: type[Strategy],
    parameters: dict[str, Value],
    data_sha256: str,
    settings: dict[str, str | int | float | list[str]],
    passed: bool,
    verdict: str,
    finding: str,
    files: Sequence[str] = (),
) -> Path | None:
    """Where it was written. None, and a warning, where that can't be: the finding itself is told all the same."""
    evidence = Evidence(
        kind=kind,
        strategy=strategy,
        version=version_of(cls, parameters),
        traider=traider.__version__,
        data_sha256=data_sha256,
        settings=settings,
        passed=passed,
        verdict=verdict,
        finding=finding,
        files=hashes_of(files),
        made_ns=SystemClock().now_ns(),
    )
    folder = load_settings().state.directory
    try:
        return write_evidence(folder, evidence)
    except OSError as error:
        sys.stderr.write(f"warning: no evidence written: {folder}: {error.strerror}; choose a place with TRAIDER_STATE_DIR\n")
        return None
