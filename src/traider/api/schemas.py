"""The JSON shapes of the API, apart from the domain's own: exact decimals as strings, times as whole milliseconds UTC.

Market prices and candles are floating-point numbers in the source and stay numbers here. The dashboard's types are generated
from these classes (``python -m traider.api.openapi``), so a change here is a change of the contract.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from traider.storage.roles import Role


def plain(value: Decimal) -> str:
    """The exact decimal in digits, never with an exponent."""
    return format(value, "f")


Exact = Annotated[Decimal, PlainSerializer(plain, return_type=str, when_used="json")]
TimeMs = Annotated[int, Field(description="milliseconds since the epoch, UTC")]


class Schema(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


SideName = Literal["buy", "sell"]
OrderTypeName = Literal["market", "limit", "stop"]
TimeInForceName = Literal["gtc", "ioc"]
LiquidityName = Literal["maker", "taker"]
StatusName = Literal["pending", "open", "partially_filled", "filled", "cancelled", "rejected", "unknown"]


class ErrorOut(Schema):
    """Every answer that is not a success: one sentence for a person."""

    detail: str


class LoginIn(Schema):
    username: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=1000)


class UserOut(Schema):
    username: str
    role: Role


class HealthOut(Schema):
    status: Literal["ok"]


class ReadyOut(Schema):
    """``reasons`` is empty exactly when ``ready``."""

    ready: bool
    reasons: list[str]


class ComponentOut(Schema):
    component: str
    state: str = Field(description="up, down or degraded")
    detail: str
    ts_ms: TimeMs


class SystemOut(Schema):
    version: str
    mode: Literal["paper", "live"]
    venue: str = Field(description="where orders go, in a person's words")
    strategy: str
    params: dict[str, int | float | str | bool]
    symbol: str
    source: str = Field(description="where the market data comes from")
    started_ts_ms: TimeMs
    guard_connected: bool
    market_age_ms: int | None = Field(description="since the last market event arrived; null before the first")
    market_stale: bool
    components: list[ComponentOut]


class PositionOut(Schema):
    symbol: str
    size: Exact = Field(description="base currency; negative is short")
    average_price: Exact
    mark_price: Exact
    realized_pnl: Exact = Field(description="without fees")
    unrealized_pnl: Exact
    fees: Exact
    notional: Exact = Field(description="size x mark price, signed")


class PortfolioOut(Schema):
    ts_ms: TimeMs
    currency: str
    cash: Exact
    equity: Exact
    high_water_mark: Exact
    drawdown: Exact = Field(description="fraction of the high-water mark")
    daily_pnl: Exact = Field(description="of the UTC day")
    gross_exposure: Exact
    positions: list[PositionOut]


class EquityPointOut(Schema):
    ts_ms: TimeMs
    equity: Exact
    drawdown: Exact


class OrderOut(Schema):
    client_order_id: str
    symbol: str
    side: SideName
    type: OrderTypeName
    time_in_force: TimeInForceName
    post_only: bool
    size: Exact
    limit_price: Exact | None
    stop_price: Exact | None
    status: StatusName
    filled_size: Exact
    average_price: Exact | None = Field(description="of the fills so far; null without one")
    fees: Exact
    reason: str | None = Field(description="why it was refused or ended, in a person's words")
    detail: str = Field(description="for a refusal: the limit, its value, what was asked, the head-room left")
    created_ts_ms: TimeMs
    updated_ts_ms: TimeMs
    strategy: str


class FillOut(Schema):
    trade_id: str
    client_order_id: str
    symbol: str
    side: SideName
    price: Exact
    size: Exact
    fee: Exact
    liquidity: LiquidityName
    ts_ms: TimeMs


class LimitOut(Schema):
    name: str = Field(description="the field of the limits, such as max_daily_loss")
    label: str
    limit: Exact | None = Field(description="null is no limit")
    used: Exact
    headroom: Exact | None
    unit: str = Field(description='a currency, "orders", "orders/min" or "fraction"')


class GateOut(Schema):
    """Something that holds orders back."""

    gate: str
    symbol: str = Field(description="empty where it concerns every market")
    detail: str = Field(description="why it is closed")
    since_ms: TimeMs
    opens: str = Field(description="what opens it")


class UnknownOrderOut(Schema):
    """It counts in full against every limit until it is known what became of it."""

    client_order_id: str
    since_ms: TimeMs
    detail: str = Field(description="what was heard instead of an answer")
    doing: str = Field(description="what is being done about it")


class RiskOut(Schema):
    kill_switch: bool
    kill_reason: str
    kill_by: str
    kill_ts_ms: int | None = Field(description="when it was last switched; null when it never was")
    allowed_markets: list[str] | None = Field(description="null is every market")
    limits: list[LimitOut]
    gates: list[GateOut] = Field(description="the closed ones, as the guard last told; while it is not connected nothing is known of them")
    unknown_orders: list[UnknownOrderOut] = Field(description="sent and never answered")
    reconciled_ts_ms: int | None = Field(description="when the exchange was last seen to agree; null on paper")


class KillSwitchIn(Schema):
    """Switching it off asks for a reason that is not empty."""

    on: bool
    reason: str = Field(default="", max_length=500)


class AuditRowOut(Schema):
    ts_ms: TimeMs
    who: str
    action: str
    detail: str


class CandleOut(Schema):
    ts_ms: TimeMs = Field(description="the candle's start, milliseconds since the epoch, UTC")
    open: float
    high: float
    low: float
    close: float
    volume: float


class MarketOut(Schema):
    """The newest price, and the candle it belongs to as it stands now."""

    symbol: str
    ts_ms: TimeMs
    price: float
    candle: CandleOut | None


class StreamEvents(Schema):
    """The ``data`` of each event of the stream, by the event's name. An event carries exactly one of them."""

    market: MarketOut
    order: OrderOut
    fill: FillOut
    account: PortfolioOut
    risk: RiskOut
    system: SystemOut
