"""What the API reads of the store, in the domain's own objects."""

from decimal import Decimal

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from traider.domain.order_state import Order
from traider.domain.orders import OrderFilled
from traider.domain.state import AccountState, RiskState
from traider.domain.vocabulary import OrderStatus

from .engine import reading
from .models import Balance, DailyPnl, EquityPoint, Exposure, OrderRow, PositionRow, RiskRow, TradeExecution
from .models.account import TOTAL
from .rows import fill_from_row, order_from_row, position_from_row, risk_from_row

OPEN_STATUSES = (OrderStatus.PENDING, OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.UNKNOWN)


class EquityReading(msgspec.Struct, frozen=True, kw_only=True):
    ts_ns: int
    equity: Decimal
    drawdown: Decimal


class NumberedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order, and the journal number of its first event: the order of orders."""

    first_n: int
    order: Order


class Repository:
    """Reads only. Each answer is of one moment of the store; ``StoreError`` when there is none to be had."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def ping(self) -> None:
        """Returns when the store answers."""
        async with reading(self._engine) as connection:
            await connection.execute(text("SELECT 1"))

    async def order(self, client_order_id: str) -> NumberedOrder | None:
        """One order, None when it is not known."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(select(OrderRow.__table__).where(OrderRow.client_order_id == client_order_id))
            row = rows.one_or_none()
            return None if row is None else NumberedOrder(first_n=row.first_n, order=order_from_row(row))

    async def orders(self, *, open_only: bool, limit: int) -> list[NumberedOrder]:
        """Newest first."""
        query = select(OrderRow.__table__).order_by(OrderRow.first_n.desc()).limit(limit)
        if open_only:
            query = query.where(OrderRow.status.in_([status.value for status in OPEN_STATUSES]))
        async with reading(self._engine) as connection:
            return [NumberedOrder(first_n=row.first_n, order=order_from_row(row)) for row in await connection.execute(query)]

    async def fills(self, limit: int) -> list[OrderFilled]:
        """Newest first."""
        query = select(TradeExecution.__table__).order_by(TradeExecution.n.desc()).limit(limit)
        async with reading(self._engine) as connection:
            return [fill_from_row(row) for row in await connection.execute(query)]

    async def equity(self, limit: int) -> list[EquityReading]:
        """The newest ``limit`` points, oldest first."""
        query = select(EquityPoint.ts_ns, EquityPoint.equity, EquityPoint.drawdown).order_by(EquityPoint.second.desc()).limit(limit)
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return [EquityReading(ts_ns=row.ts_ns, equity=row.equity, drawdown=row.drawdown) for row in reversed(rows)]

    async def account(self) -> AccountState | None:
        """The account as it was last stored, None before its first market event."""
        async with reading(self._engine) as connection:
            point = (await connection.execute(select(EquityPoint.__table__).order_by(EquityPoint.second.desc()).limit(1))).one_or_none()
            if point is None:
                return None
            balance = (await connection.execute(select(Balance.__table__).order_by(Balance.ts_ns.desc()).limit(1))).one()
            daily_pnl = (await connection.execute(select(DailyPnl.pnl).order_by(DailyPnl.day.desc()).limit(1))).scalar_one()
            gross = (await connection.execute(select(Exposure.gross).where(Exposure.scope == TOTAL))).scalar_one()
            positions = (await connection.execute(select(PositionRow.__table__).order_by(PositionRow.symbol))).all()
        return AccountState(
            ts_ns=balance.ts_ns,
            currency=balance.currency,
            cash=balance.cash,
            equity=point.equity,
            high_water_mark=point.high_water_mark,
            drawdown=point.drawdown,
            daily_pnl=daily_pnl,
            gross_exposure=gross,
            positions=tuple(position_from_row(row) for row in positions),
        )

    async def risk(self) -> RiskState | None:
        """The limits and the kill switch as they were last stored, None before that."""
        async with reading(self._engine) as connection:
            row = (await connection.execute(select(RiskRow.__table__))).one_or_none()
            return None if row is None else risk_from_row(row)
