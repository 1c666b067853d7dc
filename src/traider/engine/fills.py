"""The fills of a run, and the hash by which two runs are the same."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..domain.orders import OrderFilled
from ..domain.vocabulary import Liquidity, Reason
from ..kernel import layout

HASHED = np.dtype([("ts_ns", "<i8"), ("inst", "<i8"), ("side", "<i8"), ("maker", "<i8"), ("price", "<f8"), ("size", "<f8"), ("fee", "<f8")])
# what a fill is, and then why it happened: see traider.engine.explain
FILLS = np.dtype(
    [
        *HASHED.descr,
        ("rule", "<i8"),  # FillRule; 0: not simulated here
        ("type", "<i8"),  # OrderType, as it was when it filled
        ("decided_ns", "<i8"),
        ("limit_price", "<f8"),
        ("stop_price", "<f8"),
        ("queue", "<f8"),
    ]
)
Fills = np.ndarray[Any, np.dtype[np.void]]


def fills_of(executions: Fills) -> Fills:
    """The fills among a desk's execution records, as ``FILLS``."""
    fills = np.empty(len(executions), FILLS)
    for name in FILLS.names or ():
        fills[name] = executions[name]
    return fills


class Outcomes:
    """What became of a run's orders: the fills, and how many were refused or cancelled for which reason.

    A strategy may be refused at every event, so the refusals themselves are not kept.
    """

    def __init__(self) -> None:
        self._fills: list[Fills] = []
        self._refusals: Counter[int] = Counter()
        self._cancels: Counter[int] = Counter()

    def add(self, executions: Fills) -> None:
        """Takes in what a desk logged since the last time."""
        kinds = executions["kind"]
        self._fills.append(fills_of(executions[kinds == layout.FILL]))
        self._refusals.update(executions["reason"][kinds == layout.REFUSAL].tolist())
        self._cancels.update(executions["reason"][kinds == layout.CANCEL].tolist())

    def fills(self) -> Fills:
        """All fills, in order."""
        return np.concatenate(self._fills) if self._fills else np.empty(0, FILLS)

    def refusals(self) -> dict[Reason, int]:
        """How many orders were refused, by reason."""
        return {Reason(reason): count for reason, count in self._refusals.items()}

    def cancels(self) -> dict[Reason, int]:
        """How many orders were cancelled, by reason."""
        return {Reason(reason): count for reason, count in self._cancels.items()}


def fills_from_events(events: Iterable[OrderFilled], numbers: dict[str, int]) -> Fills:
    """The guard's fill events as ``FILLS``, which don't tell why; ``numbers`` are the account's numbers of the symbols."""
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
    fills = np.zeros(len(rows), FILLS)
    for name, column in zip(HASHED.names or (), zip(*rows, strict=True), strict=False):
        fills[name] = column
    return fills


def facts_of(fills: Fills) -> Fills:
    """What the fills are, without why: the records that the hash is of."""
    facts = np.empty(len(fills), HASHED)
    for name in HASHED.names or ():
        facts[name] = fills[name]
    return facts


def fills_sha256(fills: Fills) -> str:
    """SHA-256 over the little-endian records of ``HASHED``, in order: equal means equal bit for bit."""
    digest = hashlib.sha256(b"traider-fills-1")
    digest.update(facts_of(fills).view(np.uint8).data)
    return digest.hexdigest()
