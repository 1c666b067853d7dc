"""The worked example of a sweep does what it says, and its made-up waves are found: they are a pattern in time."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from examples import notebook_sweep


def test_it_runs_and_writes_what_it_promises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = notebook_sweep.main(tmp_path, permutations=3)
    printed = capsys.readouterr().out
    assert "<Sweep channel on BTC-USD: 24 trials, best window" in printed
    assert "<WalkForward: 4 folds, all tests together" in printed
    assert pq.read_table(tmp_path / "trials.parquet") == done.trials
    assert done.trials.num_rows == 24
    assert f"of 3 orders of the same bars had a best trial as good: p = {done.permutation_test.p_value:.2f}" in printed  # type: ignore[union-attr]
