"""A PostgreSQL server to test on: the one that runs on this machine, else one of our own in a temporary folder."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

PORT = 5432
_USERS = ("root", "postgres")


async def running_server() -> str | None:
    """The URL of the server on 127.0.0.1:5432 when it lets us in without a password and make databases, else None."""
    for user in _USERS:
        try:
            connection = await asyncpg.connect(host="127.0.0.1", port=PORT, user=user, database="postgres", timeout=5)
        except (OSError, asyncpg.PostgresError):
            continue
        try:
            may = await connection.fetchval("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        finally:
            await connection.close()
        if may:
            return f"postgresql://{user}@127.0.0.1:{PORT}/postgres"
    return None


@contextmanager
def own_server() -> Iterator[str]:
    """The URL of a server that lives as long as the block, without a network port."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has at most 107 characters
    user = None
    if os.geteuid() == 0:
        # The server refuses to run as root.
        user = "postgres" if any(entry.pw_name == "postgres" for entry in pwd.getpwall()) else "nobody"
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        subprocess.run([programs / program, *arguments], check=True, capture_output=True, user=user, cwd=folder)

    data = str(folder / "data")
    try:
        run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        run("pg_ctl", "-D", data, "-w", "-l", f"{data}/log", "-o", f"-F -k {folder} -c listen_addresses=''", "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        raise RuntimeError("no PostgreSQL on this machine: install it (Debian: apt-get install postgresql), then run the tests again")
    return found[-1]
