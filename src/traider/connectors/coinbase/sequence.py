"""Whether every message of a connection arrived, once and in order."""

from enum import Enum


class Arrival(Enum):
    NEXT = "next"
    GAP = "gap"  # something before it is missing
    LATE = "late"  # it was there before, or was counted as missing: nothing new may be taken from it


class SequenceCheck:
    """Judges the numbers of one connection. It has to see every message, of every channel, before any is passed over.

    The venue numbers the messages of a connection in one row. ``key`` is for the other reading of its documentation, a row a product.
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}  # by key
        self.expected: int | None = None  # the number of the next message, where all are in one row; None before the first

    def judge(self, number: int, key: str = "") -> Arrival:
        """Of this message. The first one may have any number."""
        last = self._last.get(key) if key else None if self.expected is None else self.expected - 1
        if last is not None and number <= last:
            return Arrival.LATE
        if key:
            self._last[key] = number
        else:
            self.expected = number + 1
        return Arrival.NEXT if last is None or number == last + 1 else Arrival.GAP

    def advance(self, expected: int) -> None:
        """The expected one arrived."""
        self.expected = expected + 1
