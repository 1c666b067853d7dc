"""Long columns for the page's script: small enough for tens of thousands of fills, exact to the last bit.

Each column is cut into planes of one byte (all first bytes, all second bytes, ...), times and counters are kept as
differences, and everything is deflated once: neighbouring values share most of their bytes. ``assets/data.js`` undoes it.
"""

import base64
import zlib
from typing import Any, Literal

import numpy as np

Kind = Literal["float", "time", "count", "small"]


class Packing:
    """Columns by name, in the order in which they are added."""

    def __init__(self) -> None:
        self.columns: list[tuple[str, Kind, int]] = []
        self._chunks: list[bytes] = []

    def floats(self, name: str, values: np.ndarray[Any, Any]) -> None:
        self._add(name, "float", values.astype("<f8"))

    def times(self, name: str, ts_ns: np.ndarray[Any, Any]) -> None:
        """Whole microseconds: the finest that a float of the page's script holds exactly."""
        self._add(name, "time", np.diff(ts_ns.astype("<i8") // 1000, prepend=np.int64(0)))

    def counts(self, name: str, values: np.ndarray[Any, Any]) -> None:
        self._add(name, "count", np.diff(values.astype("<i8"), prepend=np.int64(0)).astype("<i4"))

    def small(self, name: str, values: np.ndarray[Any, Any]) -> None:
        """Values from -128 to 127."""
        self._add(name, "small", values.astype("i1"))

    def _add(self, name: str, kind: Kind, values: np.ndarray[Any, Any]) -> None:
        self.columns.append((name, kind, len(values)))
        planes = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), values.dtype.itemsize).T
        self._chunks.append(planes.tobytes())

    def text(self) -> str:
        """Everything, deflated, in base64."""
        return base64.b64encode(zlib.compress(b"".join(self._chunks), 6)).decode("ascii")
