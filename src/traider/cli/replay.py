"""``traider replay``: a recorded session once more, and whether it decides as it did."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from traider.domain.errors import UserError
from traider.domain.session_record import Begun
from traider.engine.manifest import code_of
from traider.engine.recorded import Rerun, rerun
from traider.kernel.kit import Strategy
from traider.storage.session_file import read_session
from traider.strategies.registry import find_strategy

from .sessions import recording_of


def replay(
    session: Annotated[str, typer.Argument(help="A recording's path, or the session's id (such as s2) in the state directory.")],
    state_dir: Annotated[Path | None, typer.Option(help="Where the session was kept. [default: TRAIDER_STATE_DIR]")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> int:
    """Feed what a session saw to the same strategy, and compare what it asks for, bit for bit.

    Exit status 1 names the first market event at which it decides otherwise.
    """
    path = recording_of(session, state_dir)
    run = rerun(lambda: read_session(path), _strategy_of)
    if run.begun is None:
        raise UserError(f"{path}: there is no session in it")
    if json_:
        sys.stdout.write(json.dumps(_report(run, path)) + "\n")
    else:
        _print(run, run.begun, path)
    return 0 if run.divergence is None else 1


def _strategy_of(begun: Begun) -> type[Strategy]:
    return find_strategy(begun.strategy)


def _report(run: Rerun, path: Path) -> dict[str, object]:
    return {
        "same": run.divergence is None,
        "recording": str(path),
        "market_events": run.market_events,
        "orders": run.orders,
        "starts": run.segments,
        "divergence": run.divergence,
    }


def _print(run: Rerun, begun: Begun, path: Path) -> None:
    if run.divergence is None:
        print(f"{path}: the same, {run.orders} orders and cancels over {run.last_index + 1} market events")
        return
    print(f"{path}: not the same. {run.divergence}")
    now = code_of(_strategy_of(begun))
    for name, then in begun.code.items():
        if getattr(now, name) != then:
            print(f"changed since: {name} was {then}, and is {getattr(now, name)}")
