"""The app over a real store and the memory bus, with a guard that answers from memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.storage.samples import SYMBOL, account, position, risk
from traider.api.app import create_app
from traider.api.deps import ApiDeps
from traider.api.live import SessionInfo
from traider.api.owner import ensure_owner
from traider.api.passwords import Passwords
from traider.bus.memory import MemoryBus
from traider.domain.bus_events import RISK
from traider.domain.errors import LinkError
from traider.domain.guard_protocol import Snapshot
from traider.runtime.settings import ApiSettings
from traider.storage.access import AccessStore
from traider.storage.engine import create_engine
from traider.storage.migrate import migrate
from traider.storage.projection import Projection
from traider.storage.repository import Repository
from traider.storage.roles import Role

PASSWORD = "correct horse"
START_NS = 1_700_000_000 * 1_000_000_000


class ManualClock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.ns = START_NS

    def now_ns(self) -> int:
        return self.ns

    def advance(self, seconds: float) -> None:
        self.ns += int(seconds * 1e9)


class MemoryGuard:
    """A guard's state, and what it does with the kill switch, without a process."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self.connected = True
        self.account = account(START_NS, "1000.5", position())
        self.risk = risk()

    async def snapshot(self) -> Snapshot:
        self._must_be_connected()
        return Snapshot(seq=1, instruments=(), account=self.account, risk=self.risk, open_orders=(), last_index=-1, journal_n=0)

    async def set_kill_switch(self, *, on: bool, reason: str, by: str) -> None:
        self._must_be_connected()
        self.risk = msgspec.structs.replace(self.risk, kill_switch=on, kill_reason=reason, kill_by=by, kill_ts_ns=START_NS)
        await self._bus.publish(RISK, self.risk)

    def _must_be_connected(self) -> None:
        if not self.connected:
            raise LinkError("the guard is not connected")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
def guard(bus: MemoryBus) -> MemoryGuard:
    return MemoryGuard(bus)


@pytest.fixture
async def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    await migrate(url)
    return url


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(url)
    yield made
    await made.dispose()


@pytest.fixture
async def projection(url: str) -> AsyncIterator[Projection]:
    made = Projection(url)
    yield made
    await made.close()


@pytest.fixture
def passwords() -> Passwords:
    """As quick as argon2 can be."""
    return Passwords(PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))


@pytest.fixture
async def access(engine: AsyncEngine, clock: ManualClock, passwords: Passwords) -> AccessStore:
    """Three users: the owner, a trader and a viewer."""
    store = AccessStore(engine, clock)
    await ensure_owner(store, PASSWORD, passwords=passwords)
    for role in (Role.TRADER, Role.VIEWER):
        await store.add_user(role.value, await passwords.hash(PASSWORD), role)
    return store


@pytest.fixture
def static_dir(tmp_path: Path) -> Path:
    """Where a dashboard would be built."""
    return tmp_path / "static"


@pytest.fixture
def deps(
    guard: MemoryGuard,
    bus: MemoryBus,
    clock: ManualClock,
    engine: AsyncEngine,
    access: AccessStore,
    passwords: Passwords,
    static_dir: Path,
) -> ApiDeps:
    return ApiDeps(
        guard=guard,
        bus=bus,
        clock=clock,
        repository=Repository(engine),
        access=access,
        secret=b"0123456789abcdef0123456789abcdef",
        settings=ApiSettings(cors_origins=("http://localhost:3000",), port=0),
        session=SessionInfo(
            version="1.2.3",
            strategy="sma_cross",
            params={"fast": 20, "slow": 50},
            symbol=SYMBOL,
            source="replay of a file",
            started_ts_ns=START_NS,
        ),
        static_dir=static_dir,
        passwords=passwords,
        heartbeat_s=0.05,
    )


@pytest.fixture
async def app(deps: ApiDeps) -> AsyncIterator[FastAPI]:
    """The app while it runs."""
    made = create_app(deps)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def anyone(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is not logged in."""
    async with new_client(app) as client:
        yield client


@pytest.fixture
async def owner(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with new_client(app) as client:
        await log_in(client, "owner")
        yield client


@pytest.fixture
async def trader(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with new_client(app) as client:
        await log_in(client, "trader")
        yield client


@pytest.fixture
async def viewer(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with new_client(app) as client:
        await log_in(client, "viewer")
        yield client


def new_client(app: FastAPI, address: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://traider.test", headers={"X-Requested-With": "traider"})


async def log_in(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> None:
    answer = await client.post("/api/auth/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
