"""What the guard last told of the account and of its limits, and the account's history."""

from decimal import Decimal
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

TOTAL = "TOTAL"  # the scope of the exposure that sums all markets


class PositionRow(Base):
    __tablename__ = "positions"

    symbol: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[Decimal]
    average_price: Mapped[Decimal]
    mark_price: Mapped[Decimal]
    realized_pnl: Mapped[Decimal]
    unrealized_pnl: Mapped[Decimal]
    fees: Mapped[Decimal]
    notional: Mapped[Decimal]
    ts_ns: Mapped[int]


class Exposure(Base):
    """Exposure of one market, and of all of them in the row ``TOTAL``."""

    __tablename__ = "exposures"

    scope: Mapped[str] = mapped_column(primary_key=True)
    net: Mapped[Decimal]  # signed notional
    gross: Mapped[Decimal]
    ts_ns: Mapped[int]


class Balance(Base):
    __tablename__ = "balances"

    currency: Mapped[str] = mapped_column(primary_key=True)
    cash: Mapped[Decimal]
    ts_ns: Mapped[int]


class DailyPnl(Base):
    """Profit and loss of one UTC day, as it stood when the day was last heard of."""

    __tablename__ = "daily_pnl"

    day: Mapped[str] = mapped_column(primary_key=True)  # 2024-12-31
    pnl: Mapped[Decimal]
    equity: Mapped[Decimal]
    currency: Mapped[str]
    ts_ns: Mapped[int]


class EquityPoint(Base):
    """The equity at the end of one second. Of seconds long past, the last of each minute is kept."""

    __tablename__ = "equity_points"

    second: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # since the epoch
    ts_ns: Mapped[int]
    equity: Mapped[Decimal]
    high_water_mark: Mapped[Decimal]
    drawdown: Mapped[Decimal]


class RiskRow(Base):
    """One row: the kill switch and every limit's use. JSON carries decimals as text."""

    __tablename__ = "risk_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kill_switch: Mapped[bool]
    kill_reason: Mapped[str]
    kill_by: Mapped[str]
    kill_ts_ns: Mapped[int]
    allowed_markets: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    limits: Mapped[Any] = mapped_column(JSON)
