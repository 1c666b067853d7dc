"""Between the domain's objects and the tables' rows."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from traider.domain.order_state import Order
from traider.domain.orders import OrderFilled, OrderRequest
from traider.domain.state import AccountState, LimitUse, Position, RiskState
from traider.domain.vocabulary import Liquidity, OrderStatus, OrderType, Reason, Side, TimeInForce

SECOND_NS = 1_000_000_000
ONLY = 1  # the id of the one row of a table that has one row


def order_to_row(order: Order) -> dict[str, Any]:
    """The row of an order; ``first_n`` is right for a new one and must be kept of an old one."""
    request = order.request
    return {
        "client_order_id": request.client_order_id,
        "venue_order_id": order.venue_order_id,
        "symbol": request.symbol,
        "side": int(request.side),
        "type": request.type.name.lower(),
        "time_in_force": request.time_in_force.name.lower(),
        "post_only": request.post_only,
        "size": request.size,
        "limit_price": request.limit_price,
        "stop_price": request.stop_price,
        "strategy": request.strategy,
        "status": order.status.value,
        "filled_size": order.filled_size,
        "notional": order.notional,
        "fees": order.fees,
        "fills": order.fills,
        "reason": int(order.reason),
        "detail": order.detail,
        "created_ts_ns": order.created_ts_ns,
        "updated_ts_ns": order.updated_ts_ns,
        "n": order.n,
    }


def order_from_row(row: Row[Any]) -> Order:
    request = OrderRequest(
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        side=Side(row.side),
        type=OrderType[row.type.upper()],
        size=row.size,
        limit_price=row.limit_price,
        stop_price=row.stop_price,
        time_in_force=TimeInForce[row.time_in_force.upper()],
        post_only=row.post_only,
        strategy=row.strategy,
    )
    return Order(
        request=request,
        status=OrderStatus(row.status),
        n=row.n,
        created_ts_ns=row.created_ts_ns,
        updated_ts_ns=row.updated_ts_ns,
        venue_order_id=row.venue_order_id,
        filled_size=row.filled_size,
        notional=row.notional,
        fees=row.fees,
        fills=row.fills,
        reason=Reason(row.reason),
        detail=row.detail,
    )


def fill_to_row(fill: OrderFilled) -> dict[str, Any]:
    row = {name: getattr(fill, name) for name in OrderFilled.__struct_fields__}
    return row | {"side": int(fill.side), "liquidity": fill.liquidity.value}


def fill_from_row(row: Row[Any]) -> OrderFilled:
    values = {name: getattr(row, name) for name in OrderFilled.__struct_fields__}
    return OrderFilled(**(values | {"side": Side(row.side), "liquidity": Liquidity(row.liquidity)}))


def position_to_row(position: Position, ts_ns: int) -> dict[str, Any]:
    return msgspec.structs.asdict(position) | {"ts_ns": ts_ns}


def position_from_row(row: Row[Any]) -> Position:
    return Position(**{name: getattr(row, name) for name in Position.__struct_fields__})


def daily_pnl_row(account: AccountState) -> dict[str, Any]:
    day = datetime.fromtimestamp(account.ts_ns // SECOND_NS, UTC).date().isoformat()
    return {"day": day, "pnl": account.daily_pnl, "equity": account.equity, "currency": account.currency, "ts_ns": account.ts_ns}


def equity_row(account: AccountState) -> dict[str, Any]:
    return {
        "second": account.ts_ns // SECOND_NS,
        "ts_ns": account.ts_ns,
        "equity": account.equity,
        "high_water_mark": account.high_water_mark,
        "drawdown": account.drawdown,
    }


def risk_to_row(risk: RiskState) -> dict[str, Any]:
    # As text in JSON a decimal keeps every digit.
    row = msgspec.structs.asdict(risk) | {"id": ONLY, "limits": msgspec.to_builtins(risk.limits)}
    for passing in (
        "gates",
        "unknown_orders",
        "closed",
        "unresolved",
        "reconciled_ns",
    ):  # what holds for a moment is asked of the guard, not of the store
        del row[passing]
    return row | {"allowed_markets": None if risk.allowed_markets is None else list(risk.allowed_markets)}


def risk_from_row(row: Row[Any]) -> RiskState:
    return RiskState(
        kill_switch=row.kill_switch,
        kill_reason=row.kill_reason,
        kill_by=row.kill_by,
        kill_ts_ns=row.kill_ts_ns,
        limits=msgspec.convert(row.limits, tuple[LimitUse, ...]),
        allowed_markets=None if row.allowed_markets is None else tuple(row.allowed_markets),
    )
