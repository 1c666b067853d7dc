"""Coinbase as a ``Venue``: the order calls, the account, and the user channel, under one roof."""

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

import msgspec

from traider.domain.instruments import Instrument
from traider.domain.orders import OrderRequest
from traider.domain.venue import (
    Balance,
    BestPrices,
    MarketState,
    Permissions,
    VenueError,
    VenueEvent,
    VenueFill,
    VenueOrder,
    VenueUnavailableError,
)

from . import wire_market as wire
from .account_calls import AccountCalls
from .config import Addresses, RestTiming, SocketTiming
from .market_calls import MarketCalls
from .order_calls import OrderCalls
from .read_account import Fees
from .read_market import read_instruments, read_state
from .rest import Rest
from .server_clock import ServerClock
from .session import Session
from .socket import Socket
from .transport import Transport
from .user_channel import USER, UserChannel

log = logging.getLogger(__name__)
_MOST_REMEMBERED = 100_000
_SECOND_NS = 1_000_000_000
T = TypeVar("T")


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What this process knows of an order that it sent."""

    symbol: str
    sent_ts_ns: int


class CoinbaseVenue:
    """Coinbase Advanced Trade's spot markets (a ``traider.domain.venue.Venue``)."""

    name = "coinbase"

    def __init__(
        self,
        *,
        transport: Transport,
        make_socket: Callable[[], Socket],
        server_clock: ServerClock,
        addresses: Addresses | None = None,
        rest_timing: RestTiming | None = None,
        socket_timing: SocketTiming | None = None,
        look_back_s: int = 7 * 86_400,
        resync_clock_s: float = 300.0,
        randomness: random.Random | None = None,
    ) -> None:
        self._server_clock = server_clock
        self._addresses = addresses or Addresses()
        self._rest = Rest(transport, rest_timing or RestTiming(), randomness)
        self._instruments: dict[str, Instrument] = {}
        self.orders = OrderCalls(self._rest, self._instruments)
        self.account = AccountCalls(self._rest, server_clock)
        self.market = MarketCalls(self._rest)
        self._rest.on_unauthorized = self._learn_time
        self.user_channel = UserChannel()
        self._session = Session(
            urls=self._addresses.user_urls,
            subscriptions=(USER,),
            handler=self.user_channel,
            make_socket=make_socket,
            timing=socket_timing or SocketTiming(),
            randomness=randomness,
        )
        self._look_back_ns = look_back_s * _SECOND_NS
        self._resync_clock_s = resync_clock_s
        self._tasks: list[asyncio.Task[None]] = []
        self._sent: OrderedDict[str, Memory] = OrderedDict()
        self._client_ids: OrderedDict[str, str] = OrderedDict()

    async def start(self) -> None:
        """Connects: the venue's time, its markets, and from then on the user channel. ``VenueUnavailableError`` says why it can't."""
        if self._tasks:
            return
        self.user_channel.open()
        await self._rest.start()
        try:
            await self.account.server_time_ns()
            await self.products()
        except VenueError:
            await self._rest.stop()
            raise
        self._tasks = [asyncio.create_task(self._session.run()), asyncio.create_task(self._keep_clock())]
        for task in self._tasks:
            task.add_done_callback(self._on_task_ended)

    async def stop(self) -> None:
        """Hangs up. Orders that rest at the venue stay there."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.user_channel.close()
        await self._rest.stop()

    async def server_time_ns(self) -> int:
        return await self.account.server_time_ns()

    async def permissions(self) -> Permissions:
        return await self.account.permissions()

    async def fees(self) -> Fees:
        """What the account pays now."""
        return await self.account.fees()

    async def products(self) -> tuple[Instrument, ...]:
        """Every spot market; their increments are what orders are checked against from then on."""
        return self._learn_markets(await self.market.products())

    def _learn_markets(self, products: Iterable[wire.Product]) -> tuple[Instrument, ...]:
        instruments = read_instruments(products)
        self._instruments.clear()
        self._instruments.update({instrument.symbol: instrument for instrument in instruments})
        return instruments

    def now_ns(self) -> int:
        return self._server_clock.now_ns()

    async def submit(self, request: OrderRequest, *, last_word: Callable[[], None] = lambda: None) -> str:
        """Sends the order once; the venue's id of it. The same request sent again is the same bytes, and at most one order."""
        memory = Memory(symbol=request.symbol, sent_ts_ns=self._server_clock.now_ns())
        _remember(self._sent, request.client_order_id, self._sent.get(request.client_order_id, memory))
        venue_order_id = await self.orders.create(request, last_word=last_word)
        _remember(self._client_ids, venue_order_id, request.client_order_id)
        return venue_order_id

    async def cancel(self, venue_order_ids: tuple[str, ...]) -> dict[str, VenueError | None]:
        """Asks for the cancellation of each. That the venue took a request does not yet end the order."""
        return await self.orders.cancel(venue_order_ids)

    async def amend(self, venue_order_id: str, *, size: Decimal, price: Decimal, last_word: Callable[[], None] = lambda: None) -> None:
        """Changes total size and price of a resting order, checked against its market's increments where the market is known."""
        client_id = self._client_ids.get(venue_order_id, "")
        memory = self._sent.get(client_id)
        instrument = self._instruments.get(memory.symbol) if memory else None
        await self.orders.edit(venue_order_id, instrument, size=size, price=price, last_word=last_word)

    async def order(self, *, client_order_id: str = "", venue_order_id: str = "") -> VenueOrder | None:
        """The order as it is now; None where the venue says that there is none.

        By our id it is looked for among the orders made since it was first sent, or, where another process sent it, within the
        look-back. An order that was made a moment ago may not be listed yet: None proves nothing until some time has passed.
        """
        if venue_order_id:
            order = await self.orders.by_venue_id(venue_order_id)
        elif client_order_id:
            memory = self._sent.get(client_order_id)
            # A minute of slack: the order is dated by the venue, whose time is known to some milliseconds at best.
            since_ts_ns = memory.sent_ts_ns - 60 * _SECOND_NS if memory else self._server_clock.now_ns() - self._look_back_ns
            order = await self.orders.by_client_id(client_order_id, since_ts_ns=since_ts_ns, symbol=memory.symbol if memory else "")
        else:
            raise ValueError("an order is asked for by one of its ids")
        return self._learn(order)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Every order that may still trade, whoever placed it."""
        orders = await self.orders.live()
        for order in orders:
            self._learn(order)
        return orders

    async def fills(self, *, since_ts_ns: int) -> tuple[VenueFill, ...]:
        """All fills from this time on, oldest first, each trade once."""
        return await self.orders.fills(since_ts_ns=since_ts_ns, client_ids=self._client_ids)

    async def balances(self) -> tuple[Balance, ...]:
        return await self.account.balances()

    async def market_states(self) -> Mapping[str, MarketState]:
        """What may be done in each market at the moment; increments are learned along."""
        products = await self.market.products()
        self._learn_markets(products)
        return {product.product_id: read_state(product) for product in products}

    async def best_prices(self, symbols: tuple[str, ...]) -> Mapping[str, BestPrices]:
        """Best bid and ask as the venue has them now."""
        return await self.market.best(symbols)

    def events(self) -> AsyncIterator[VenueEvent]:
        """The user channel, for as long as the venue is started."""
        return self.user_channel.events()

    def _learn(self, order: VenueOrder | None) -> VenueOrder | None:
        if order is not None and order.client_order_id:
            _remember(self._client_ids, order.venue_order_id, order.client_order_id)
        return order

    def _on_task_ended(self, task: "asyncio.Task[None]") -> None:
        """Neither ends by itself: what ended one is a mistake of ours, and has to be seen."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the connection to the venue is not kept any more", exc_info=error)
            self.user_channel.on_lost(f"stopped by a mistake: {type(error).__name__}")

    async def _keep_clock(self) -> None:
        """Asks for the venue's time now and then, so that tokens stay valid when this machine's clock is moved."""
        while True:
            await asyncio.sleep(self._resync_clock_s)
            await self._learn_time()

    async def _learn_time(self) -> None:
        try:
            await self.account.server_time_ns()
        except VenueUnavailableError as error:
            log.warning("the venue's time could not be asked for: %s", error)


def _remember(memory: OrderedDict[str, T], key: str, value: T) -> None:
    memory[key] = value
    if len(memory) > _MOST_REMEMBERED:
        memory.popitem(last=False)
