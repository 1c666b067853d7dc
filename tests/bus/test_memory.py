"""The bus in memory: order, bounded queues and what happens when one is full."""

import asyncio
import gc
from typing import Any

import pytest

from traider.bus.memory import MemoryBus, Policy, WhenFull
from traider.domain.bus_events import ACCOUNT, MARKET, ORDERS
from traider.domain.errors import BusError
from traider.domain.ports import Bus

SMALL = {MARKET: Policy(3, WhenFull.DROP_OLDEST), ORDERS: Policy(3, WhenFull.END), ACCOUNT: Policy(1, WhenFull.DROP_OLDEST)}


async def taken(subscription: Any, count: int) -> list[tuple[str, Any]]:
    return [await asyncio.wait_for(anext(subscription), 1) for _ in range(count)]


async def test_messages_arrive_in_the_order_of_publication_across_topics() -> None:
    bus: Bus = MemoryBus()
    subscription = bus.subscribe(MARKET, ORDERS)
    script = [(MARKET, 1), (ORDERS, 2), (ORDERS, 3), (MARKET, 4), (ORDERS, 5)]
    for topic, payload in script:
        await bus.publish(topic, payload)
    await bus.publish(ACCOUNT, "not subscribed")
    await bus.publish(MARKET, 6)
    assert await taken(subscription, 6) == [*script, (MARKET, 6)]


async def test_a_subscription_begins_where_it_was_made_not_where_it_is_first_read() -> None:
    bus = MemoryBus()
    await bus.publish(MARKET, "before")
    subscription = bus.subscribe(MARKET)
    await bus.publish(MARKET, "after")
    assert await taken(subscription, 1) == [(MARKET, "after")]


async def test_a_waiting_consumer_is_woken() -> None:
    bus = MemoryBus()
    waiting = asyncio.ensure_future(anext(bus.subscribe(MARKET)))
    await asyncio.sleep(0)
    await bus.publish(MARKET, "x")
    assert await asyncio.wait_for(waiting, 1) == (MARKET, "x")


async def test_state_topics_drop_their_oldest_and_leave_other_topics_alone() -> None:
    bus = MemoryBus(SMALL)
    slow, quick = bus.subscribe(MARKET, ORDERS), bus.subscribe(MARKET)
    await bus.publish(ORDERS, "order")
    for i in range(6):
        await bus.publish(MARKET, i)
        assert await taken(quick, 1) == [(MARKET, i)]
    assert await taken(slow, 4) == [(ORDERS, "order"), (MARKET, 3), (MARKET, 4), (MARKET, 5)]
    assert (slow.dropped, quick.dropped) == (3, 0)


async def test_a_consumer_that_would_miss_an_order_event_is_told_so() -> None:
    bus = MemoryBus(SMALL)
    slow = bus.subscribe(ORDERS, MARKET)
    for i in range(4):
        await bus.publish(ORDERS, i)
    for _ in range(2):
        with pytest.raises(BusError, match="a consumer of 'orders' fell 3 messages behind"):
            await anext(slow)
    await bus.publish(ORDERS, 9)
    again = bus.subscribe(ORDERS)
    await bus.publish(ORDERS, 10)
    assert await taken(again, 1) == [(ORDERS, 10)]


async def test_a_closed_subscription_gives_what_it_had_and_ends() -> None:
    bus = MemoryBus()
    subscription = bus.subscribe(MARKET)
    await bus.publish(MARKET, 1)
    await subscription.aclose()
    await bus.publish(MARKET, 2)
    assert [message async for message in subscription] == [(MARKET, 1)]


async def test_a_consumer_that_is_gone_costs_nothing() -> None:
    bus = MemoryBus()

    async def consume() -> None:
        async for _ in bus.subscribe(MARKET):
            pass

    task = asyncio.create_task(consume())
    await asyncio.sleep(0)
    assert len(bus._subscriptions) == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    del task
    await asyncio.sleep(0)
    gc.collect()
    assert len(bus._subscriptions) == 0


async def test_topics_that_do_not_exist_are_refused() -> None:
    bus = MemoryBus()
    with pytest.raises(ValueError, match="no topic 'weather'"):
        await bus.publish("weather", 1)
    for topics in (("weather",), ()):
        with pytest.raises(ValueError, match="the topics are"):
            bus.subscribe(*topics)
