"""Figures of daily returns: by hand where that is short, and as empyrical-reloaded has them where its definition is the same."""

import itertools
import math
from dataclasses import dataclass

import pytest

from traider.engine.statistics import daily

RETURNS = [0.001 + 0.03 * math.sin(1.7 * day * day) for day in range(400)]
BENCHMARK = [0.0005 + 0.02 * math.sin(1.7 * day * day + 0.8) + 0.01 * math.cos(0.3 * day**3) for day in range(400)]
EQUITY = [1000.0 * growth for growth in itertools.accumulate(RETURNS, lambda grown, x: grown * (1.0 + x), initial=1.0)]


@dataclass(frozen=True)
class Theirs:
    """What empyrical-reloaded 0.7.1 says of the first days of these returns, with annualization=365.

    It is no dependency of the tests: it needs scipy, and numba imports that wherever it is installed.
    """

    days: int
    annual_volatility: float
    sharpe_ratio: float
    sortino_ratio: float
    omega_ratio: float
    value_at_risk: float
    conditional_value_at_risk: float
    beta: float
    alpha: float


THEIRS = [
    Theirs(
        20,
        0.46101331875951157,
        0.767323509857209,
        1.145406061203436,
        1.0941150451076065,
        -0.02891853432498043,
        -0.028944098477981097,
        0.8669883734432989,
        -0.218996609882272,
    ),
    Theirs(
        21,
        0.4660572361948199,
        1.8655970650530704,
        2.8848235496614354,
        1.2428921515871219,
        -0.028917188843243555,
        -0.028930643660612328,
        0.8996431217081687,
        -0.12711104412352614,
    ),
    Theirs(
        59,
        0.4140321777506496,
        0.396845245579183,
        0.5785126161578823,
        1.047957158936929,
        -0.0288749180747686,
        -0.028914627471604157,
        0.7939571896096648,
        0.03974136336305145,
    ),
    Theirs(
        400,
        0.4125726526217218,
        0.9784142984659097,
        1.4515687420365955,
        1.119345394162481,
        -0.028637787659893336,
        -0.028856437887658192,
        0.8296321174646126,
        0.2913402757296175,
    ),
]


def test_daily_returns() -> None:
    assert daily.daily_returns([100.0, 110.0, 99.0]) == pytest.approx([0.1, -0.1])
    assert daily.daily_returns(EQUITY) == pytest.approx(RETURNS)
    assert daily.daily_returns([100.0, 0.0, 50.0]) == []
    assert daily.daily_returns([100.0]) == []


@pytest.mark.parametrize("theirs", THEIRS, ids=lambda theirs: f"{theirs.days} days")
def test_what_empyrical_says_too(theirs: Theirs) -> None:
    returns, benchmark = RETURNS[: theirs.days], BENCHMARK[: theirs.days]
    assert daily.volatility(returns) == pytest.approx(theirs.annual_volatility, rel=1e-9)
    assert daily.sharpe_ratio(EQUITY[: theirs.days + 1]) == pytest.approx(theirs.sharpe_ratio, rel=1e-9)
    assert daily.sortino_ratio(returns) == pytest.approx(theirs.sortino_ratio, rel=1e-9)
    assert daily.omega_ratio(returns) == pytest.approx(theirs.omega_ratio, rel=1e-9)
    # They say the return on such a day, we the loss.
    assert daily.value_at_risk(returns) == pytest.approx(-theirs.value_at_risk, rel=1e-9)
    assert daily.conditional_value_at_risk(returns) == pytest.approx(-theirs.conditional_value_at_risk, rel=1e-9)
    assert daily.beta(returns, benchmark) == pytest.approx(theirs.beta, rel=1e-9)
    # They compound a day's alpha over the year, we add it up.
    assert daily.alpha(returns, benchmark) == pytest.approx(math.expm1(math.log1p(theirs.alpha) / 365) * 365, rel=1e-9)


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
