"""Evidence is found again for the version that it is of, and for no other; what can't be read is no evidence and no silence."""

import sys
from pathlib import Path

import msgspec
import pytest

from traider.domain.errors import UserError
from traider.research.evidence import Evidence, Kind, changed_files, hashes_of, newest, read_evidence, version_of, write_evidence
from traider.strategies.momentum import Momentum
from traider.strategies.registry import find_strategy
from traider.strategies.sma_cross import SmaCross

VERSION = version_of(SmaCross, SmaCross().values())


def evidence(*, kind: Kind = "lookahead", made_ns: int = 1, passed: bool = True, files: dict[str, str] | None = None) -> Evidence:
    return Evidence(
        kind=kind,
        strategy="sma_cross",
        version=VERSION,
        traider="0.1.0",
        data_sha256="0" * 64,
        settings={"cuts": 5, "seed": 0},
        passed=passed,
        verdict="clean" if passed else "leak",
        finding="100 decisions are the same whatever the future",
        files=files or {},
        made_ns=made_ns,
    )


def test_what_was_written_is_read_again_the_oldest_first(tmp_path: Path) -> None:
    later, earlier = evidence(made_ns=2), evidence(made_ns=1, kind="parity")
    paths = {write_evidence(tmp_path, one) for one in (later, earlier)}
    assert read_evidence(tmp_path) == [earlier, later]
    assert paths == set((tmp_path / "evidence").iterdir())


def test_there_may_be_none(tmp_path: Path) -> None:
    assert read_evidence(tmp_path) == []
    assert newest([], "lookahead", VERSION) is None


def test_the_newest_finding_counts_also_when_it_is_a_failure() -> None:
    passed, failed, other = evidence(made_ns=5), evidence(made_ns=9, passed=False), evidence(made_ns=20, kind="parity")
    assert newest([failed, passed, other], "lookahead", VERSION) == failed


@pytest.mark.parametrize(
    "version",
    [
        version_of(Momentum, Momentum().values()),
        version_of(SmaCross, SmaCross(fast=21).values()),
        msgspec.structs.replace(VERSION, kernel_sha256="1" * 64),
        msgspec.structs.replace(VERSION, strategy_sha256="1" * 64),
    ],
    ids=["another strategy", "another parameter", "another engine", "another source"],
)
def test_it_is_evidence_for_no_other_version(version: object) -> None:
    assert newest([evidence()], "lookahead", version) is None  # type: ignore[arg-type]  # parametrised


MINE = """
from traider import Bar, Context, Strategy
from mine_helper import wanted


class Mine(Strategy):
    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(wanted(bar.close))
"""


def test_a_version_hangs_on_the_authors_other_modules_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)

    def version(share: str) -> str:
        (tmp_path / "mine_helper.py").write_text(f"def wanted(price: float) -> float:\n    return {share} * price  # {share * 9}\n")
        monkeypatch.delitem(sys.modules, "mine_helper", raising=False)
        return version_of(find_strategy(f"{tmp_path}/mine.py:Mine"), {}).strategy_sha256

    first = version("0.5")
    assert version("0.5") == first
    assert version("0.625") != first


def test_a_file_that_the_strategy_read_and_that_has_changed_is_named(tmp_path: Path) -> None:
    model, table = tmp_path / "model.json", tmp_path / "table.csv"
    for file in (model, table):
        file.write_text("1")
    of_both = evidence(files=hashes_of([str(model), str(table)]))
    assert changed_files(of_both) == []
    model.write_text("2")
    assert changed_files(of_both) == [str(model)]
    table.unlink()
    assert changed_files(of_both) == [str(model), str(table)]


@pytest.mark.parametrize("content", [b"{}", b"not json", b'{"evidence": 1, "kind": "wish"}'])
def test_a_damaged_file_is_told_and_not_passed_over(content: bytes, tmp_path: Path) -> None:
    write_evidence(tmp_path, evidence())
    (tmp_path / "evidence" / "damaged.json").write_bytes(content)
    with pytest.raises(UserError, match=r"damaged\.json: is no evidence of a check"):
        read_evidence(tmp_path)


def test_a_file_of_a_later_version_is_told(tmp_path: Path) -> None:
    write_evidence(tmp_path, msgspec.structs.replace(evidence(), evidence=2))
    with pytest.raises(UserError, match="is of version 2, and this traider reads version 1"):
        read_evidence(tmp_path)
