"""Figures of daily returns: by hand where that is short, and against empyrical-reloaded where its definition is the same."""

import math

import empyrical
import numpy as np
import pytest

from traider.engine.statistics import daily

RETURNS = np.random.default_rng(7).normal(0.001, 0.03, 400).tolist()
BENCHMARK = (0.5 * np.array(RETURNS) + np.random.default_rng(8).normal(0.0, 0.02, 400)).tolist()
EQUITY = [1000.0, *(1000.0 * np.cumprod(1.0 + np.array(RETURNS))).tolist()]


def test_daily_returns() -> None:
    assert daily.daily_returns([100.0, 110.0, 99.0]) == pytest.approx([0.1, -0.1])
    assert daily.daily_returns(EQUITY) == pytest.approx(RETURNS)
    assert daily.daily_returns([100.0, 0.0, 50.0]) == []
    assert daily.daily_returns([100.0]) == []


@pytest.mark.parametrize("days", [20, 21, 59, 400])
def test_what_empyrical_says_too(days: int) -> None:
    returns, benchmark = RETURNS[:days], BENCHMARK[:days]
    theirs, held = np.array(returns), np.array(benchmark)
    assert daily.volatility(returns) == pytest.approx(empyrical.annual_volatility(theirs, annualization=365))
    assert daily.sharpe_ratio(EQUITY[: days + 1]) == pytest.approx(empyrical.sharpe_ratio(theirs, annualization=365))
    assert daily.sortino_ratio(returns) == pytest.approx(empyrical.sortino_ratio(theirs, annualization=365))
    assert daily.omega_ratio(returns) == pytest.approx(empyrical.stats.omega_ratio(theirs, annualization=365))
    # They say the return on such a day, we the loss.
    assert daily.value_at_risk(returns) == pytest.approx(-empyrical.value_at_risk(theirs))
    assert daily.conditional_value_at_risk(returns) == pytest.approx(-empyrical.conditional_value_at_risk(theirs))
    assert daily.beta(returns, benchmark) == pytest.approx(empyrical.stats.beta_aligned(theirs, held))
    # They compound a day's alpha over the year, we add it up.
    a_day = math.expm1(math.log1p(empyrical.stats.alpha_aligned(theirs, held, annualization=365)) / 365)
    assert daily.alpha(returns, benchmark) == pytest.approx(a_day * 365)


def test_by_hand() -> None:
    returns = [0.02, -0.01, 0.03, -0.02]
    assert daily.omega_ratio(returns) == pytest.approx(0.05 / 0.03)
    assert daily.sortino_ratio(returns) == pytest.approx(0.005 / math.sqrt(0.0005 / 4) * math.sqrt(365))
    tail = [-0.05, -0.03, *[0.01] * 38]  # of forty, the 5 % quantile lies at 1.95 from the lowest
    assert daily.value_at_risk(tail) == pytest.approx(-(-0.03 + 0.95 * 0.04))
    assert daily.conditional_value_at_risk(tail) == pytest.approx(0.04)
    assert daily.beta([0.02, 0.04, 0.0], [0.01, 0.02, 0.0]) == pytest.approx(2.0)
    assert daily.alpha([0.03, 0.05, 0.01], [0.01, 0.02, 0.0]) == pytest.approx(0.01 * 365)


def test_none_where_there_is_nothing_to_say() -> None:
    one = [0.01]
    assert {figure(one) for figure in (daily.volatility, daily.sortino_ratio)} == {None}
    rising = [0.01, 0.02, 0.03]
    assert {figure(rising) for figure in (daily.sortino_ratio, daily.omega_ratio)} == {None}
    assert daily.omega_ratio([]) is None
    assert daily.sharpe_ratio([100.0, 110.0]) is daily.sharpe_ratio([100.0, 110.0, 121.0, -1.0]) is None
    assert daily.sharpe_ratio([100.0, 100.0, 100.0]) is None
    nineteen = RETURNS[:19]
    assert daily.value_at_risk(nineteen) is daily.conditional_value_at_risk(nineteen) is None
    for figure in (daily.alpha, daily.beta):
        assert figure(one, one) is None
        assert figure(rising, [0.01, 0.01]) is None  # not the same days
        assert figure(rising, [0.01, 0.01, 0.01]) is None  # a benchmark that tells nothing
