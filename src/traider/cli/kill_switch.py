"""``traider kill-switch``: straight to the guard, past API, login and store, for when one of those is what is broken.

It only stops. Letting orders go again is an admin's, with a row in the audit log, and needs the store that this does without.
"""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer

from traider.domain.guard_protocol import Snapshot
from traider.guard.client import GuardClient
from traider.guard.place import find_guard
from traider.runtime.settings import load_settings

from .accept_balances import Deaf

BY_HAND = "by hand, at the guard"


def kill_switch(
    reason: Annotated[str, typer.Option(help="Why. It goes into the journal.")] = BY_HAND,
    state_dir: Annotated[Path | None, typer.Option(help="The running guard's. [default: TRAIDER_STATE_DIR]")] = None,
) -> int:
    """Turn the running guard's kill switch on: every order is cancelled, none goes any more. Neither API nor store is needed.

    An admin turns it off again, at the dashboard.
    """
    print(asyncio.run(_stop(state_dir or load_settings().state.directory, reason)))
    return 0


async def _stop(state_dir: Path, reason: str) -> str:
    client = await GuardClient.connect(*find_guard(state_dir), Deaf(), role="observer", client="kill-switch")
    try:
        await client.set_kill_switch(on=True, reason=reason, by=getpass.getuser())
        return told(await client.snapshot())
    finally:
        client.close()


def told(snapshot: Snapshot) -> str:
    """That it is on, and what is still open under it."""
    left = ", ".join(order.request.client_order_id for order in snapshot.open_orders)
    return f"the kill switch is on ({snapshot.risk.kill_reason}); {f'being cancelled: {left}' if left else 'no order is open'}"
