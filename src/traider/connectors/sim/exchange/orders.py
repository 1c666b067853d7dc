"""An order at the exchange, and its fills. Only ``exchange`` and ``settlement`` change one."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from .products import Product
from .units import PPM

if TYPE_CHECKING:
    from .accounts import Account
    from .agenda import Due

BUY, SELL = 1, -1
UP, DOWN = 1, -1
SIDES = {"BUY": BUY, "SELL": SELL}
SIDE_NAMES = {BUY: "BUY", SELL: "SELL"}


class Status(StrEnum):
    PENDING = "PENDING"
    OPEN = "OPEN"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    CANCEL_QUEUED = "CANCEL_QUEUED"
    EDIT_QUEUED = "EDIT_QUEUED"


TERMINAL = frozenset({Status.FILLED, Status.CANCELLED, Status.EXPIRED, Status.FAILED})


class Kind(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_LIMIT = "STOP_LIMIT"
    BRACKET = "BRACKET"
    TWAP = "TWAP"
    SCALED = "SCALED"


class TimeInForce(StrEnum):
    GTC = "GOOD_UNTIL_CANCELLED"
    GTD = "GOOD_UNTIL_DATE_TIME"
    IOC = "IMMEDIATE_OR_CANCEL"
    FOK = "FILL_OR_KILL"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order asks for, in whole numbers. ``lots`` is 0 where the size is an amount of quote currency, ``budget``."""

    kind: Kind
    tif: TimeInForce
    lots: int = 0
    budget: int = 0
    ticks: int = 0  # the limit; 0: none
    stop_ticks: int = 0
    stop_direction: int = 0
    post_only: bool = False
    start_ns: int = 0
    end_ns: int = 0
    slices: tuple[tuple[int, int], ...] = ()  # ticks and lots of each part: of a scaled order by price, of a TWAP by turn
    slice_ns: int = 0  # from one turn of a TWAP to the next


@dataclass(slots=True)
class Fill:
    """One match, as one of the two sides sees it. Amounts are atoms of the quote currency."""

    number: int  # counts the account's fills
    entry_id: str
    trade_id: str
    order: "Order"
    ticks: int
    lots: int
    fee: int
    maker: bool
    ts_ns: int
    visible_ns: int


@dataclass(slots=True)
class Order:
    number: int  # counts the exchange's orders
    order_id: str
    client_order_id: str
    account: "Account"
    product: Product
    side: int
    terms: Terms
    configuration: dict[str, Any]  # as it was sent, or as edits have left it
    created_ns: int
    maker_ppm: int
    taker_ppm: int
    visible_ns: int = 0
    fills_hidden_until_ns: int = 0
    source: str = "RETAIL_ADVANCED"
    lots: int = 0  # the size now, after edits
    ticks: int = 0  # the limit now: edits, stops and brackets move it
    stop_ticks: int = 0
    hold_ticks: int = 0  # the price that what it holds is reckoned with, where that is not the limit
    filled_lots: int = 0
    filled_value: int = 0
    fees: int = 0
    hold: int = 0  # atoms of the currency that is given away
    status: Status = Status.OPEN
    triggered: bool = False
    rests_at: list[int] = field(default_factory=list)  # prices, in ticks, that it has in the book
    stop_waiting: bool = False
    cancel_reason: str = ""
    reject_reason: str = "REJECT_REASON_UNSPECIFIED"
    updated_ns: int = 0
    last_fill_ns: int = 0
    fills: list[Fill] = field(default_factory=list)
    edits: list[tuple[int, int, int]] = field(default_factory=list)  # ticks, lots, time
    pending: tuple[int, int] = (0, 0)  # ticks and lots of an edit that is accepted and not yet made
    attached: dict[str, Any] | None = None  # the configuration of the order that follows this one
    attached_id: str = ""
    parent_id: str = ""
    turn: int = 0  # the next part of a TWAP
    expiry: "Due | None" = None

    @property
    def remaining(self) -> int:
        return self.lots - self.filled_lots

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    @property
    def currency(self) -> str:
        """What a fill gives away."""
        return self.product.quote if self.side > 0 else self.product.base

    def hold_for(self, lots: int, ticks: int) -> int:
        """What these many lots at this limit hold: with the taker's fee, the worst case, for a buy."""
        grid = self.product.grid
        if self.side < 0:
            return lots * grid.lot
        return grid.cost(ticks, lots) // PPM * (PPM + self.taker_ppm)

    def released_by(self, lots: int, limit: int, cost: int, fee: int) -> int:
        """What a match of these lots takes out of the hold; ``limit`` is the price, in ticks, that they rested or were sent with."""
        if self.terms.kind is Kind.MARKET:
            return cost + fee if self.side > 0 else lots * self.product.grid.lot
        if self.terms.kind is Kind.SCALED:
            return self.hold_for(lots, limit)
        return self.hold_for(lots, self.hold_ticks or self.ticks)

    def fee_for(self, cost: int, *, maker: bool) -> int:
        return cost // PPM * (self.maker_ppm if maker else self.taker_ppm)
