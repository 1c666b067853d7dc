"""Carries what the bus tells into the live view, the order book and the stream, for as long as the app runs."""

import asyncio

from structlog import get_logger

from traider.domain import bus_events
from traider.domain.bus_events import SystemEvent
from traider.domain.errors import BusError, OrderStateError, StoreError
from traider.domain.guard_protocol import MarketEvent
from traider.domain.orders import AnyOrderEvent, OrderFilled
from traider.domain.ports import Bus
from traider.domain.state import AccountState, RiskState

from .live import LiveView
from .order_book import OrderBook
from .sse import Hub
from .views import fill_out, order_out, portfolio_out, risk_out

log = get_logger("traider.api")

TOPICS = (bus_events.MARKET, bus_events.ORDERS, bus_events.ACCOUNT, bus_events.RISK, bus_events.SYSTEM)
MARKET_PERIOD_S = 0.2
# A bus that hands over without ever waiting must not keep requests from being answered.
_YIELD_EVERY = 64


class Pump:
    """Two tasks: one follows the bus, one tells the stream of the market at a steady pace."""

    def __init__(self, *, bus: Bus, live: LiveView, orders: OrderBook, hub: Hub) -> None:
        self._bus = bus
        self._live = live
        self._orders = orders
        self._hub = hub
        self.running = False

    async def run(self) -> None:
        """Works until it is cancelled."""
        self.running = True
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(), name="api: follow the bus")
                tasks.create_task(self._pace(), name="api: pace the stream")
        finally:
            self.running = False

    async def _follow(self) -> None:
        while True:
            subscription = self._bus.subscribe(*TOPICS)
            await self._live.prime()
            try:
                taken = 0
                async for _, payload in subscription:
                    await self._take(payload)
                    taken += 1
                    if taken % _YIELD_EVERY == 0:
                        await asyncio.sleep(0)
                return
            except BusError as error:
                log.warning("the live view fell behind and starts anew", error=str(error))
                self._hub.disconnect_all()

    async def _take(self, payload: object) -> None:
        live, hub = self._live, self._hub
        match payload:
            case MarketEvent():
                live.on_market(payload)
            case AccountState():
                live.account = payload
                hub.tell_state("account", portfolio_out(payload))
            case RiskState():
                live.risk = payload
                hub.tell_state("risk", risk_out(payload))
            case SystemEvent():
                live.on_system(payload)
                hub.tell_state("system", live.system())
                if payload.component == "guard" and payload.state == "up":
                    await live.prime()
            case _:
                await self._take_order(payload)  # type: ignore[arg-type]  # the topics carry nothing else

    async def _take_order(self, event: AnyOrderEvent) -> None:
        try:
            order = await self._orders.observe(event)
        except (OrderStateError, StoreError) as error:
            log.error("an order event can't be shown", n=event.n, client_order_id=event.client_order_id, error=str(error))
            return
        if order is not None:
            self._hub.tell("order", order_out(order))
            if isinstance(event, OrderFilled):
                self._hub.tell("fill", fill_out(event))

    async def _pace(self) -> None:
        """Tells of the market at most five times a second, and of the system when the guard or the market comes or goes."""
        standing = (self._live.guard_connected, self._live.market_stale)
        while True:
            await asyncio.sleep(MARKET_PERIOD_S)
            for symbol in self._live.moved:
                market = self._live.market(symbol)
                if market is not None:
                    self._hub.tell_state("market", market, key=symbol)
            self._live.moved.clear()
            now = (self._live.guard_connected, self._live.market_stale)
            if now != standing:
                standing = now
                self._hub.tell_state("system", self._live.system())
