"""Puts the API together from the settings: the store, the owner, the secret, the app and its server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from traider.domain.ports import Bus, Clock, GuardPort
from traider.runtime.link import load_secret
from traider.runtime.settings import Settings
from traider.storage.access import AccessStore
from traider.storage.engine import create_engine
from traider.storage.migrate import migrate
from traider.storage.repository import Repository

from .app import create_app
from .deps import ApiDeps
from .live import SessionInfo
from .owner import ensure_owner
from .server import ApiServer
from .static import built_dashboard

SECRET = "api.secret"  # noqa: S105 - a file's name


class Launched(NamedTuple):
    """``server`` listens already and answers once it is served. ``new_password`` is the new owner's, to be told this once."""

    server: ApiServer
    new_password: str | None


@asynccontextmanager
async def launch(settings: Settings, *, guard: GuardPort, bus: Bus, clock: Clock, session: SessionInfo) -> AsyncIterator[Launched]:
    """The API, ready to be served. Whatever keeps it from starting is raised here: the store, the port, the secret file.

    The guard need not be connected yet.
    """
    state_dir = settings.state.directory
    await migrate(settings.store_url)
    engine = create_engine(settings.store_url)
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        access = AccessStore(engine, clock)
        deps = ApiDeps(
            guard=guard,
            bus=bus,
            clock=clock,
            repository=Repository(engine),
            access=access,
            secret=load_secret(state_dir / SECRET),
            settings=settings.api,
            session=session,
            static_dir=built_dashboard(),
        )
        server = ApiServer(create_app(deps), settings.api)
        try:
            password = settings.api.dashboard_password
            yield Launched(server, await ensure_owner(access, None if password is None else password.get_secret_value()))
        finally:
            server.close()
    finally:
        await engine.dispose()
