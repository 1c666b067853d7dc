"""Whether a strategy trades the recorded market while it is shown another one.

A table, a pickle or a list in the source can hold the future, and no changed market data change it. But whoever has it
gives himself away on a market of another future: his positions there go with the moves of the market that he was never
shown. The signs of the moves that he was shown are drawn by coin, so positions that come from them have no more to do with
the recorded moves than chance allows.
"""

import math
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]

# By chance one such sum is so far off, on either side, with at most 2 exp(-18) where up and down are equally likely (Efron 1969):
# of the 20 sums of a check with five cuts once in 1.6 million checks.
DEVIATIONS = 6.0


def deviations(held: Floats, recorded: Floats, cut: int) -> float:
    """How many standard deviations the fit of positions on the other market with the recorded moves is from none.

    ``held`` has the position that each event found, ``recorded`` the recorded closes or trade prices; rows before ``cut`` are
    left out, for of those the strategy was shown the recorded market. The larger of two figures: with the move to the
    event's price, and with the move after it.
    """
    moves = np.diff(np.log(recorded[cut:]))
    positions = held[cut + 1 : len(recorded)]
    if len(positions) < len(moves):  # the run ended before the data did
        moves = moves[: len(positions)]
    return max((_fit(positions, moves), _fit(positions[:-1], moves[1:])), key=abs, default=0.0)


def _fit(positions: Floats, moves: Floats) -> float:
    """The covariance over its own deviation; 0 where one of the two never changes.

    What is summed are times of one position, not events: trades of one sweep go in one direction, and are no more than one
    piece of evidence for whoever holds through them.
    """
    if len(moves) < 2:
        return 0.0
    begins = np.flatnonzero(np.concatenate(([True], np.diff(positions) != 0.0)))
    products = np.add.reduceat((positions - positions.mean()) * (moves - moves.mean()), begins)
    deviation = math.sqrt(float((products * products).sum()))
    return float(products.sum()) / deviation if deviation > 0.0 else 0.0
