"""Orders as records of the desk's layout, filled anew for each question and handed on by their address.

To fill one field by field through numpy takes 8 us, as one packed structure half of one.
"""

import struct
from typing import Any

import numpy as np

from .layout import ORDER

# what is asked for; the rest of a row is what the venue adds, and is packed as zeros
_ASKED = (
    *("ref", "inst", "side", "type", "tif", "post_only"),
    *("size", "limit_price", "stop_price", "trail", "trail_kind", "expire_ns", "oco", "parent"),
)
_ROW = struct.Struct("=" + "".join(("d" if ORDER[name].kind == "f" else "q") if name in _ASKED else "8x" for name in ORDER.names or ()))
ROW_BYTES = _ROW.size


class OrderRows:
    """So many rows, one after the other from ``address`` on; what is put into a row writes over what was there."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._memory = np.zeros(room, ORDER)
        octets: Any = self._memory.view(np.uint8)
        words: Any = self._memory.view(np.int64)
        self._bytes, self._words = memoryview(octets), memoryview(words)
        self.address = int(self._memory.ctypes.data)

    def put(
        self,
        row: int,
        inst: int,
        side: int,
        type_: int,
        size: float,
        limit_price: float,
        stop_price: float,
        tif: int,
        post_only: bool,
        trail: float,
        trail_kind: int,
        expire_ns: int,
        ref: int = 0,
        oco: int = 0,
        parent: int = 0,
    ) -> None:
        # by place and not by name, in the order of the layout's fields: it is called for every order
        _ROW.pack_into(
            self._bytes, row * ROW_BYTES, ref, inst, side, type_, tif, post_only,
            size, limit_price, stop_price, trail, trail_kind, expire_ns, oco, parent,
        )  # fmt: skip

    def answers(self, first: int, count: int) -> list[int]:
        """What was written where the ids of these rows lie: the ids of orders that were placed, minus the reason of one that was not."""
        step = ROW_BYTES // 8
        return self._words[first * step : (first + count) * step : step].tolist()


class OrderRow:
    """One row. ``fill`` gives its address as it is then; the next ``fill`` writes over it."""

    def __init__(self) -> None:
        self._rows = OrderRows(1)

    def fill(
        self,
        *,
        inst: int,
        side: int,
        type: int,
        size: float,
        ref: int = 0,
        tif: int = 0,
        post_only: bool = False,
        limit_price: float = 0.0,
        stop_price: float = 0.0,
        trail: float = 0.0,
        trail_kind: int = 0,
        expire_ns: int = 0,
        oco: int = 0,
        parent: int = 0,
    ) -> int:
        self._rows.put(0, inst, side, type, size, limit_price, stop_price, tif, post_only, trail, trail_kind, expire_ns, ref, oco, parent)
        return self._rows.address
