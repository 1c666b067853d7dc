"""``traider new strategy``: what it makes runs as it stands, and its test passes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from traider.cli.main import run
from traider.cli.new import class_of


@pytest.fixture(autouse=True)
def _state_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path / "state"))


def test_what_is_made_runs(capsys: pytest.CaptureFixture[str], data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "ideas"
    assert run(["new", "strategy", "my_idea_2", "--folder", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert f"traider backtest {folder / 'my_idea_2.py'}:MyIdea2 --data" in printed
    assert sorted(path.name for path in folder.iterdir()) == ["my_idea_2.py", "test_my_idea_2.py"]
    words = [f"{folder / 'my_idea_2.py'}:MyIdea2", "--data", str(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet")]
    assert run(["backtest", *words, "--param", "window=30", "--quantity", "0.5", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["mode"], said["params"]) == ("compiled", {"quantity": 0.5, "window": 30, "band": 0.001})
    assert said["fills"] > 10


@pytest.mark.slow
def test_its_test_passes_and_would_notice(tmp_path: Path) -> None:
    assert run(["new", "strategy", "idea", "--folder", str(tmp_path)]) == 0
    assert pytest_of(tmp_path / "test_idea.py") == (0, "5 passed")
    source = tmp_path / "idea.py"
    source.write_text(source.read_text().replace("bar.close > average", "bar.close < average"))
    status, said = pytest_of(tmp_path / "test_idea.py")
    assert status == 1
    assert "failed" in said


def pytest_of(path: Path) -> tuple[int, str]:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "error", path.name]
    done = subprocess.run(words, cwd=path.parent, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip().splitlines()[-1].partition(" in ")[0]


def test_what_is_made_is_as_clean_as_our_own_code(tmp_path: Path) -> None:
    assert run(["new", "strategy", "idea", "--folder", str(tmp_path)]) == 0
    settings = Path(__file__).parents[2] / "pyproject.toml"
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run([*ruff, "check", "--isolated", "--select", "A,B,E,F,N,RUF,UP,W", "--line-length", "140", "."], cwd=tmp_path, check=True)
    subprocess.run([*ruff, "format", "--check", "--config", str(settings), "."], cwd=tmp_path, check=True)


@pytest.mark.parametrize("there", ["idea.py", "test_idea.py"])
def test_nothing_is_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    assert_one_error(capsys, ["idea", "--folder", str(tmp_path)], f"{tmp_path / there}: is there already")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "mine")]


BAD_NAMES = {
    "": "is no name",
    "MyIdea": "is no name",
    "my-idea": "is no name",
    "my idea": "is no name",
    "2ideas": "is no name",
    "_idea": "is no name",
    "my__idea": "is no name",
    "../idea": "is no name",
    "idea.py": "is no name",
    "idée": "is no name",
    "idea\n": "is no name",
    "class": "a word of Python's own",
    "random": "would hide the module random",
    "traider": "would hide the module traider",
    "a" * 61: "too long",
}


@pytest.mark.parametrize(("name", "words"), BAD_NAMES.items(), ids=map(repr, BAD_NAMES))
def test_a_bad_name_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, words: str) -> None:
    assert_one_error(capsys, [name, "--folder", str(tmp_path)], words)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_made(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert_one_error(capsys, ["idea", "--folder", str(tmp_path / "file")], "can't be written")


def test_class_names() -> None:
    assert [class_of(name) for name in ("idea", "my_idea", "idea_2b")] == ["Idea", "MyIdea", "Idea2b"]


def assert_one_error(capsys: pytest.CaptureFixture[str], words: list[str], expected: str) -> None:
    assert run(["new", "strategy", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert expected in printed.err
