"""Group K of the fault matrix: providers of market data that say no with status 200, by the command that a trader runs."""

import json
import logging
from datetime import datetime
from pathlib import Path

import pytest

from tests.connectors.alphavantage import local_server as server
from tests.connectors.alphavantage.local_server import KEY, Answer, Market, daily, said, serving
from traider.cli.main import run
from traider.connectors.alphavantage import read_reply
from traider.connectors.backoff import Backoff
from traider.storage.market import read_market_file

MARKET = Market(datetime.fromisoformat("2024-01-02"), datetime.fromisoformat("2025-12-31"))
BODIES = {
    "note": said("Note", server.PER_MINUTE + KEY),
    "information about the day's limit": said("Information", server.DAILY_LIMIT),
    "information about the pace": said("Information", server.TOO_FAST),
    "information about the plan": said("Information", server.PREMIUM),
    "information about a demo key": said("Information", server.DEMO),
    "information of tomorrow": said("Information", f"Something else entirely, {KEY.lower()}."),
    "error about the key": said("Error Message", server.BAD_KEY),
    "error about the call": said("Error Message", server.BAD_CALL),
    "nothing": (200, b"{}"),
    "a series without rows": (200, json.dumps(daily({})).encode()),
    "a page": (200, b"<html>" + KEY.encode()),
    "rows of text": (200, b"timestamp,open,high,low,close,volume\r\n"),
}
THE_USERS = {  # to mend: exit status 2
    *("information about the plan", "information about a demo key", "error about the key", "error about the call"),
    *("nothing", "a series without rows"),
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHAVANTAGE_API_KEY", KEY)
    monkeypatch.setenv("ALPHAVANTAGE_REQUESTS_PER_MINUTE", "10000")
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(read_reply, "SECOND_S", 0.01)
    monkeypatch.setattr(read_reply, "MINUTE_S", 0.01)
    monkeypatch.setattr(Backoff, "next_s", lambda _: 0.01)
    monkeypatch.chdir(tmp_path)


def download(url: str, monkeypatch: pytest.MonkeyPatch, to: str) -> int:
    monkeypatch.setenv("ALPHAVANTAGE_URL", url)
    return run(["download", "alphavantage", "SPY", "--from", "2024-01-01", "--to", to, "--out", "spy.parquet"])


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("there", [True, False], ids=["a file is there", "none is there"])
@pytest.mark.parametrize("body", BODIES)
def test_k1_an_error_in_a_good_answer_is_typed_stores_nothing_and_tells_no_key(
    body: str,
    there: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    if there:
        with serving(MARKET.answer) as served:
            assert download(served.url, monkeypatch, "2025-01-01") == 0
        capsys.readouterr()
    before = everything_in(tmp_path)
    answer: Answer = BODIES[body]
    with serving(lambda _: answer) as served:
        status = download(served.url, monkeypatch, "2025-06-01")
    printed = capsys.readouterr()
    assert status == (2 if body in THE_USERS else 1)
    (line,) = printed.err.splitlines()
    assert line.startswith("error: Alpha Vantage")
    assert everything_in(tmp_path) == before
    if there:
        assert len(read_market_file(tmp_path / "spy.parquet")) == 252
    told = (printed.out + printed.err + caplog.text).lower()
    assert KEY.lower() not in told
    assert not any(KEY.encode().lower() in content.lower() for content in everything_in(tmp_path).values())
