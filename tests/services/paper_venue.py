"""The guard on paper as a ``Venue``: what it does to orders, asked over its real endpoint by a client that it may lose."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path

from tests.connectors.venue_conformance import Stage
from tests.services.support import BTC, Place, abort
from traider.domain.errors import LinkError
from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import Instrument
from traider.domain.order_state import Order, apply
from traider.domain.orders import AnyOrderEvent, OrderAmended, OrderFilled, OrderRequest
from traider.domain.state import AccountState, RiskState
from traider.domain.venue import (
    Balance,
    BestPrices,
    MarketState,
    OrderHint,
    Permissions,
    StreamChange,
    StreamState,
    VenueError,
    VenueEvent,
    VenueFill,
    VenueOrder,
    VenueRejectedError,
    VenueUnavailableError,
    VenueUnknownError,
)
from traider.domain.vocabulary import EventKind, OrderStatus, Reason
from traider.guard.client import GuardClient
from traider.guard.place import find_guard


class PaperVenue:
    """Implements ``Venue``. Its client order ids and trade ids are the guard's own, its truth is what the guard has told."""

    name = "paper"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._client: GuardClient | None = None
        self._orders: dict[str, Order] = {}
        self._fills: dict[str, VenueFill] = {}
        self._amended: list[OrderAmended] = []
        self._events: asyncio.Queue[VenueEvent | None] = asyncio.Queue()
        self._last_n = 0

    # -- the client that listens

    def on_order_event(self, event: AnyOrderEvent) -> None:
        if event.n <= self._last_n:
            return  # told again
        self._last_n = event.n
        order = self._orders[event.client_order_id] = apply(self._orders.get(event.client_order_id), event)
        if isinstance(event, OrderAmended):
            self._amended.append(event)
        if isinstance(event, OrderFilled):
            self._fills[event.trade_id] = VenueFill(
                trade_id=event.trade_id,
                venue_order_id=order.venue_order_id or "",
                client_order_id=event.client_order_id,
                symbol=event.symbol,
                side=event.side,
                price=event.price,
                size=event.size,
                fee=event.fee,
                liquidity=event.liquidity,
                ts_ns=event.ts_ns,
            )
        if order.venue_order_id is not None:
            self._events.put_nowait(OrderHint(order=_told(order)))

    def on_state(self, account: AccountState, risk: RiskState) -> None:
        """Balances are asked for."""

    async def connect(self) -> None:
        """What happened while nobody listened is asked for first; from then on everything is told."""
        self._client = await GuardClient.connect(*find_guard(self._place.state_dir), self, role="trader", client="venue", session="s")
        for past in await self._client.history():
            self.on_order_event(past.event)
        self._events.put_nowait(StreamChange(state=StreamState.LIVE))

    async def feed(self, price: float, size: float) -> None:
        """A trade in the market."""
        client = self._connected()
        snapshot = await client.snapshot()
        ts_ns = max(snapshot.account.ts_ns + 1, self._place.clock.now_ns())
        event = MarketEvent(index=snapshot.last_index + 1, kind=EventKind.TRADE, symbol="BTC-USD", ts_ns=ts_ns, a=price, b=size)
        await client.feed([event])

    def lose(self, why: str) -> None:
        """The connection is gone."""
        self._events.put_nowait(StreamChange(state=StreamState.LOST, detail=why))

    def _connected(self) -> GuardClient:
        if self._client is None:
            raise VenueUnavailableError("not started")
        return self._client

    # -- the port

    async def start(self) -> None:
        await self._place.start()
        await self.connect()
        await self.feed(100.0, 1.0)

    async def stop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
            self._events.put_nowait(None)
            await self._place.stop()

    async def server_time_ns(self) -> int:
        return self._place.clock.now_ns()

    async def permissions(self) -> Permissions:
        return Permissions(can_view=True, can_trade=True, can_transfer=False)

    async def products(self) -> tuple[Instrument, ...]:
        return (await self._connected().snapshot()).instruments

    async def market_states(self) -> dict[str, MarketState]:
        return {one.symbol: MarketState(symbol=one.symbol, tradable=True) for one in await self.products()}

    async def best_prices(self, symbols: tuple[str, ...]) -> dict[str, BestPrices]:
        return {}  # its market is told as trades

    def now_ns(self) -> int:
        return self._place.clock.now_ns()

    async def submit(self, request: OrderRequest, *, last_word: Callable[[], None] = lambda: None) -> str:
        client = self._connected()
        last_word()
        try:
            await client.submit([request])
        except LinkError as error:
            await self._place.stop()
            await self._place.start()
            await self.connect()
            raise VenueUnknownError(str(error)) from error
        order = self._orders[request.client_order_id]
        if order.status is OrderStatus.REJECTED or order.venue_order_id is None:
            raise VenueRejectedError(order.detail, code=order.reason.name)
        return order.venue_order_id

    async def cancel(self, venue_order_ids: tuple[str, ...]) -> dict[str, VenueError | None]:
        answers: dict[str, VenueError | None] = {}
        for venue_id in venue_order_ids:
            order = self._by_venue_id(venue_id)
            answers[venue_id] = None if order is not None else VenueRejectedError("no such order", code="UNKNOWN")
            if order is not None:
                await self._connected().cancel([order.request.client_order_id])
        return answers

    async def amend(self, venue_order_id: str, *, size: Decimal, price: Decimal, last_word: Callable[[], None] = lambda: None) -> None:
        last_word()
        order = self._by_venue_id(venue_order_id)
        before = len(self._amended)
        if order is not None:
            await self._connected().amend(order.request.client_order_id, size=size, limit_price=price)
        if len(self._amended) == before or self._amended[-1].reason is not Reason.NONE:
            raise VenueRejectedError("it is not open, or was refused", code="NOT_AMENDED")

    async def order(self, *, client_order_id: str = "", venue_order_id: str = "") -> VenueOrder | None:
        found = self._orders.get(client_order_id) if client_order_id else self._by_venue_id(venue_order_id)
        return None if found is None else _told(found)

    def _by_venue_id(self, venue_order_id: str) -> Order | None:
        return next((order for order in self._orders.values() if order.venue_order_id == venue_order_id), None)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """As the guard has them, not as they were told."""
        snapshot = await self._connected().snapshot()
        return tuple(_told(self._orders[one.request.client_order_id]) for one in snapshot.open_orders)

    async def fills(self, *, since_ts_ns: int) -> tuple[VenueFill, ...]:
        return tuple(fill for fill in self._fills.values() if fill.ts_ns >= since_ts_ns)

    async def balances(self) -> tuple[Balance, ...]:
        snapshot = await self._connected().snapshot()
        held = sum((one.request.size * (one.request.limit_price or 0) for one in snapshot.open_orders), Decimal(0))
        return (Balance(currency="USD", available=snapshot.account.cash - held, held=held),)

    async def events(self) -> AsyncIterator[VenueEvent]:
        while (event := await self._events.get()) is not None:
            yield event


