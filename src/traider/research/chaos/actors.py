"""Who decides what is traded: orders at random, or a strategy in its live session."""

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from traider.domain.guard_protocol import MarketEvent, Snapshot
from traider.domain.instruments import Instrument
from traider.domain.orders import (
    AnyOrderEvent,
    OrderAmended,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequest,
    OrderSubmitted,
)
from traider.domain.session_record import AnyLine
from traider.domain.vocabulary import EventKind, OrderType, Side, TimeInForce
from traider.engine.live import AmendOrder, CancelOrder, LiveSession, Wish
from traider.engine.recorded import RecordedSession, begin, rerun, session_of
from traider.kernel.kit import Strategy

SECOND_NS = 1_000_000_000


class Actor(Protocol):
    """``kinds`` are the events that it wants to see, a bit mask. ``last_n`` is the last journal line that it heard of."""

    kinds: int
    last_n: int

    def begin(self, snapshot: Snapshot) -> None:
        """The first connection to the guard."""
        ...

    def warm_up(self, events: Sequence[MarketEvent]) -> None:
        """The market's past, before anything is traded."""
        ...

    def on_market(self, event: MarketEvent) -> list[Wish]: ...

    def on_order_event(self, event: AnyOrderEvent) -> None: ...

    def die(self) -> str:
        """The trader's process dies and comes back; what is wrong with what it remembers, empty where nothing is."""
        ...


class RandomActor:
    """Orders of every kind at random prices near the market, cancels and amendments. It remembers what it asked for on disk."""

    kinds = 1 << EventKind.TRADE

    def __init__(self, randomness: random.Random, instrument: Instrument) -> None:
        self._random = randomness
        self._instrument = instrument
        self._session = ""
        self._open: dict[str, OrderRequest] = {}
        self._left: dict[str, Decimal] = {}
        self._next_ns = 0
        self._size = Decimal(0)
        self.last_n = 0

    def begin(self, snapshot: Snapshot) -> None:
        self._session = snapshot.session_id

    def warm_up(self, events: Sequence[MarketEvent]) -> None:
        """It knows no past."""

    def die(self) -> str:
        return ""

    def on_order_event(self, event: AnyOrderEvent) -> None:
        self.last_n = max(self.last_n, event.n)
        match event:
            case OrderSubmitted():
                self._open[event.client_order_id] = event.request
                self._left[event.client_order_id] = event.request.size
            case OrderFilled():
                self._size += event.size * int(event.side)
                self._left[event.client_order_id] = self._left.get(event.client_order_id, Decimal(0)) - event.size
                if self._left[event.client_order_id] <= 0:
                    self._forget(event.client_order_id)
            case OrderAmended():
                if event.client_order_id in self._open:
                    self._open[event.client_order_id] = msgspec.structs.replace(
                        self._open[event.client_order_id], size=event.size, limit_price=event.limit_price
                    )
            case OrderRejected() | OrderCancelled():
                self._forget(event.client_order_id)

    def _forget(self, identifier: str) -> None:
        # now and then it does not notice that an order is over, and cancels or amends it all the same
        if self._random.random() < 0.9:
            self._open.pop(identifier, None)

    def on_market(self, event: MarketEvent) -> list[Wish]:
        if event.ts_ns < self._next_ns:
            return []
        self._next_ns = event.ts_ns + round(self._random.expovariate(2.5) * SECOND_NS)
        return [self._wish(event, number) for number in range(self._random.choice((1, 1, 1, 2, 3)))]

    def _wish(self, event: MarketEvent, number: int) -> Wish:
        chance = self._random.random()
        own = [identifier for identifier, request in self._open.items() if request.strategy == "chaos"]
        if own and chance < 0.2:
            return CancelOrder(self._random.choice(own))
        limits = [identifier for identifier in own if self._open[identifier].type is OrderType.LIMIT]
        if limits and chance < 0.35:
            chosen = self._open[self._random.choice(limits)]
            return AmendOrder(chosen.client_order_id, "", self._some_size(), self._some_price(event.a, chosen.side))
        return self._order(event, f"{self._session}-{event.index}-{number}")

    def _order(self, event: MarketEvent, identifier: str) -> OrderRequest:
        choose = self._random
        side = Side.SELL if self._size > 0 and choose.random() < 0.35 else Side.BUY
        size = self._some_size()
        if side is Side.SELL and choose.random() < 0.8:
            size = min(size, self._size)
        kind = choose.choice((OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT, OrderType.LIMIT, OrderType.STOP_LIMIT))
        in_force = TimeInForce.GTC
        if kind is OrderType.LIMIT:
            in_force = choose.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GTD, TimeInForce.IOC, TimeInForce.FOK))
        price = self._some_price(event.a, side)
        stop = None
        if kind is OrderType.STOP_LIMIT:
            stop = self._rounded(event.a * (1 + int(side) * choose.uniform(0.0005, 0.003)))
            price = self._rounded(float(stop) * (1 + int(side) * 0.001))
        return OrderRequest(
            client_order_id=identifier,
            symbol=event.symbol,
            side=side,
            type=kind,
            size=size,
            limit_price=None if kind is OrderType.MARKET else price,
            stop_price=stop,
            time_in_force=in_force,
            post_only=kind is OrderType.LIMIT and in_force is TimeInForce.GTC and choose.random() < 0.3,
            strategy="chaos",
            expire_ts_ns=event.ts_ns + choose.randint(5, 60) * SECOND_NS if in_force is TimeInForce.GTD else 0,
        )

    def _some_size(self) -> Decimal:
        return Decimal(self._random.randint(50, 3000)) * self._instrument.size_increment

    def _some_price(self, last: float, side: Side) -> Decimal:
        return self._rounded(last * (1 - int(side) * self._random.uniform(-0.0005, 0.003)))

    def _rounded(self, price: float) -> Decimal:
        return Decimal(round(price / float(self._instrument.price_increment))) * self._instrument.price_increment


