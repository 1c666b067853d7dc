"""Statements that the databases spell differently."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from .models import Base


async def upsert(connection: AsyncConnection, model: type[Base], rows: Sequence[dict[str, Any]], *, keep: Sequence[str] = ()) -> None:
    """Inserts ``rows``, or updates the row of the same primary key, but for its columns in ``keep``."""
    if not rows:
        return
    statement = _insert(connection, model)
    keys = [column.name for column in model.__table__.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys and name not in keep}
    await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))


async def insert_new(connection: AsyncConnection, model: type[Base], row: dict[str, Any]) -> bool:
    """Whether the row was inserted; False when there is one of the same primary key, which stays as it is."""
    result = await connection.execute(_insert(connection, model).on_conflict_do_nothing().values(row))
    return bool(result.rowcount)


def _insert(connection: AsyncConnection, model: type[Base]) -> Any:
    return sqlite.insert(model) if connection.dialect.name == "sqlite" else postgresql.insert(model)
