"""What the guard asks of an exchange, and what it is told: the ``Venue`` port and the words of its answers.

A call that changes something has one of three outcomes. The venue said yes: the call returns. The venue said no:
``VenueRejectedError``, and nothing happened there. Nobody knows: ``VenueUnknownError``, because the answer was lost, late, or could
not be read; what was asked for may have happened, and only the venue's own word, asked for later, settles it.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec

from .errors import TraiderError
from .guard_protocol import MarketEvent
from .instruments import Instrument
from .orders import OrderRequest
from .vocabulary import Liquidity, OrderStatus, Side


class VenueError(TraiderError):
    """The venue, or the way to it, did not do what was asked."""


class VenueRejectedError(VenueError):
    """The venue's own no: nothing was done. ``code`` is the venue's word for why."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class VenueFundsError(VenueRejectedError):
    """Its no because the account has less than the order takes: less than was believed here, or it would not have been asked."""


class VenueUnknownError(VenueError):
    """The answer is not known: what was asked for may have happened."""


class VenueUnavailableError(VenueError):
    """Nothing was sent, or a question was not answered: it can be asked again."""


class VenueOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the venue tells it. ``client_order_id`` is empty where the venue knows none."""

    venue_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    status: OrderStatus
    size: Decimal
    filled_size: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    created_ts_ns: int = 0
    reason: str = ""


class VenueFill(msgspec.Struct, frozen=True, kw_only=True):
    """One fill. ``trade_id`` is unique at the venue: a fill is booked once however often it is told.

    ``client_order_id`` is empty where the venue does not tell it with the fill and this process did not send the order.
    """

    trade_id: str
    venue_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    price: Decimal
    size: Decimal
    fee: Decimal
    liquidity: Liquidity
    ts_ns: int


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """One currency of the account: what is free, and what open orders hold."""

    currency: str
    available: Decimal
    held: Decimal


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """What the key may do."""

    can_view: bool
    can_trade: bool
    can_transfer: bool
    portfolio: str = ""


class MarketState(msgspec.Struct, frozen=True, kw_only=True):
    """What may be done in a market at the moment."""

    symbol: str
    tradable: bool
    cancel_only: bool = False
    limit_only: bool = False
    post_only: bool = False
    auction: bool = False


class MarketStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's stream said something of a market: whether it is traded at all. What may be done there in full is to be asked for."""

    symbol: str
    tradable: bool
    detail: str = ""


class BestPrices(msgspec.Struct, frozen=True, kw_only=True):
    """Best bid and ask of a market."""

    bid: float
    ask: float


class StreamState(StrEnum):
    """Of the venue's user channel, or of its market data."""

    LIVE = "live"  # from here on every change is told
    LOST = "lost"  # what happens now is not told: ask, once it is live again


class StreamChange(msgspec.Struct, frozen=True, kw_only=True):
    state: StreamState
    detail: str = ""


class OrderHint(msgspec.Struct, frozen=True, kw_only=True):
    """The user channel said something of this order. A hint when to ask, never a fact to book."""

    order: VenueOrder


VenueEvent = StreamChange | OrderHint


class Venue(Protocol):
    """The order side of an exchange. Every call has a deadline of its own; times are nanoseconds since the epoch, UTC."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None:
        """Connects; ``VenueUnavailableError`` says why it can't."""
        ...

    async def stop(self) -> None: ...

    async def server_time_ns(self) -> int: ...

    def now_ns(self) -> int:
        """The venue's time as well as it is known here without asking: it does not follow this machine's when that is set."""
        ...

    async def permissions(self) -> Permissions: ...

    async def products(self) -> tuple[Instrument, ...]: ...

    async def market_states(self) -> Mapping[str, MarketState]:
        """What may be done now in each market that there is, by symbol."""
        ...

    async def best_prices(self, symbols: tuple[str, ...]) -> Mapping[str, BestPrices]:
        """Best bid and ask of these markets as the venue has them now, asked for and not from a stream; without those with one side."""
        ...

    async def submit(self, request: OrderRequest, *, last_word: Callable[[], None] = lambda: None) -> str:
        """Sends the order once; the venue's id of it. The same request sent again is the same bytes, and at most one order.

        ``last_word`` is called when all waiting is over, right before the first byte leaves: what it raises is raised, and nothing leaves.
        """
        ...

    async def cancel(self, venue_order_ids: tuple[str, ...]) -> dict[str, VenueError | None]:
        """Asks for the cancellation of each: None where the venue took the request, which does not yet end the order.

        Else its no (``VenueRejectedError``), that nobody knows (``VenueUnknownError``: its answer was lost, or left this one
        out), or that this one was not sent (``VenueUnavailableError``). Never raises for one id what was answered of another.
        """
        ...

    async def amend(self, venue_order_id: str, *, size: Decimal, price: Decimal, last_word: Callable[[], None] = lambda: None) -> None:
        """Asks for the order to be of this size, what is filled included, at this price. ``last_word`` is as for ``submit``."""
        ...

    async def order(self, *, client_order_id: str = "", venue_order_id: str = "") -> VenueOrder | None:
        """The order as it is now; None where the venue says that there is none."""
        ...

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """All of them, every page."""
        ...

    async def fills(self, *, since_ts_ns: int) -> tuple[VenueFill, ...]:
        """All fills from this time on, every page, oldest first."""
        ...

    async def balances(self) -> tuple[Balance, ...]: ...

    def events(self) -> AsyncIterator[VenueEvent]:
        """The user channel, for as long as the venue is started."""
        ...


class VenueMarket(Protocol):
    """The market data of an exchange, for the guard's own view of prices: best bid and ask of its markets, as quotes."""

    async def run(self) -> None:
        """Keeps the connection, and never returns: cancel it."""
        ...

    def events(self) -> AsyncIterator[MarketEvent | StreamChange]:
        """Quotes, and whether all of them are told: after a ``LOST`` some are missing, until ``LIVE``."""
        ...

    def best(self, symbol: str) -> BestPrices | None:
        """Best bid and ask now; None while they are not known to be the venue's."""
        ...

    def reach(self, symbol: str, side: Side, size: float) -> float | None:
        """The worst price at which a market order of this size trades now; None where the book has less, or is not known to be whole."""
        ...

    def statuses(self) -> AsyncIterator[MarketStatus]:
        """What the stream says of the markets, when it says it: a hint when to ask, and never the only way to hear of it."""
        ...

    def begin_again(self, why: str) -> None:
        """Has everything begin anew with a snapshot, because what is told is not believed."""
        ...
