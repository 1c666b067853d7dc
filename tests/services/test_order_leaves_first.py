"""Between guard, exchange and clients: an order leaves first, then everybody is told, in the order in which it happened."""

import asyncio
from pathlib import Path
from typing import Any, cast

import msgspec

from tests.guard.live.bench import BTC, Bench, order
from traider.domain.guard_protocol import (
    PROTOCOL_VERSION,
    AnyAsk,
    AnyFromGuard,
    Beat,
    Done,
    Feed,
    MarketEvent,
    Open,
    OrderEventPush,
    Submit,
)
from traider.domain.orders import OrderSubmitted
from traider.domain.vocabulary import EventKind
from traider.runtime.link import Link
from traider.runtime.virtual_time import play
from traider.services.guard import GuardService

_decoder = msgspec.msgpack.Decoder(AnyFromGuard)


class Ear:
    """In the place of a link: what was told, write by write, among what else happened."""

    def __init__(self, happened: list[Any]) -> None:
        self._happened = happened

    def send_all(self, frames: list[bytes]) -> None:
        self._happened.append([_decoder.decode(frame) for frame in frames])

    def end(self, reason: str) -> None:
        raise AssertionError(reason)


def quote(index: int, ts_ns: int) -> MarketEvent:
    return MarketEvent(index=index, kind=EventKind.QUOTE, symbol=BTC.symbol, ts_ns=ts_ns, a=100.0, b=1.0, c=100.1, d=1.0)


class Desk:
    """A trader at the service of a guard that runs."""

    def __init__(self, bench: Bench) -> None:
        self.happened: list[Any] = []
        self._service = GuardService(bench.guard)
        self._link = cast(Link, Ear(self.happened))
        self._service.on_open(self._link)
        self.say(Open(seq=1, version=PROTOCOL_VERSION, role="trader", client="t", session="s", kinds=1 << EventKind.QUOTE))
        bench.exchange.on_receipt = lambda request: self.happened.append(request.client_order_id)

    def say(self, ask: AnyAsk) -> None:
        self._service.on_frame(self._link, msgspec.msgpack.encode(ask))

    def replies(self) -> list[int]:
        writes = [write for write in self.happened if isinstance(write, list)]
        return [message.seq for write in writes for message in write if isinstance(message, Done)]


def test_an_order_has_left_before_anybody_is_told_of_it(tmp_path: Path) -> None:
    async def whole() -> None:
        bench = Bench(tmp_path)
        async with bench.up(client=False, price=None):
            desk = Desk(bench)
            await asyncio.sleep(1.0)
            desk.happened.clear()
            desk.say(Feed(seq=2, events=(quote(0, bench.clock.now_ns()),)))
            desk.say(Submit(seq=3, orders=(order("a", limit="90"),)))
            assert desk.happened == [], "nothing is told while frames may still be there"
            await asyncio.sleep(1.0)
            left, told = desk.happened[:2]
            assert left == "a"
            replies = [message.seq for message in told if isinstance(message, Done)]
            assert replies == [2, 3], "in one write"
            kinds = [type(message.event) if isinstance(message, OrderEventPush) else type(message) for message in told]
            assert kinds.index(OrderSubmitted) < len(kinds) - 1 - kinds[::-1].index(Done), "the reply comes after what it is of"
            assert isinstance(bench.books.open["a"].venue_order_id, str)

    play(whole)


def test_clients_are_told_however_fast_frames_come(tmp_path: Path) -> None:
    async def whole() -> None:
        bench = Bench(tmp_path)
        async with bench.up(client=False, price=None):
            desk = Desk(bench)
            await asyncio.sleep(1.0)
            desk.happened.clear()
            for seq in range(10, 60):
                desk.say(Beat(seq=seq))
                await asyncio.sleep(0)
            behind = 59 - max(desk.replies())
            assert behind <= 3
            await asyncio.sleep(1.0)
            assert desk.replies() == list(range(10, 60))

    play(whole)
