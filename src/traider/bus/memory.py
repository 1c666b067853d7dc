"""The bus within one process: every subscription has a bounded queue for each topic, and a named policy for when it is full.

Topics that tell a state (market, account, risk) drop their oldest message: a newer one says it better. Topics on which each
message counts (orders, system) end the subscription with ``BusError`` instead: the consumer then knows that it must look at the
store or the guard again. A slow consumer never slows down a publisher or another consumer.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple
from weakref import WeakSet

from traider.domain.bus_events import ACCOUNT, MARKET, ORDERS, RISK, SYSTEM
from traider.domain.errors import BusError


class WhenFull(StrEnum):
    DROP_OLDEST = "drop oldest"
    END = "end the subscription"


class Policy(NamedTuple):
    size: int
    when_full: WhenFull


POLICIES: Mapping[str, Policy] = {
    MARKET: Policy(1024, WhenFull.DROP_OLDEST),
    ACCOUNT: Policy(16, WhenFull.DROP_OLDEST),
    RISK: Policy(16, WhenFull.DROP_OLDEST),
    ORDERS: Policy(65_536, WhenFull.END),
    SYSTEM: Policy(1024, WhenFull.END),
}


class Subscription(AsyncIterator[tuple[str, Any]]):
    """What was published on the topics since it was made, in that order. It ends when it is closed or collected."""

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        self.dropped = 0
        self._policies = policies
        self._queues: dict[str, deque[tuple[int, Any]]] = {topic: deque() for topic in policies}
        self._ready = asyncio.Event()
        self._error: BusError | None = None
        self._closed = False

    def put(self, number: int, topic: str, payload: Any) -> None:
        queue = self._queues.get(topic)
        if queue is None or self._closed or self._error is not None:
            return
        policy = self._policies[topic]
        if len(queue) >= policy.size:
            if policy.when_full is WhenFull.END:
                self._error = BusError(f"a consumer of {topic!r} fell {policy.size} messages behind: what it missed must be read again")
                self._queues = {}
                self._ready.set()
                return
            queue.popleft()
            self.dropped += 1
        queue.append((number, payload))
        self._ready.set()

    async def __anext__(self) -> tuple[str, Any]:
        while True:
            if self._error is not None:
                raise self._error
            waiting = [(queue[0][0], topic) for topic, queue in self._queues.items() if queue]
            if waiting:
                topic = min(waiting)[1]
                return topic, self._queues[topic].popleft()[1]
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()

    async def aclose(self) -> None:
        """Takes no more messages; what is queued can still be read."""
        self._closed = True
        self._ready.set()


class MemoryBus:
    """A ``traider.domain.ports.Bus`` for one event loop."""

    def __init__(self, policies: Mapping[str, Policy] = POLICIES) -> None:
        self._policies = policies
        self._published = 0
        self._subscriptions: WeakSet[Subscription] = WeakSet()  # a consumer that is gone needs no goodbye

    async def publish(self, topic: str, payload: Any) -> None:
        """Hands the payload to every subscription of the topic; never waits for one."""
        if topic not in self._policies:
            raise ValueError(f"no topic {topic!r}: the topics are {', '.join(self._policies)}")
        self._published += 1
        for subscription in self._subscriptions:
            subscription.put(self._published, topic, payload)

    def subscribe(self, *topics: str) -> Subscription:
        """Everything published on these topics from this call on."""
        unknown = [topic for topic in topics if topic not in self._policies]
        if unknown or not topics:
            raise ValueError(f"no topic {unknown}: the topics are {', '.join(self._policies)}")
        subscription = Subscription({topic: self._policies[topic] for topic in topics})
        self._subscriptions.add(subscription)
        return subscription
