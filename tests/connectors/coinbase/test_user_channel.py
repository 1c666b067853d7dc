"""Hints: the latest of each order, no state lost, and sizes that an ended order does not tell any more."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from traider.connectors.coinbase.messages import AnyMessage, UserOrder, read_message
from traider.connectors.coinbase.sequence import Arrival, SequenceCheck
from traider.connectors.coinbase.user_channel import HintQueue, UserChannel, read_user_order
from traider.domain.venue import OrderHint, StreamChange, StreamState, VenueEvent, VenueOrder
from traider.domain.vocabulary import OrderStatus, Side

LIVE = StreamChange(state=StreamState.LIVE)
LOST = StreamChange(state=StreamState.LOST, detail="x")
# the reference's own example
ORDER = {
    "order_id": "v-1",
    "client_order_id": "s1-000017",
    "cumulative_quantity": "0.4",
    "leaves_quantity": "0.6",
    "avg_price": "101.5",
    "total_fees": "0.24",
    "status": "OPEN",
    "product_id": "BTC-USD",
    "creation_time": "2031-03-04T05:06:01Z",
    "order_side": "BUY",
    "order_type": "Limit",
    "limit_price": "101.5",
    "cancel_reason": "",
    "reject_reason": "REJECT_REASON_UNSPECIFIED",
    "post_only": "false",
}


def user_order(**changes: Any) -> UserOrder:
    return msgspec.convert(ORDER | changes, UserOrder)


def message(*orders: dict[str, Any], type: str = "update") -> AnyMessage:
    raw = {"channel": "user", "timestamp": "2031-03-04T05:06:07Z", "sequence_num": 1, "events": [{"type": type, "orders": list(orders)}]}
    read = read_message(msgspec.json.encode(raw))
    assert isinstance(read, AnyMessage)
    return read


def hint(venue_id: str, filled: str = "0") -> OrderHint:
    return OrderHint(order=read_user_order(user_order(order_id=venue_id, cumulative_quantity=filled)))


async def taken(queue: HintQueue) -> list[VenueEvent | None]:
    return [await queue.get() for _ in range(len(queue))]


def test_an_update_is_a_partly_filled_order() -> None:
    assert read_user_order(user_order()) == VenueOrder(
        venue_order_id="v-1",
        client_order_id="s1-000017",
        symbol="BTC-USD",
        side=Side.BUY,
        status=OrderStatus.PARTIALLY_FILLED,
        size=Decimal("1.0"),
        filled_size=Decimal("0.4"),
        limit_price=Decimal("101.5"),
        created_ts_ns=1930367161 * 10**9,
    )


async def test_an_ended_order_keeps_the_size_and_price_that_it_had() -> None:
    channel = UserChannel()
    channel.on_message(message(ORDER), 0)
    ended = ORDER | {"status": "CANCELLED", "leaves_quantity": "0", "limit_price": "0", "cancel_reason": "User requested"}
    channel.on_message(message(ended), 0)
    event = await anext(channel.events())
    assert isinstance(event, OrderHint)
    assert (event.order.status, event.order.size, event.order.filled_size) == (OrderStatus.CANCELLED, Decimal("1.0"), Decimal("0.4"))
    assert (event.order.limit_price, event.order.reason) == (Decimal("101.5"), "User requested")


async def test_of_each_order_the_latest_waits() -> None:
    queue = HintQueue()
    for event in (hint("a"), hint("b"), hint("a", "0.1"), hint("a", "0.2")):
        queue.put(event)
    assert await taken(queue) == [hint("b"), hint("a", "0.2")]


@pytest.mark.parametrize(
    ("put", "expected"),
    [
        ([LIVE, LOST, LIVE], [LOST, LIVE]),
        ([LOST, LIVE, LOST], [LOST]),
        ([LIVE, hint("a"), LOST, hint("b"), LIVE, hint("c")], [hint("a"), LOST, hint("b"), LIVE, hint("c")]),
        ([LOST, LIVE, LOST, LIVE, LOST, LIVE], [LOST, LIVE]),
    ],
)
async def test_a_loss_that_was_not_yet_told_stays(put: list[VenueEvent], expected: list[VenueEvent]) -> None:
    queue = HintQueue()
    for event in put:
        queue.put(event)
    assert await taken(queue) == expected


async def test_the_queue_is_bounded_by_the_orders() -> None:
    queue = HintQueue()
    for number in range(10_000):
        queue.put(hint(f"v-{number % 7}"))
        queue.put(LOST)
        queue.put(LIVE)
    assert len(queue) == 9


async def test_lost_is_told_once_and_only_after_live() -> None:
    channel = UserChannel()
    channel.on_lost("never was")
    channel.on_live()
    channel.on_gap("a gap")
    channel.on_lost("and the connection")
    channel.close()
    assert [event async for event in channel.events()] == [StreamChange(state=StreamState.LOST, detail="a gap")]


def test_numbers_are_judged() -> None:
    check = SequenceCheck()
    assert [check.judge(number) for number in (5, 6, 6, 8, 7, 9)] == [
        Arrival.NEXT,
        Arrival.NEXT,
        Arrival.LATE,
        Arrival.GAP,
        Arrival.LATE,
        Arrival.NEXT,
    ]
    assert check.judge(0, "another row") is Arrival.NEXT
