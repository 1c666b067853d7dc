"""The worked example does what it says."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from examples import notebook_backtest


def test_it_runs_and_writes_what_it_promises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    best = notebook_backtest.main(tmp_path)
    printed = capsys.readouterr().out
    assert "width 2.0: <Backtest channel on BTC-USD: 43,200 events" in printed
    assert f"{best.round_trips.num_rows} round trips" in printed
    assert best.round_trips.num_rows > 3
    assert pq.read_table(tmp_path / "fills.parquet") == best.fills
    assert best.fills_sha256 in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_bars_are_the_same_every_time() -> None:
    assert notebook_backtest.made_up_bars() == notebook_backtest.made_up_bars()
    assert notebook_backtest.made_up_bars(2) != notebook_backtest.made_up_bars(1)
