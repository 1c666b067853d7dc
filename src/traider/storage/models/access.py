"""Who may log in, which sessions were ended early, and what was done by whom."""

from sqlalchemy import BigInteger, CheckConstraint, Integer
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class User(Base):
    """``epoch`` grows when the password changes: tokens of an earlier epoch are refused."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('viewer', 'trader', 'admin')", name="role"),)

    username: Mapped[str] = mapped_column(primary_key=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    epoch: Mapped[int]
    created_ts_ns: Mapped[int]
    updated_ts_ns: Mapped[int]


class RevokedSession(Base):
    """A session that was logged out before its token expired."""

    __tablename__ = "revoked_sessions"

    session_id: Mapped[str] = mapped_column(primary_key=True)
    expires_ts_s: Mapped[int]


class AuditRow(Base):
    """Append-only: the database itself refuses to change or delete a row."""

    __tablename__ = "audit_log"

    # SQLite numbers rows by itself only in a column declared INTEGER.
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True)
    ts_ns: Mapped[int]
    who: Mapped[str]
    action: Mapped[str]
    detail: Mapped[str]
