"""Lines that often look ahead are named by what they do; lines that don't are not."""

from pathlib import Path

import pytest

from traider.research.hints import hints
from traider.strategies.registry import find_strategy
from traider.strategies.sma_cross import SmaCross

SOURCE = """
from traider import Bar, Context, Strategy


class Mine(Strategy):
    def setup(self) -> None:
        {line}

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(1.0)
"""


def named(line: str, folder: Path) -> list[str]:
    file = folder / "mine.py"
    # What names nothing that is there is never run: setup is not called.
    file.write_text(SOURCE.format(line=line))
    found = hints(find_strategy(f"{file}:Mine"))
    assert {hint.place for hint in found} <= {f"{file}:7"}
    return [hint.what for hint in found]


@pytest.mark.parametrize(
    ("line", "saying"),
    [
        ("close.shift(-1)", "negative shift"),
        ("close.shift(periods=-3)", "negative shift"),
        ("np.roll(close, -1)", "negative shift"),
        ("close.pct_change(-5)", "negative shift"),
        ("close.rolling(20, center=True)", "centred window"),
        ("close.bfill()", "filling backwards"),
        ("close.fillna(method='bfill')", "filling backwards"),
        ("close.fill_null(strategy='backward')", "filling backwards"),
        ("model.fit(features, labels)", "model fitted"),
        ("np.linalg.lstsq(a, b)", "model fitted"),
        ("bars.resample('1h').last()", "complete only at its end"),
        ("np.argmax(high[row:])", "extreme"),
        ("close.mean()", "all rows at once"),
        ("pickle.load(file)", "whole sample"),
        ("close[row + 1]", "a row after"),
        ("close[row : row + 60]", "rows after"),
        ("close.iloc[row + 1]", "a row after"),
        ("close[::-1]", "from the last to the first"),
    ],
)
def test_a_line_that_often_leaks_is_named(line: str, saying: str, tmp_path: Path) -> None:
    assert any(saying in what for what in named(line, tmp_path))


@pytest.mark.parametrize(
    "line",
    [
        "close.shift(1)",
        "close[row]",
        "close[row - 1]",
        "close[:row]",
        "close.rolling(20)",
        "close.ffill()",
        "close.fill_null(strategy='forward')",
        "close.fillna(method='ffill')",
        "self.count + 1",
        "close[::2]",
    ],
)
def test_a_line_that_does_not_is_not(line: str, tmp_path: Path) -> None:
    assert named(line, tmp_path) == []


def test_a_built_in_strategy_has_none() -> None:
    assert hints(SmaCross) == []
