"""One run of a hand-written loop, timed like an engine's."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .peers.columns import columns_of

WARM_UP = 1000  # rows of the run before, which compiles


def run_loop(loop: Callable[..., tuple[Any, ...]], data: Path, names: tuple[str, ...], *settings: float) -> dict[str, Any]:
    """What the loop made of these columns: it returns the final equity, the fills, and more that nobody asks for."""
    columns = columns_of(data)
    arrays = [columns[name] for name in names]
    loop(*(array[:WARM_UP] for array in arrays), *settings)
    started = time.perf_counter()
    equity, fills, *_ = loop(*arrays, *settings)
    return told(time.perf_counter() - started, len(arrays[0]), fills, equity)


def told(seconds: float, events: int, fills: int, equity: float) -> dict[str, Any]:
    """In the words that all entrants of a race share."""
    return {"ns": seconds / events * 1e9, "fills": fills, "equity": equity}
