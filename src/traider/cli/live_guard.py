"""The guard of an account on Coinbase as a process, given its key; and what it says of that."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from structlog import get_logger

from traider.domain.errors import SettingsError
from traider.domain.guard_protocol import KeyInfo, Snapshot
from traider.domain.instruments import Instrument
from traider.guard.client import GuardClient
from traider.guard.place import find_guard
from traider.services.up import GuardProcess

from .accept_balances import Deaf
from .handover import guard_key
from .instruments import format_instrument

log = get_logger("traider.settings")


def check_key(environment: Mapping[str, str]) -> None:
    """``SettingsError`` where the guard would be given no key, or a file that can't be read. The key itself is not looked at here."""
    given, _ = guard_key(environment)
    path = given.get("COINBASE_KEY_FILE")
    if path is None:
        raise SettingsError("there is no key for the guard: set COINBASE_KEY_FILE, or both COINBASE_API_KEY and COINBASE_API_SECRET")
    if not os.access(path, os.R_OK):
        raise SettingsError(f"COINBASE_KEY_FILE: {path} is not there, or can't be read")
    if not path.startswith("/dev/fd/") and Path(path).stat().st_mode & 0o077:
        log.warning("the key's file can be read by others on this machine: chmod 600 it", path=path)  # mounted secrets often can


def exchange_guard(instrument: Instrument, *, state_dir: Path, environment: Mapping[str, str]) -> GuardProcess:
    """The process; of all that are started here it alone is given the key that was left for it."""
    key, fds = guard_key(os.environ)
    arguments = ("--venue", "coinbase", "--instrument", format_instrument(instrument))
    return GuardProcess(arguments, state_dir=state_dir, environment={**environment, **key}, fds=fds)


async def told_key(state_dir: Path) -> KeyInfo:
    """What the key may do, as soon as the exchange has told the guard."""
    return (await key_and_limits(state_dir, wait=True))[0]


async def key_and_limits(state_dir: Path, *, wait: bool) -> tuple[KeyInfo, Snapshot]:
    """What the running guard knows; ``wait`` until the exchange has told it whose key it is."""
    client = await GuardClient.connect(*find_guard(state_dir), Deaf(), role="observer", client="enable-live")
    try:
        key = await client.key()
        while wait and not key.venue:
            await asyncio.sleep(0.1)
            key = await client.key()
        return key, await client.snapshot()
    finally:
        client.close()
