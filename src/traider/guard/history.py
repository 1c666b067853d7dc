"""What has happened to orders in a session, read back from the journal with the moment of each event."""

from collections.abc import Iterator

from traider.domain.guard_protocol import PastEvent
from traider.domain.orders import OrderEvent

from .journal import Journal
from .records import Advanced, Cause

_BACK = 256  # lines are read back so many at a time


def past_events(journal: Journal, session_n: int, first: int, last: int) -> Iterator[PastEvent]:
    """The order events in lines ``first`` to ``last`` of the session that began with line ``session_n``.

    ``JournalError`` where they are in a segment that is not here any more.
    """
    index, tick = _moment_of(journal, session_n, first - 1)
    for entry in journal.read(first, last):
        if entry.index != index:
            index, tick = entry.index, 0
        if isinstance(entry.record, Advanced):
            tick = entry.record.tick
        elif isinstance(entry.record, OrderEvent):
            yield PastEvent(index=index, matched=entry.cause in (Cause.FEED, Cause.TIMER), event=entry.record, tick=tick)


def _moment_of(journal: Journal, session_n: int, n: int) -> tuple[int, int]:
    """The market event that was the last one at this line, and how often the time had been advanced since."""
    index: int | None = None
    while n > session_n:
        begin = max(session_n + 1, n - _BACK + 1)
        for entry in reversed(list(journal.read(begin, n))):
            if index is not None and entry.index != index:
                return index, 0
            index = entry.index
            if isinstance(entry.record, Advanced):
                return index, entry.record.tick
        n = begin - 1
    return -1 if index is None else index, 0
