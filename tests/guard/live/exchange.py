"""A scripted exchange in memory: it keeps its own truth, and lies, hides and fails only where a test tells it to."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from traider.domain.instruments import Instrument
from traider.domain.orders import OrderRequest
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
from traider.domain.vocabulary import Liquidity, OrderStatus, OrderType, Side, TimeInForce
from traider.runtime.virtual_time import VirtualClock

ZERO = Decimal(0)
LIVE = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
FEE = Decimal("0.001")


@dataclass
class Fault:
    """What happens to one call: ``before`` it has an effect, ``after`` it had one, or a wait before or after."""

    before: VenueError | None = None
    after: VenueError | None = None
    wait_before_s: float = 0.0
    wait_after_s: float = 0.0


def lost(what: str = "the answer was lost") -> VenueUnknownError:
    return VenueUnknownError(what)


def down() -> VenueUnavailableError:
    return VenueUnavailableError("no connection")


@dataclass
class Request:
    """One call as the exchange saw it."""

    at_s: float
    call: str
    what: object


@dataclass
class Exchange:
    """Implements ``Venue``. Its clock is the loop's own time, whatever the guard's machine believes."""

    instruments: tuple[Instrument, ...]
    money: dict[str, Decimal]
    name: str = "exchange"
    price: dict[str, Decimal] = field(default_factory=dict)
    allowed: Permissions = field(default_factory=lambda: Permissions(can_view=True, can_trade=True, can_transfer=False))
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    requests_of: dict[str, OrderRequest] = field(default_factory=dict)
    fills_made: list[VenueFill] = field(default_factory=list)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    always: dict[str, Fault] = field(default_factory=dict)
    hidden_until_s: dict[str, float] = field(default_factory=dict)  # by order id or trade id
    seen: list[Request] = field(default_factory=list)
    on_receipt: Callable[[OrderRequest], None] = lambda request: None
    on_change: Callable[[], None] = lambda: None
    on_cancel: dict[str, Callable[[], object]] = field(default_factory=dict)
    cancel_takes_s: float = 0.0
    turn_comes_after_s: float = 0.0  # what an order waits on this side, for the rate limit
    names_orders: bool = True  # with a fill, by the client's id
    silent: bool = False  # the user channel tells nothing of orders
    stream_up: bool = True
    states: dict[str, MarketState] = field(default_factory=dict)  # of the markets that are not simply traded
    best: dict[str, BestPrices] = field(default_factory=dict)
    _stream: "asyncio.Queue[VenueEvent]" = field(default_factory=asyncio.Queue)
    _clock: VirtualClock = field(default_factory=VirtualClock)

    # -- what a test does to it

    def fail(self, call: str, *faults: Fault) -> None:
        """The next calls of that name go wrong in these ways."""
        self.faults.setdefault(call, deque()).extend(faults)

    def go_down(self) -> None:
        """Nothing answers, and the user channel is gone."""
        for call in (
            "submit",
            "cancel",
            "amend",
            "order",
            "open_orders",
            "fills",
            "balances",
            "permissions",
            "market_states",
            "server_time_ns",
        ):
            self.always[call] = Fault(before=down())
        self.drop()

    def come_back(self) -> None:
        self.always.clear()
        self.revive()

    def drop(self, detail: str = "the socket closed") -> None:
        self.stream_up = False
        self._stream.put_nowait(StreamChange(state=StreamState.LOST, detail=detail))

    def revive(self) -> None:
        self.stream_up = True
        self._stream.put_nowait(StreamChange(state=StreamState.LIVE))

    def hide(self, identifier: str, for_s: float) -> None:
        self.hidden_until_s[identifier] = asyncio.get_running_loop().time() + for_s

    def order_elsewhere(self, side: Side, size: str, price: str, symbol: str = "BTC-USD", client_order_id: str = "") -> str:
        """Somebody orders by hand."""
        request = OrderRequest(
            client_order_id=client_order_id,
            symbol=symbol,
            side=side,
            type=OrderType.LIMIT,
            size=Decimal(size),
            limit_price=Decimal(price),
        )
        return self._place(request)

    def fill(self, venue_order_id: str, size: str | None = None, price: str | None = None, *, told: bool = True) -> VenueFill:
        """The order is filled, in whole or in part; ``told`` whether the user channel says so."""
        order = self.orders[venue_order_id]
        filled = order.size - order.filled_size if size is None else Decimal(size)
        at = Decimal(price) if price is not None else order.limit_price or self.price[order.symbol]
        fill = VenueFill(
            trade_id=f"t{len(self.fills_made) + 1}",
            venue_order_id=venue_order_id,
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            price=at,
            size=filled,
            fee=filled * at * FEE,
            liquidity=Liquidity.MAKER,
            ts_ns=self._now_ns(),
        )
        self.fills_made.append(fill)
        base, _, quote = order.symbol.partition("-")
        self.money[base] = self.money.get(base, ZERO) + filled * order.side
        self.money[quote] -= filled * at * order.side + fill.fee
        done = order.filled_size + filled
        status = OrderStatus.FILLED if done == order.size else OrderStatus.PARTIALLY_FILLED if order.status in LIVE else order.status
        self._set(order, filled_size=done, status=status, told=told)
        return fill

    def end(self, venue_order_id: str, status: OrderStatus = OrderStatus.CANCELLED, *, told: bool = True) -> None:
        self._set(self.orders[venue_order_id], status=status, told=told)

    def id_of(self, client_order_id: str) -> str:
        (found,) = [order.venue_order_id for order in self.orders.values() if order.client_order_id == client_order_id]
        return found

    def count(self, call: str) -> int:
        return sum(request.call == call for request in self.seen)

    def open_ids(self) -> set[str]:
        return {order.venue_order_id for order in self.orders.values() if order.status in LIVE}

    # -- its own truth

    def _now_ns(self) -> int:
        return self._clock.now_ns()

    def _place(self, request: OrderRequest) -> str:
        venue_order_id = f"v{len(self.orders) + 1}"
        order = VenueOrder(
            venue_order_id=venue_order_id,
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            status=OrderStatus.OPEN,
            size=request.size,
            filled_size=ZERO,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            created_ts_ns=self._now_ns(),
        )
        self.requests_of[venue_order_id] = request
        self._set(order, told=True)
        if request.type is OrderType.MARKET:
            self.fill(venue_order_id)
        elif request.time_in_force is TimeInForce.IOC:
            self.end(venue_order_id)
        return venue_order_id

    def _set(self, order: VenueOrder, *, told: bool, **changed: object) -> None:
        order = msgspec.structs.replace(order, **changed)
        self.orders[order.venue_order_id] = order
        if told and self.stream_up and not self.silent:
            self._stream.put_nowait(OrderHint(order=order))
        self.on_change()

    def held(self, currency: str) -> Decimal:
        total = ZERO
        for order in self.orders.values():
            base, _, quote = order.symbol.partition("-")
            left = order.size - order.filled_size
            if order.status not in LIVE:
                continue
            if order.side < 0 and base == currency:
                total += left
            elif order.side > 0 and quote == currency:
                total += left * (order.limit_price or self.price[order.symbol]) * (1 + FEE)
        return total

    def _visible(self, identifier: str) -> bool:
        return asyncio.get_running_loop().time() >= self.hidden_until_s.get(identifier, 0.0)

    # -- the calls

    async def _call(self, call: str, what: object) -> Fault:
        self.seen.append(Request(asyncio.get_running_loop().time(), call, what))
        queue = self.faults.get(call)
        fault = queue.popleft() if queue else self.always.get(call, Fault())
        await asyncio.sleep(fault.wait_before_s or 0.001)
        if fault.before is not None:
            raise fault.before
        return fault

    async def _answer(self, fault: Fault) -> None:
        await asyncio.sleep(fault.wait_after_s or 0.001)
        if fault.after is not None:
            raise fault.after

    async def start(self) -> None:
        await self._answer(await self._call("start", None))
        self.revive()

    async def stop(self) -> None:
        pass

    async def server_time_ns(self) -> int:
        fault = await self._call("server_time_ns", None)
        told_ns = VirtualClock().now_ns()
        await self._answer(fault)
        return told_ns

    async def permissions(self) -> Permissions:
        await self._answer(await self._call("permissions", None))
        return self.allowed

    async def products(self) -> tuple[Instrument, ...]:
        await self._answer(await self._call("products", None))
        return self.instruments

    async def market_states(self) -> dict[str, MarketState]:
        await self._answer(await self._call("market_states", None))
        return {one.symbol: self.states.get(one.symbol, MarketState(symbol=one.symbol, tradable=True)) for one in self.instruments}

    async def best_prices(self, symbols: tuple[str, ...]) -> dict[str, BestPrices]:
        await self._answer(await self._call("best_prices", symbols))
        return {symbol: self.best[symbol] for symbol in symbols if symbol in self.best}

    def now_ns(self) -> int:
        return VirtualClock().now_ns()

    async def submit(self, request: OrderRequest, *, last_word: Callable[[], None] = lambda: None) -> str:
        await asyncio.sleep(self.turn_comes_after_s)
        last_word()
        self.on_receipt(request)
        fault = await self._call("submit", request)
        known = [order.venue_order_id for order in self.orders.values() if order.client_order_id == request.client_order_id]
        base, _, quote = request.symbol.partition("-")
        price = request.limit_price or self.price[request.symbol]
        needed, currency = (request.size * price, quote) if request.side > 0 else (request.size, base)
        if self.money.get(currency, ZERO) - self.held(currency) < needed:
            raise VenueRejectedError("insufficient funds", code="INSUFFICIENT_FUND")
        venue_order_id = known[0] if known else self._place(request)
        await self._answer(fault)
        return venue_order_id

    async def cancel(self, venue_order_ids: tuple[str, ...]) -> dict[str, VenueError | None]:
        fault = await self._call("cancel", venue_order_ids)
        answers: dict[str, VenueError | None] = {}
        for identifier in venue_order_ids:
            self.on_cancel.pop(identifier, lambda: None)()
            if self.orders[identifier].status not in LIVE:
                answers[identifier] = VenueRejectedError("unknown order", code="UNKNOWN_CANCEL_ORDER")
                continue
            answers[identifier] = None
            asyncio.get_running_loop().call_later(self.cancel_takes_s, self._cancelled, identifier)
        await self._answer(fault)
        return answers

    def _cancelled(self, venue_order_id: str) -> None:
        if self.orders[venue_order_id].status in LIVE:
            self.end(venue_order_id)

    async def amend(self, venue_order_id: str, *, size: Decimal, price: Decimal, last_word: Callable[[], None] = lambda: None) -> None:
        await asyncio.sleep(self.turn_comes_after_s)
        last_word()
        fault = await self._call("amend", (venue_order_id, size, price))
        self._set(self.orders[venue_order_id], size=size, limit_price=price, told=True)
        await self._answer(fault)

    async def order(self, *, client_order_id: str = "", venue_order_id: str = "") -> VenueOrder | None:
        fault = await self._call("order", client_order_id or venue_order_id)
        await self._answer(fault)
        for order in self.orders.values():
            mine = order.venue_order_id == venue_order_id if venue_order_id else order.client_order_id == client_order_id
            if mine and self._visible(order.venue_order_id):
                return order
        return None

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        await self._answer(await self._call("open_orders", None))
        return tuple(order for order in self.orders.values() if order.status in LIVE and self._visible(order.venue_order_id))

    async def fills(self, *, since_ts_ns: int) -> tuple[VenueFill, ...]:
        await self._answer(await self._call("fills", since_ts_ns))
        found = tuple(fill for fill in self.fills_made if fill.ts_ns >= since_ts_ns and self._visible(fill.trade_id))
        return found if self.names_orders else tuple(msgspec.structs.replace(fill, client_order_id="") for fill in found)

    async def balances(self) -> tuple[Balance, ...]:
        await self._answer(await self._call("balances", None))
        return self.balances_now()

    def balances_now(self) -> tuple[Balance, ...]:
        return tuple(
            Balance(currency=currency, available=total - self.held(currency), held=self.held(currency))
            for currency, total in self.money.items()
        )

    async def events(self) -> AsyncIterator[VenueEvent]:
        while True:
            yield await self._stream.get()
