"""The key of a set-up step changes with what the step is made from, and with nothing else."""

import os
import shutil
from pathlib import Path

import pytest

from scripts.digest import digest


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = Path("ui")
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "page.tsx").write_text("one", encoding="utf-8")
    (folder / "package.json").write_text("{}", encoding="utf-8")
    return folder


def test_the_same_files_have_the_same_digest(sources: Path) -> None:
    before = digest([sources])
    os.utime(sources / "package.json", (1, 1))
    copy = sources.rename("moved")
    shutil.copytree(copy, sources)
    assert digest([sources]) == before


@pytest.mark.parametrize("name", ["node_modules", "out", ".next"])
def test_what_is_built_or_installed_does_not_count(name: str, sources: Path) -> None:
    before = digest([sources])
    (sources / name).mkdir()
    (sources / name / "file.js").write_text("built", encoding="utf-8")
    assert digest([sources]) == before


def test_a_change_of_content_counts(sources: Path) -> None:
    before = digest([sources])
    (sources / "src" / "page.tsx").write_text("two", encoding="utf-8")
    assert digest([sources]) != before


def test_a_new_name_counts(sources: Path) -> None:
    before = digest([sources])
    (sources / "src" / "page.tsx").rename(sources / "src" / "other.tsx")
    assert digest([sources]) != before


def test_content_that_moves_between_files_counts(sources: Path) -> None:
    (sources / "a").write_text("xy", encoding="utf-8")
    (sources / "b").write_text("", encoding="utf-8")
    before = digest([sources])
    (sources / "a").write_text("x", encoding="utf-8")
    (sources / "b").write_text("y", encoding="utf-8")
    assert digest([sources]) != before
