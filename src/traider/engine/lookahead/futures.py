"""Columns of one kind of one instrument whose past is the recorded one and whose future is another.

The other future starts with a jump, up or down, so that whoever knew the next price acts otherwise. After it each move
has the recorded size and a sign drawn anew. So the two futures tell nothing of one another's direction, which is what
``memory`` stands on. Bars stay bars: high above low, open and close where they were between them. Quotes keep their spread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Columns = dict[str, Floats]
Jump = Literal["higher", "lower"]
Future = Literal["truncated", Jump]
FUTURES: tuple[Future, ...] = ("truncated", "higher", "lower")

JUMPS = {"higher": 2.0, "lower": 0.5}  # times the price before it
_AMOUNTS = {"higher": 3.0, "lower": 1.0 / 3.0}  # volumes and sizes, so that their means and extremes change as well
_LARGEST_MOVE = 0.7  # in logarithms; a recorded flash crash turned upside down would leave every range
_SIZE_DECIMALS = 8
SIZES = {"bars": ("volume",), "trades": ("size",), "quotes": ("bid_size", "ask_size")}


@dataclass(frozen=True)
class Grid:
    """What prices are multiples of, and the largest that there may be."""

    increment: Decimal
    ceiling: float

    @property
    def smallest(self) -> float:
        return float(self.increment)

    def round(self, prices: Floats) -> Floats:
        return self.prices(self.ticks(prices))

    def ticks(self, prices: Floats) -> Floats:
        """How many whole increments."""
        above, below = (float(number) for number in self.increment.as_integer_ratio())
        ticks: Floats = np.rint(prices * below / above)
        return ticks

    def prices(self, ticks: Floats) -> Floats:
        """So many increments, kept between the smallest and the largest price."""
        above, below = (float(number) for number in self.increment.as_integer_ratio())
        prices: Floats = np.clip(ticks * above / below, self.smallest, self.ceiling)
        return prices


def changed(kind: str, columns: Columns, cut: int, future: Jump, *, grid: Grid, seed: int) -> Columns:
    """The columns with rows ``cut`` and later of another future."""
    rows = len(next(iter(columns.values()))) - cut
    if not (cut > 0 and rows > 0):
        raise ValueError(f"a cut at row {cut} leaves no past or no future")
    random = np.random.default_rng([seed, cut, 0 if future == "higher" else 1])
    signs = random.choice([-1.0, 1.0], rows)
    new = _LATER[kind](columns, cut, signs, JUMPS[future], grid)
    for name in SIZES[kind]:
        new[name] = other_sizes(columns[name][cut:], future, random, may_be_zero=kind != "trades")
    return {name: np.concatenate((column[:cut], new[name])) for name, column in columns.items()}


def other_sizes(sizes: Floats, future: Jump, random: np.random.Generator, *, may_be_zero: bool) -> Floats:
    """The sizes in another order, three times as large or a third."""
    other: Floats = np.round(random.permutation(sizes) * _AMOUNTS[future], _SIZE_DECIMALS)
    return other if may_be_zero else np.maximum(other, 10.0**-_SIZE_DECIMALS)


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


def _quotes(columns: Columns, cut: int, signs: Floats, jump: float, grid: Grid) -> Columns:
    middles = price_of("quotes", columns)
    before = _before(middles, cut, signs, jump, grid)
    middle = grid.ticks(before * np.exp(signs * _moves(middles, middles, cut)))
    spread = np.maximum(grid.ticks(columns["ask"][cut:] - columns["bid"][cut:]), 1.0)
    highest = grid.ticks(np.array(grid.ceiling))
    bid = np.clip(np.floor(middle - spread / 2.0), 1.0, np.maximum(highest - spread, 1.0))
    return {"bid": grid.prices(bid), "ask": grid.prices(bid + spread)}


def price_of(kind: str, columns: Columns) -> Floats:
    """What a position is marked at: a bar's close, a trade's price, the middle of a quote."""
    if kind == "quotes":
        return (columns["bid"] + columns["ask"]) / 2.0
    return columns["close" if kind == "bars" else "price"]


def _moves(prices: Floats, closes: Floats, cut: int) -> Floats:
    """From the close before to this price, in logarithms."""
    return np.clip(np.log(prices[cut:] / closes[cut - 1 : -1]), -_LARGEST_MOVE, _LARGEST_MOVE)


def _before(closes: Floats, cut: int, signs: Floats, jump: float, grid: Grid) -> Floats:
    """The new close before each row; before the first it is the recorded one times the jump."""
    path = np.log(closes[cut - 1] * jump) + np.concatenate(([0.0], np.cumsum(signs * _moves(closes, closes, cut))[:-1]))
    # Room is left at both ends for the moves inside of a bar.
    before: Floats = np.exp(np.clip(path, np.log(grid.smallest * 4.0), np.log(grid.ceiling / 2.0)))
    return before


_LATER: dict[str, Callable[[Columns, int, Floats, float, Grid], Columns]] = {"bars": _bars, "trades": _trades, "quotes": _quotes}
