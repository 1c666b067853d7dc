"""``traider verify parity SESSION``: what a session filled, beside what the backtest fills over the same market events."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from traider.engine.fill_pairs import Compared, Filled, Verdict
from traider.research.session_parity import SessionParity, session_parity

from .sessions import journal_of, recording_of

_TABLE_WIDTH = 190
_COLOURS = {Verdict.SAME: "green", Verdict.DIFFERENT: "yellow", Verdict.MISSED: "red", Verdict.EXTRA: "red"}


def compare_session(session: str, state_dir: Path | None, *, as_json: bool) -> int:
    """Prints the comparison; 1 where anything is not the same."""
    recording = recording_of(session, state_dir)
    found = session_parity(recording, journal_of(recording, state_dir))
    if as_json:
        sys.stdout.write(
            msgspec.json.encode({"parity": found.equal, "recording": str(recording), **msgspec.to_builtins(found)}).decode() + "\n"
        )
    else:
        _print(found, recording)
    return 0 if found.equal else 1


def _print(found: SessionParity, recording: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    different = [one for one in found.compared if one.verdict is not Verdict.SAME]
    if different:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name, right in _COLUMNS:
            table.add_column(name, justify="right" if right else "left", overflow="fold")
        for one in different:
            table.add_row(*_row(one), style=_COLOURS[one.verdict])
        # A line that the terminal breaks can be read; columns folded to five characters can't.
        Console(width=max(console.width, _TABLE_WIDTH)).print(table)
        console.print()
    for label, words in _summary(found, recording):
        console.print(f"[dim]{label:<16}[/dim]{words}", highlight=False, soft_wrap=True)
    for note in found.notes:
        console.print(f"[yellow]note[/yellow]            {note}", highlight=False, soft_wrap=True)
    verdict = "[green]the same fills as the backtest's[/green]" if found.equal else "[red]not the backtest's fills[/red]"
    console.print(f"\n{verdict}", highlight=False)


_COLUMNS = (
    ("time (UTC)", False),
    ("order", False),
    ("", False),
    ("size", True),
    ("price", True),
    ("backtest", True),
    ("slippage", True),
    ("bp", True),
    ("fee", True),
    ("ms later", True),
    ("verdict", False),
    ("reason", False),
)


def _row(one: Compared) -> list[str]:
    """A line of the table; slippage and fee are what the session paid more."""
    at = datetime.fromtimestamp(one.ts_ns / 1e9, UTC)
    order = one.client_order_id + (f" ({one.backtest_order_id})" if one.backtest_order_id else "")
    return [
        at.isoformat(sep=" ", timespec="milliseconds")[:-6],
        order,
        f"{one.side} {one.symbol}",
        f"{one.size:f}",
        _price(one.session),
        _price(one.backtest),
        _signed(one.slippage, 2),
        _signed(one.basis_points, 2),
        _signed(one.fee_difference, 4),
        "" if one.later_ms is None else f"{one.later_ms:+,.3f}",
        str(one.verdict),
        one.reason,
    ]


def _price(side: Filled | None) -> str:
    return "" if side is None else f"{side.price:f}"


def _signed(amount: Decimal | None, places: int) -> str:
    return "" if amount is None else f"{amount:+,.{places}f}"


def _summary(found: SessionParity, recording: Path) -> list[tuple[str, str]]:
    sums, currency = found.sums, found.currency
    lines = [
        ("session", f"{found.session} of {found.strategy}, {_venue(found.venue)}, {found.market_events:,} market events ({recording})"),
        ("fills", f"{found.fills_session:,} in the session, {found.fills_backtest:,} in the backtest"),
        ("parts", f"{sums.same:,} the same, {sums.different:,} different, {sums.missed:,} missed, {sums.extra:,} extra"),
        ("slippage", f"{_signed(sums.slippage, 2)} {currency}, {_signed(sums.basis_points, 3)} basis points of what both filled"),
        ("fees", f"{_signed(sums.fee_difference, 4)} {currency}: {sums.fees_session:,.4f} and {sums.fees_backtest:,.4f}"),
        ("later", f"{sums.later_ms_p50:,.3f} ms (p50), {sums.later_ms_p99:,.3f} ms (p99), {sums.later_ms_max:,.3f} ms (max)"),
    ]
    if sums.missed or sums.extra:
        lines.append(("not on both", f"{sums.missed_notional:,.2f} {currency} missed, {sums.extra_notional:,.2f} {currency} extra"))
    return lines


def _venue(name: str) -> str:
    exchanges = {"live": "on an exchange", "simulated": "on the simulated exchange"}
    return exchanges[name] if name in exchanges else f"on paper ({name.replace('_', '-')})"
