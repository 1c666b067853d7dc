"""The trader's process: market data from the exchange's socket, to the guard, to whoever decides, and what that wants to the guard."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from traider.connectors.coinbase.config import SocketTiming
from traider.connectors.coinbase.market_feed import MarketFeed
from traider.connectors.coinbase.session import Session
from traider.domain.guard_protocol import (
    PROTOCOL_VERSION,
    Amend,
    AnyAsk,
    Cancel,
    Feed,
    GetHistory,
    GetSnapshot,
    History,
    MarketEvent,
    Open,
    Refused,
    Snapshot,
    Submit,
)
from traider.domain.instruments import Instrument
from traider.domain.orders import AnyOrderEvent, OrderRequest
from traider.domain.venue import StreamChange
from traider.domain.vocabulary import EventKind
from traider.engine.live import AmendOrder, CancelOrder, Wish

from .actors import Actor
from .bars import SecondBars
from .fate import Fate
from .machine import GuardGoneError, Machine
from .wires import HOST, MemorySocket, Network

_REMEMBERED = 20_000
_AGAIN_S = 0.5
SESSION = "chaos"


class Trader:
    """``trading`` says whether what the actor wants is asked for; market data go to the guard in any case."""

    def __init__(
        self,
        machine: Machine,
        network: Network,
        actor: Actor,
        instrument: Instrument,
        randomness: random.Random,
        past: Sequence[MarketEvent] = (),
    ) -> None:
        self.trading = True
        self._awake = asyncio.Event()
        self._awake.set()
        self.cancel_on_disconnect = False
        self.on_problem: Callable[[str], None] = lambda _what: None
        self.events = 0  # market events that the guard has taken
        self.asked: dict[str, int] = {"orders": 0, "cancels": 0, "amendments": 0}
        self._machine = machine
        self._actor = actor
        self._client = 0
        self._connected = False
        self._begun = False
        self._shown: deque[MarketEvent] = deque(maxlen=_REMEMBERED)
        self._wanted: list[Wish] = []
        self._seq = 0
        self._last_n = 0
        self._fate = Fate()
        machine.deliver = self._hear
        machine.lost = self._lose
        depth = bool(actor.kinds >> EventKind.DEPTH & 1)
        channels = ("level2", "market_trades")
        self._bars = SecondBars() if actor.kinds >> EventKind.BAR & 1 else None
        self._past = [msgspec.structs.replace(event, index=index) for index, event in enumerate(self._wanted_of(past))]
        self._index = len(self._past)
        self._feed = MarketFeed((instrument,), channels=channels, depth=depth)
        self._session = Session(
            urls=(f"wss://{HOST}",),
            subscriptions=self._feed.subscriptions(),
            handler=self._feed,
            make_socket=lambda: MemorySocket(network, None, self._fate),
            timing=SocketTiming(),
            randomness=randomness,
        )
        self._feed.on_overflow = self._session.resubscribe

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._session.run())
            group.create_task(self._take_all())

    def hang(self) -> None:
        """Takes nothing and says nothing from now on, until ``wake``."""
        self._awake.clear()

    def wake(self) -> None:
        self._awake.set()

    def die(self) -> None:
        """The process is killed, and is there again at once."""
        self._hang_up()
        problem = self._actor.die()
        if problem:
            self.on_problem(problem)

    def _lose(self) -> None:
        self._connected = False

    def _hang_up(self) -> None:
        self._machine.disconnect(self._client)
        self._connected = False

    async def _hang(self) -> None:
        """Until somebody wakes it; what it missed it then asks for on a new connection."""
        await self._awake.wait()
        self._hang_up()

    async def _take_all(self) -> None:
        async for event in self._feed.events():
            if isinstance(event, StreamChange):
                continue
            for shown in self._wanted_of((event,)):
                await self._step(msgspec.structs.replace(shown, index=self._index))
                self._index += 1

    def _wanted_of(self, events: Iterable[MarketEvent]) -> Iterator[MarketEvent]:
        """What the actor wants to see of this: bars are made here."""
        for event in events:
            for shown in (event,) if self._bars is None else self._bars.take(event):
                if self._actor.kinds >> shown.kind & 1:
                    yield shown

    async def _step(self, event: MarketEvent) -> None:
        """One market event, as often as it takes until the guard has it and has heard what follows from it."""
        shown = False
        while True:
            try:
                if not self._awake.is_set():
                    await self._hang()
                if not self._connected:
                    self._connect()
                if not shown:
                    self._done(Feed(seq=self._next(), events=(event,)))
                    self._shown.append(event)
                    shown = True
                    self.events += 1
                    wanted = self._actor.on_market(event)
                    self._wanted = wanted if self.trading else []
                self._send(self._wanted)
                self._wanted = []
                return
            except GuardGoneError:
                self._hang_up()
                await asyncio.sleep(_AGAIN_S)

    def _connect(self) -> None:
        """Opens, hears what was missed, and shows the guard what a death made it forget."""
        self._client += 1
        self._done(
            Open(
                seq=0,
                version=PROTOCOL_VERSION,
                role="trader",
                client="chaos",
                session=SESSION,
                cancel_on_disconnect=self.cancel_on_disconnect,
                kinds=self._actor.kinds,
            )
        )
        snapshot = self._machine.ask(GetSnapshot(seq=self._next()), self._client).reply
        if not isinstance(snapshot, Snapshot):
            raise GuardGoneError
        if not self._begun:
            self._actor.begin(snapshot)
            self._begun = True
            self._last_n = snapshot.journal_n
            self._shown.extend(self._past)
            self._actor.warm_up(self._past)
        self._catch_up()
        again = tuple(event for event in self._shown if event.index > snapshot.last_index)
        if again:
            self._done(Feed(seq=self._next(), events=again))
        self._connected = True

    def _catch_up(self) -> None:
        after = self._last_n
        while True:
            history = self._machine.ask(GetHistory(seq=self._next(), after_n=after), self._client).reply
            if not isinstance(history, History):
                raise GuardGoneError
            for one in history.events:
                self._note(one.event)
            if history.complete:
                return
            after = history.next_n

    def _hear(self, event: AnyOrderEvent) -> None:
        if self._connected and self._awake.is_set():
            self._note(event)

    def _note(self, event: AnyOrderEvent) -> None:
        if event.n == 0 or event.n > self._last_n:
            self._last_n = max(self._last_n, event.n)
            self._actor.on_order_event(event)

    def _send(self, wanted: list[Wish]) -> None:
        for wish in wanted:
            match wish:
                case OrderRequest():
                    self.asked["orders"] += 1
                    self._ask(Submit(seq=self._next(), orders=(wish,)))
                case CancelOrder():
                    self.asked["cancels"] += 1
                    self._ask(Cancel(seq=self._next(), client_order_ids=(wish.client_order_id,)))
                case AmendOrder():
                    self.asked["amendments"] += 1
                    asked = Amend(
                        seq=self._next(),
                        client_order_id=wish.client_order_id,
                        size=wish.size,
                        limit_price=wish.price,
                        amend_id=wish.amend_id,
                    )
                    self._ask(asked)

    def _ask(self, ask: AnyAsk) -> str:
        """Why the guard refuses the request as such, empty where it takes it; an order's own refusal is an event."""
        reply = self._machine.ask(ask, self._client).reply
        if not isinstance(reply, Refused):
            return ""
        self._machine.refusals.append(reply.message)
        return reply.message

    def _done(self, ask: AnyAsk) -> None:
        if self._ask(ask):
            raise GuardGoneError  # it can't do its work now: tried again, on a new connection

    def _next(self) -> int:
        self._seq += 1
        return self._seq
