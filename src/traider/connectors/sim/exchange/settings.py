"""Every choice of the simulated exchange; what the real one's documents leave open is a switch here, with its reason."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from .units import atoms


@dataclass(frozen=True, slots=True)
class FeeTier:
    """Rates in parts per million, from this 30-day volume in USD on."""

    name: str
    usd_from: int
    maker: int
    taker: int


# The two lowest are what clients fall back to; the others fall with volume as the real table does. Replace them where it matters.
FEE_TIERS = (
    FeeTier("Advanced 1", 0, 6000, 12000),
    FeeTier("Advanced 2", 1_000, 3500, 7500),
    FeeTier("Advanced 3", 10_000, 2500, 4000),
    FeeTier("Advanced 4", 100_000, 1250, 2250),
    FeeTier("Advanced 5", 1_000_000, 800, 1600),
    FeeTier("Advanced 6", 20_000_000, 500, 1000),
    FeeTier("Advanced 7", 250_000_000, 0, 500),
)


NotNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


@dataclass(slots=True)
class Switches:
    """May be changed while the exchange runs (``POST /switches``)."""

    # Orders
    client_order_ids: Literal["replay", "reject_duplicate", "forget"] = "replay"
    forget_after_s: NotNegative = 60.0  # with "forget": how long a client order id is remembered
    self_trade: Literal["cancel_newest", "cancel_oldest", "allow"] = "cancel_newest"
    quote_size_includes_fees: bool = True
    price_band: NotNegative = 0.0  # how far a limit may be from the market's price, as a fraction of it; 0: no such limit
    queue: Literal["behind", "front"] = "behind"  # where an own order joins a level of the recorded book
    max_open_orders: Count = 500
    order_lag_s: NotNegative = 0.0  # until a new order is seen in REST listings
    fill_lag_s: NotNegative = 0.0
    cancel_delay_s: NotNegative = 0.0  # between the acceptance of a cancel and its effect
    edit_delay_s: NotNegative = 0.0
    edited_configuration: Literal["current", "original"] = "current"  # what an edited order's order_configuration tells
    cancel_batch: Count = 100
    strict_query: bool = False  # ignore the singular product_id, as the real server is said to
    # Tokens
    token_leeway_s: NotNegative = 5.0
    token_time: Literal["exchange", "wall"] = "exchange"  # noqa: S105  - a clock's name
    token_replays: bool = True  # accept a nonce that was seen before
    # Rate limits
    limits: bool = True
    private_per_s: Positive = 30.0
    public_per_s: Positive = 10.0
    burst: Annotated[float, Meta(ge=1)] = 1.5  # so many times as much as in a second may come at once
    messages_per_s: Positive = 8.0  # of unauthenticated subscribe messages, per address
    public_cache_s: NotNegative = 0.0  # how old a public answer may be; the real edge keeps them for about a second
    limit_body: Literal["errors", "error"] = "errors"
    # Sockets
    sequence: Literal["connection", "product"] = "connection"
    client_id: bool = True  # the field is in the documents, and was not in a capture of 2026
    snapshot_time: Literal["epoch", "now"] = "epoch"  # the documents say the one, a capture of 2026 the other
    heartbeat_counter: Literal["integer", "string"] = "integer"
    subscribe_within_s: NotNegative = 5.0
    idle_close_s: NotNegative = 90.0  # 0: never
    batch_ms: Count = 250  # of market_trades
    user_batch: Count = 50
    compression: bool = False  # permessage-deflate
    slow_consumer_bytes: Count = 32 * 1024 * 1024
    # Faults by the last four digits of an order's size
    quantity_triggers: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept in memory; what falls out is still counted."""

    closed_orders: int = 20_000  # per account
    fills: int = 50_000  # per account
    truth: int = 20_000  # per kind of record
    trades: int = 10_000  # per market
    minutes: int = 3 * 24 * 60  # candles of one minute per market
    hours: int = 60 * 24


@dataclass(frozen=True, slots=True)
class Config:
    seed: int = 1
    switches: Switches = field(default_factory=Switches)
    bounds: Bounds = field(default_factory=Bounds)
    fee_tiers: tuple[FeeTier, ...] = FEE_TIERS


FUNDS = {"USD": atoms(1_000_000), "USDC": atoms(1_000_000), "BTC": atoms(100)}
