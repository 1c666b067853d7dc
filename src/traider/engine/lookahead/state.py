"""What a strategy holds before the first event, in a form that two processes can compare."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

_MAX_BYTES = 64_000_000  # of one value; a longer one is left out
_PLAIN = (bool, int, float, str, type(None))


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute or global; ``rows`` are the bytes of its rows, equally long, or of the one value that it is."""

    name: str
    place: str
    shape: tuple[int, ...]
    values: bytes

    def rows(self) -> list[bytes]:
        count = self.shape[0] if self.shape else 1
        width = len(self.values) // count if count else 0
        return [self.values[i * width : (i + 1) * width] for i in range(count)]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A value that another future has changed before the first event: ``name``, of an array the row, and where it was assigned."""

    name: str
    row: int | None
    place: str


def hold(name: str, place: str, value: object) -> Held | None:
    """The value, if it is a number, text, or something that numpy takes for an array of such; None otherwise."""
    if isinstance(value, _PLAIN):
        return Held(name=name, place=place, shape=(), values=repr(value).encode())
    if isinstance(value, Mapping):
        value = list(value.items())
    if not (isinstance(value, list | tuple) or hasattr(value, "__array__")):
        return None
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):  # rows of unequal length
        array = np.zeros(0, object)
    if array.dtype.kind not in "biufmM" and isinstance(value, list | tuple | np.ndarray):
        # What isn't numbers is compared by its text, of which a hash is kept.
        array = np.array([hashlib.blake2b(repr(row).encode(), digest_size=8).digest() for row in value], "S8")
    if array.nbytes > _MAX_BYTES or array.dtype.hasobject:
        return None
    return Held(name=name, place=place, shape=array.shape, values=np.ascontiguousarray(array).tobytes())


def first_changed(recorded: list[Held], changed: list[Held], cut: int) -> Changed | None:
    """The first name whose value differs in a row of the past, one before ``cut``; else the first that differs at all."""
    others = {held.name: held for held in changed}
    found = [Changed(name=held.name, row=row, place=held.place) for held in recorded if (row := _row(held, others.get(held.name))) != _SAME]
    return next((one for one in found if one.row is None or one.row < cut), found[0] if found else None)


_SAME = -1


def _row(recorded: Held, changed: Held | None) -> int | None:
    """The first row in which they differ, None for what has no rows, -1 where they are the same or can't be compared."""
    if changed is None or recorded.values == changed.values:
        return _SAME
    if not recorded.shape or not changed.shape:
        return None
    rows, others = recorded.rows(), changed.rows()
    return next((row for row, (one, two) in enumerate(zip(rows, others, strict=False)) if one != two), min(len(rows), len(others)))


def values_of(names: Mapping[str, Any], prefix: str, place_of: Callable[[str], str]) -> list[Held]:
    """Those of the names whose values can be compared."""
    found = (hold(f"{prefix}{name}", place_of(name), value) for name, value in names.items() if not name.startswith("__"))
    return [held for held in found if held is not None]
