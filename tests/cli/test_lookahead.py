"""``traider verify lookahead``: status 0 where no decision depends on the future, 1 where one does or none is proven, 2 for bad input."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from traider.cli.main import run
from traider.research.evidence import newest, read_evidence, version_of
from traider.strategies.registry import find_strategy
from traider.strategies.sma_cross import SmaCross

LEAKS = Path(__file__).parents[1] / "research" / "leaks"


BROKEN = """from traider import Bar, Context, Strategy

class Broken(Strategy):
    def setup(self) -> None:
        self.share = 1 / 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.share)
"""


@pytest.fixture(autouse=True)
def _state_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def bars(data_dir: Path, tmp_path: Path) -> Path:
    path = tmp_path / "bars.parquet"
    pq.write_table(pq.read_table(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet").slice(0, 800), path)
    return path


def lookahead(capsys: pytest.CaptureFixture[str], *words: str, status: int) -> dict[str, Any]:
    assert run(["verify", "lookahead", *words, "--symbol", "BTC-USD", "--cuts", "2", "--json"]) == status
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_a_clean_strategy_is_status_0_and_evidence(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path) -> None:
    said = lookahead(capsys, "sma_cross", "--data", str(bars), "--param", "fast=5", status=0)
    assert said["clean"]
    assert said["verdict"] == "clean"
    assert (said["runs"], len(said["cuts"]), said["first"], said["leaks"], said["hints"]) == (8, 2, None, [], [])
    version = version_of(SmaCross, SmaCross(fast=5).values())
    evidence = newest(read_evidence(tmp_path / "state"), "lookahead", version)
    assert evidence is not None
    assert evidence.passed
    assert evidence.settings == {"cuts": 2, "seed": 0, "fill": "next-open", "runs": 8, "decisions": said["decisions"]}
    assert said["evidence"] == str(tmp_path / "state" / "evidence" / evidence.file_name())


def test_a_leak_is_status_1_with_event_decisions_and_lines(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path) -> None:
    strategy = shutil.copy(LEAKS / "next_row_by_counter.py", tmp_path)
    said = lookahead(capsys, f"{strategy}:NextRowByCounter", "--data", str(bars), status=1)
    assert not said["clean"]
    first = said["first"]
    ts = pq.read_table(bars)["ts"].to_pylist()
    assert first["difference"]["ts_ns"] == ts[first["event"]]
    assert first["event"] == first["cut"]["row"] - 1
    asked = [one and (one["method"], one["arguments"]) for one in (first["difference"]["recorded"], first["difference"]["changed"])]
    assert sorted(asked, key=str) == [("buy", ["1.0"]), None] or asked == [None, ("buy", ["1.0"])]
    assert said["reads"] == [{"path": str(bars), "place": f"{strategy}:12", "market": True}]
    assert f"{strategy}:17" in [hint["place"] for hint in said["hints"]]
    (evidence,) = read_evidence(tmp_path / "state")
    assert (evidence.kind, evidence.passed, evidence.verdict) == ("lookahead", False, "leak")
    assert evidence.version == version_of(find_strategy(f"{strategy}:NextRowByCounter"), {"quantity": 1.0})


def test_the_table_tells_a_leak(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    strategy = shutil.copy(LEAKS / "next_row_by_counter.py", tmp_path)
    assert run(["verify", "lookahead", f"{strategy}:NextRowByCounter", "--data", str(bars), "--symbol", "BTC-USD", "--cuts", "1"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    found = re.search(r"where the data end at row (\d+) nothing asked for", printed)
    assert found is not None
    for words in (
        "first differing event 2018-05-03",
        f", row {int(found[1]) - 1} as recorded ctx.buy(1.0) where",
        f"asked at {strategy}:18",
        f"what differed before self.closes[{found[1]}], assigned at {strategy}:12",
        f"the data read at {strategy}:12",
        f"look at {strategy}:17 a row after the one that is named",
        "it looks ahead: another future changes decisions of the past in 2 of 3 runs",
        "evidence ",
    ):
        assert words in printed


def test_the_table_tells_that_all_is_well(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    assert run(["verify", "lookahead", "sma_cross", "--data", str(bars), "--symbol", "BTC-USD", "--cuts", "1"]) == 0
    printed = capsys.readouterr().out
    assert "no look-ahead found" in printed
    assert "look at" not in printed


def test_wrong_input_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str], bars: Path, data_dir: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(BROKEN)
    trades = data_dir / "trades" / "coinbase_btcusd_trades_2018-04-16.parquet"
    for words, expected in (
        (["sma_cross", "--data", str(tmp_path / "none.parquet")], "there is no such file"),
        (["sma_cross", "--data", str(trades)], "holds trades, and strategy sma_cross acts on bars"),
        (["sma_cross", "--data", str(bars), "--cuts", "0"], "--cuts is 0; give 1 to 100"),
        (["sma_cross", "--data", str(bars), "--seed", "-1"], "--seed is -1"),
        (["sma_cross", "--data", str(bars), "--param", "fast=x"], "parameter fast: 'x' is not a whole number"),
        (["sma_cross", "--data", str(bars), "--param", "speed=1"], "has no parameter speed"),
        (["holy_grail", "--data", str(bars)], "unknown strategy 'holy_grail'"),
        ([f"{broken}:Broken", "--data", str(bars)], f"ZeroDivisionError: division by zero; {broken}:5"),
    ):
        assert run(["verify", "lookahead", *words]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert len(printed.err.splitlines()) == 1
        assert expected in printed.err
