import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.storage.samples import accepted, cancelled, filled, one_of_each, rejected, request, submitted
from traider.api.order_book import CLOSED_KEPT, FILLS_KEPT, OrderBook
from traider.domain.errors import OrderStateError
from traider.domain.orders import OrderAccepted
from traider.domain.vocabulary import OrderStatus
from traider.storage.projection import Projection
from traider.storage.repository import Repository


@pytest.fixture
def book(engine: AsyncEngine) -> OrderBook:
    return OrderBook(Repository(engine))


async def test_an_order_that_neither_bus_nor_store_knows_is_not_told(book: OrderBook) -> None:
    assert await book.observe(accepted(2, request("a"))) is None
    assert book.orders([], open_only=False, limit=10) == []


async def test_an_order_from_before_is_taken_from_the_store(book: OrderBook, projection: Projection) -> None:
    order = request("a")
    await projection.apply([submitted(1, order)], None, None)
    after = await book.observe(accepted(2, order))
    assert after is not None
    assert (after.status, after.venue_order_id, after.n) == (OrderStatus.OPEN, "v-a", 2)


async def test_a_store_that_is_ahead_of_the_bus_is_believed(book: OrderBook, projection: Projection) -> None:
    order = request("a")
    await projection.apply([submitted(1, order), accepted(2, order), filled(3, order, "100", "1")], None, None)
    for event in (accepted(2, order), filled(3, order, "100", "1")):
        after = await book.observe(event)
        assert after is not None
        assert (after.status, after.n) == (OrderStatus.FILLED, 3)


async def test_an_event_that_cannot_be_is_an_error(book: OrderBook) -> None:
    order = request("a")
    await book.observe(submitted(1, order))
    with pytest.raises(OrderStateError):
        await book.observe(cancelled(2, order))


async def test_what_could_not_be_journalled_is_told_and_stands_first(book: OrderBook) -> None:
    await book.observe(submitted(5, request("a")))
    lost = rejected(0, request("b"), "the journal can't be written")
    assert await book.observe(lost) is not None
    assert [order.request.client_order_id for order in book.orders([], open_only=False, limit=10)] == ["b", "a"]


async def test_closed_orders_and_fills_are_forgotten_in_their_order_and_open_ones_never(book: OrderBook) -> None:
    waiting = request("open")
    await book.observe(submitted(1, waiting))
    n = 1
    for number in range(CLOSED_KEPT + 10):
        order = request(f"o{number}")
        await book.observe(submitted(n + 1, order))
        await book.observe(OrderAccepted(n=n + 2, ts_ns=1, client_order_id=order.client_order_id, venue_order_id="v"))
        await book.observe(filled(n + 3, order, "100", "1"))
        n += 3
    kept = book.orders([], open_only=False, limit=10_000)
    assert len(kept) == CLOSED_KEPT + 1
    assert kept[0].request.client_order_id == f"o{CLOSED_KEPT + 9}"
    assert kept[-1].request.client_order_id == "open"
    assert len(book.fills([], 10_000)) == FILLS_KEPT


async def test_what_comes_again_says_nothing_new(book: OrderBook) -> None:
    events = one_of_each()
    for event in events:
        assert await book.observe(event) is not None
    for event in events:
        assert await book.observe(event) is None
