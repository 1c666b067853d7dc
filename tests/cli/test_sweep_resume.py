"""A sweep that is killed goes on where it was, and ends as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from traider.cli.main import run

TIMES = ("engine_seconds", "peak_rss_bytes")


@pytest.fixture
def bars(data_dir: Path) -> Path:
    return data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet"


def found(text: str) -> dict[str, object]:
    """What was printed, without what differs from run to run."""
    return {name: value for name, value in json.loads(text).items() if name not in TIMES}


def test_after_sigkill_it_goes_on_to_the_same_result(tmp_path: Path, bars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / "sweep.jsonl"
    # Interpreted, so that it takes long enough to be killed on the way; some seconds of work, of which a part is done twice.
    words = ["sweep", "sma_cross", "--data", str(bars), "--grid", "fast=5:8:1", "--grid", "slow=60:90:10", "--interpreted", "--json"]
    resumed = [*words, "--threads", "1", "--resume", str(record)]
    child = subprocess.Popen(
        [sys.executable, "-m", "traider.cli.main", *resumed], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    )
    deadline = time.monotonic() + 40
    while child.poll() is None and (not record.exists() or record.read_bytes().count(b'"trial"') < 8):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    kept = record.read_bytes().count(b'"trial"')
    assert 8 <= kept < 16
    assert run(resumed) == 0
    continued = found(capsys.readouterr().out)
    assert run([word for word in words if word != "--interpreted"]) == 0
    assert continued == found(capsys.readouterr().out)  # the same fills, compiled
    assert record.read_bytes().count(b'"trial"') == 16


def test_the_record_of_another_grid_is_one_line_and_status_2(tmp_path: Path, bars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep", "sma_cross", "--data", str(bars), "--grid", "slow=60,90", "--json", "--resume", str(tmp_path / "sweep.jsonl")]
    assert run([*words, "--grid", "fast=5,10"]) == 0
    capsys.readouterr()
    assert run([*words, "--grid", "fast=5,11"]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "belongs to another sweep: search differs" in error
