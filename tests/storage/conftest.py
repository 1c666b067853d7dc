"""Every store test runs on SQLite and on a real PostgreSQL."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.storage.postgres import own_server, running_server
from traider.storage.engine import create_engine
from traider.storage.migrate import migrate


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server where tests may make databases."""
    url = asyncio.run(running_server())
    if url is not None:
        yield url
        return
    with own_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> str | None:
    """The PostgreSQL server to test on, None for SQLite."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def store_url(server: str | None, tmp_path: Path) -> AsyncIterator[str]:
    """A store of its own, with nothing in it."""
    if server is None:
        yield f"sqlite:///{tmp_path / 'store.sqlite3'}"
        return
    name = f"traider_{uuid.uuid4().hex}"
    await _execute(server, f"CREATE DATABASE {name}")
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def url(store_url: str) -> str:
    """A migrated store."""
    await migrate(store_url)
    return store_url


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(url)
    yield made
    await made.dispose()
