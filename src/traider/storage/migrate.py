"""Brings the store to the newest schema. It runs at every start, before anything else uses the store.

All of it is one transaction, on SQLite too: a migration that fails leaves the store as it was. Two processes that start at once
take turns.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from traider.domain.errors import StoreError

from .engine import create_engine, reading, store_url, writing
from .models import Base

SCRIPTS = Path(__file__).parent / "migrations"

# Any number, as long as every process takes the same.
_LOCK_KEY = 0x7472_6169_6465_72
_LOCK_TIMEOUT_S = 60


def config(connection: Connection | None = None, scripts: Path = SCRIPTS) -> Config:
    """Alembic's configuration; it needs no file."""
    made = Config()
    made.set_main_option("script_location", str(scripts).replace("%", "%%"))
    made.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
    made.attributes["connection"] = connection
    return made


def head_revision(scripts: Path = SCRIPTS) -> str | None:
    """The newest revision that this version of traider knows."""
    return ScriptDirectory(str(scripts)).get_current_head()


def knows_revision(revision: str) -> bool:
    """Whether a store of that revision can be brought to the newest one."""
    return any(script.revision == revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions())


async def current_revision(url: str) -> str | None:
    """The store's revision; None when it was never migrated."""
    engine = create_engine(url)
    try:
        async with reading(engine) as connection:
            return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    finally:
        await engine.dispose()


async def differences(url: str) -> list[str]:
    """How the store's tables differ from the models, one line each; none after ``migrate``."""
    engine = create_engine(url)
    try:
        async with reading(engine) as connection:
            return await connection.run_sync(
                lambda sync: [str(change) for change in compare_metadata(MigrationContext.configure(sync), Base.metadata)]
            )
    finally:
        await engine.dispose()


async def migrate(url: str, *, scripts: Path = SCRIPTS) -> None:
    """Guarantees the newest schema; ``StoreError`` with the reason when that can't be had, and then nothing was changed."""
    _make_directory(store_url(url))
    engine = create_engine(url)
    try:
        with _failures(engine.url):
            async with writing(engine) as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'"))
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
                await connection.run_sync(lambda sync: command.upgrade(config(sync, scripts), "head"))
    finally:
        await engine.dispose()


def _make_directory(url: URL) -> None:
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return
    try:
        Path(url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the store's directory can't be made: {error}") from None


@contextmanager
def _failures(url: URL) -> Iterator[None]:
    where = url.render_as_string(hide_password=True)
    try:
        yield
    except CommandError as error:
        if "Can't locate revision" in str(error):
            raise StoreError(f"the store {where} is of a newer traider: update traider, or name another STATE_STORE_URI") from error
        raise StoreError(f"the store {where} can't be migrated: {error}") from error
    except StoreError as error:
        raise StoreError(f"migration failed, nothing was changed: {error}") from error
