"""The tables. Money is exact (``ExactDecimal``), times are integer nanoseconds UTC, words are those of the domain."""

from .access import AuditRow, RevokedSession, User
from .account import Balance, DailyPnl, EquityPoint, Exposure, PositionRow, RiskRow
from .base import Base
from .trading import JournalPosition, OrderRow, TradeExecution

# What follows the journal: orders, fills and what the account comes to can be rebuilt from it; the equity's and the days' history
# begins anew with a rebuild; users, sessions and the audit log are never touched by one.
PROJECTED = (OrderRow, TradeExecution, PositionRow, Exposure, DailyPnl, Balance, EquityPoint, RiskRow, JournalPosition)

__all__ = [
    "PROJECTED",
    "AuditRow",
    "Balance",
    "Base",
    "DailyPnl",
    "EquityPoint",
    "Exposure",
    "JournalPosition",
    "OrderRow",
    "PositionRow",
    "RevokedSession",
    "RiskRow",
    "TradeExecution",
    "User",
]
