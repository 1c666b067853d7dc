"""``traider.sweep`` and ``traider.walkforward`` are the commands, from Python: the same trials, the same checks, tables."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

import traider
from tests.research.markets import BARS
from traider.cli.main import run
from traider.domain.errors import UserError

GRID = {"fast": "5:20:5", "slow": [40, 60]}
WORDS = ["sma_cross", "--data", str(BARS), "--grid", "fast=5:20:5", "--grid", "slow=40,60", "--fee-taker", "0.0002", "--json"]


def printed(capsys: pytest.CaptureFixture[str], words: list[str]) -> Any:
    assert run(words) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def done() -> traider.SweepRun:
    return traider.sweep("sma_cross", BARS, grid=GRID, fee_taker=0.0002)


def test_a_sweep_is_the_commands(done: traider.SweepRun, capsys: pytest.CaptureFixture[str]) -> None:
    command = printed(capsys, ["sweep", *WORDS])
    assert done.best == command["best"]["params"]
    assert (done.deflated_sharpe, done.pbo) == (command["deflated_sharpe"], command["pbo"])
    assert done.provenance == command["provenance"]
    rows = done.trials.to_pylist()
    assert [{"params": {name: row.pop(name) for name in ("quantity", "fast", "slow")}, **row} for row in rows] == command["results"]


def test_pandas_and_polars_take_the_trials(done: traider.SweepRun) -> None:
    frame: pd.DataFrame = done.trials.to_pandas()
    table = pl.from_arrow(done.trials)
    assert isinstance(table, pl.DataFrame)
    assert frame["fast"].tolist() == table["fast"].to_list() == [5, 5, 10, 10, 15, 15, 20, 20]
    assert frame["sharpe"].dtype == "float64"


def test_a_frame_gives_what_its_file_gives(done: traider.SweepRun) -> None:
    again = traider.sweep("sma_cross", pq.read_table(BARS), grid=GRID, fee_taker=0.0002, symbol="BTC-USD")
    assert again.trials.drop(["sharpe"]) == done.trials.drop(["sharpe"])
    assert repr(again) == repr(done)
    assert repr(done).startswith("<Sweep sma_cross on BTC-USD: 8 trials, best fast ")


def test_permutations_and_a_record(tmp_path: Path) -> None:
    how: dict[str, Any] = {"grid": {"fast": [5], "slow": [60]}, "permutations": 2, "resume": tmp_path / "sweep.jsonl"}
    first = traider.sweep("sma_cross", BARS, **how)
    assert first.permutation_test is not None
    assert first.permutation_test.permutations == 2
    assert "permutation test p" in repr(first)
    assert traider.sweep("sma_cross", BARS, **how).permutation_test == first.permutation_test
    with pytest.raises(UserError, match=r"resume .*belongs to another sweep: settings differs"):
        traider.sweep("sma_cross", BARS, **how, fee_taker=0.01)


def test_a_plot(done: traider.SweepRun, tmp_path: Path) -> None:
    assert done.plot(tmp_path / "map.png").stat().st_size > 10_000


def test_a_walk_forward_is_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    walked = traider.walkforward("sma_cross", BARS, grid=GRID, fee_taker=0.0002, folds=3, ratio=2)
    command = printed(capsys, ["walkforward", *WORDS, "--folds", "3", "--ratio", "2"])
    assert (walked.total_return, walked.efficiency) == (command["total_return"], command["efficiency"])
    assert walked.provenance == command["provenance"]
    assert walked.folds["test_return"].to_pylist() == [fold["test_return"] for fold in command["folds"]]
    assert walked.folds["test_from_ts"].to_pylist() == [fold["test_from_ns"] for fold in command["folds"]]
    assert walked.folds["fast"].to_pylist() == [fold["parameters"]["fast"] for fold in command["folds"]]
    assert repr(walked).startswith("<WalkForward: 3 folds, all tests together")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, "which parameters"),
        ({"grid": {"fast": []}}, "fast has no values"),
        ({"grid": {"fast": [0]}}, "out of range"),
        ({"grid": {"bogus": [1]}}, "no parameter bogus"),
        ({"grid": {"fast": [5]}, "params": {"fast": 6}}, "give it once"),
        ({"grid": {"fast": "1:2"}}, "LOW:HIGH:STEP"),
        ({"grid": {"fast": [5]}, "permutations": -1}, "permutations is -1"),
        ({"grid": {"fast": [5]}, "objective": "luck"}, "final-equity, sharpe"),
        ({"grid": {"quantity": [1, 0.1234567891]}}, "increment"),
    ],
)
def test_what_can_not_be_used_is_told(how: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        traider.sweep("sma_cross", BARS, **how)
