"""Users, ended sessions and the audit log: what the API itself writes to the store."""

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from traider.domain.ports import Clock

from .engine import reading, writing
from .models import AuditRow, RevokedSession, User
from .roles import Role
from .sql import insert_new, upsert


class UserRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A session's token is good only while its ``epoch`` is this one."""

    username: str
    password_hash: str
    role: Role
    epoch: int


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    ts_ns: int
    who: str
    action: str
    detail: str


class AccessStore:
    """The store's side of who may do what, and of who did what."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def user(self, username: str) -> UserRecord | None:
        async with reading(self._engine) as connection:
            row = (await connection.execute(select(User.__table__).where(User.username == username))).one_or_none()
        if row is None:
            return None
        return UserRecord(username=row.username, password_hash=row.password_hash, role=Role(row.role), epoch=row.epoch)

    async def session_user(self, username: str, session_id: str) -> UserRecord | None:
        """The user of a session; None when there is none such any more or the session was ended."""
        async with reading(self._engine) as connection:
            ended = select(RevokedSession.session_id).where(RevokedSession.session_id == session_id).exists()
            row = (await connection.execute(select(User.__table__).where(User.username == username, ~ended))).one_or_none()
        if row is None:
            return None
        return UserRecord(username=row.username, password_hash=row.password_hash, role=Role(row.role), epoch=row.epoch)

    async def add_user(self, username: str, password_hash: str, role: Role) -> bool:
        """Whether the user was added; False when there is one of that name, who is left as he is."""
        now_ns = self._clock.now_ns()
        row = {"username": username, "password_hash": password_hash, "role": role.value, "epoch": 1}
        async with writing(self._engine) as connection:
            return await insert_new(connection, User, row | {"created_ts_ns": now_ns, "updated_ts_ns": now_ns})

    async def set_password(self, username: str, password_hash: str) -> None:
        """Changes the password and ends every session of that user."""
        values = {"password_hash": password_hash, "epoch": User.epoch + 1, "updated_ts_ns": self._clock.now_ns()}
        async with writing(self._engine) as connection:
            await connection.execute(update(User).where(User.username == username).values(values))

    async def replace_hash(self, username: str, old: str, new: str) -> None:
        """The same password hashed with today's parameters; sessions go on."""
        async with writing(self._engine) as connection:
            await connection.execute(update(User).where(User.username == username, User.password_hash == old).values(password_hash=new))

    async def end_session(self, session_id: str, expires_ts_s: int) -> None:
        """The session is refused from now on; ended ones that have expired by themselves are forgotten."""
        async with writing(self._engine) as connection:
            await connection.execute(delete(RevokedSession).where(RevokedSession.expires_ts_s < self._clock.now_ns() // 1_000_000_000))
            await upsert(connection, RevokedSession, [{"session_id": session_id, "expires_ts_s": expires_ts_s}])

    async def record(self, who: str, action: str, detail: str = "") -> None:
        """Adds a row to the audit log."""
        async with writing(self._engine) as connection:
            await connection.execute(insert(AuditRow), [{"ts_ns": self._clock.now_ns(), "who": who, "action": action, "detail": detail}])

    async def audit(self, limit: int) -> list[AuditEntry]:
        """Newest first."""
        query = select(AuditRow.__table__).order_by(AuditRow.id.desc()).limit(limit)
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return [AuditEntry(ts_ns=row.ts_ns, who=row.who, action=row.action, detail=row.detail) for row in rows]
