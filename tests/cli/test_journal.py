"""``traider journal``: one line and exit status 0 when it holds, the first bad line and 1 when it doesn't."""

import json
from pathlib import Path

import pytest

from tests.guard.support import Bench, order
from traider.cli.main import run
from traider.domain.limits import RiskLimits


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One of each kind of line."""
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path))
    bench = Bench(tmp_path, limits=RiskLimits(max_open_orders=3))
    bench.feed(100.0)
    bench.submit(order("market"), order("limit", "0.5", limit="90.5"), order("bad", "0.0001"), order("stop", stop="150"))
    bench.feed(101.0)
    bench.cancel("limit")
    bench.kill(True, "end of the day")
    bench.die()
    return bench.path


def test_a_journal_that_holds(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journal", "verify"]) == 0
    lines = journal.read_text().splitlines()
    head = json.loads(lines[-1])["hash"]
    assert capsys.readouterr().out == f"{journal}: {len(lines)} entries, head {head}\n"
    assert run(["journal", "verify", "--journal", str(journal)]) == 0


def test_a_copy_without_its_head_file_is_verified_with_a_warning(journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(journal.read_bytes())
    assert run(["journal", "verify", "--journal", str(copy)]) == 0
    assert "warning: copy.jsonl.head is not beside it" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["verify"], ["show"]])
def test_a_journal_that_does_not_hold(journal: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    lines = journal.read_text().splitlines(keepends=True)
    lines[3] = lines[3].replace("market", "tekram", 1)
    journal.write_text("".join(lines))
    assert run(["journal", *command]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"error: {journal}: line 4: its hash does not follow")
    assert told.err.count("\n") == 1


def test_no_journal_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journal", "verify", "--journal", str(tmp_path / "none.jsonl")]) == 1
    assert "there is no journal here" in capsys.readouterr().err


def test_what_can_not_be_read_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journal", "verify", "--journal", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"error: {tmp_path}: can't be read: Is a directory\n"


@pytest.mark.parametrize("command", [["verify"], ["show"]])
def test_the_journal_of_another_state_directory(
    journal: Path, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(journal.parent / "elsewhere"))
    assert run(["journal", *command]) == 1
    assert run(["journal", *command, "--state-dir", str(journal.parent)]) == 0
    assert run(["journal", *command, "--state-dir", str(journal.parent), "--journal", str(journal)]) == 2
    assert "give one of them" in capsys.readouterr().err


def test_show_says_what_happened_in_words(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journal", "show"]) == 0
    shown = capsys.readouterr().out
    for words in (
        "configured  BTC-USD; max_open_orders 3",
        "session     test",
        "submitted   market  buy 1 BTC-USD market",
        "submitted   limit  buy 0.5 BTC-USD limit at 90.5",
        "submitted   stop  buy 1 BTC-USD stop at 150",
        "rejected    bad  buy 0.0001 BTC-USD market: size 0.0001 is not a multiple of 0.001",
        "accepted    market",
        "filled      market  1.0 at 101.0, fee 0.0, taker",
        "cancelled   limit  cancelled on request",
        "kill switch on by owner: end of the day",
        "cancelled   stop  kill switch is on",
        "checkpoint  cash 10000.0",
    ):
        assert words in shown
    assert run(["journal", "show", "--last", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == shown.splitlines()[-2:]


def test_show_as_json_gives_each_entry_as_an_object(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journal", "show", "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["n"] for entry in shown] == list(range(1, len(shown) + 1))
    assert shown[0]["record"]["type"] == "configured"