def _told(order: Order) -> VenueOrder:
    request = order.request
    return VenueOrder(
        venue_order_id=order.venue_order_id or "",
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        status=order.status,
        size=request.size,
        filled_size=order.filled_size,
        limit_price=request.limit_price,
        created_ts_ns=order.created_ts_ns,
    )


class PaperStage(Stage):
    """The guard on paper; what happens to its link, and to its process, is the test's."""

    symbol = "BTC-USD"
    quote = "USD"
    resting_price = Decimal(90)
    other_price = Decimal(91)
    too_much = Decimal(2_000_000)
    venue: PaperVenue

    def __init__(self, folder: Path) -> None:
        self.place = Place(folder, instruments=(BTC,))
        self.venue = PaperVenue(self.place)

    async def fill(self, client_order_id: str, size: Decimal) -> None:
        await self.venue.feed(99.0, 1.0)  # first it has to rest
        await self.venue.feed(89.99, float(size))

    async def lose_next_reply(self, *, applied: bool) -> None:
        self.place.guard.dies_at, self.place.guard.after = self.place.guard.handled + 1, applied

    async def answer_next_order(self, status: int, body: str) -> None:
        """An answer that proves nothing is, on the guard's own link, one that never comes."""
        await self.lose_next_reply(applied=True)

    async def drop_stream(self) -> None:
        for link in list(self.place.service._numbers):
            abort(link)
        self.venue.lose("the connection ended")
        await asyncio.sleep(0)
        await self.venue.connect()
