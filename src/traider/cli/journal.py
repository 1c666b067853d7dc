"""``traider journal``: whether the guard's journal holds, and what it says."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from traider.domain.errors import SettingsError
from traider.domain.limits import RiskLimits
from traider.domain.orders import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequest,
    OrderSubmitted,
    OrderUnknown,
)
from traider.guard import journal as guard_journal
from traider.guard.place import JOURNAL
from traider.guard.records import (
    Advanced,
    Amending,
    BalancesTaken,
    Checkpoint,
    Configured,
    Entry,
    GateSet,
    KillSwitchSet,
    Looked,
    Noted,
    SegmentStarted,
    SessionStarted,
    Valued,
)
from traider.runtime.settings import load_settings

Where = Annotated[Path | None, typer.Option("--journal", help="The journal's path. [default: journal.jsonl in the state directory]")]
StateDir = Annotated[Path | None, typer.Option("--state-dir", help="Where the journal is kept. [default: TRAIDER_STATE_DIR]")]


def verify(journal: Where = None, state_dir: StateDir = None) -> int:
    """Check the hash chain of the journal, over all of its segments: any edit, gap or torn tail.

    Prints the number of entries and the last one's hash. Exit status 1 names the first line that does not hold.
    """
    path = _path(journal, state_dir)
    found = guard_journal.verify(path)
    where = f" in {found.segments} segments" if found.segments > 1 else ""
    from_n = f", from line {found.first_n} on" if found.first_n > 1 else ""
    print(f"{path}: {found.entries} entries{where}{from_n}, head {found.head}")
    if not found.end_proven:
        typer.echo(f"warning: {guard_journal.head_path(path).name} is not beside it: lines cut from the end would not show", err=True)
    return 0


def show(
    journal: Where = None,
    state_dir: StateDir = None,
    last: Annotated[int | None, typer.Option(help="Only so many entries, the newest.", min=1)] = None,
    json_: Annotated[bool, typer.Option("--json", help="The lines as they are.")] = False,
) -> int:
    """Print the journal's entries, oldest first."""
    path = _path(journal, state_dir)
    last_n = guard_journal.verify(path).last_n
    encoder = msgspec.json.Encoder()
    for entry in guard_journal.entries(path):
        if last is None or entry.n > last_n - last:
            print(encoder.encode(entry).decode() if json_ else _line(entry))
    return 0


def _path(journal: Path | None, state_dir: Path | None) -> Path:
    if journal is not None and state_dir is not None:
        raise SettingsError("--journal and --state-dir both say where the journal is: give one of them")
    return journal or (state_dir or load_settings(os.environ).state.directory) / JOURNAL


def _line(entry: Entry) -> str:
    at = datetime.fromtimestamp(entry.wall_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return f"{entry.n:>7}  {at}  {entry.index:>8}  {_told(entry)}"


def _told(entry: Entry) -> str:
    match entry.record:
        case OrderSubmitted() as event:
            return f"submitted   {event.client_order_id}  {_order(event.request)}"
        case OrderAccepted() as event:
            return f"accepted    {event.client_order_id}"
        case OrderRejected() as event:
            return f"rejected    {event.client_order_id}  {_order(event.request)}: {event.detail}"
        case OrderFilled() as event:
            return f"filled      {event.client_order_id}  {event.size} at {event.price}, fee {event.fee}, {event.liquidity.value}"
        case OrderCancelled() as event:
            return f"cancelled   {event.client_order_id}  {event.reason.label}"
        case OrderUnknown() as event:
            return f"unknown     {event.client_order_id}  {event.detail}"
        case OrderAmended() as event:
            price = event.limit_price if event.limit_price is not None else event.stop_price
            why = f": {event.reason.label}: {event.detail}" if event.detail else ""
            return f"amended     {event.client_order_id}  {event.size}{'' if price is None else f' at {price}'}{why}"
        case GateSet() as gate:
            where = f" for {gate.symbol}" if gate.symbol else ""
            return f"gate {'closed' if gate.closed else 'opened'} ({gate.gate}{where}): {gate.detail}"
        case BalancesTaken() as taken:
            return f"balances    {', '.join(f'{total} {currency}' for currency, total in taken.totals.items())}; {taken.by}: {taken.reason}"
        case Valued() as valued:
            return f"valued      {valued.size!r} {valued.symbol} at {valued.price!r}"
        case Amending() as amending:
            return f"amending    {amending.client_order_id}  {amending.size} at {amending.limit_price}"
        case Looked() as looked:
            return f"looked      the books are as the exchange had them at {looked.taken_ns}"
        case Noted() as note:
            return f"note        {note.name}: {note.detail}"
        case KillSwitchSet() as kill:
            return f"kill switch {'on' if kill.on else 'off'} by {kill.by}: {kill.reason}"
        case SessionStarted() as session:
            return f"session     {session.session}"
        case Advanced() as advanced:
            return f"clock       {advanced.ts_ns}, advanced {advanced.tick} times since that event"
        case Checkpoint() as checkpoint:
            return f"checkpoint  cash {checkpoint.cash!r}, sizes {list(checkpoint.sizes)}, marks {list(checkpoint.marks)}"
        case SegmentStarted() as begun:
            return f"snapshot    segment {begun.segment} begins: {len(begun.books.open)} open orders, cash {begun.books.cash!r}"
        case Configured() as configured:
            return f"configured  {', '.join(instrument.symbol for instrument in configured.instruments)}; {_limits(configured)}"


def _order(request: OrderRequest) -> str:
    price = request.limit_price or request.stop_price
    at = "" if price is None else f" at {price}"
    return f"{request.side.name.lower()} {request.size} {request.symbol} {request.type.name.lower()}{at}"


def _limits(configured: Configured) -> str:
    limits, none = msgspec.structs.asdict(configured.limits), msgspec.structs.asdict(RiskLimits())
    return ", ".join(f"{name} {value}" for name, value in limits.items() if value != none[name]) or "no limits"
