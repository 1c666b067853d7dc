"""Writes a new migration from what the models say now: ``python -m traider.storage.revision "what it does"``."""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command

from .engine import create_engine, writing
from .migrate import SCRIPTS, config, migrate


async def write_revision(message: str) -> None:
    """A migration file beside the others: what lies between them and the models."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'empty.sqlite3'}"
        await migrate(url)
        engine = create_engine(url)
        try:
            async with writing(engine) as connection:
                await connection.run_sync(lambda sync: command.revision(config(sync), message, autogenerate=True, rev_id=_next_id()))
        finally:
            await engine.dispose()


def _next_id() -> str:
    return f"{len(list((SCRIPTS / 'versions').glob('v*.py'))) + 1:04}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('usage: python -m traider.storage.revision "what it does"')
    asyncio.run(write_revision(sys.argv[1]))
