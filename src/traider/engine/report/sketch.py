"""Curves as still pictures: what a reader without JavaScript sees, and everyone until the script has drawn its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..tape import Floats

WIDTH, HEIGHT = 1000, 100
_COLUMNS = 500


@dataclass(frozen=True)
class Sketch:
    """``line`` is the d of a path in a box of 1000 x 100; ``high`` and ``low`` are the values at its top and bottom."""

    line: str
    area: str
    high: float
    low: float


def sketch_of(ts_ns: np.ndarray[Any, np.dtype[np.int64]], values: Floats) -> Sketch:
    """The curve over time, each of 500 columns drawn from its lowest to its highest value."""
    low, high = float(values.min()), float(values.max())
    whole = max(1, int(ts_ns[-1] - ts_ns[0]))
    x = (ts_ns - ts_ns[0]) / whole * WIDTH
    y = (high - values) / (high - low or 1.0) * HEIGHT
    kept = _extremes(np.minimum((x / WIDTH * _COLUMNS).astype(np.int64), _COLUMNS - 1), y)
    points = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x[kept].tolist(), y[kept].tolist(), strict=True))
    return Sketch(f"M{points}", f"M{x[kept[0]]:.1f} {HEIGHT}L{points}L{x[kept[-1]]:.1f} {HEIGHT}Z", high, low)


def _extremes(column: np.ndarray[Any, Any], y: Floats) -> np.ndarray[Any, Any]:
    """The numbers of the first and last point, and of each column's lowest and highest, in order."""
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    order = np.lexsort((y, column))
    lasts = np.append(starts[1:], len(y)) - 1
    return np.unique(np.concatenate([[0, len(y) - 1], order[starts], order[lasts]]))
