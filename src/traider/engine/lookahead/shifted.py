"""An instrument's future with every price moved by the same number of whole increments: for order books, and for mixed kinds.

The rows of a book are changes to what it held before, so their moves can't be drawn anew one by one: a level would be taken
away where none is, and the book cross. Moved as a whole it stays exactly as valid as it was, if the levels that stood at the
cut move with it. They are put in as a snapshot before the first change of the future; where that is a snapshot anyway,
nothing is put in. Trades and quotes of the instrument move with its book.

This is enough to find out who knows the future. Whoever compares a later price with an earlier one, over whatever distance, or
with anything of all the data (a mean, an extreme, a rank, a fit), has the jump between them. Sizes of levels and trades are in
another order and of another scale. What it can't give is moves of another sign, so ``memory`` is not asked of a book.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...domain.vocabulary import BOOK_CLEAR, KIND_BITS, EventKind
from .futures import JUMPS, Floats, Grid, Jump, other_sizes

Kinds = np.ndarray[Any, np.dtype[np.uint8]]
Values = list[Floats]  # a..e, all of one length
_PRICES = {EventKind.BAR: (0, 1, 2, 3), EventKind.TRADE: (0,), EventKind.QUOTE: (0, 2), EventKind.DEPTH: (0,)}
_SIZES = {EventKind.BAR: (4,), EventKind.TRADE: (1,), EventKind.QUOTE: (1, 3)}
_JITTER = 0.1  # of the jump, so that a seed decides where the prices are
_SIZE, _SIDE = 1, 2


@dataclass(frozen=True)
class Levels:
    """A whole book: prices, sizes, and +1 for a bid, -1 for an ask."""

    price: Floats
    size: Floats
    side: Floats

    def __len__(self) -> int:
        return len(self.price)


@dataclass(frozen=True)
class Shifted:
    """The values of all rows, and the levels that the book has right before row ``before``; None where there is nothing to put in."""

    values: Values
    levels: Levels | None
    before: int


def shifted(kind: Kinds, values: Values, cut: int, future: Jump, *, grid: Grid, seed: int) -> Shifted:
    """One instrument's rows with those from ``cut`` on moved up, or down; there is at least one."""
    random = np.random.default_rng([seed, cut, 2 if future == "higher" else 3])
    what = kind & np.uint8(KIND_BITS)
    standing = _standing(kind, values, cut)
    ticks = _ticks(what, values, cut, standing, future, grid, random)
    new = [column.copy() for column in values]
    later = np.arange(len(kind)) >= cut
    for one, columns in _PRICES.items():
        rows = later & (what == one)
        for column in columns:
            moved = grid.ticks(values[column][rows]) + ticks
            new[column][rows] = grid.prices(moved)
            if one is EventKind.DEPTH:
                new[_SIZE][rows] = _other_levels(values[_SIZE][rows], moved, future, grid, random)
        for column in _SIZES.get(one, ()):
            new[column][rows] = other_sizes(values[column][rows], future, random, may_be_zero=one is not EventKind.TRADE)
    changes = np.flatnonzero(later & (what == EventKind.DEPTH))
    if standing is None or not len(changes) or kind[changes[0]] & BOOK_CLEAR:
        return Shifted(new, None, 0)
    moved = grid.ticks(standing.price) + ticks
    levels = Levels(grid.prices(moved), _other_levels(standing.size, moved, future, grid, random), standing.side)
    return Shifted(new, levels, int(changes[0]))


def _other_levels(sizes: Floats, moved: Floats, future: Jump, grid: Grid, random: np.random.Generator) -> Floats:
    """Sizes of levels in another order and scale. What is taken away stays so, and a price that there can't be holds nothing."""
    other = sizes.copy()
    held = sizes > 0.0
    other[held] = other_sizes(sizes[held], future, random, may_be_zero=False)
    other[(moved < 1.0) | (moved > grid.ticks(np.array(grid.ceiling)))] = 0.0
    return other


def _ticks(what: Kinds, values: Values, cut: int, standing: Levels | None, future: Jump, grid: Grid, random: np.random.Generator) -> float:
    """By how many increments. Never so far down that a trade or a quote would have no price."""
    price = _last_price(what, values, cut, standing)
    jump = price * (JUMPS[future] - 1.0) * (1.0 - _JITTER * random.random())
    ticks = float(grid.ticks(np.array(jump)))
    lowest = min(
        (
            float(grid.ticks(values[column][cut:][what[cut:] == one]).min())
            for one, columns in _PRICES.items()
            if one is not EventKind.DEPTH and (what[cut:] == one).any()
            for column in columns
        ),
        default=np.inf,
    )
    return max(ticks, 1.0 - lowest)


def _last_price(what: Kinds, values: Values, cut: int, standing: Levels | None) -> float:
    """The last one before the cut, of a book the middle of its best prices; the first one of all where there was none."""
    if standing is not None:
        sides = [(standing.price[standing.side == side]) for side in (1.0, -1.0)]
        best = [float(pick(prices)) for pick, prices in zip((np.max, np.min), sides, strict=True) if len(prices)]
        return sum(best) / len(best)
    priced = np.flatnonzero(np.isin(what, [int(one) for one in _PRICES]))
    before = int(np.searchsorted(priced, cut))
    return float(values[0][priced[max(before - 1, 0)]]) if len(priced) else 0.0


def _standing(kind: Kinds, values: Values, cut: int) -> Levels | None:
    """The book at the cut: of each level since the last snapshot began the last size that was told, where that isn't 0."""
    depth = np.flatnonzero(kind[:cut] & np.uint8(KIND_BITS) == EventKind.DEPTH)
    clears = np.flatnonzero(kind[depth] & BOOK_CLEAR)
    told = depth[clears[-1] :][::-1] if len(clears) else depth[::-1]  # the last one first
    if not len(told):
        return None
    levels = np.column_stack((values[0][told], values[_SIDE][told]))
    _, last = np.unique(levels, axis=0, return_index=True)
    rows = told[last]
    rows = rows[values[_SIZE][rows] > 0.0]
    return Levels(values[0][rows], values[_SIZE][rows], values[_SIDE][rows]) if len(rows) else None
