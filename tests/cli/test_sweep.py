"""The command-line contract of ``traider sweep``."""

import json
from pathlib import Path

import pytest

from traider.cli.main import run

KEYS = {
    *("trials", "events", "engine_seconds", "peak_rss_bytes", "best", "total_fills", "deflated_sharpe", "pbo", "results"),
    *("permutation_test", "search", "provenance"),
}


@pytest.fixture
def bars(data_dir: Path) -> Path:
    return data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet"


def test_one_json_object_with_every_trial(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    words = ["sweep", "sma_cross", "--data", str(bars), "--grid", "fast=5:50:5", "--grid", "slow=60:155:5", "--json"]
    assert run(words) == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert printed.err == ""
    assert set(result) == KEYS
    assert (result["trials"], result["events"], len(result["results"])) == (200, 200 * 10_069, 200)
    assert result["results"][0]["params"] == {"quantity": 1.0, "fast": 5, "slow": 60}
    assert result["best"]["final_equity"] == max(trial["final_equity"] for trial in result["results"])
    assert result["total_fills"] == sum(trial["fills"] for trial in result["results"])
    assert 0 <= result["deflated_sharpe"] <= 1
    assert 0 <= result["pbo"] <= 1


def test_tpe_needs_no_grid_and_says_how_it_searched(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    words = ["sweep", "sma_cross", "--data", str(bars), "--tpe", "20", "--seed", "3", "--objective", "sharpe", "--json"]
    assert run(words) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["trials"] == len({json.dumps(trial["params"]) for trial in result["results"]}) == 20
    assert (result["search"]["search"], result["search"]["space"]["fast"]) == ("tpe", ["1", "100000"])
    assert result["best"]["sharpe"] == max(trial["sharpe"] for trial in result["results"] if trial["sharpe"] is not None)
    assert result["provenance"]["seed"] == 3


def test_a_permutation_test_on_request(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    words = ["sweep", "sma_cross", "--data", str(bars), "--grid", "fast=5,10", "--grid", "slow=60,90", "--json"]
    assert run([*words, "--permutations", "3", "--seed", "2"]) == 0
    result = json.loads(capsys.readouterr().out)
    test = result["permutation_test"]
    assert (test["permutations"], test["seed"], test["p_value"]) == (3, 2, (1 + test["as_good"]) / 4)
    assert run(words) == 0
    assert json.loads(capsys.readouterr().out)["permutation_test"] is None


def test_the_table_says_how_much_is_luck_and_what_it_was_made_of(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path) -> None:
    words = ["sweep", "sma_cross", "--data", str(bars), "--grid", "fast=5,10", "--grid", "slow=60,90", "--permutations", "1"]
    assert run([*words, "--plot", str(tmp_path / "map.png")]) == 0
    printed = capsys.readouterr()
    for said in ("4 trials, every combination", "Deflated Sharpe", "overfitting", "Permutation test", "bars, fills next-open", "map.png"):
        assert said in printed.out
    assert printed.err == ""
    assert (tmp_path / "map.png").stat().st_size > 10_000


BAD = {
    "no range": (["--grid", "fast"], "--grid fast"),
    "unknown parameter": (["--grid", "bogus=1,2"], "no parameter bogus"),
    "value out of range": (["--grid", "fast=0:5:1"], "out of range"),
    "value given twice": (["--grid", "fast=9,3,9"], "--grid fast: 9 is there twice"),
    "parameter given twice": (["--grid", "fast=1,2", "--param", "fast=3"], "give it once"),
    "no threads": (["--grid", "fast=1,2", "--threads", "0"], "--threads"),
    "nothing to draw": (["--grid", "fast=1,2", "--random", "0"], "--random"),
    "nothing to try": ([], "--grid"),
    "nothing to search": (["--tpe", "0"], "--tpe"),
    "two ways of searching": (["--grid", "fast=1,2", "--random", "1", "--tpe", "1"], "one of the two"),
    "unknown objective": (["--grid", "fast=1,2", "--objective", "luck"], "final-equity, sharpe"),
    "no permutations": (["--grid", "fast=1,2", "--permutations", "0"], "--permutations"),
    "a negative seed": (["--grid", "fast=1,2", "--seed", "-1"], "--seed"),
    "a value out of range, by TPE": (["--grid", "fast=0:5:1", "--tpe", "3"], "out of range"),
    "no picture": (["--grid", "fast=1,2", "--plot", "map.svg"], ".png"),
    "no record": (["--grid", "fast=1,2", "--resume", "/"], "--resume"),
}


@pytest.mark.parametrize(("more", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str], bars: Path, more: list[str], words: str) -> None:
    assert run(["sweep", "sma_cross", "--data", str(bars), *more]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert words in error


def test_walkforward_prints_one_json_object_with_every_fold(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    words = ["walkforward", "sma_cross", "--data", str(bars), "--grid", "fast=5,10", "--grid", "slow=60,80", "--folds", "3", "--json"]
    assert run(words) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result) == {"folds", "trials", "final_equity", "total_return", "efficiency", "objective", "provenance"}
    assert (result["provenance"]["fidelity"], result["provenance"]["seed"]) == ("bars", None)
    assert (len(result["folds"]), result["trials"]) == (3, 12)
    assert result["final_equity"] == result["folds"][-1]["final_equity"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--folds", "0"], "at least 1"),
        (["--folds", "20000"], "too few"),
        (["--objective", "luck"], "final-equity"),
        (["--purge", "-1"], "purge"),
    ],
)
def test_walkforward_tells_bad_input_in_one_line(capsys: pytest.CaptureFixture[str], bars: Path, more: list[str], words: str) -> None:
    assert run(["walkforward", "sma_cross", "--data", str(bars), "--grid", "fast=5,10", *more]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert words in error
