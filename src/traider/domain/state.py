"""What the guard knows of the account at one moment; the same shapes on the bus, in the API and on the dashboard."""

from decimal import Decimal

import msgspec


class Position(msgspec.Struct, frozen=True, kw_only=True):
    symbol: str
    size: Decimal  # base currency; negative is short
    average_price: Decimal
    mark_price: Decimal
    realized_pnl: Decimal  # without fees
    unrealized_pnl: Decimal
    fees: Decimal
    notional: Decimal  # size x mark price, signed


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """One limit: its value, how much of it is used now, the head-room left. ``limit`` None is no limit."""

    name: str  # the field of RiskLimits
    label: str  # in a person's words
    limit: Decimal | None
    used: Decimal
    headroom: Decimal | None
    unit: str  # a currency, "orders", "orders/min", "fraction"


class ClosedGate(msgspec.Struct, frozen=True, kw_only=True):
    """Something that holds orders back (``traider.guard.gates``); ``symbol`` is empty where it concerns every market."""

    gate: str
    symbol: str
    detail: str  # why it is closed
    since_ns: int
    opens: str  # what opens it


class UnknownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was sent and never answered; it counts in full until the venue's own word says what became of it."""

    client_order_id: str
    since_ns: int
    detail: str  # what was heard instead of an answer
    doing: str  # what is being done about it


class RiskState(msgspec.Struct, frozen=True, kw_only=True):
    kill_switch: bool
    kill_reason: str
    kill_by: str
    kill_ts_ns: int
    limits: tuple[LimitUse, ...]
    allowed_markets: tuple[str, ...] | None
    gates: tuple[str, ...] = ()  # that are closed, each with its reason in words
    unknown_orders: tuple[str, ...] = ()  # sent, never answered: client order ids
    closed: tuple[ClosedGate, ...] = ()  # the same gates with everything that is known of each
    unresolved: tuple[UnknownOrder, ...] = ()  # the same orders
    reconciled_ns: int = 0  # when the venue was last asked how things stand and all was well; 0 on paper


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """Money is in the account's quote currency."""

    ts_ns: int
    currency: str
    cash: Decimal
    equity: Decimal
    high_water_mark: Decimal
    drawdown: Decimal  # fraction of the high-water mark
    daily_pnl: Decimal
    gross_exposure: Decimal
    positions: tuple[Position, ...]
