"""Orders, what happens to them, and the state machine: an order changes only by applying events.

    (request) ──▶ PENDING ──accepted──▶ OPEN ──filled──▶ PARTIALLY_FILLED ──filled──▶ FILLED
                    │  │                 │ └──────filled──────────────────────────────▶ FILLED
                    │  └──unknown──▶ UNKNOWN ──accepted / rejected / filled / cancelled──▶ …
                    └──rejected──▶ REJECTED      OPEN, PARTIALLY_FILLED ──cancelled──▶ CANCELLED

OPEN and PARTIALLY_FILLED orders can be amended: size and limit price are others from there on. FILLED, CANCELLED and REJECTED are
terminal; the one event that a CANCELLED order still takes is a late fill.
"""

from decimal import Decimal

import msgspec

from .vocabulary import Liquidity, OrderType, Reason, Side, TimeInForce

LIQUIDATION = "liquidation"  # the strategy of orders by which a venue closes what is held on margin


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a trader asks for. The client order id is made before the first send and never reused.

    A trailing stop has ``trail_amount`` (in quote currency) or ``trail_fraction`` (of the price). Good-till-date has
    ``expire_ts_ns``. ``oco`` names a group of which one fill takes from the others; with ``parent``, a client order id, the
    order waits until that order is filled. ``leads`` says that others wait for this one.
    """

    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    size: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    strategy: str = ""
    trail_amount: Decimal | None = None
    trail_fraction: Decimal | None = None
    expire_ts_ns: int = 0
    oco: str = ""
    parent: str = ""
    leads: bool = False


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """``n`` is the journal's entry number: it grows by one, so a consumer can tell what it has seen."""

    n: int
    ts_ns: int
    client_order_id: str


class OrderSubmitted(OrderEvent, frozen=True, kw_only=True, tag="submitted"):
    """The intent is durable; the venue's answer is not known yet."""

    request: OrderRequest


class OrderAccepted(OrderEvent, frozen=True, kw_only=True, tag="accepted"):
    venue_order_id: str


class OrderRejected(OrderEvent, frozen=True, kw_only=True, tag="rejected"):
    """``detail`` names the limit, its value, what was asked and the head-room left."""

    reason: Reason
    detail: str
    request: OrderRequest


class OrderFilled(OrderEvent, frozen=True, kw_only=True, tag="filled"):
    trade_id: str
    symbol: str
    side: Side
    price: Decimal
    size: Decimal
    fee: Decimal
    liquidity: Liquidity
    strategy: str = ""


class OrderCancelled(OrderEvent, frozen=True, kw_only=True, tag="cancelled"):
    reason: Reason


class OrderAmended(OrderEvent, frozen=True, kw_only=True, tag="amended"):
    """What the order is from here on; ``size`` is the whole of it, what is filled included.

    ``stop_price`` is None where that stays. With a ``reason`` an amendment was refused, and the order is what it was. ``amend_id`` names
    the amendment that was asked for; it is empty where the size went to another order, or came from the exchange.
    """

    size: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None = None
    reason: Reason = Reason.NONE
    detail: str = ""
    amend_id: str = ""


class OrderUnknown(OrderEvent, frozen=True, kw_only=True, tag="unknown"):
    detail: str


AnyOrderEvent = OrderSubmitted | OrderAccepted | OrderRejected | OrderFilled | OrderCancelled | OrderAmended | OrderUnknown
