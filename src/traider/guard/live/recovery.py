"""The live books, read back from the journal: record by record, the same way in which they were written."""

import msgspec

from traider.domain.errors import JournalError, OrderStateError, UserError
from traider.kernel import layout

from ..books import GuardConfig, merged_instruments
from ..journal import Journal
from ..records import JOURNAL_VERSION, LIVE, READABLE_VERSIONS, SIMULATED, Checkpoint, Configured, Entry
from .books import LiveBooks, live_books


def recover_live(journal: Journal, config: GuardConfig) -> LiveBooks:
    """The books that the journal describes, with the limits and fees of ``config``.

    ``UserError`` when ``config`` is for another account, ``JournalError`` when the journal contradicts itself.
    """
    books = live_books(config)
    for entry in journal.read():
        try:
            books = _read(books, entry)
        except OrderStateError as error:
            raise JournalError(f"{journal.path}: line {entry.n}: {error}") from error
    if books.configured is not None:
        books.set_instruments(merged_instruments(books.configured.instruments, config.instruments))
    return books


def _read(books: LiveBooks, entry: Entry) -> LiveBooks:
    books.index = entry.index
    record = entry.record
    if isinstance(record, Configured):
        return _configured(books, record)
    if isinstance(record, Checkpoint):
        _restore(books, record, entry.n)
    books.take(record, entry.wall_ns)
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
