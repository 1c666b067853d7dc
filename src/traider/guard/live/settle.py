"""What the exchange's word means for the books: a view goes in, order events come out.

The rules, in the order in which they are applied:

1. An order that the exchange knows is accepted, whatever became of the answer to its submission; one that the books don't know is
   taken in as external.
2. A fill is booked once, by its trade id, to the order that it belongs to. One whose order is not to be seen yet waits while it may
   be of an order here that was never answered.
3. An order is over when the exchange says so and its booked fills come to what the exchange says is filled.
4. An order that the exchange denies is believed to be absent only after ``Absence`` is proven.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from traider.domain.errors import OrderStateError
from traider.domain.order_state import Order, apply
from traider.domain.orders import (
    AnyOrderEvent,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequest,
    OrderSubmitted,
)
from traider.domain.venue import Balance, VenueFill, VenueOrder
from traider.domain.vocabulary import OrderStatus, OrderType, Reason, TimeInForce

from ..batch import Batch
from .books import EXTERNAL, ZERO, LiveBooks
from .view import SECOND_NS, View

MISSES = 3  # so often an order has to be denied
VISIBLE_AFTER_NS = 10 * SECOND_NS  # an order that was made shows up within this time
HOLD_MARGIN = Decimal("1.02")  # an open buy may hold its fee too
_LIVE = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)


@dataclass
class Absence:
    """How often in a row, and since when, the exchange has denied each order. Proof that it is not there takes all of: ``MISSES``
    denials over the time after which it would be visible, no fill, and no balance held that the known open orders don't explain.

    ``unlike`` is since when an order is not yet what the amendment of this journal line wants. All times are the exchange's."""

    denied: dict[str, tuple[int, int]] = field(default_factory=dict)
    unlike: dict[int, int] = field(default_factory=dict)

    def note(self, identifier: str, found: bool, now_ns: int) -> None:
        if found:
            self.denied.pop(identifier, None)
        else:
            times, first_ns = self.denied.get(identifier, (0, now_ns))
            self.denied[identifier] = times + 1, first_ns

    def is_proven(self, order: Order, now_ns: int, balances: Iterable[Balance] | None, listed: Iterable[VenueOrder]) -> bool:
        times, first_ns = self.denied.get(order.request.client_order_id, (0, now_ns))
        if times < MISSES or now_ns - first_ns < VISIBLE_AFTER_NS or order.fills:
            return False
        return balances is not None and not unexplained_hold(order.request, balances, listed)


