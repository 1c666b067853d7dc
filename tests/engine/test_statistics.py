"""The Sharpe ratio by its formula."""

import math
import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traider.engine.statistics import sharpe_ratio


@given(st.lists(st.floats(1.0, 1e6), min_size=3, max_size=50))
def test_it_is_mean_over_deviation_of_daily_returns_annualised_by_365_days(equity: list[float]) -> None:
    returns = [after / before - 1 for before, after in pairwise(equity)]
    deviation = statistics.stdev(returns)
    found = sharpe_ratio(equity)
    if found is None:
        assert deviation == pytest.approx(0.0, abs=1e-12)
    else:
        assert found == pytest.approx(statistics.mean(returns) / deviation * math.sqrt(365), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("equity", [[], [1.0], [1.0, 2.0], [1.0, 2.0, 4.0], [5.0, 5.0, 5.0], [1.0, 0.0, 1.0], [1.0, -1.0, 2.0]])
def test_where_there_is_none_it_is_none(equity: list[float]) -> None:
    assert sharpe_ratio(equity) is None


def test_a_case_worked_out_by_hand() -> None:
    """Returns of 10 %, 0 and -10 %: mean 0. Of 10 % and 0: mean 5 %, deviation 0.1 / sqrt 2."""
    assert sharpe_ratio([100.0, 110.0, 110.0, 99.0]) == pytest.approx(0.0, abs=1e-12)
    assert sharpe_ratio([100.0, 110.0, 110.0]) == pytest.approx(0.05 / (0.1 / math.sqrt(2)) * math.sqrt(365))
