"""Connections to the state store: SQLite beside the journal, or PostgreSQL by URL.

Drivers' errors leave this room as ``StoreError``, in one sentence and without a password.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from traider.domain.errors import StoreError

BUSY_TIMEOUT_S = 10
_WRITE = "sqlite_write"


def store_url(url: str) -> URL:
    """The URL with its asynchronous driver named; ``StoreError`` when it is none that can be used."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("the store's URL can't be read: write sqlite:///path or postgresql://user:password@host:port/database") from None
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    backend = parsed.drivername.partition("+")[0]
    if backend not in drivers:
        raise StoreError(f"the store can't be {backend}: write sqlite:///path or postgresql://user:password@host:port/database")
    return parsed.set(drivername=drivers[backend])


def create_engine(url: str) -> AsyncEngine:
    """An engine for the store; nothing is connected yet."""
    parsed = store_url(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(parsed)
        return create_async_engine(parsed, pool_pre_ping=True, pool_size=5, max_overflow=5, connect_args={"timeout": 10})
    except ModuleNotFoundError as error:
        raise StoreError(f"{error.name} is not installed: pip install 'traider[postgres]'") from None


def _sqlite_engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver's own notion of when a transaction begins would leave DDL and reads outside of one.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its lock at once: one that reads first and writes later can be refused with no way to wait.
        mode = "IMMEDIATE" if connection.get_execution_options().get(_WRITE) else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose reads see one moment of the store."""
    with told(engine):
        async with engine.connect() as connection, connection.begin():
            yield connection


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction that is committed when the block ends and undone when it raises."""
    with told(engine):
        async with engine.connect() as connection:
            connection = await connection.execution_options(**{_WRITE: True})
            async with connection.begin():
                yield connection


@contextmanager
def told(engine: AsyncEngine) -> Iterator[None]:
    """Within it, a driver's error becomes a ``StoreError``."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the store {engine.url.render_as_string(hide_password=True)} can't be used: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """The driver's own words, on one line."""
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split()) or type(cause).__name__
