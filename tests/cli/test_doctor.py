import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from traider.cli.main import run
from traider.storage.engine import create_engine, writing
from traider.storage.migrate import migrate


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "state"
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(directory))
    monkeypatch.setenv("API_PORT", "0")
    monkeypatch.setenv("METRICS_PORT", "0")
    return directory


def examined(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit status, and each finding by its check."""
    status = run(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["healthy"] is (status == 0)
    return status, {finding["check"]: finding for finding in told["findings"]}


def test_a_fresh_machine_is_healthy_and_nothing_is_made(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = examined(capsys)
    assert status == 0, found
    assert list(found) == [
        "python",
        "packages",
        "settings",
        "state directory",
        "fdatasync",
        "disk space",
        "clock",
        "API port",
        "metrics port",
        "store",
        "journal",
        "dashboard",
        "market data",
    ]
    assert not state_dir.exists()


def test_it_tells_whether_there_is_a_key_for_market_data_and_not_which(
    state_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "ALPHAVANTAGE_API_KEY is not set" in examined(capsys)[1]["market data"]["detail"]
    monkeypatch.setenv("ALPHAVANTAGE_API_KEY", "S3CRETKEY")
    found = examined(capsys)[1]
    assert found["market data"]["detail"].endswith("for Alpha Vantage there is one")
    assert "S3CRETKEY" not in json.dumps(found)


def test_each_line_tells_a_verdict_and_what_to_do(
    state_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_DRAWDOWN", "10")
    assert run(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} <= {"OK", "WARN", "FAIL"}
    (told,) = [line for line in lines if line.startswith("FAIL")]
    assert told.startswith("FAIL  settings: MAX_DRAWDOWN: ")
    assert " -> set MAX_DRAWDOWN as docs/configuration.md says" in told


def test_a_migrated_store_is_told_from_a_newer_one(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{state_dir / 'traider.sqlite3'}"
    asyncio.run(migrate(url))
    assert examined(capsys)[1]["store"]["detail"].endswith("answers and is migrated")
    asyncio.run(set_revision(url, "DELETE FROM alembic_version"))
    assert examined(capsys)[1]["store"]["detail"].endswith("will be migrated at the next start")
    asyncio.run(set_revision(url, "INSERT INTO alembic_version VALUES ('9999')"))
    status, found = examined(capsys)
    assert (status, found["store"]["verdict"]) == (1, "FAIL")
    assert "newer traider (revision 9999)" in found["store"]["detail"]


async def set_revision(url: str, statement: str) -> None:
    engine = create_engine(url)
    async with writing(engine) as connection:
        await connection.execute(text(statement))
    await engine.dispose()


def test_a_store_that_cannot_be_reached_fails(state_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_STORE_URI", "postgresql://traider:s3cret@127.0.0.1:1/traider")
    status, found = examined(capsys)
    assert (status, found["store"]["verdict"]) == (1, "FAIL")
    assert "s3cret" not in json.dumps(found)


def test_a_journal_that_does_not_hold_fails(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state_dir.mkdir()
    (state_dir / "journal.jsonl").write_text("not a journal\n")
    status, found = examined(capsys)
    assert (status, found["journal"]["verdict"]) == (1, "FAIL")
    assert "line 1" in found["journal"]["detail"]
