"""``traider verify reproduce``: the same again is status 0, another outcome 1, what can't be run 2."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from traider import __version__
from traider.cli.main import run

AUTHORED = """
from traider import Bar, Context, Strategy


class Authored(Strategy):
    def setup(self) -> None:
        self.bars = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.bars += 1
        ctx.target(self.quantity if self.bars % 100 < 50 else 0.0)
"""


@pytest.fixture(autouse=True)
def _state_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def bars(data_dir: Path, tmp_path: Path) -> Path:
    """A copy, so that it can be moved."""
    return Path(shutil.copy(data_dir / "bars" / "coinbase_btcusd_1d_lean.parquet", tmp_path / "btcusd_1d.parquet"))


def manifest_of(capsys: pytest.CaptureFixture[str], path: Path, *words: str) -> Path:
    assert run(["backtest", *words, "--fee-taker", "0.001", "--manifest-out", str(path), "--json"]) == 0
    capsys.readouterr()
    return path


def reproduce(capsys: pytest.CaptureFixture[str], manifest: Path, *words: str, status: int = 0) -> dict[str, Any]:
    assert run(["verify", "reproduce", str(manifest), *words, "--json"]) == status
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def edit(manifest: Path, part: str, **values: object) -> None:
    content = json.loads(manifest.read_text())
    content[part] |= values
    manifest.write_text(json.dumps(content))


def test_the_same_again(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path) -> None:
    manifest = manifest_of(capsys, tmp_path / "run.json", "sma_cross", "--data", str(bars), "--limit", "max_position_size=2")
    said = reproduce(capsys, manifest)
    assert said["reproduced"]
    assert said["then"] == said["now"] == json.loads(manifest.read_text())["outcome"]
    assert said["then"]["fills"] > 10
    assert said["changed"] == []


def test_the_data_are_looked_for_beside_the_manifest_or_where_one_says(
    capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path
) -> None:
    manifest = manifest_of(capsys, tmp_path / "run.json", "sma_cross", "--data", str(bars))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    moved = shutil.move(manifest, folder)
    shutil.move(bars, folder / "other_name.parquet")
    assert run(["verify", "reproduce", str(moved)]) == 2
    assert "there is no such file" in capsys.readouterr().err
    assert reproduce(capsys, Path(moved), "--data", str(folder / "other_name.parquet"))["reproduced"]
    shutil.move(folder / "other_name.parquet", folder / bars.name)
    assert reproduce(capsys, Path(moved))["reproduced"]


@pytest.mark.parametrize(("part", "values"), [("parameters", {"fast": 21}), ("outcome", {"final_equity": 1.0}), ("outcome", {"fills": 3})])
def test_another_outcome_is_status_1(
    capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path, part: str, values: dict[str, object]
) -> None:
    manifest = manifest_of(capsys, tmp_path / "run.json", "sma_cross", "--data", str(bars))
    edit(manifest, part, **values)
    said = reproduce(capsys, manifest, status=1)
    assert not said["reproduced"]
    assert said["then"] != said["now"]
    assert run(["verify", "reproduce", str(manifest)]) == 1
    assert "nothing that is recorded has changed" in " ".join(capsys.readouterr().out.split())


def test_what_has_changed_is_told(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path) -> None:
    strategy = tmp_path / "authored.py"
    strategy.write_text(AUTHORED)
    manifest = manifest_of(capsys, tmp_path / "run.json", f"{strategy}:Authored", "--data", str(bars))
    edit(manifest, "code", traider="0.0.1")
    strategy.write_text(AUTHORED + "\n# a comment changes no fill\n")
    said = reproduce(capsys, manifest)
    assert said["reproduced"]
    assert [change["what"] for change in said["changed"]] == ["traider's version", "the strategy's source"]
    assert (said["changed"][0]["then"], said["changed"][0]["now"]) == ("0.0.1", __version__)

    strategy.write_text(AUTHORED.replace("< 50", "< 40"))
    assert not reproduce(capsys, manifest, status=1)["reproduced"]
    assert run(["verify", "reproduce", str(manifest)]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    for words in ("the strategy's source", "0.0.1", "differs", "not reproduced"):
        assert words in printed


def test_the_table_says_that_it_is_the_same(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path) -> None:
    manifest = manifest_of(capsys, tmp_path / "run.json", "sma_cross", "--data", str(bars), "--interpreted")
    assert run(["verify", "reproduce", str(manifest)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "reproduced, bit for bit" in printed
    assert "differs" not in printed


def test_what_can_not_be_run_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path) -> None:
    good = manifest_of(capsys, tmp_path / "run.json", "sma_cross", "--data", str(bars))
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    gone = tmp_path / "gone.json"
    gone.write_text(good.read_text().replace('"sma_cross"', '"holy_grail"'))
    other = tmp_path / "other.parquet"
    shutil.copy(Path(__file__).parents[1] / "data" / "bars" / "coinbase_btcusd_1m_2018-05.parquet", other)
    for words, expected in (
        ([str(tmp_path / "none.json")], "can't be read"),
        ([str(tmp_path)], "can't be read"),
        ([str(broken)], "is not a backtest's manifest"),
        ([str(gone)], "unknown strategy 'holy_grail'"),
        ([str(good), "--data", str(other)], "is not the file of the manifest"),
    ):
        assert run(["verify", "reproduce", *words]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert len(printed.err.splitlines()) == 1
        assert expected in printed.err
