"""``traider accept-balances``: somebody moved money or coins, and the guard's books follow the exchange."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer

from traider.domain.orders import AnyOrderEvent
from traider.domain.state import AccountState, RiskState
from traider.guard.client import GuardClient
from traider.guard.place import find_guard
from traider.runtime.settings import load_settings


class Deaf:
    """Listens to nothing that the guard pushes."""

    def on_order_event(self, event: AnyOrderEvent) -> None:
        """Not asked for."""

    def on_state(self, account: AccountState, risk: RiskState) -> None:
        """Not asked for."""


def accept_balances(
    reason: Annotated[str, typer.Option(help="Why: who moved what. It goes into the journal.")],
    state_dir: Annotated[Path | None, typer.Option(help="The running guard's. [default: TRAIDER_STATE_DIR]")] = None,
) -> int:
    """Tell the running guard that the exchange's balances are right. What was moved counts as neither profit nor loss."""
    told = asyncio.run(_accept(state_dir or load_settings().state.directory, reason))
    print(told)
    return 0


async def _accept(state_dir: Path, reason: str) -> str:
    client = await GuardClient.connect(*find_guard(state_dir), Deaf(), role="observer", client="accept-balances")
    try:
        await client.accept_balances(by=getpass.getuser(), reason=reason)
        account = (await client.snapshot()).account
    finally:
        client.close()
    held = ", ".join(f"{position.size:f} {position.symbol.partition('-')[0]}" for position in account.positions)
    return f"the books are the exchange's: {account.cash:f} {account.currency}{f', {held}' if held else ''}"
