"""The store as it follows the guard's journal.

The number of the last journal entry is stored in the same transaction as what the entries say. So after a crash the guard applies
the journal from ``last_n`` on, whatever was applied before is passed over, and the whole can be rebuilt from the journal alone.
"""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from traider.domain.errors import OrderStateError, StoreError
from traider.domain.order_state import Order, apply
from traider.domain.orders import AnyOrderEvent, OrderFilled
from traider.domain.state import AccountState, RiskState

from .engine import create_engine, reading, writing
from .models import (
    PROJECTED,
    Balance,
    DailyPnl,
    EquityPoint,
    Exposure,
    JournalPosition,
    OrderRow,
    PositionRow,
    RiskRow,
    TradeExecution,
)
from .models.account import TOTAL
from .rows import (
    ONLY,
    daily_pnl_row,
    equity_row,
    fill_to_row,
    order_from_row,
    order_to_row,
    position_to_row,
    risk_to_row,
)
from .sql import upsert

# Databases bound the number of parameters of one statement.
_IDS_PER_QUERY = 500
# For this long every second of the equity is kept, then the last of each minute.
FINE_MINUTES = 10


class Projection:
    """The one writer of the projected tables. The store must be migrated before ``open``."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)

    async def open(self) -> None:
        """Returns when the store answers; ``StoreError`` when it doesn't."""
        await self.last_n()

    async def close(self) -> None:
        await self._engine.dispose()

    async def last_n(self) -> int:
        """The number of the last journal entry that the store contains; 0 for an empty one."""
        async with reading(self._engine) as connection:
            return await _last_n(connection)

    async def reset(self) -> None:
        """Empties what can be rebuilt from the journal; users and the audit log stay."""
        async with writing(self._engine) as connection:
            for model in (TradeExecution, *(model for model in PROJECTED if model is not TradeExecution)):
                await connection.execute(delete(model))

    async def apply(self, events: Sequence[AnyOrderEvent], account: AccountState | None, risk: RiskState | None) -> None:
        """Stores events and states in one transaction. Events that the store contains already, or that have no number, are passed over."""
        async with writing(self._engine) as connection:
            last_n = await _last_n(connection)
            new = sorted((event for event in events if event.n > last_n), key=lambda event: event.n)
            if new:
                await _store_orders(connection, new)
                await upsert(connection, JournalPosition, [{"id": ONLY, "n": new[-1].n}])
            if account is not None:
                await _store_account(connection, account)
            if risk is not None:
                await upsert(connection, RiskRow, [risk_to_row(risk)])


async def _last_n(connection: AsyncConnection) -> int:
    return (await connection.scalar(select(JournalPosition.n).where(JournalPosition.id == ONLY))) or 0


async def _store_orders(connection: AsyncConnection, events: Sequence[AnyOrderEvent]) -> None:
    orders = await _known_orders(connection, sorted({event.client_order_id for event in events}))
    first_n: dict[str, int] = {}
    for event in events:
        known = orders.get(event.client_order_id)
        try:
            orders[event.client_order_id] = apply(known, event)
        except OrderStateError as error:
            raise StoreError(f"the store does not follow the journal, rebuild it: {error}") from error
        if known is None:
            first_n[event.client_order_id] = event.n
    # For an old order any number will do here: the column is kept.
    rows = [order_to_row(order) | {"first_n": first_n.get(client_order_id, 0)} for client_order_id, order in orders.items()]
    await upsert(connection, OrderRow, rows, keep=("first_n",))
    fills = [fill_to_row(event) for event in events if isinstance(event, OrderFilled)]
    if fills:
        await connection.execute(insert(TradeExecution), fills)


async def _known_orders(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Order]:
    known: dict[str, Order] = {}
    for start in range(0, len(ids), _IDS_PER_QUERY):
        part = ids[start : start + _IDS_PER_QUERY]
        rows = await connection.execute(select(OrderRow.__table__).where(OrderRow.client_order_id.in_(part)))
        known |= {row.client_order_id: order_from_row(row) for row in rows}
    return known


async def _store_account(connection: AsyncConnection, account: AccountState) -> None:
    ts_ns = account.ts_ns
    symbols = [position.symbol for position in account.positions]
    await upsert(connection, PositionRow, [position_to_row(position, ts_ns) for position in account.positions])
    await connection.execute(delete(PositionRow).where(PositionRow.symbol.not_in(symbols)))
    exposures = [(position.symbol, position.notional, abs(position.notional)) for position in account.positions]
    exposures.append((TOTAL, sum((position.notional for position in account.positions), Decimal(0)), account.gross_exposure))
    await upsert(connection, Exposure, [{"scope": scope, "net": net, "gross": gross, "ts_ns": ts_ns} for scope, net, gross in exposures])
    await connection.execute(delete(Exposure).where(Exposure.scope.not_in([*symbols, TOTAL])))
    await upsert(connection, Balance, [{"currency": account.currency, "cash": account.cash, "ts_ns": ts_ns}])
    if ts_ns > 0:  # before the first market event the account has no time, and no place in a history
        await upsert(connection, DailyPnl, [daily_pnl_row(account)])
        await _store_equity(connection, account)


async def _store_equity(connection: AsyncConnection, account: AccountState) -> None:
    row = equity_row(account)
    newest = await connection.scalar(select(func.max(EquityPoint.second)))
    await upsert(connection, EquityPoint, [row])
    if newest is None or row["second"] // 60 <= newest // 60:
        return
    # What was thinned when the newest minute began need not be looked at again.
    thinned_to = (newest // 60 - FINE_MINUTES) * 60
    thin_to = (row["second"] // 60 - FINE_MINUTES) * 60
    old = (EquityPoint.second >= thinned_to, EquityPoint.second < thin_to)
    last_of_minute = select(func.max(EquityPoint.second)).where(*old).group_by(EquityPoint.second // 60)
    await connection.execute(delete(EquityPoint).where(*old, EquityPoint.second.not_in(last_of_minute)))
