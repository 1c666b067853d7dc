"""The tables. Money is exact (``ExactDecimal``), times are integer nanoseconds UTC, words are those of the domain."""

from .access import AuditRow, RevokedSession, User
from .account import Balance, DailyPnl, EquityPoint, Exposure, PositionRow, RiskRow
from .base import Base
from .trading import JournalPosition, OrderRow, TradeExecution

# What follows the journal, and can be rebuilt from it; users, sessions and the audit log can not.
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
