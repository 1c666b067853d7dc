"""``traider verify reproduce``: a manifest's run once more, and whether it gives the same."""

import json
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from traider.engine.manifest import Change, Outcome, changes
from traider.research.runs import data_of_manifest, read_manifest, run_manifest


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the outcome, as the manifest has it and as it is now."""

    figure: str
    then: int | float | str
    now: int | float | str

    @property
    def same(self) -> bool:
        return self.then == self.now


def reproduce(
    manifest: Annotated[Path, typer.Argument(help="A manifest that traider backtest wrote.")],
    data: Annotated[list[Path] | None, typer.Option(help="The market data, if they have moved.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> int:
    """Run a manifest again and compare the fills, their number and the final equity, bit for bit.

    Says which parts of the code have changed since, whether or not the outcome has. Exit status 1 when it differs.
    """
    wanted = read_manifest(manifest)
    now = run_manifest(wanted, data or data_of_manifest(wanted, manifest)).manifest
    compared = _compare(wanted.outcome, now.outcome)
    changed = changes(wanted.code, now.code)
    same = all(one.same for one in compared)
    if json_:
        report = {
            "reproduced": same,
            "manifest": str(manifest),
            "then": msgspec.to_builtins(wanted.outcome),
            "now": msgspec.to_builtins(now.outcome),
            "changed": msgspec.to_builtins(changed),
        }
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        _print(compared, changed, same=same)
    return 0 if same else 1


def _compare(then: Outcome, now: Outcome) -> list[Compared]:
    return [
        Compared(figure=words, then=getattr(then, name), now=getattr(now, name))
        for name, words in (("fills", "fills"), ("fills_sha256", "SHA-256 of the fills"), ("final_equity", "final equity"))
    ]


def _print(compared: list[Compared], changed: list[Change], *, same: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "in the manifest", "now", ""):
        table.add_column(name)
    for one in compared:
        table.add_row(one.figure, _short(one.then), _short(one.now), "[green]same[/green]" if one.same else "[red]differs[/red]")
    console.print(table)
    for change in changed:
        console.print(
            f"[dim]since then changed:[/dim] {change.what}  [dim]{_short(change.then)} -> {_short(change.now)}[/dim]", highlight=False
        )
    if same:
        console.print("\n[green]reproduced, bit for bit[/green]")
    elif changed:
        console.print("\n[red]not reproduced[/red]: see above what has changed since")
    else:
        console.print("\n[red]not reproduced[/red], and nothing that is recorded has changed: please report this")


def _short(value: float | str) -> str:
    """A hash by its beginning, everything else as it is."""
    return f"{value[:16]}…" if isinstance(value, str) and len(value) == 64 else repr(value) if isinstance(value, float) else str(value)