class StrategyActor:
    """A strategy as it runs live: recorded, and after a death brought back from its recording."""

    def __init__(
        self, strategy: type[Strategy], values: dict[str, object], instrument: Instrument, kinds: int, *, interpreted: bool
    ) -> None:
        self.kinds = kinds
        self.last_n = 0
        self._class = strategy
        self._values = values
        self._instrument = instrument
        self._interpreted = interpreted
        self._lines: list[AnyLine] = []
        self._session: RecordedSession | None = None
        self.orders = 0

    def rehearse(self) -> None:
        """``StrategyError`` for what can't be run live: wrong parameters, code that can't be compiled, timers."""
        LiveSession(
            self._class(**self._values),
            (self._instrument,),
            session_id="",
            cash=Decimal(1),
            interpreted=self._interpreted,
            kinds=self.kinds,
        )

    def begin(self, snapshot: Snapshot) -> None:
        strategy = self._class(**self._values)
        begun = begin(
            snapshot, strategy, name=strategy.name, instruments=(self._instrument,), interpreted=self._interpreted, kinds=self.kinds
        )
        self._lines = [begun]
        self._session = RecordedSession(session_of(begun, self._class), self._lines.append)

    def warm_up(self, events: Sequence[MarketEvent]) -> None:
        self._begun().warm_up(events)

    def on_market(self, event: MarketEvent) -> list[Wish]:
        wanted = self._begun().on_market(event)
        self.orders += len(wanted)
        return wanted

    def on_order_event(self, event: AnyOrderEvent) -> None:
        self.last_n = max(self.last_n, event.n)
        if self._session is not None:
            self._session.on_order_event(event)

    def die(self) -> str:
        if self._session is None:
            return ""
        run = rerun(lambda: self._lines, lambda _: self._class)
        if run.divergence is not None or run.session is None:
            return f"the strategy's recording does not give its decisions again ({run.divergence})"
        self._session = RecordedSession(run.session, self._lines.append)
        return ""

    def _begun(self) -> RecordedSession:
        if self._session is None:
            raise RuntimeError("the market came before the guard")
        return self._session
