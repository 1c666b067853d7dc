"""On real bars our statistics are what empyrical-reloaded and quantstats say, where the definitions are the same.

Their figures were written by ``python -m benchmarks.statistics_agreement``, which installs them in an environment of their own.
"""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.statistics_agreement import COMPARISONS, FIGURES, disagreements, strategy_run

THEIRS: dict[str, Any] = json.loads((Path(__file__).parent / "statistics_of_peers.json").read_text())


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return strategy_run().statistics


def test_every_figure_of_the_same_definition_is_the_same(ours: dict[str, Any]) -> None:
    assert disagreements(ours, THEIRS) == []


def test_nearly_everything_is_compared() -> None:
    same = {one.figure for one in COMPARISONS if not one.why}
    assert set(FIGURES) - same == {"cagr", "calmar"}  # which annualise by days with data there, and by the calendar here
    assert sorted(THEIRS) == ["empyrical", "quantstats"]


@pytest.mark.parametrize("figure", ["sharpe", "omega", "beta"])
def test_a_figure_that_differs_in_the_eighth_digit_would_be_found(ours: dict[str, Any], figure: str) -> None:
    assert len(disagreements({**ours, figure: ours[figure] * (1 + 1e-8)}, THEIRS)) == 2


def test_a_month_that_is_missing_would_be_found(ours: dict[str, Any]) -> None:
    months = dict(ours["months"])
    months.popitem()
    assert disagreements({**ours, "months": months}, THEIRS) == ["months: not those of empyrical", "months: not those of quantstats"]


def test_growth_differs_only_by_the_length_of_the_year(ours: dict[str, Any]) -> None:
    """The file lacks 34 days: (1 + theirs) ^ (days with data / days) is what ours is."""
    days = ours["daily_returns"]
    rate = math.log1p(THEIRS["empyrical"]["cagr"]) * days / (days + 34)
    assert ours["cagr"] == pytest.approx(math.expm1(rate), rel=1e-9)
