"""The other end of the guard's endpoint: what a trader, and whoever watches, asks with."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol, Self, TypeVar

import msgspec

from traider.domain.errors import LinkError
from traider.domain.guard_protocol import (
    PROTOCOL_VERSION,
    AcceptBalances,
    Advance,
    Amend,
    AnyAsk,
    AnyFromGuard,
    Beat,
    Cancel,
    Done,
    Feed,
    GetHistory,
    GetKey,
    GetSnapshot,
    History,
    KeyInfo,
    MarketEvent,
    Open,
    OrderEventPush,
    PastEvent,
    Refused,
    Reply,
    RestoreBook,
    SetKillSwitch,
    Snapshot,
    StatePush,
    Submit,
)
from traider.domain.orders import AnyOrderEvent, OrderRequest
from traider.domain.state import AccountState, RiskState
from traider.runtime.link import Endpoint, Link, connect

ANSWER_S = 10.0  # a guard that is alive answers within milliseconds; a slow disk may take its time
R = TypeVar("R", bound=Reply)
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AnyFromGuard)


class GuardRefusedError(LinkError):
    """The guard did not do what was asked; the message says why."""


class Listener(Protocol):
    """Told of everything that the guard pushes, from the event loop, before the reply that it belongs to."""

    def on_order_event(self, event: AnyOrderEvent) -> None: ...

    def on_state(self, account: AccountState, risk: RiskState) -> None: ...


class GuardClient:
    """One open connection. Every method raises ``LinkError`` once it is lost; a new one is needed then."""

    def __init__(self, listener: Listener, answer_s: float = ANSWER_S) -> None:
        self._listener = listener
        self._answer_s = answer_s
        self._link: Link | None = None
        self._seq = 0
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self.lost: asyncio.Future[LinkError] = asyncio.get_running_loop().create_future()

    @classmethod
    async def connect(
        cls,
        endpoint: Endpoint,
        secret: bytes,
        listener: Listener,
        *,
        role: str,
        client: str,
        session: str = "",
        cancel_on_disconnect: bool = False,
        heartbeat_s: float = 0.0,
        kinds: int = 0,
        answer_s: float = ANSWER_S,
    ) -> Self:
        """An open connection in that role. ``GuardRefusedError`` when the guard won't have it, ``LinkError`` when there is none."""
        made = cls(listener, answer_s)
        made._link = await connect(endpoint, secret, made)
        try:
            asked = Open(
                seq=made._next(),
                version=PROTOCOL_VERSION,
                role=role,
                client=client,
                session=session,
                cancel_on_disconnect=cancel_on_disconnect,
                heartbeat_s=heartbeat_s,
                kinds=kinds,
            )
            await made._done(asked)
        except LinkError:
            made.close()
            raise
        return made

    @property
    def connected(self) -> bool:
        return self._link is not None and self._link.is_open

    def close(self) -> None:
        """Ends the connection."""
        if self._link is not None:
            self._link.end("closed here", flush=True)

    async def feed(self, events: Sequence[MarketEvent]) -> None:
        """Returns when the guard has matched the events and their consequences are durable and told."""
        await self._done(Feed(seq=self._next(), events=tuple(events)))

    async def restore_book(self, events: Sequence[MarketEvent]) -> None:
        """Gives a guard that has lost its order books the events of the past that make them; see ``guard_protocol.RestoreBook``."""
        await self._done(RestoreBook(seq=self._next(), events=tuple(events)))

    async def submit(self, orders: Sequence[OrderRequest]) -> None:
        """Returns when what became of each order is durable and told."""
        await self._done(Submit(seq=self._next(), orders=tuple(orders)))

    async def cancel(self, client_order_ids: Sequence[str]) -> None:
        """Returns when what became of each is told. No ids: every open order."""
        await self._done(Cancel(seq=self._next(), client_order_ids=tuple(client_order_ids)))

    async def step(self, events: Sequence[MarketEvent], wanted: Sequence[Sequence[OrderRequest | str]]) -> None:
        """Feeds, and submits or cancels in this order, all in one write; returns when everything is answered.

        Nothing of it waits for the answer to what stands before it: what was decided on these events leaves with them.
        """
        asks: list[AnyAsk] = [Feed(seq=self._next(), events=tuple(events))]
        for some in wanted:
            orders = tuple(one for one in some if isinstance(one, OrderRequest))
            ids = tuple(one for one in some if isinstance(one, str))
            asks.append(Submit(seq=self._next(), orders=orders) if orders else Cancel(seq=self._next(), client_order_ids=ids))
        await self._ask_all(asks, Done)

    async def amend(self, client_order_id: str, *, size: Decimal, limit_price: Decimal, amend_id: str = "") -> None:
        """Returns when the amendment has left, or was refused; what became of it is told. See ``guard_protocol.Amend``."""
        ask = Amend(seq=self._next(), client_order_id=client_order_id, size=size, limit_price=limit_price, amend_id=amend_id)
        await self._done(ask)

    async def advance(self, *, index: int, tick: int, ts_ns: int) -> None:
        """Returns when what was due before this time is told; see ``guard_protocol.Advance``."""
        await self._done(Advance(seq=self._next(), index=index, tick=tick, ts_ns=ts_ns))

    async def beat(self) -> None:
        """Tells the guard that this client is alive."""
        await self._done(Beat(seq=self._next()))

    async def accept_balances(self, *, by: str, reason: str) -> None:
        """Returns when the books follow the venue's balances."""
        await self._done(AcceptBalances(seq=self._next(), by=by, reason=reason))

    async def set_kill_switch(self, *, on: bool, reason: str, by: str) -> None:
        """Returns when the switch is set and that is durable."""
        await self._done(SetKillSwitch(seq=self._next(), on=on, reason=reason, by=by))

    async def snapshot(self) -> Snapshot:
        """How things stand."""
        return await self._ask(GetSnapshot(seq=self._next()), Snapshot)

    async def key(self) -> KeyInfo:
        """What the guard's key may do, as the exchange has told it."""
        return await self._ask(GetKey(seq=self._next()), KeyInfo)

    async def history(self, after_n: int = 0) -> list[PastEvent]:
        """The session's order events after journal entry ``after_n``."""
        found: list[PastEvent] = []
        complete = False
        while not complete:
            page = await self._ask(GetHistory(seq=self._next(), after_n=after_n), History)
            found += page.events
            after_n, complete = page.next_n, page.complete
        return found

    # -- the link's handler

    def on_open(self, link: Link) -> None:
        """Nothing to do: whoever connects speaks first."""

    def on_frame(self, link: Link, frame: bytes) -> None:
        try:
            message = _decoder.decode(frame)
        except msgspec.DecodeError as error:
            raise LinkError(f"the guard said something that is not of this protocol: {error}") from error
        match message:
            case OrderEventPush():
                self._listener.on_order_event(message.event)
            case StatePush():
                self._listener.on_state(message.account, message.risk)
            case _:
                waiting = self._waiting.pop(message.seq, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)

    def on_lost(self, link: Link, reason: LinkError) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(reason)
        self._waiting.clear()
        if not self.lost.done():
            self.lost.set_result(reason)

    # -- asking

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    async def _done(self, ask: AnyAsk) -> None:
        await self._ask(ask, Done)

    async def _ask(self, ask: AnyAsk, expected: type[R]) -> R:
        (reply,) = await self._ask_all((ask,), expected)
        return reply

    async def _ask_all(self, asks: Sequence[AnyAsk], expected: type[R]) -> list[R]:
        """The replies, in order; the first that is none of the expected kind is raised."""
        if self._link is None:
            raise LinkError("not connected to the guard")
        self._link.send_all([_encoder.encode(ask) for ask in asks])  # first of all: no answer comes before this turn of the loop ends
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[Reply]] = [loop.create_future() for _ in asks]
        for ask, answer in zip(asks, answers, strict=True):
            self._waiting[ask.seq] = answer
        deadline = loop.call_later(self._answer_s, self._link.end, f"the guard did not answer within {self._answer_s:g} s")
        try:
            await answers[-1]  # the guard answers in the order in which it was asked
            return [_expected(ask, answer.result(), expected) for ask, answer in zip(asks, answers, strict=True)]
        finally:
            deadline.cancel()
            for ask, answer in zip(asks, answers, strict=True):
                self._waiting.pop(ask.seq, None)
                if answer.done() and not answer.cancelled():
                    answer.exception()  # one is told for all


def _expected(ask: AnyAsk, reply: Reply, expected: type[R]) -> R:
    if isinstance(reply, Refused):
        raise GuardRefusedError(reply.message)
    if not isinstance(reply, expected):
        raise LinkError(f"the guard answered {type(ask).__name__} with {type(reply).__name__}")
    return reply
