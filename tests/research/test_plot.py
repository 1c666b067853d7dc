"""Pictures: real PNG files of what they promise, drawn without pyplot, the same for the same run."""

import struct
import sys
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import traider
from tests.research.markets import BARS, TRADES, bars
from traider.domain.errors import UserError
from traider.engine.grid import parse_axis
from traider.research.plot import check_plot_path, write_backtest_plot, write_sweep_plot
from traider.research.plot.backtest import draw_backtest
from traider.research.plot.sweep import draw_sweep
from traider.research.search_plan import SearchPlan
from traider.research.sweeps import Sweep, SweepPlan, run_plan


def pixels(path: Path) -> tuple[int, int]:
    """Width and height; every chunk's checksum has to be right."""
    text = path.read_bytes()
    assert text[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(text):
        (length,) = struct.unpack(">I", text[at : at + 4])
        body = text[at + 4 : at + 8 + length]
        assert struct.unpack(">I", text[at + 8 + length : at + 12 + length])[0] == zlib.crc32(body)
        at += 12 + length
    width, height = struct.unpack(">II", text[16:24])
    return width, height


@pytest.fixture(scope="module")
def run() -> traider.Backtest:
    return traider.backtest("sma_cross", BARS, params={"fast": 20, "slow": 50}, fee_taker=0.0002)


def sweep(*axes: str, objective: str = "final-equity", **how: int) -> Sweep:
    spec, tape, sha256 = bars(2000)
    search = SearchPlan(axes=tuple(parse_axis(axis) for axis in axes), **how)
    return run_plan(spec, SweepPlan(search, objective), tape, data_sha256=sha256)


def texts(drawn: Any) -> list[str]:
    """Every word that stands in the figure."""
    found = [text.get_text() for text in drawn.texts]
    for axes in drawn.axes:
        found += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel(), *(text.get_text() for text in axes.texts)]
    return [text for text in found if text]


def test_a_backtest_becomes_a_picture_and_the_same_one_again(run: traider.Backtest, tmp_path: Path) -> None:
    first, second = tmp_path / "new" / "one.png", tmp_path / "two.PNG"
    assert run.plot(first) == first
    write_backtest_plot(run.run, second, "--plot")
    assert pixels(first) == (1800, 1260)
    assert first.read_bytes() == second.read_bytes()
    assert list(first.parent.iterdir()) == [first]  # no part of a file is left behind


def test_it_draws_the_runs_own_numbers(run: traider.Backtest) -> None:
    drawn = draw_backtest(run.run)
    price, equity, drawdown = drawn.axes
    assert [axes.get_title(loc="left") for axes in drawn.axes] == ["BTC-USD and fills", "Equity, USD", "Drawdown"]
    sides = run.result.fills["side"]
    _, buys, sells = price.collections  # the band from low to high, then the marks
    assert [len(marks.get_offsets()) for marks in (buys, sells)] == [int((sides > 0).sum()), int((sides < 0).sum())]
    assert buys.get_offsets()[:, 1].tolist() == run.result.fills["price"][sides > 0].tolist()
    curves = run.run.statistics.curves
    assert equity.lines[-1].get_ydata().tolist() == curves.equity.tolist()
    assert drawdown.lines[0].get_ydata().tolist() == curves.drawdown.tolist()
    words = " ".join(texts(drawn))
    for said in ("sma_cross on BTC-USD", "fast 20, slow 50", "fees 0.02 % taker", run.run.data.sha256[:12], run.fills_sha256[:12]):
        assert said in words


def test_a_run_without_a_fill_and_one_on_trades_are_drawn(tmp_path: Path) -> None:
    traider.backtest("sma_cross", BARS, params={"fast": 5000, "slow": 20_000}).plot(tmp_path / "none.png")
    traider.backtest("ema_band", TRADES, params={"span": 50}, quantity=0.01).plot(tmp_path / "trades.png")
    assert {pixels(path) for path in tmp_path.iterdir()} == {(1800, 1260)}


