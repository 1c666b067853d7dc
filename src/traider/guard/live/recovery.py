"""The live books, read back from the journal: record by record, the same way in which they were written."""

import msgspec

from traider.domain.errors import JournalError, OrderStateError, UserError
from traider.kernel import layout
from traider.runtime.collector import collector_paused

from ..books import GuardConfig, merged_instruments
from ..carried import contradiction, unlike
from ..journal import Journal
from ..records import (
    JOURNAL_VERSION,
    LIVE,
    READABLE_VERSIONS,
    SIMULATED,
    Checkpoint,
    Configured,
    Entry,
    LiveCarried,
    SegmentStarted,
)
from .books import LiveBooks, live_books
from .carried import carry_live, restore_live


def recover_live(journal: Journal, config: GuardConfig, *, whole: bool = False) -> LiveBooks:
    """The books that the journal describes, with the limits and fees of ``config``.

    The newest segment is read, which begins with a snapshot; the ``whole`` journal comes to the same, and proves the snapshots.
    ``UserError`` when ``config`` is for another account, ``JournalError`` when the journal contradicts itself.
    """
    books = live_books(config)
    first = 1 if whole else journal.segment.first_n
    with collector_paused():
        for entry in journal.read(first):
            try:
                books = _read(books, entry, begun=entry.n > first)
            except OrderStateError as error:
                raise JournalError(f"{journal.path}: line {entry.n}: {error}") from error
    if books.configured is not None:
        books.set_instruments(merged_instruments(books.configured.instruments, config.instruments))
    return books


def _read(books: LiveBooks, entry: Entry, *, begun: bool) -> LiveBooks:
    books.index = entry.index
    record = entry.record
    if isinstance(record, Configured):
        return _configured(books, record)
    if isinstance(record, SegmentStarted):
        books = _segment(books, record, entry, begun=begun)
        _restore(books, record.books.checkpoint, entry.n)
    if isinstance(record, Checkpoint):
        _restore(books, record, entry.n)
    books.take(record, entry.wall_ns)
    return books


def _segment(books: LiveBooks, record: SegmentStarted, entry: Entry, *, begun: bool) -> LiveBooks:
    """The books of the snapshot; where lines before it were read, it has to be what they have come to."""
    carried = record.books
    if not isinstance(carried, LiveCarried):
        raise UserError("this account was opened on the paper venue: choose another --state-dir for one on an exchange")
    if begun:
        parts = unlike(carry_live(books, entry.n), carried)
        if parts:
            raise JournalError(contradiction(entry.n, parts))
        return books
    if carried.configured is not None:
        books = _configured(books, carried.configured)
    books = restore_live(books.config, record, carried)
    books.index = entry.index
    return books


def _configured(books: LiveBooks, record: Configured) -> LiveBooks:
    if record.version not in READABLE_VERSIONS:
        raise UserError(f"the journal is of version {record.version}, this guard writes version {JOURNAL_VERSION}")
    if record.fill != (SIMULATED if books.config.simulated else LIVE):
        was = {LIVE: "an exchange", SIMULATED: "the simulated exchange"}.get(record.fill, "the paper venue")
        now = "the simulated exchange" if books.config.simulated else "an exchange"
        raise UserError(f"this account was opened on {was}: choose another --state-dir for one on {now}")
    if books.configured is None:
        books = live_books(msgspec.structs.replace(books.config, instruments=record.instruments))
    else:
        books.set_instruments(record.instruments)
    books.configured = record
    return books


def _restore(books: LiveBooks, record: Checkpoint, n: int) -> None:
    """Marks, day and peak; cash and sizes have to be what the fills came to."""
    desk = books.desk
    sizes = tuple(desk.positions["size"][: len(record.sizes)].tolist())
    if float(desk.account["cash"]) != record.cash or sizes != record.sizes:
        raise JournalError(
            f"line {n}: the fills come to cash {float(desk.account['cash'])!r} and positions {sizes}, "
            f"the checkpoint says {record.cash!r} and {record.sizes}"
        )
    desk.restore_marks(
        day_start_equity=record.day_start_equity,
        day_index=record.day_end_ns // layout.DAY_NS - 1,
        high_water_mark=record.high_water_mark,
        marks=record.marks,
        now_ns=record.ts_ns,
    )
    books.checkpoint_index = books.index
