"""Orders, their fills, and how far the store has followed the journal."""

from decimal import Decimal

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class JournalPosition(Base):
    """One row: the number of the last journal entry that the projected tables contain."""

    __tablename__ = "journal_position"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    n: Mapped[int]


class OrderRow(Base):
    """An order as its events have left it. ``side`` is +1 or -1; ``type`` and the rest are the domain's names in lower case."""

    __tablename__ = "orders"
    __table_args__ = (Index(None, "first_n"), Index(None, "status", "first_n"))

    client_order_id: Mapped[str] = mapped_column(primary_key=True)
    venue_order_id: Mapped[str | None]
    symbol: Mapped[str]
    side: Mapped[int]
    type: Mapped[str]
    time_in_force: Mapped[str]
    post_only: Mapped[bool]
    size: Mapped[Decimal]
    limit_price: Mapped[Decimal | None]
    stop_price: Mapped[Decimal | None]
    strategy: Mapped[str]
    status: Mapped[str]
    filled_size: Mapped[Decimal]
    notional: Mapped[Decimal]  # sum of price x size over the fills
    fees: Mapped[Decimal]
    fills: Mapped[int]
    reason: Mapped[int]  # a domain Reason; 0 is none
    detail: Mapped[str]
    created_ts_ns: Mapped[int]
    updated_ts_ns: Mapped[int]
    first_n: Mapped[int]  # journal number of its first event: the order of orders
    n: Mapped[int]  # journal number of its last event


class TradeExecution(Base):
    """One own fill: the system of record of own trades. Its number in the journal is its identity."""

    __tablename__ = "trade_executions"
    __table_args__ = (Index(None, "client_order_id"), Index(None, "trade_id"))

    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    trade_id: Mapped[str]
    client_order_id: Mapped[str] = mapped_column(ForeignKey("orders.client_order_id"))
    symbol: Mapped[str]
    side: Mapped[int]
    price: Mapped[Decimal]
    size: Mapped[Decimal]
    fee: Mapped[Decimal]
    liquidity: Mapped[str]
    strategy: Mapped[str]
    ts_ns: Mapped[int]
