"""Orders, fills and states to test with."""

from decimal import Decimal

from traider.domain.orders import (
    AnyOrderEvent,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequest,
    OrderSubmitted,
)
from traider.domain.state import AccountState, LimitUse, Position, RiskState
from traider.domain.vocabulary import Liquidity, OrderType, Reason, Side, TimeInForce

SYMBOL = "BTC-USD"
SECOND_NS = 1_000_000_000
START_NS = 1_700_000_040 * SECOND_NS  # the start of a minute


def request(client_order_id: str, size: str = "1", *, side: Side = Side.BUY, limit_price: str | None = None) -> OrderRequest:
    return OrderRequest(
        client_order_id=client_order_id,
        symbol=SYMBOL,
        side=side,
        type=OrderType.MARKET if limit_price is None else OrderType.LIMIT,
        size=Decimal(size),
        limit_price=None if limit_price is None else Decimal(limit_price),
        time_in_force=TimeInForce.GTC,
        strategy="sma_cross",
    )


def submitted(n: int, order: OrderRequest) -> OrderSubmitted:
    return OrderSubmitted(n=n, ts_ns=START_NS + n, client_order_id=order.client_order_id, request=order)


def accepted(n: int, order: OrderRequest) -> OrderAccepted:
    return OrderAccepted(n=n, ts_ns=START_NS + n, client_order_id=order.client_order_id, venue_order_id=f"v-{order.client_order_id}")


def filled(n: int, order: OrderRequest, price: str, size: str, fee: str = "0.1") -> OrderFilled:
    return OrderFilled(
        n=n,
        ts_ns=START_NS + n,
        client_order_id=order.client_order_id,
        trade_id=f"t{n}",
        symbol=order.symbol,
        side=order.side,
        price=Decimal(price),
        size=Decimal(size),
        fee=Decimal(fee),
        liquidity=Liquidity.TAKER,
        strategy=order.strategy,
    )


def cancelled(n: int, order: OrderRequest) -> OrderCancelled:
    return OrderCancelled(n=n, ts_ns=START_NS + n, client_order_id=order.client_order_id, reason=Reason.REQUESTED)


def rejected(n: int, order: OrderRequest, detail: str = "kill switch is on") -> OrderRejected:
    return OrderRejected(
        n=n, ts_ns=START_NS + n, client_order_id=order.client_order_id, reason=Reason.KILL_SWITCH, detail=detail, request=order
    )


def one_of_each() -> list[AnyOrderEvent]:
    """A filled order, one that fills in two parts and is cancelled in between, a refused one and an open one; n goes from 1 to 11."""
    first, second, third, fourth = request("a"), request("b", "3", limit_price="100"), request("c"), request("d", "2", side=Side.SELL)
    return [
        submitted(1, first),
        accepted(2, first),
        filled(3, first, "101.5", "1"),
        submitted(4, second),
        accepted(5, second),
        filled(6, second, "100", "1"),
        cancelled(7, second),
        filled(8, second, "99.5", "1"),
        rejected(9, third),
        submitted(10, fourth),
        accepted(11, fourth),
    ]


def position(symbol: str = SYMBOL, size: str = "1", mark_price: str = "102") -> Position:
    return Position(
        symbol=symbol,
        size=Decimal(size),
        average_price=Decimal("101.5"),
        mark_price=Decimal(mark_price),
        realized_pnl=Decimal("3.25"),
        unrealized_pnl=(Decimal(mark_price) - Decimal("101.5")) * Decimal(size),
        fees=Decimal("0.3"),
        notional=Decimal(mark_price) * Decimal(size),
    )


def account(ts_ns: int = START_NS, equity: str = "1000.5", *positions: Position) -> AccountState:
    return AccountState(
        ts_ns=ts_ns,
        currency="USD",
        cash=Decimal("898.5"),
        equity=Decimal(equity),
        high_water_mark=Decimal(1100),
        drawdown=Decimal("0.0904"),
        daily_pnl=Decimal("-12.5"),
        gross_exposure=sum((abs(held.notional) for held in positions), Decimal(0)),
        positions=positions,
    )


def risk(*, kill_switch: bool = False, open_orders: int = 1) -> RiskState:
    return RiskState(
        kill_switch=kill_switch,
        kill_reason="drill" if kill_switch else "",
        kill_by="owner" if kill_switch else "",
        kill_ts_ns=START_NS if kill_switch else 0,
        limits=(
            LimitUse(
                name="max_open_orders",
                label="open orders",
                limit=Decimal(5),
                used=Decimal(open_orders),
                headroom=Decimal(5 - open_orders),
                unit="orders",
            ),
            LimitUse(name="max_daily_loss", label="daily loss", limit=None, used=Decimal("12.5"), headroom=None, unit="USD"),
        ),
        allowed_markets=(SYMBOL,),
    )