def test_a_grid_of_two_is_a_map_with_each_value_in_its_cell(tmp_path: Path) -> None:
    done = sweep("fast=5:20:5", "slow=30,60,90")
    drawn = draw_sweep(done)
    axes, bar = drawn.axes
    cells = axes.images[0].get_array()
    assert cells.shape == (3, 4)
    for trial in done.result.trials:
        row = [30, 60, 90].index(int(trial.parameters["slow"]))
        column = [5, 10, 15, 20].index(int(trial.parameters["fast"]))
        assert cells[row, column] == trial.net_profit
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("fast", "slow")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["30", "60", "90"]
    (outline,) = axes.patches
    best = done.result.trials[done.result.best].parameters
    assert outline.get_xy() == ([5, 10, 15, 20].index(int(best["fast"])) - 0.5, [30, 60, 90].index(int(best["slow"])) - 0.5)
    assert len(bar.get_yticks()) > 2
    write_sweep_plot(done, tmp_path / "map.png", "--plot")
    assert pixels(tmp_path / "map.png") == (1800, 1260)


def test_more_parameters_than_two_show_the_best_over_the_others() -> None:
    done = sweep("fast=5,10", "slow=30,60", "quantity=1,2")
    drawn = draw_sweep(done)
    cells = drawn.axes[0].images[0].get_array()
    for column, fast in enumerate((5, 10)):
        for row, slow in enumerate((30, 60)):
            worth = [t.net_profit for t in done.result.trials if (t.parameters["fast"], t.parameters["slow"]) == (fast, slow)]
            assert cells[row, column] == max(worth)
    assert any("best over quantity" in text for text in texts(drawn))


def test_scattered_values_are_points_and_one_parameter_is_a_line(tmp_path: Path) -> None:
    scattered = sweep("fast=2:60:1", "slow=61:160:1", random=12, seed=1)
    drawn = draw_sweep(scattered)
    assert not drawn.axes[0].images
    assert len(drawn.axes[0].collections[0].get_offsets()) == 12
    line = draw_sweep(sweep("fast=20,5,10", "slow=60"))
    x = line.axes[0].lines[-1].get_xdata().tolist()
    assert x == [5.0, 10.0, 20.0]
    assert all(before < after for before, after in pairwise(x))
    write_sweep_plot(scattered, tmp_path / "points.png", "--plot")
    assert pixels(tmp_path / "points.png") == (1800, 1260)


def test_a_sharpe_ratio_that_is_none_has_no_colour() -> None:
    done = sweep("fast=5,5000", "slow=60,20000", objective="sharpe")
    cells = draw_sweep(done).axes[0].images[0].get_array()
    assert cells.mask.tolist() == [
        [trial.sharpe is None for trial in (done.result.trials[row], done.result.trials[2 + row])] for row in (0, 1)
    ]


def test_no_state_of_the_process_is_touched(run: traider.Backtest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # an import of it fails
    names = [name for name in mpl.rcParams if name != "backend"]  # to ask for the backend chooses one
    before = [mpl.rcParams[name] for name in names]
    run.plot(tmp_path / "one.png")
    write_sweep_plot(sweep("fast=5,10", "slow=30,60"), tmp_path / "two.png", "--plot")
    assert [mpl.rcParams[name] for name in names] == before


@pytest.mark.parametrize(("name", "words"), [("x.svg", "ends in .png"), ("folder.png", "is a folder")])
def test_a_place_for_no_picture_is_told(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UserError, match=f"--plot .*{words}"):
        check_plot_path(tmp_path / name, "--plot")


def test_a_place_that_can_not_be_written_is_told(run: traider.Backtest, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"plot .*can't be written"):
        run.plot(tmp_path / "file" / "x.png")


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(UserError, match=r"--plot needs matplotlib, which is not installed: pip install 'traider\[plot\]'"):
        check_plot_path(tmp_path / "x.png", "--plot")
