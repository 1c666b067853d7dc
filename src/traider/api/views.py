"""From the domain's objects to the API's JSON shapes; the only place that knows both."""

from traider.domain.order_state import Order
from traider.domain.orders import OrderFilled
from traider.domain.state import AccountState, Position, RiskState
from traider.domain.vocabulary import Reason, Side
from traider.storage.access import AuditEntry
from traider.storage.repository import EquityReading

from .candles import Candle
from .schemas import (
    AuditRowOut,
    CandleOut,
    EquityPointOut,
    FillOut,
    GateOut,
    LimitOut,
    OrderOut,
    PortfolioOut,
    PositionOut,
    RiskOut,
    SideName,
    UnknownOrderOut,
)

MS_NS = 1_000_000


def _side(side: Side) -> SideName:
    return "buy" if side is Side.BUY else "sell"


def portfolio_out(account: AccountState) -> PortfolioOut:
    return PortfolioOut(
        ts_ms=account.ts_ns // MS_NS,
        currency=account.currency,
        cash=account.cash,
        equity=account.equity,
        high_water_mark=account.high_water_mark,
        drawdown=account.drawdown,
        daily_pnl=account.daily_pnl,
        gross_exposure=account.gross_exposure,
        positions=[_position_out(position) for position in account.positions],
    )


def _position_out(position: Position) -> PositionOut:
    return PositionOut(
        symbol=position.symbol,
        size=position.size,
        average_price=position.average_price,
        mark_price=position.mark_price,
        realized_pnl=position.realized_pnl,
        unrealized_pnl=position.unrealized_pnl,
        fees=position.fees,
        notional=position.notional,
    )


def risk_out(risk: RiskState) -> RiskOut:
    return RiskOut(
        kill_switch=risk.kill_switch,
        kill_reason=risk.kill_reason,
        kill_by=risk.kill_by,
        kill_ts_ms=risk.kill_ts_ns // MS_NS if risk.kill_ts_ns else None,
        allowed_markets=None if risk.allowed_markets is None else list(risk.allowed_markets),
        limits=[
            LimitOut(name=use.name, label=use.label, limit=use.limit, used=use.used, headroom=use.headroom, unit=use.unit)
            for use in risk.limits
        ],
        gates=[
            GateOut(gate=gate.gate, symbol=gate.symbol, detail=gate.detail, since_ms=gate.since_ns // MS_NS, opens=gate.opens)
            for gate in risk.closed
        ],
        unknown_orders=[
            UnknownOrderOut(client_order_id=o.client_order_id, since_ms=o.since_ns // MS_NS, detail=o.detail, doing=o.doing)
            for o in risk.unresolved
        ],
        reconciled_ts_ms=risk.reconciled_ns // MS_NS if risk.reconciled_ns else None,
    )


def order_out(order: Order) -> OrderOut:
    request = order.request
    return OrderOut.model_validate(
        {
            "client_order_id": request.client_order_id,
            "symbol": request.symbol,
            "side": _side(request.side),
            "type": request.type.name.lower(),
            "time_in_force": request.time_in_force.name.lower(),
            "post_only": request.post_only,
            "size": request.size,
            "limit_price": request.limit_price,
            "stop_price": request.stop_price,
            "status": order.status.value,
            "filled_size": order.filled_size,
            "average_price": order.average_price,
            "fees": order.fees,
            "reason": None if order.reason is Reason.NONE else order.reason.label,
            "detail": order.detail,
            "created_ts_ms": order.created_ts_ns // MS_NS,
            "updated_ts_ms": order.updated_ts_ns // MS_NS,
            "strategy": request.strategy,
        }
    )


def fill_out(fill: OrderFilled) -> FillOut:
    return FillOut(
        trade_id=fill.trade_id,
        client_order_id=fill.client_order_id,
        symbol=fill.symbol,
        side=_side(fill.side),
        price=fill.price,
        size=fill.size,
        fee=fill.fee,
        liquidity=fill.liquidity.value,
        ts_ms=fill.ts_ns // MS_NS,
    )


def equity_out(point: EquityReading) -> EquityPointOut:
    return EquityPointOut(ts_ms=point.ts_ns // MS_NS, equity=point.equity, drawdown=point.drawdown)


def audit_out(entry: AuditEntry) -> AuditRowOut:
    return AuditRowOut(ts_ms=entry.ts_ns // MS_NS, who=entry.who, action=entry.action, detail=entry.detail)


def candle_out(candle: Candle) -> CandleOut:
    return CandleOut(
        ts_ms=candle.ts_ns // MS_NS, open=candle.open, high=candle.high, low=candle.low, close=candle.close, volume=candle.volume
    )
