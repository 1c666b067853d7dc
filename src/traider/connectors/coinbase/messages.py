"""What comes over the WebSocket: one shape for each channel, and the reading of a frame.

A frame is read in one pass, by its ``channel``. What can't be read that way is looked at once more for its envelope alone, so that
a channel or a kind of message that is new still counts in the sequence.
"""

from typing import Any

import msgspec

from .malformed import MalformedError
from .wire_orders import Amount


class Part(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A part of a message."""


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="channel"):
    """``sequence_num`` counts the messages of a connection, of whichever channel, from 0."""

    timestamp: str
    sequence_num: int


class BookUpdate(Part, frozen=True, kw_only=True, gc=False):
    """``new_quantity`` is the level's size from now on; 0 removes it. Its ``event_time``, of no use here, is passed over."""

    side: str
    price_level: str
    new_quantity: str


class BookEvent(Part, frozen=True, kw_only=True, gc=False):
    type: str
    product_id: str
    updates: list[BookUpdate]


class BookMessage(Message, frozen=True, kw_only=True, tag="l2_data"):
    events: list[BookEvent]


class TradePart(Part, frozen=True, kw_only=True, gc=False):
    """``side`` is the maker's."""

    product_id: str
    trade_id: str
    price: str
    size: str
    time: str
    side: str


class TradesEvent(Part, frozen=True, kw_only=True, gc=False):
    type: str
    trades: list[TradePart]


class TradesMessage(Message, frozen=True, kw_only=True, tag="market_trades"):
    events: list[TradesEvent]


class TickerPart(Part, frozen=True, kw_only=True, gc=False):
    """Best bid and ask may be missing in ``ticker_batch``."""

    product_id: str
    price: str
    best_bid: Amount = None
    best_bid_quantity: Amount = None
    best_ask: Amount = None
    best_ask_quantity: Amount = None
    volume_24_h: Amount = None


class TickerEvent(Part, frozen=True, kw_only=True, gc=False):
    type: str
    tickers: list[TickerPart]


class TickerMessage(Message, frozen=True, kw_only=True, tag="ticker"):
    events: list[TickerEvent]


class TickerBatchMessage(Message, frozen=True, kw_only=True, tag="ticker_batch"):
    events: list[TickerEvent]


class CandlePart(Part, frozen=True, kw_only=True, gc=False):
    """Of five minutes; ``start`` in seconds since the epoch."""

    product_id: str
    start: str
    open: str
    high: str
    low: str
    close: str
    volume: str


class CandlesEvent(Part, frozen=True, kw_only=True, gc=False):
    type: str
    candles: list[CandlePart]


class CandlesMessage(Message, frozen=True, kw_only=True, tag="candles"):
    events: list[CandlesEvent]


class StatusPart(Part, frozen=True, kw_only=True, gc=False):
    id: str
    status: str
    base_increment: Amount = None
    quote_increment: Amount = None
    status_message: str | None = None


class StatusEvent(Part, frozen=True, kw_only=True, gc=False):
    type: str
    products: list[StatusPart]


class StatusMessage(Message, frozen=True, kw_only=True, tag="status"):
    events: list[StatusEvent]


class HeartbeatEvent(Part, frozen=True, kw_only=True, gc=False):
    """A whole number, written as one or as text."""

    heartbeat_counter: int | str


class HeartbeatsMessage(Message, frozen=True, kw_only=True, tag="heartbeats"):
    events: list[HeartbeatEvent]


class SubscriptionsEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Of each channel what is subscribed in it: products, or for ``user`` the user's id."""

    subscriptions: dict[str, list[str] | None]


class SubscriptionsMessage(Message, frozen=True, kw_only=True, tag="subscriptions"):
    events: list[SubscriptionsEvent]


class UserOrder(Part, frozen=True, kw_only=True, gc=False):
    """Quantities are sums so far. When the order has ended ``leaves_quantity`` is 0, whatever was left."""

    order_id: str
    product_id: str
    status: str
    order_side: str
    client_order_id: str | None = None
    cumulative_quantity: Amount = None
    leaves_quantity: Amount = None
    limit_price: Amount = None
    stop_price: Amount = None
    creation_time: str | None = None
    cancel_reason: str | None = None
    reject_reason: str | None = None


class UserEvent(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    orders: list[UserOrder] | None = None


class UserMessage(Message, frozen=True, kw_only=True, tag="user"):
    events: list[UserEvent]


class FuturesBalanceMessage(Message, frozen=True, kw_only=True, tag="futures_balance_summary"):
    """Tolerated: this client trades spot."""

    events: list[Any]


class OtherMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One of a channel that is not known here. It counts in the sequence like any other."""

    channel: str
    sequence_num: int | None = None


AnyMessage = (
    BookMessage
    | TradesMessage
    | TickerMessage
    | TickerBatchMessage
    | CandlesMessage
    | StatusMessage
    | HeartbeatsMessage
    | SubscriptionsMessage
    | UserMessage
    | FuturesBalanceMessage
)


class VenueComplaint(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's ``{"type": "error"}``: it stands outside of every channel and of the sequence."""

    message: str


class _Envelope(msgspec.Struct, frozen=True, kw_only=True):
    channel: str | None = None
    type: str | None = None
    message: str | None = None
    sequence_num: int | None = None


class BrokenMessageError(MalformedError):
    """A message of a known channel that can't be read: what it said is lost. ``sequence_num`` is None where even that is."""

    def __init__(self, message: str, *, sequence_num: int | None = None) -> None:
        super().__init__(message)
        self.sequence_num = sequence_num


CHANNELS = frozenset(str(message.__struct_config__.tag) for message in AnyMessage.__args__)
_MESSAGES = msgspec.json.Decoder(AnyMessage)
_ENVELOPES = msgspec.json.Decoder(_Envelope)


def read_message(frame: bytes) -> AnyMessage | OtherMessage | VenueComplaint:
    """The message in a frame; ``BrokenMessageError`` where it lacks what its channel has to have."""
    try:
        message: AnyMessage = _MESSAGES.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return _read_other(frame, str(error))
    return message


def _read_other(frame: bytes, why: str) -> OtherMessage | VenueComplaint:
    try:
        envelope = _ENVELOPES.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BrokenMessageError(f"a message that can't be read: {error}") from None
    if envelope.type == "error":
        return VenueComplaint(message=envelope.message or "no reason given")
    if envelope.channel is None:
        raise BrokenMessageError("a message without a channel", sequence_num=envelope.sequence_num)
    if envelope.channel in CHANNELS:
        raise BrokenMessageError(f"a message of {envelope.channel} that can't be read: {why}", sequence_num=envelope.sequence_num)
    return OtherMessage(channel=envelope.channel, sequence_num=envelope.sequence_num)