def unexplained_hold(request: OrderRequest, balances: Iterable[Balance], listed: Iterable[VenueOrder]) -> bool:
    """Whether the currency that the order would hold is held for more than the listed open orders can explain."""
    base, _, quote = request.symbol.partition("-")
    explained = ZERO
    for order in listed:
        its_base, _, its_quote = order.symbol.partition("-")
        left = order.size - order.filled_size
        if order.side < 0 and request.side < 0 and its_base == base:
            explained += left
        elif order.side > 0 and request.side > 0 and its_quote == quote:
            price = order.limit_price or order.stop_price
            if price is None:
                return False  # a market order's hold can't be told
            explained += left * price * HOLD_MARGIN
    currency = base if request.side < 0 else quote
    return any(balance.held > explained for balance in balances if balance.currency == currency)


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a view: fills that the exchange counts and has not told (``lagging``), and what a person has to know."""

    lagging: tuple[str, ...]
    surprises: tuple[str, ...]


class Settlement:
    """Works out the events of one view into a batch; the books stay as they are until the batch is committed."""

    def __init__(self, batch: Batch, books: LiveBooks, absence: Absence, in_flight: frozenset[str]) -> None:
        self._batch = batch
        self._books = books
        self._absence = absence
        self._in_flight = in_flight
        self._told: dict[str, VenueOrder] = {}
        self._orders: dict[str, Order] = {}  # as the events so far leave them
        self._ids: dict[str, str] = {}  # of orders accepted here, by the exchange's id
        self._trades: set[str] = set()
        self._surprises: list[str] = []
        self._ownerless: list[VenueFill] = []  # fills that wait for their order

    def settle(self, view: View) -> Settled:
        """Adds what follows from the view to the batch."""
        told = view.orders()
        self._told = {order.venue_order_id: order for order in told}
        for order in told:
            self._meet(order)
        for fill in sorted(view.fills, key=lambda fill: (fill.ts_ns, fill.trade_id)):
            self._book(fill, view.strangers)
        lagging = tuple(identifier for order in told for identifier in self._conclude(order, view.taken_ns))
        lagging += tuple(identifier for identifier in self._books.open if self._may_have_filled(identifier))
        for identifier, answer in view.asked.items():
            self._absence.note(identifier, answer is not None, view.taken_ns)
            if answer is None:
                self._deny(identifier, view)
        return Settled(lagging, tuple(self._surprises))

    # -- orders

    def _find(self, identifier: str) -> Order | None:
        return self._orders.get(identifier) or self._books.find(identifier)

    def _add(self, event: AnyOrderEvent) -> None:
        self._orders[event.client_order_id] = apply(self._find(event.client_order_id), event)
        self._batch.add(event)

    def _id_of(self, client_order_id: str, venue_order_id: str) -> str | None:
        """Our id of the order; None when it is not in the books."""
        known = self._ids.get(venue_order_id) or self._books.venue_ids.get(venue_order_id)
        if known is not None:
            return known
        order = self._find(client_order_id) if client_order_id else None
        # An order of ours that is over and never had an id there can't be this one: the books have said what became of it.
        return client_order_id if order is not None and order.is_open else None

    def _meet(self, told: VenueOrder) -> None:
        identifier = self._id_of(told.client_order_id, told.venue_order_id)
        if identifier is None:
            if told.status in _LIVE or told.filled_size:
                self._adopt(told)
            return
        order = self._find(identifier)
        if order is None or order.venue_order_id is not None or not order.is_open:
            return
        if told.status is OrderStatus.REJECTED:
            if identifier not in self._in_flight:  # else the answer to its submission says it
                self._reject(order, Reason.VENUE_REJECTED, told.reason or "the exchange has rejected it")
        elif told.status in (*_LIVE, OrderStatus.FILLED, OrderStatus.CANCELLED):
            self._accept(identifier, told.venue_order_id)

    def _accept(self, identifier: str, venue_order_id: str) -> None:
        self._ids[venue_order_id] = identifier
        self._add(OrderAccepted(n=self._batch.n, ts_ns=self._books.now_ns, client_order_id=identifier, venue_order_id=venue_order_id))

    def _reject(self, order: Order, reason: Reason, detail: str) -> None:
        request = order.request
        self._add(
            OrderRejected(
                n=self._batch.n,
                ts_ns=self._books.now_ns,
                client_order_id=request.client_order_id,
                reason=reason,
                detail=detail,
                request=request,
            )
        )

    def _adopt(self, told: VenueOrder) -> str:
        """Takes in an order that was made elsewhere, under an id that the next start would make too."""
        identifier = f"{EXTERNAL}-{told.venue_order_id}"
        request = OrderRequest(
            client_order_id=identifier,
            symbol=told.symbol,
            side=told.side,
            type=_type_of(told),
            size=told.size,
            limit_price=told.limit_price,
            stop_price=told.stop_price,
            strategy=EXTERNAL,
        )
        self._add(OrderSubmitted(n=self._batch.n, ts_ns=self._books.now_ns, client_order_id=identifier, request=request))
        self._accept(identifier, told.venue_order_id)
        ours = f", with the id of {told.client_order_id}, which the books have as over" if told.client_order_id in self._books.lines else ""
        self._surprises.append(f"{told.side.name.lower()} {told.size} {told.symbol} was ordered elsewhere ({told.venue_order_id}{ours})")
        return identifier

    # -- fills

    def _book(self, fill: VenueFill, strangers: dict[str, VenueOrder]) -> None:
        books = self._books
        if fill.trade_id in self._trades or books.is_booked(fill.trade_id, fill.ts_ns):
            return
        identifier = self._id_of(fill.client_order_id, fill.venue_order_id)
        if identifier is None:
            stranger = strangers.get(fill.venue_order_id)
            if stranger is None and any(_may_be_of(order, fill) for order in self._unanswered()):
                self._ownerless.append(fill)
                return
            identifier = self._adopt(stranger or _order_of(fill))
        order = self._find(identifier)
        if order is not None and order.is_open and order.venue_order_id is None:
            self._accept(identifier, fill.venue_order_id)
        self._grow(identifier, fill)
        try:
            self._fill(identifier, fill)
        except OrderStateError as error:
            # More than the order asked for, or of an order that is over: a fact all the same, so it is booked beside the order.
            self._surprises.append(f"{error} (trade {fill.trade_id})")
            self._fill(self._adopt(_order_of(fill)), fill)
        self._trades.add(fill.trade_id)

    def _unanswered(self) -> Iterable[Order]:
        """Own orders that may be at the exchange, and of which its id is not known."""
        current = (self._find(identifier) for identifier in self._books.open)
        return [order for order in current if order is not None and order.is_open and order.venue_order_id is None]

    def _may_have_filled(self, identifier: str) -> bool:
        order = self._find(identifier)
        if order is None or not order.is_open or order.venue_order_id is not None:
            return False
        return any(_may_be_of(order, fill) for fill in self._ownerless)

    def _grow(self, identifier: str, fill: VenueFill) -> None:
        """More was filled than the order was for: then it had been amended, and the answer or the news of that comes later."""
        order = self._find(identifier)
        if order is None or order.status not in _LIVE or order.filled_size + fill.size <= order.request.size:
            return
        amending, told = self._books.amending.get(identifier), self._told.get(fill.venue_order_id)
        if told is not None and told.size >= order.filled_size + fill.size:
            self._amend(identifier, told.size, told.limit_price)
        elif amending is not None and amending.size >= order.filled_size + fill.size:
            self._amend(identifier, amending.size, amending.limit_price)

    def _fill(self, identifier: str, fill: VenueFill) -> None:
        order = self._find(identifier)
        self._add(
            OrderFilled(
                n=self._batch.n,
                ts_ns=fill.ts_ns,
                client_order_id=identifier,
                trade_id=fill.trade_id,
                symbol=fill.symbol,
                side=fill.side,
                price=fill.price,
                size=fill.size,
                fee=fill.fee,
                liquidity=fill.liquidity,
                strategy="" if order is None else order.request.strategy,
            )
        )

    # -- ends

    def _conclude(self, told: VenueOrder, now_ns: int) -> Iterable[str]:
        """The order's id while fills of it are missing; else it ends, if the exchange says that it has."""
        identifier = self._id_of(told.client_order_id, told.venue_order_id)
        order = None if identifier is None else self._find(identifier)
        if identifier is None or order is None or not order.is_open:
            return
        if told.filled_size > order.filled_size:
            yield identifier
        elif told.status in _LIVE:
            self._compare(order, told, now_ns)
        elif told.status is OrderStatus.FILLED:
            # Its size was given in another unit, or was changed: what is filled is all that it was.
            self._amend(identifier, told.filled_size, told.limit_price)
        elif told.status in (OrderStatus.CANCELLED, OrderStatus.REJECTED) and order.status is not OrderStatus.PENDING:
            reason = self._books.cancelling.get(identifier) or _own_end(order.request)
            self._add(OrderCancelled(n=self._batch.n, ts_ns=self._books.now_ns, client_order_id=identifier, reason=reason))

    def _compare(self, order: Order, told: VenueOrder, now_ns: int) -> None:
        """An open order is what the exchange says that it is, once an amendment under way had time to show."""
        request = order.request
        same = told.size == request.size and told.limit_price == request.limit_price
        amending = self._books.amending.get(request.client_order_id)
        if request.type is not OrderType.LIMIT or order.status not in _LIVE or (same and amending is None):
            return  # of other orders the exchange may have made a kind of its own: their prices say nothing
        if amending is not None:
            done = told.size == amending.size and told.limit_price == amending.limit_price
            if not done and now_ns - self._absence.unlike.setdefault(amending.n, now_ns) < VISIBLE_AFTER_NS:
                return
            self._absence.unlike.pop(amending.n, None)
        else:
            self._surprises.append(f"order {request.client_order_id} was changed elsewhere to {told.size} at {told.limit_price}")
        self._amend(request.client_order_id, told.size, told.limit_price)

    def _amend(self, identifier: str, size: Decimal, limit_price: Decimal | None) -> None:
        now_ns = self._books.now_ns
        self._add(OrderAmended(n=self._batch.n, ts_ns=now_ns, client_order_id=identifier, size=size, limit_price=limit_price))

    def _deny(self, identifier: str, view: View) -> None:
        order = self._find(identifier)
        if order is None or not order.is_open or view.partial or identifier in self._in_flight:
            return
        if self._may_have_filled(identifier) or not self._absence.is_proven(order, view.taken_ns, view.balances, view.listed):
            return
        if order.venue_order_id is None:
            self._reject(order, Reason.NOT_SENT, "the exchange never had it")
        else:
            self._surprises.append(f"order {identifier} is gone, and the exchange does not say how")
            self._add(OrderCancelled(n=self._batch.n, ts_ns=self._books.now_ns, client_order_id=identifier, reason=Reason.VENUE_REJECTED))


def _may_be_of(order: Order, fill: VenueFill) -> bool:
    request = order.request
    return request.symbol == fill.symbol and request.side == fill.side and request.size >= fill.size


def _type_of(told: VenueOrder) -> OrderType:
    if told.stop_price is not None:
        return OrderType.STOP if told.limit_price is None else OrderType.STOP_LIMIT
    return OrderType.MARKET if told.limit_price is None else OrderType.LIMIT


def _own_end(request: OrderRequest) -> Reason:
    """Why an order that nobody here wanted to be gone has ended."""
    ends = {TimeInForce.IOC: Reason.IOC_UNFILLED, TimeInForce.FOK: Reason.FOK_UNFILLED, TimeInForce.GTD: Reason.EXPIRED}
    return ends.get(request.time_in_force, Reason.REQUESTED)


def _order_of(fill: VenueFill) -> VenueOrder:
    """An order that is this one fill, for a fill that no order is known for."""
    return VenueOrder(
        venue_order_id=f"{fill.venue_order_id}/{fill.trade_id}",
        client_order_id="",
        symbol=fill.symbol,
        side=fill.side,
        status=OrderStatus.FILLED,
        size=fill.size,
        filled_size=fill.size,
    )
