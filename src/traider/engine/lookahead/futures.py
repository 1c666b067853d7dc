"""Columns of a market whose past is the recorded one and whose future is another.

The other future starts with a jump, up or down, so that whoever knew the next price acts otherwise. After it each move
has the recorded size and a sign drawn anew. So the two futures tell nothing of one another's direction, which is what
``memory`` stands on. Bars stay bars: high above low, open and close where they were between them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Columns = dict[str, Floats]
Future = Literal["truncated", "higher", "lower"]
FUTURES: tuple[Future, ...] = ("truncated", "higher", "lower")

_JUMP = {"higher": 2.0, "lower": 0.5}
_AMOUNTS = {"higher": 3.0, "lower": 1.0 / 3.0}  # volumes and sizes, so that their means and extremes change as well
_LARGEST_MOVE = 0.7  # in logarithms; a recorded flash crash turned upside down would leave every range
_SIZE_DECIMALS = 8


@dataclass(frozen=True)
class Grid:
    """What prices are multiples of, and the largest that there may be."""

    increment: Decimal
    ceiling: float

    @property
    def smallest(self) -> float:
        return float(self.increment)

    def round(self, prices: Floats) -> Floats:
        above, below = (float(number) for number in self.increment.as_integer_ratio())
        rounded: Floats = np.clip(np.rint(prices * below / above) * above / below, self.smallest, self.ceiling)
        return rounded


def changed(kind: str, columns: Columns, cut: int, future: Future, *, grid: Grid, seed: int) -> Columns:
    """The columns with rows ``cut`` and later of another future; of ``truncated`` there are none."""
    if future == "truncated":
        return {name: column[:cut] for name, column in columns.items()}
    if not 0 < cut < len(next(iter(columns.values()))):
        raise ValueError(f"a cut at row {cut} leaves no past or no future")
    random = np.random.default_rng([seed, cut, 0 if future == "higher" else 1])
    rows = len(next(iter(columns.values()))) - cut
    signs = random.choice([-1.0, 1.0], rows)
    new = _LATER[kind](columns, cut, signs, _JUMP[future], grid)
    name = "volume" if kind == "bars" else "size"
    amounts = random.permutation(columns[name][cut:]) * _AMOUNTS[future]
    new[name] = np.round(amounts, _SIZE_DECIMALS)
    if kind != "bars":
        new[name] = np.maximum(new[name], 10.0**-_SIZE_DECIMALS)
    return {name: np.concatenate((column[:cut], new[name])) for name, column in columns.items()}


def _bars(columns: Columns, cut: int, signs: Floats, jump: float, grid: Grid) -> Columns:
    before = _before(columns["close"], cut, signs, jump, grid)
    moved = {name: before * np.exp(signs * _moves(columns[name], columns["close"], cut)) for name in ("open", "high", "low", "close")}
    up = signs > 0  # a bar that is turned upside down has its low where its high was
    moved["high"], moved["low"] = np.where(up, moved["high"], moved["low"]), np.where(up, moved["low"], moved["high"])
    return {name: grid.round(prices) for name, prices in moved.items()}


def _trades(columns: Columns, cut: int, signs: Floats, jump: float, grid: Grid) -> Columns:
    before = _before(columns["price"], cut, signs, jump, grid)
    price = grid.round(before * np.exp(signs * _moves(columns["price"], columns["price"], cut)))
    return {"price": price, "side": columns["side"][cut:] * signs}


def _moves(prices: Floats, closes: Floats, cut: int) -> Floats:
    """From the close before to this price, in logarithms."""
    return np.clip(np.log(prices[cut:] / closes[cut - 1 : -1]), -_LARGEST_MOVE, _LARGEST_MOVE)


def _before(closes: Floats, cut: int, signs: Floats, jump: float, grid: Grid) -> Floats:
    """The new close before each row; before the first it is the recorded one times the jump."""
    path = np.log(closes[cut - 1] * jump) + np.concatenate(([0.0], np.cumsum(signs * _moves(closes, closes, cut))[:-1]))
    # Room is left at both ends for the moves inside of a bar.
    before: Floats = np.exp(np.clip(path, np.log(grid.smallest * 4.0), np.log(grid.ceiling / 2.0)))
    return before


# How each kind of market data goes on otherwise. Another kind (an order book) is added here, and with its price in ``PRICES``.
_LATER: dict[str, Callable[[Columns, int, Floats, float, Grid], Columns]] = {"bars": _bars, "trades": _trades}
PRICES = {"bars": "close", "trades": "price"}
