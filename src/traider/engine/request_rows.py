"""What a strategy has asked for, as it lies on the desk, read row by row."""

from collections import namedtuple
from typing import Any

from ..kernel.layout import ORDER

_FIELDS = ORDER.names or ()
RequestRow: Any = namedtuple("RequestRow", _FIELDS)  # type: ignore[misc]  # the layout says which


def read_rows(records: Any) -> list[Any]:
    """The values of these records of the layout: all at once, since each field that is looked up in a record costs as much as a row."""
    return [RequestRow._make(row) for row in records.tolist()]
