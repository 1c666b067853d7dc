"""The overfitting figures against their papers and against what they must say of pure luck and of plain skill."""

import itertools
import math
from statistics import NormalDist, mean, stdev

import numpy as np
import pytest

from traider.engine.overfitting import Floats, Moments, deflated_sharpe_ratio, moments_of, probability_of_overfitting

NORMAL = NormalDist()


def moments(returns: Floats) -> Moments:
    """Of returns in the shape (periods, trials)."""
    return np.concatenate([moments_of(np.ascontiguousarray(column)) for column in returns.T])


def test_the_deflated_sharpe_ratio_is_the_papers_formula() -> None:
    returns = np.random.default_rng(1).normal(0.001, 0.01, (250, 10))
    ratios = [mean(column) / stdev(column) for column in returns.T.tolist()]
    best = ratios.index(max(ratios))
    column = returns[:, best]
    centred = (column - column.mean()) / column.std()
    skew, kurtosis = float((centred**3).mean()), float((centred**4).mean())
    gamma = 0.577215664901532860606512
    expected_best = stdev(ratios) * ((1 - gamma) * NORMAL.inv_cdf(1 - 1 / 10) + gamma * NORMAL.inv_cdf(1 - 1 / (10 * math.e)))
    ratio = ratios[best]
    deflated = NORMAL.cdf((ratio - expected_best) * math.sqrt(249) / math.sqrt(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2))
    assert deflated_sharpe_ratio(moments(returns), best) == pytest.approx(deflated, rel=1e-9)


def test_one_trial_is_measured_against_zero() -> None:
    returns = np.array([[0.01], [-0.005], [0.02], [0.003], [-0.01], [0.012]])
    deflated = deflated_sharpe_ratio(moments(returns), 0)
    assert deflated is not None
    assert deflated > 0.5


def test_returns_that_never_vary_say_nothing() -> None:
    assert deflated_sharpe_ratio(moments(np.zeros((100, 3))), 0) is None


def test_the_overfitting_probability_is_the_papers_procedure() -> None:
    returns = np.random.default_rng(2).normal(0, 0.01, (64, 5))
    blocks = np.split(returns, 16)
    below = 0
    combinations = list(itertools.combinations(range(16), 8))
    for chosen in combinations:
        inside = np.concatenate([blocks[i] for i in chosen])
        outside = np.concatenate([blocks[i] for i in range(16) if i not in chosen])
        best = int(np.argmax(inside.mean(axis=0) / inside.std(axis=0)))
        performance = outside.mean(axis=0) / outside.std(axis=0)
        rank = int(np.sum(performance <= performance[best]))
        below += rank / 6 <= 0.5
    assert probability_of_overfitting(moments(returns)) == pytest.approx(below / len(combinations), abs=1e-12)


def test_pure_luck_is_about_a_half_and_skill_is_not() -> None:
    rng = np.random.default_rng(3)
    luck = probability_of_overfitting(moments(rng.normal(0, 0.01, (512, 40))))
    skill = rng.normal(0, 0.01, (512, 40))
    skill[:, 7] += 0.01
    assert luck is not None
    assert 0.2 < luck < 0.8
    assert probability_of_overfitting(moments(skill)) == 0.0


def test_too_little_data_says_nothing() -> None:
    assert probability_of_overfitting(moments(np.zeros((31, 5)))) is None
    assert probability_of_overfitting(moments(np.zeros((320, 1)))) is None


def test_trials_that_are_the_same_share_their_rank_wherever_they_stand() -> None:
    """Three different trials, each several times: no sum may depend on the place that a trial has among the others."""
    rng = np.random.default_rng(4)
    kinds = rng.normal(0, 0.01, (512, 3))
    few = probability_of_overfitting(moments(kinds[:, [0, 1, 2] * 7]))
    assert few == probability_of_overfitting(moments(kinds[:, [2, 1, 0] * 7]))
    assert few == probability_of_overfitting(moments(kinds[:, sorted([0, 1, 2] * 7)]))
