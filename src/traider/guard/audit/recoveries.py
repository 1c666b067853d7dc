"""I6 and I7: what the journal says, read again, is what the running guard knows; and each reading comes to the same."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from traider.domain.errors import JournalError
from traider.domain.orders import AnyOrderEvent

from ..books import GuardConfig
from ..carried import counted, submissions
from ..journal import Disk, Journal, head_path
from ..live.books import LiveBooks
from ..live.core import LiveGuard
from ..live.recovery import recover_live
from ..live.view import View
from ..segments import segment_paths
from .truth import Tally, Truth


class _StandingClock:
    def __init__(self, ns: int) -> None:
        self._ns = ns

    def now_ns(self) -> int:
        return self._ns


class _Unsynced(Disk):
    def sync(self, fd: int) -> None:
        """Of a copy that is thrown away nothing has to be durable."""


def knowledge(books: LiveBooks) -> dict[str, Any]:
    """Everything that the books know but for marks since the last checkpoint and wishes."""
    account = books.desk.account
    return {
        "cash": float(account["cash"]),
        "fees": float(account["fees"]),
        "killed": int(account["killed"]),
        "positions": [
            (float(p["size"]), float(p["average_price"]), float(p["open_buys"]), float(p["open_sells"])) for p in books.desk.positions
        ],
        "working": sorted((float(o["size"]), float(o["filled"]), float(o["limit_price"])) for o in books.desk.open_orders()),
        "open": books.open,
        "ended": books.ended,
        "lines": books.lines,
        "venue_ids": books.venue_ids,
        "trades": books.trades,
        "totals": books.totals,
        "kill": books.kill,
        "opened_ns": books.opened_ns,
        "session": (books.session, books.session_n),
        "halted": books.asked.halt_reason(),
        "sent_after_ns": books.sent_after_ns,
        "amending": books.amending,
        "amendments": books.amendments,
        "spent": books.spent.told(),
        "counted": counted(books.asked),
        "submissions": submissions(books),
    }


def recoveries_agree(guard: LiveGuard, truth: Truth, tally: Tally) -> None:
    """Recovers two copies of the guard's journal, and lets each hear from the exchange how things stand.

    Where the journal has more than one segment, all lines from the first on have to come to what the newest segment comes to.
    """
    config, now_ns = guard.books.config, guard.now_ns()
    running = knowledge(guard.books)
    with tempfile.TemporaryDirectory(prefix="traider-audit-") as folder:
        first, second = (_recovered(guard.journal.path, Path(folder) / name, config, truth, now_ns) for name in ("first", "second"))
        whole = _whole(guard.journal, config, tally)
    for part, known in running.items():
        tally.check("I6", whole is None or whole[part] == first[0][part], f"{part}: all segments do not come to what the newest one does")
        tally.check("I6", first[0][part] == known, f"{part}: the journal comes to {first[0][part]!r}, the guard has {known!r}")
    tally.check("I7", first[0] == second[0], f"two readings differ in {[part for part in running if first[0][part] != second[0][part]]}")
    tally.check("I7", first[1] == second[1], f"two recoveries tell {first[1]} and {second[1]}")
    tally.check("I7", first[2] == second[2], "two recoveries leave other books")


def _whole(journal: Journal, config: GuardConfig, tally: Tally) -> dict[str, Any] | None:
    """What all segments come to; None where there is one alone, or they contradict one another."""
    if journal.segment.number == 1:
        return None
    try:
        return knowledge(recover_live(journal, config, whole=True))
    except JournalError as error:
        tally.violated("I6", str(error))
        return None


def _recovered(
    path: Path, folder: Path, config: GuardConfig, truth: Truth, now_ns: int
) -> tuple[dict[str, Any], Sequence[AnyOrderEvent], dict[str, Any]]:
    """What the journal says, what its recovery tells, and what is known when the exchange was heard."""
    folder.mkdir()
    copy = folder / path.name
    for file in (head_path(path), *(segment for _, segment in segment_paths(path))):
        shutil.copy(file, folder)
    clock = _StandingClock(now_ns)
    journal = Journal.open(copy, clock=clock, disk=_Unsynced())
    try:
        read = _copied(knowledge(recover_live(journal, config)))
        guard = LiveGuard(journal, config, clock)
        events = [*guard.start().events]
        orders = truth.open_orders()
        view = View(now_ns, orders, {}, truth.fills, {}, truth.balances)
        events += guard.reconciled(view).events
        return read, events, knowledge(guard.books)
    finally:
        journal.close()


def _copied(known: dict[str, Any]) -> dict[str, Any]:
    return {part: value.copy() if isinstance(value, dict | set | list) else value for part, value in known.items()}
