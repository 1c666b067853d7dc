"""Fixtures that more than one room's tests use."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from traider.runtime.settings import variables

# The same examples on every machine and every run; a time limit per example would make slow machines fail.
settings.register_profile("traider", derandomize=True, deadline=None, database=None)
settings.load_profile("traider")

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer's shell sets for a running platform does not reach a test."""
    for name in variables():
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _logs_go_where_they_went() -> Iterator[None]:
    """A command that was run in a test has its messages written to that test's stderr, which is closed when it is over."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Recorded market data, the same on every machine; ``tests/data/README.md`` says what is there."""
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium that ``scripts/system-packages`` made sure of."""
    names = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else CHROMIUM_NAMES
    found = next((path for path in map(shutil.which, names) if path), None)
    assert found, "no Chromium found: run `make test`, or set CHROMIUM=/path/to/it"
    return found
