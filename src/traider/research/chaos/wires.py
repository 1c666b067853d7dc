"""The Coinbase client's ways to the exchange, in memory: a transport and a socket that take their time, break and go dead."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from traider.connectors.coinbase.socket import OnClosed, OnFrame
from traider.connectors.coinbase.tokens import Authorization
from traider.connectors.coinbase.transport import Call, NoReplyError, NotSentError, Reply
from traider.connectors.sim.exchange import calls
from traider.connectors.sim.exchange.pipeline import Delivery
from traider.connectors.sim.exchange.session import Session
from traider.connectors.sim.exchange.simulator import Simulator
from traider.domain.venue import VenueUnavailableError
from traider.guard.audit.truth import Arrival

from .fate import Fate

HOST = "exchange.memory"
_KINDS = {"orders": "order", "batch_cancel": "cancel", "edit": "amendment"}


OnLeave = Callable[[str, str], None]  # an order by the client's id, an amendment by the exchange's id of its order


@dataclass
class Network:
    """Between the machine and the exchange. ``unplugged``: nothing gets through, in either direction, and nobody says so."""

    simulator: Simulator
    randomness: random.Random
    unplugged: bool = False
    arrivals: list[Arrival] = field(default_factory=list)
    sessions: int = 0
    _serving: set["asyncio.Task[None]"] = field(default_factory=set)

    def delay_s(self) -> float:
        return self.randomness.uniform(0.002, 0.02)

    def ask(self, call: calls.Call, answered: "asyncio.Future[Delivery]") -> None:
        """The request is on its way, whatever becomes of whoever sent it."""
        task = asyncio.get_running_loop().create_task(self._serve(call, answered))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, call: calls.Call, answered: "asyncio.Future[Delivery]") -> None:
        await asyncio.sleep(self.delay_s())
        if self.unplugged:
            return
        if "authorization" in call.headers:
            self.arrivals.append(Arrival(self.simulator.agenda.time_ns(), _order_of(call)))
        delivery = await self.simulator.pipeline.deliver(call)
        length = len(delivery.answer.body) if delivery.answer is not None else 0
        await asyncio.sleep(self.delay_s() + (length / delivery.bytes_per_s if delivery.bytes_per_s else 0.0))
        self._answer(answered, delivery)

    def _answer(self, answered: "asyncio.Future[Delivery]", delivery: Delivery) -> None:
        if not self.unplugged and not answered.done():
            answered.set_result(delivery)

    async def close(self) -> None:
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


class MemoryTransport:
    """A ``Transport`` of one process. ``on_leave`` is called when the first byte of an order or of an amendment leaves."""

    def __init__(self, network: Network, authorization: Authorization | None, fate: Fate, on_leave: OnLeave) -> None:
        self._network = network
        self._authorization = authorization
        self._fate = fate
        self._on_leave = on_leave
        self._half_closed = False  # the exchange has hung up on the connection that is kept, and this side does not know yet

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def send(self, call: Call, *, timeout_s: float) -> Reply:
        """The reply, whatever its status. ``NotSentError`` or ``NoReplyError`` when there is none."""
        headers = {}
        if call.private and self._authorization is not None:
            token = await self._authorization.for_request(call.method, HOST, call.path)
            headers["authorization"] = f"Bearer {token}"
        kind = _KINDS.get(call.path.rpartition("/")[2], "question") if call.method == "POST" else "question"
        asked = calls.Call(call.method, call.path, _grouped(call.query), call.body, "machine", headers)
        await self._pass(f"{kind}: about to leave")
        if self._network.unplugged:
            await asyncio.sleep(self._network.delay_s())
            raise NotSentError(f"{call.name}: no connection to {HOST}: network is unreachable")
        if kind == "order":
            self._on_leave(kind, _order_of(asked))
        elif kind == "amendment":
            self._on_leave(kind, str(msgspec.json.decode(call.body)["order_id"]))
        if self._half_closed and call.method == "POST":
            self._half_closed = False
            raise NoReplyError(f"{call.name}: the connection broke before the reply was whole: ServerDisconnectedError")
        answered: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self._network.ask(asked, answered)
        await self._pass(f"{kind}: under way")
        try:
            async with asyncio.timeout(timeout_s):
                delivery = await answered
        except TimeoutError:
            raise NoReplyError(f"{call.name}: no reply within {timeout_s:g} s") from None
        await self._pass(f"{kind}: answered")
        if delivery.answer is None:
            raise NoReplyError(f"{call.name}: the connection broke before the reply was whole: ServerDisconnectedError")
        self._half_closed = delivery.close
        answer = delivery.answer
        return Reply(status=answer.status, body=answer.body, headers={name.lower(): value for name, value in answer.headers.items()})

    async def _pass(self, point: str) -> None:
        if self._fate.dead or self._fate.comes_to(point):
            await asyncio.get_running_loop().create_future()  # the dead do not go on


class MemorySocket:
    """A ``Socket``, and the exchange's ``Wire`` of it. What is told arrives a moment later, in its order."""

    def __init__(self, network: Network, authorization: Authorization | None, fate: Fate) -> None:
        self._network = network
        self._authorization = authorization
        self._fate = fate
        self._session: Session | None = None
        self._arriving: deque[tuple[bytes | None, str]] = deque()  # frames, and at the end why there are no more
        self._on_frame: OnFrame = lambda _frame, _ts_ns: None
        self._on_closed: OnClosed = lambda _why: None

    async def open(self, url: str, on_frame: OnFrame, on_closed: OnClosed) -> None:
        """``VenueUnavailableError`` when there is no connection."""
        network, simulator = self._network, self._network.simulator
        await asyncio.sleep(network.delay_s())
        if network.unplugged or simulator.agenda.time_ns() < simulator.bench.maintenance_until_ns:
            raise VenueUnavailableError(f"no connection to {url}")
        self._on_frame, self._on_closed = on_frame, on_closed
        network.sessions += 1
        switches = simulator.exchange.switches
        self._session = Session(network.sessions, WireOf(self), simulator.agenda, switches, address="machine", user_only=False)
        simulator.opened(self._session)

    async def subscribe(self, channel: str, products: Sequence[str]) -> None:
        await self._ask("subscribe", channel, products)

    async def unsubscribe(self, channel: str, products: Sequence[str]) -> None:
        await self._ask("unsubscribe", channel, products)

    async def close(self) -> None:
        """Hangs up."""
        session, self._session = self._session, None
        if session is not None:
            self._network.simulator.closed(session)

    async def _ask(self, kind: str, channel: str, products: Sequence[str]) -> None:
        told: dict[str, object] = {"type": kind, "channel": channel, "product_ids": list(products)}
        if self._authorization is not None:
            told["jwt"] = await self._authorization.for_subscription()
        await asyncio.sleep(self._network.delay_s())
        session = self._session
        if session is None:
            raise VenueUnavailableError("the connection is closed")
        if not session.damage.mute and not self._network.unplugged and not self._fate.dead:
            self._network.simulator.received(session, msgspec.json.encode(told))

    # -- what the exchange does with its end

    def send(self, message: bytes) -> None:
        self._arrive(message, "")

    def close_code(self, code: int, reason: str) -> None:
        self._arrive(None, f"closed by the venue ({code}) {reason}".strip())

    def abort(self) -> None:
        self._arrive(None, "the connection was lost without a word")

    def waiting(self) -> int:
        return 0

    def _arrive(self, frame: bytes | None, why: str) -> None:
        if self._network.unplugged:
            return
        self._arriving.append((frame, why))
        if len(self._arriving) == 1:
            asyncio.get_running_loop().call_later(self._network.delay_s(), self._hand_over)

    def _hand_over(self) -> None:
        while self._arriving:
            frame, why = self._arriving.popleft()
            if self._fate.dead or self._session is None:
                continue
            if frame is None:
                self._on_closed(why)
            else:
                self._on_frame(frame, self._network.simulator.agenda.time_ns())


class WireOf:
    """The exchange's end of a ``MemorySocket``, whose own ``close`` is the client's."""

    def __init__(self, socket: MemorySocket) -> None:
        self._socket = socket
        self.send, self.abort, self.waiting = socket.send, socket.abort, socket.waiting

    def close(self, code: int, reason: str) -> None:
        self._socket.close_code(code, reason)


def _grouped(query: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in query:
        grouped.setdefault(name, []).append(value)
    return grouped


def _order_of(call: calls.Call) -> str:
    """The client order id of a submission, empty for any other request."""
    if call.method != "POST" or not call.path.endswith("/orders"):
        return ""
    return str(msgspec.json.decode(call.body)["client_order_id"])
