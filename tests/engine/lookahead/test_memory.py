"""Positions that fit a market that was not shown are found; those that come from the market that was shown are not."""

import numpy as np
import pytest

from traider.engine.lookahead.memory import DEVIATIONS, Floats, deviations


def walk(rows: int, seed: int) -> Floats:
    prices: Floats = 100.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.001, rows)))
    return prices


def signs_of_the_next(prices: Floats) -> Floats:
    """The position that each event finds, of one who knew at the event before where the price would go."""
    return np.concatenate(([0.0], np.sign(np.diff(prices))))


def test_one_who_knows_each_move_is_found() -> None:
    recorded = walk(500, 1)
    # A time of one position has L moves, L geometric with mean 2, each of the size |N(0, 1)|. Of such sums the mean is
    # 2 sqrt(2 / pi), the mean square 2 (1 - 2 / pi) + 6 (2 / pi); there is one of them for every two of the 399 moves.
    mean, mean_square = 2.0 * np.sqrt(2 / np.pi), 2.0 * (1.0 - 2 / np.pi) + 6.0 * 2 / np.pi
    expected = np.sqrt(399 / 2) * mean / np.sqrt(mean_square)
    assert deviations(signs_of_the_next(recorded), recorded, 100) == pytest.approx(expected, rel=0.1)


def test_one_who_knows_a_third_of_them_is_found_also() -> None:
    recorded = walk(2_000, 2)
    known = np.random.default_rng(3).random(2_000) < 1 / 3
    assert deviations(np.where(known, signs_of_the_next(recorded), 0.0), recorded, 1) > DEVIATIONS


def test_what_was_known_before_the_cut_does_not_count() -> None:
    recorded = walk(2_000, 2)
    held = np.where(np.arange(2_000) < 1_000, signs_of_the_next(recorded), 0.0)
    assert abs(deviations(held, recorded, 1_000)) < DEVIATIONS


@pytest.mark.parametrize("seed", range(20))
def test_one_who_knows_each_move_of_another_market_is_not(seed: int) -> None:
    assert abs(deviations(signs_of_the_next(walk(5_000, seed)), walk(5_000, 100 + seed), 1)) < DEVIATIONS


@pytest.mark.parametrize("seed", range(20))
def test_moves_that_go_on_in_one_direction_are_no_more_evidence_than_one(seed: int) -> None:
    """Sweeps of fifty equal moves, and positions of a thousand events: as trades have them."""
    random = np.random.default_rng(seed)
    recorded = 100.0 * np.exp(np.cumsum(np.repeat(random.choice([-1e-4, 1e-4], 200), 50)))
    held = np.repeat(random.choice([-1.0, 1.0], 10), 1_000)
    assert abs(deviations(held, recorded, 1)) < DEVIATIONS


@pytest.mark.parametrize("held", [np.zeros(100), np.ones(100), np.ones(0), np.ones(3)])
def test_a_position_that_never_changes_tells_nothing(held: Floats) -> None:
    assert deviations(held, walk(100, 1), 1) == pytest.approx(0.0, abs=1e-6)
