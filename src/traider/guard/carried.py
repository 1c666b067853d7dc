"""What a journal's next file begins with: the books, as a record, and the books of that record again.

``PaperCarried`` holds what ``traider.guard.recovery`` reads from lines, ``LiveCarried`` (``traider.guard.live.carried``) likewise. So a
guard that begins with the snapshot knows what one knows that has read every line before it; ``unlike`` says where that is not so.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from traider.kernel import layout
from traider.kernel.control_desk import Controls

from .books import Books, KillState
from .records import Carried, Counted, Held, PaperCarried
from .spent import SpentIds

_RINGS = ("placed", "amended", "executed", "rejected")


def carry(books: Books, n: int) -> PaperCarried:
    """The books of an account on paper, for line ``n``."""
    return PaperCarried(**common(books, n), over=dict(books.over))


def common(books: Books, n: int) -> dict[str, Any]:
    """What is carried of the books of either kind."""
    account, kill = books.desk.account, books.kill
    forgotten = books.forgettable()
    spent = books.spent.copy()
    for identifier in forgotten:
        spent.spend(identifier)
    gone = set(forgotten)
    return {
        "configured": books.configured,
        "checkpoint": books.checkpoint(n),
        "killed": kill.on,
        "kill_reason": kill.reason,
        "kill_by": kill.by,
        "kill_wall_ns": kill.ts_ns,
        "session": books.session,
        "session_n": books.session_n,
        "session_start": books.session_start,
        "tick": books.tick,
        "cash": float(account["cash"]),
        "fees": float(account["fees"]),
        "fills": int(account["fills"]),
        "next_id": int(account["next_id"]),
        "positions": tuple(map(_held, books.desk.positions[: len(books.config.instruments)])),
        "submissions_ns": submissions(books),
        "counted": None if books.controls is None else counted(books.controls),
        "open": tuple(books.open.values()),
        "accepted_ts_ns": books.accepted_ts_ns.copy(),
        "lines": {identifier: tuple(lines) for identifier, lines in books.lines.items() if identifier not in gone},
        "spent": spent.told(),
        "amendments": books.remembered_amendments(),
    }


def _held(position: Any) -> Held:
    return Held(**{name: float(position[name]) for name in Held.__struct_fields__})


def submissions(books: Books) -> tuple[int, ...]:
    """When orders were placed within the minute before the last of them, the oldest first."""
    placed = _newest(books.desk.record["submissions"], int(books.desk.account["submissions"]))
    return tuple(ts_ns for ts_ns in placed if ts_ns > placed[-1] - layout.MINUTE_NS)


def _newest(ring: Any, written: int) -> list[Any]:
    """The newest entries of a ring, the oldest first."""
    kept = min(written, len(ring))
    taken: list[Any] = ring[np.arange(written - kept, written) % len(ring)].tolist()
    return taken


def counted(controls: Controls) -> Counted:
    """What the controls have counted."""
    row = controls.record
    return Counted(
        halted=int(row["halted"]),
        rejections=int(row["rejections"]),
        **{f"{name}_ns": tuple(_newest(row[f"{name}_ns"], int(row[name]))) for name in _RINGS},
        recent=tuple(_newest(row["recent"], int(row["placed"]))),
    )


def restore(books: Books, carried: Carried) -> None:
    """Gives fresh books, on a desk with the carried instruments, what both kinds of account carry; no order is put on the desk."""
    books.configured = carried.configured
    books.kill = KillState(carried.killed, carried.kill_reason, carried.kill_by, carried.kill_wall_ns)
    books.session, books.session_n, books.session_start = carried.session, carried.session_n, carried.session_start
    books.tick = carried.tick
    account = books.desk.account
    account["cash"], account["fees"], account["fills"] = carried.cash, carried.fees, carried.fills
    account["next_id"] = carried.next_id
    for position, held in zip(books.desk.positions, carried.positions, strict=False):
        for name in Held.__struct_fields__:
            position[name] = getattr(held, name)
    if books.controls is not None and carried.counted is not None:
        _recount(books.controls, carried.counted)
    books.open = {order.request.client_order_id: order for order in carried.open}
    books.tied = {identifier: None for identifier, order in books.open.items() if order.request.oco or order.request.parent}
    books.accepted_ts_ns = dict(carried.accepted_ts_ns)
    books.lines = {identifier: list(lines) for identifier, lines in carried.lines.items()}
    books.spent = SpentIds(carried.spent)
    books.amendments = dict(carried.amendments)
    books.breach_seen = carried.checkpoint.breached


def _recount(controls: Controls, told: Counted) -> None:
    row = controls.record
    row["halted"], row["rejections"] = told.halted, told.rejections
    for name in _RINGS:
        times = getattr(told, f"{name}_ns")
        row[name] = len(times)
        row[f"{name}_ns"][: len(times)] = times
    first = len(told.placed_ns) - len(told.recent)
    for number, recent in enumerate(told.recent, first):
        row["recent"][number % layout.MAX_RECENT] = recent


def unlike(found: Carried, carried: Carried, but: Iterable[str] = ()) -> list[str]:
    """Which parts of what was carried are not what lines have come to; marks and places are known to checkpoints alone."""
    passed = {"checkpoint", *but}
    return [name for name in carried.__struct_fields__ if name not in passed and getattr(found, name) != getattr(carried, name)]


def contradiction(n: int, parts: Iterable[str]) -> str:
    return f"line {n}: the snapshot does not follow from the lines before it: {', '.join(parts)}"
