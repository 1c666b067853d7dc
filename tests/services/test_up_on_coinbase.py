"""``traider up --market coinbase``: public market data and the paper venue, with the simulated exchange in Coinbase's place."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import pytest

from tests.services.processes import Up
from tests.services.test_up import fills_in, has_traded, wait_for
from traider.domain.session_record import Begun, Saw
from traider.domain.vocabulary import BAR_MADE, EventKind
from traider.guard.journal import entries
from traider.guard.place import JOURNAL
from traider.guard.records import Configured, SessionStarted
from traider.storage.session_file import read_session

OPTIONS = ("--market", "coinbase", "--bars", "1s", "--param", "fast=2", "--param", "slow=5", "--interpreted")


@pytest.fixture
def coinbase(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key is given, and none is asked for."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = (sys.executable, "-m", "traider.cli.main", "exchange-sim", "--port", str(port), "--speed", "8", "--price-increment", "0.05")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("exchange on")
        monkeypatch.setenv("COINBASE_REST_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("COINBASE_WS_URL", f"ws://127.0.0.1:{port}")
        yield
        process.terminate()


@pytest.fixture
def up(coinbase: None, tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path / "state", *OPTIONS)
    yield up
    up.end()


def test_public_data_feed_the_paper_venue_and_a_restart_goes_on(up: Up) -> None:
    up.start()
    wait_for(up, has_traded(up))
    assert "orders go to: paper venue; market: Coinbase's public market data (ws://127.0.0.1:" in up.text()
    before = fills_in(up)
    up.kill_guard()
    wait_for(up, has_traded(up, more_than=before))
    before = fills_in(up)
    up.kill()
    up.start()
    wait_for(up, has_traded(up, more_than=before))
    assert up.interrupt() == 0
    records = [entry.record for entry in entries(up.state_dir / JOURNAL)]
    assert sum(isinstance(record, SessionStarted) for record in records) == 1
    (configured,) = [record for record in records if isinstance(record, Configured)]
    assert str(configured.instruments[0].price_increment) == "0.05", "as the exchange lists it"
    (path,) = (up.state_dir / "sessions").glob("*.jsonl")
    lines = list(read_session(path))
    assert sum(isinstance(line, Begun) for line in lines) == 1, "the strategy's memory came out of the recording"
    seen = [line.event for line in lines if isinstance(line, Saw)]
    assert {(event.kind, event.flags) for event in seen} == {(EventKind.TRADE, 0), (EventKind.BAR, BAR_MADE)}
    assert "Traceback" not in up.text()


def test_a_market_that_is_not_there_is_one_line(up: Up, tmp_path: Path) -> None:
    other = Up(tmp_path / "other", *OPTIONS, "--symbol", "DOGE-USD")
    other.start()
    assert other.wait() == 2
    assert other.text().count("\n") == 1
    assert "has no market DOGE-USD" in other.text()
    assert not other.state_dir.exists()


def test_an_exchange_that_can_not_be_reached_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINBASE_REST_URL", "http://127.0.0.1:9")
    up = Up(tmp_path / "state", *OPTIONS)
    up.start()
    assert up.wait() == 1
    assert "http://127.0.0.1:9 does not tell what is traded" in up.text()
    assert "Traceback" not in up.text()
