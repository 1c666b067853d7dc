"""The user channel as the venue's port tells it: whether it can be relied on, and hints of orders that changed."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator

from traider.domain.venue import OrderHint, StreamChange, StreamState, VenueEvent, VenueOrder
from traider.domain.vocabulary import OrderStatus

from .amounts import amount, moment_ns, optional_amount
from .messages import AnyMessage, UserMessage, UserOrder
from .read_orders import side_of, status_of
from .subscription import Subscription

USER = Subscription(channel="user")  # no filter: of all products, those traded by hand among them
_MOST_SIZES = 10_000
_ENDED = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED)


class HintQueue:
    """What was told and not yet taken. It is bounded by keeping of each order only the latest, which says all that the earlier ones did."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, VenueEvent] = OrderedDict()
        self._filled = asyncio.Event()
        self._closed = False

    def open(self) -> None:
        """From here on it waits for events."""
        self._closed = False
        if not self._waiting:
            self._filled.clear()

    def close(self) -> None:
        """Nothing more comes: what waits can still be taken."""
        self._closed = True
        self._filled.set()

    def put(self, event: VenueEvent) -> None:
        """Takes the place of an earlier event of the same order, at the end. States do so too, but a loss that was not yet told stays."""
        if isinstance(event, OrderHint):
            key = event.order.venue_order_id
        else:
            key = f" {event.state}"
            if event.state is StreamState.LOST:
                self._waiting.pop(f" {StreamState.LIVE}", None)
                if key in self._waiting:
                    return
        self._waiting.pop(key, None)
        self._waiting[key] = event
        self._filled.set()

    async def get(self) -> VenueEvent | None:
        """The oldest event, as soon as there is one; None when it is closed and empty."""
        await self._filled.wait()
        if not self._waiting:
            return None
        _, event = self._waiting.popitem(last=False)
        if not self._waiting and not self._closed:
            self._filled.clear()
        return event

    def __len__(self) -> int:
        return len(self._waiting)


class UserChannel:
    """Turns the user channel's messages into events (a ``Handler`` of a session)."""

    def __init__(self) -> None:
        self._events = HintQueue()
        self._sizes: OrderedDict[str, VenueOrder] = OrderedDict()
        self.live = False

    async def events(self) -> AsyncIterator[VenueEvent]:
        """Until it is closed."""
        while (event := await self._events.get()) is not None:
            yield event

    def open(self) -> None:
        """Events are being waited for."""
        self._events.open()

    def close(self) -> None:
        """Nothing more comes. Whoever reads is told, and then reaches the end."""
        self.on_lost("closed on this side")
        self._events.close()

    def on_live(self) -> None:
        """Confirmed: told on."""
        self.live = True
        self._events.put(StreamChange(state=StreamState.LIVE))

    def on_gap(self, why: str) -> None:
        """What was missed can't be known: until the channel has been subscribed anew it is as good as lost."""
        self.on_lost(why)

    def on_lost(self, why: str) -> None:
        """Told once, until it is live again."""
        if self.live:
            self.live = False
            self._events.put(StreamChange(state=StreamState.LOST, detail=why))

    def take_frame(self, frame: bytes, expected: int, received_ts_ns: int) -> bool:
        """There is no short way."""
        return False

    def on_message(self, message: AnyMessage, received_ts_ns: int) -> None:
        """Each order that is named is a hint. One that a snapshot lacks is none: it may have ended, or be of another page."""
        if isinstance(message, UserMessage):
            for event in message.events:
                for order in event.orders or ():
                    self._events.put(OrderHint(order=self._read(order)))

    def is_whole(self) -> bool:
        """A snapshot adds nothing to what has to be asked for anyway, so it is not waited for."""
        return True

    def _read(self, order: UserOrder) -> VenueOrder:
        known = self._sizes.get(order.order_id)
        hint = read_user_order(order, known)
        self._sizes[order.order_id] = hint
        self._sizes.move_to_end(order.order_id)
        if len(self._sizes) > _MOST_SIZES:
            self._sizes.popitem(last=False)
        return hint


def read_user_order(order: UserOrder, known: VenueOrder | None = None) -> VenueOrder:
    """The order as the channel tells it. What an ended order left is not told any more, so its size is the one ``known`` before."""
    what = f"user order {order.order_id}"
    filled = amount(order.cumulative_quantity, f"{what}: cumulative_quantity")
    status = status_of(order.status, filled)
    size = filled + amount(order.leaves_quantity, f"{what}: leaves_quantity")
    if status in _ENDED and known is not None:
        size = max(size, known.size)
    limit_price = optional_amount(order.limit_price, f"{what}: limit_price")
    stop_price = optional_amount(order.stop_price, f"{what}: stop_price")
    return VenueOrder(
        venue_order_id=order.order_id,
        client_order_id=order.client_order_id or "",
        symbol=order.product_id,
        side=side_of(order.order_side, f"{what}: order_side"),
        status=status,
        size=size,
        filled_size=filled,
        # "0" stands for no price on this channel
        limit_price=limit_price or (known.limit_price if known else None),
        stop_price=stop_price or (known.stop_price if known else None),
        created_ts_ns=moment_ns(order.creation_time, f"{what}: creation_time"),
        reason=order.cancel_reason or (order.reject_reason if order.reject_reason != "REJECT_REASON_UNSPECIFIED" else "") or "",
    )
