"""The fills of a run, and the hash by which two runs are the same."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..domain.orders import OrderFilled
from ..domain.vocabulary import Liquidity

FILLS = np.dtype([("ts_ns", "<i8"), ("inst", "<i8"), ("side", "<i8"), ("maker", "<i8"), ("price", "<f8"), ("size", "<f8"), ("fee", "<f8")])
Fills = np.ndarray[Any, np.dtype[np.void]]


def fills_of(executions: Fills) -> Fills:
    """The fills among a desk's execution records, as ``FILLS``."""
    fills = np.empty(len(executions), FILLS)
    for name in FILLS.names or ():
        fills[name] = executions[name]
    return fills


def fills_from_events(events: Iterable[OrderFilled], numbers: dict[str, int]) -> Fills:
    """The guard's fill events as ``FILLS``; ``numbers`` are the account's numbers of the symbols."""
    rows = [
        (
            event.ts_ns,
            numbers[event.symbol],
            int(event.side),
            int(event.liquidity is Liquidity.MAKER),
            float(event.price),
            float(event.size),
            float(event.fee),
        )
        for event in events
    ]
    return np.array(rows, FILLS)


def fills_sha256(fills: Fills) -> str:
    """SHA-256 over the fills' little-endian records, in order: equal means equal bit for bit."""
    return hashlib.sha256(b"traider-fills-1" + np.ascontiguousarray(fills).tobytes()).hexdigest()
