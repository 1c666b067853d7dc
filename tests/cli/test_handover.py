"""Which commands start over without the key, and what they leave for the guard."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from traider.cli import handover
from traider.cli.handover import guard_key, start_over_without_secrets, without_secrets
from traider.cli.live_guard import check_key
from traider.connectors.coinbase.credentials import read_key_file
from traider.connectors.sim.exchange.keys import make_key
from traider.domain.errors import SettingsError

Started = list[dict[str, str]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    """The environments of what would have replaced this process."""
    found: Started = []
    monkeypatch.setattr(os, "execve", lambda _program, _words, environment: found.append(dict(environment)))
    yield found
    for environment in found:
        for fd in guard_key(environment)[1]:
            os.close(fd)


@pytest.mark.parametrize("words", [["backtest", "sma_cross"], ["guard", "--venue", "coinbase"], ["--help"], []])
def test_other_commands_stay_as_they_are(words: list[str], started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINBASE_API_SECRET", "s")
    start_over_without_secrets(words)
    assert started == []


def test_without_a_key_nothing_starts_over(started: Started) -> None:
    start_over_without_secrets(["live", "sma_cross"])
    assert started == []


def test_up_drops_the_key(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in handover.SECRETS:
        monkeypatch.setenv(name, "s")
    monkeypatch.setenv("MAX_DAILY_LOSS", "5")
    start_over_without_secrets(["up"])
    (environment,) = started
    assert not set(handover.SECRETS) & set(environment)
    assert environment["MAX_DAILY_LOSS"] == "5"
    assert guard_key(environment) == ({}, ())


@pytest.mark.parametrize("command", ["live", "enable-live"])
@pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])
def test_a_secret_in_a_variable_is_left_in_a_file_without_a_name(
    command: str, kind: str, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, _ = make_key("ecdsa" if kind == "ecdsa" else "ed25519")
    name, secret = content.get("name") or content["id"], content["privateKey"]
    monkeypatch.setenv("COINBASE_API_KEY", name)
    monkeypatch.setenv("COINBASE_API_SECRET", secret.replace("\n", "\\n"))
    start_over_without_secrets([command, "sma_cross"])
    (environment,) = started
    assert secret.splitlines()[0] not in json.dumps(environment)
    given, (fd,) = guard_key(environment)
    assert given == {"COINBASE_KEY_FILE": f"/dev/fd/{fd}"}
    assert os.get_inheritable(fd)
    for _ in range(2):  # a guard that dies is given it again
        key = read_key_file(Path(given["COINBASE_KEY_FILE"]))
        assert (key.name, key.algorithm) == (name, "ES256" if kind == "ecdsa" else "EdDSA")


def test_of_a_file_the_path_is_left(started: Started, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COINBASE_KEY_FILE", "key.pem")
    monkeypatch.setenv("COINBASE_API_KEY", "name")
    start_over_without_secrets(["live"])
    (environment,) = started
    assert guard_key(environment) == ({"COINBASE_KEY_FILE": str(tmp_path / "key.pem"), "COINBASE_API_KEY": "name"}, ())
    assert without_secrets(environment).keys() & {handover.FOR_GUARD, handover.NAME_FOR_GUARD} == set()


@pytest.mark.parametrize(("mode", "told"), [(0o600, 0), (0o640, 1), (0o604, 1)])
def test_a_key_file_that_others_can_read_is_told(mode: int, told: int, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.touch()
    path.chmod(mode)
    with capture_logs() as logs:
        check_key({handover.FOR_GUARD: str(path)})
    assert sum("can be read by others" in one["event"] for one in logs) == told


@pytest.mark.parametrize("given", [("COINBASE_API_KEY",), ("COINBASE_API_SECRET",), ("COINBASE_API_SECRET", "COINBASE_KEY_FILE")])
def test_half_a_key_or_two_are_none(given: tuple[str, ...], started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in given:
        monkeypatch.setenv(name, "s")
    start_over_without_secrets(["live"])
    (environment,) = started
    with pytest.raises(SettingsError, match="there is no key for the guard: set COINBASE_KEY_FILE, or both"):
        check_key(environment)
