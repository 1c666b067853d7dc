import asyncio
import shutil
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from traider.domain.errors import StoreError
from traider.storage.engine import create_engine, reading, store_url, writing
from traider.storage.migrate import SCRIPTS, current_revision, differences, head_revision, migrate
from traider.storage.models import Base


async def tables(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        async with reading(engine) as connection:
            return await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    finally:
        await engine.dispose()


async def execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    try:
        async with writing(engine) as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


def with_migration(folder: Path, body: str) -> Path:
    """The migrations, and one more after them."""
    scripts = folder / "migrations"
    shutil.copytree(SCRIPTS, scripts)
    (scripts / "versions" / "v9999_next.py").write_text(
        "from alembic import op\n"
        f"revision, down_revision, branch_labels, depends_on = '9999', {head_revision()!r}, None, None\n"
        f"def upgrade():\n    {body}\n"
    )
    return scripts


async def test_an_empty_database_becomes_what_the_models_say(store_url: str) -> None:
    await migrate(store_url)
    assert await differences(store_url) == []
    assert await tables(store_url) == set(Base.metadata.tables) | {"alembic_version"}
    assert await current_revision(store_url) == head_revision()


async def test_a_store_that_was_never_migrated_has_no_revision(store_url: str) -> None:
    assert await current_revision(store_url) is None


async def test_migrating_again_changes_nothing(url: str) -> None:
    await migrate(url)
    assert await differences(url) == []


async def test_a_difference_is_found(url: str) -> None:
    await execute(url, "ALTER TABLE orders ADD COLUMN surprise TEXT")
    assert any("surprise" in difference for difference in await differences(url))


async def test_a_failed_migration_tells_the_reason_and_changes_nothing(store_url: str, tmp_path: Path) -> None:
    scripts = with_migration(tmp_path, "op.execute('CREATE TABLE half (id INTEGER)'); op.execute('DROP TABLE no_such_table')")
    with pytest.raises(StoreError, match=r"migration failed, nothing was changed: .*no_such_table"):
        await migrate(store_url, scripts=scripts)
    assert await tables(store_url) == set()
    await migrate(store_url)
    assert await differences(store_url) == []


async def test_a_later_migration_runs_on_a_store_in_use(url: str, tmp_path: Path) -> None:
    await execute(url, "INSERT INTO journal_position (id, n) VALUES (1, 5)")
    await migrate(url, scripts=with_migration(tmp_path, "op.execute('UPDATE journal_position SET n = n + 1')"))
    assert await current_revision(url) == "9999"
    engine = create_engine(url)
    async with reading(engine) as connection:
        assert await connection.scalar(text("SELECT n FROM journal_position")) == 6
    await engine.dispose()


async def test_a_store_of_a_newer_version_is_refused(url: str) -> None:
    await execute(url, "UPDATE alembic_version SET version_num = '9998'")
    with pytest.raises(StoreError, match="newer traider: update traider"):
        await migrate(url)


async def test_processes_that_start_at_once_take_turns(store_url: str) -> None:
    script = "import asyncio, sys; from traider.storage.migrate import migrate; asyncio.run(migrate(sys.argv[1]))"
    starts = [
        asyncio.create_subprocess_exec(sys.executable, "-W", "error", "-c", script, store_url, stderr=asyncio.subprocess.PIPE)
        for _ in range(3)
    ]
    processes = await asyncio.gather(*starts)
    errors = [(await process.communicate())[1].decode() for process in processes]
    assert errors == ["", "", ""]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert await differences(store_url) == []


async def test_an_unreachable_server_is_told_without_its_password() -> None:
    with pytest.raises(StoreError, match="can't be used") as caught:
        await migrate("postgresql://traider:s3cret@127.0.0.1:1/traider")
    assert "s3cret" not in str(caught.value)


async def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="directory can't be made"):
        await migrate(f"sqlite:///{tmp_path / 'file' / 'store.sqlite3'}")


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite3").write_bytes(b"not a database, and long enough to be looked at" * 50)
    with pytest.raises(StoreError, match="file is not a database"):
        await migrate(f"sqlite:///{tmp_path / 'store.sqlite3'}")


@pytest.mark.parametrize("url", ["mysql://127.0.0.1/traider", "traider.sqlite3", ""])
def test_a_url_that_cannot_be_used_is_told(url: str) -> None:
    with pytest.raises(StoreError, match="sqlite:///path or postgresql://"):
        store_url(url)
