"""What every ``Venue`` has to do: one list, run over each of them.

A subclass hands in a ``stage``: the venue, and the power over the other side of it. Nothing here knows which venue it is.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from decimal import Decimal

import msgspec
import pytest

from traider.domain.orders import OrderRequest
from traider.domain.venue import (
    MarketState,
    OrderHint,
    StreamChange,
    StreamState,
    Venue,
    VenueEvent,
    VenueRejectedError,
    VenueUnavailableError,
    VenueUnknownError,
)
from traider.domain.vocabulary import OrderStatus, OrderType, Side, TimeInForce

SIZE = Decimal("0.5")
PATIENCE_S = 10.0


class Stage(ABC):
    """A started venue with an account that can pay, and what a test may have happen at the exchange."""

    venue: Venue
    symbol: str
    quote: str
    resting_price: Decimal  # a buy at this price rests
    other_price: Decimal  # so does one at this
    too_much: Decimal  # a size that the account can't pay for

    @abstractmethod
    async def fill(self, client_order_id: str, size: Decimal) -> None:
        """So much of the resting order trades, at its price."""

    @abstractmethod
    async def lose_next_reply(self, *, applied: bool) -> None:
        """The next order is taken and its reply lost, or lost on the way there."""

    @abstractmethod
    async def answer_next_order(self, status: int, body: str) -> None:
        """The next order is taken, and answered with this."""

    @abstractmethod
    async def drop_stream(self) -> None:
        """The user channel's connection breaks."""


def buy(stage: Stage, client_order_id: str, *, size: Decimal = SIZE, price: Decimal | None = None) -> OrderRequest:
    """A limit order that rests."""
    return OrderRequest(
        client_order_id=client_order_id,
        symbol=stage.symbol,
        side=Side.BUY,
        type=OrderType.LIMIT,
        size=size,
        limit_price=stage.resting_price if price is None else price,
        time_in_force=TimeInForce.GTC,
    )


async def until(events: AsyncIterator[VenueEvent], what: type[VenueEvent], **fields: object) -> VenueEvent:
    """The next event of this kind with these fields."""
    async with asyncio.timeout(PATIENCE_S):
        async for event in events:
            if isinstance(event, what) and all(getattr(event, name) == value for name, value in fields.items()):
                return event
    raise AssertionError("the events ended")


class VenueConformance:
    """Derive from it, and define a fixture ``stage``."""

    async def test_an_order_is_placed_once_and_found_by_either_id(self, stage: Stage) -> None:
        venue_id = await stage.venue.submit(buy(stage, "c-1"))
        by_venue = await stage.venue.order(venue_order_id=venue_id)
        by_client = await stage.venue.order(client_order_id="c-1")
        assert by_venue is not None
        assert by_venue == by_client
        assert (by_venue.venue_order_id, by_venue.client_order_id, by_venue.symbol) == (venue_id, "c-1", stage.symbol)
        assert (by_venue.side, by_venue.status, by_venue.size, by_venue.filled_size) == (Side.BUY, OrderStatus.OPEN, SIZE, Decimal(0))
        assert by_venue.limit_price == stage.resting_price
        assert [order.venue_order_id for order in await stage.venue.open_orders()] == [venue_id]

    async def test_the_same_request_again_is_the_same_order(self, stage: Stage) -> None:
        first = await stage.venue.submit(buy(stage, "c-1"))
        assert await stage.venue.submit(buy(stage, "c-1")) == first
        assert len(await stage.venue.open_orders()) == 1

    async def test_a_refusal_has_the_venues_word_and_leaves_nothing(self, stage: Stage) -> None:
        with pytest.raises(VenueRejectedError) as caught:
            await stage.venue.submit(buy(stage, "c-1", size=stage.too_much))
        assert "INSUFFICIENT" in caught.value.code
        assert await stage.venue.open_orders() == ()

    async def test_a_size_off_the_grid_is_refused(self, stage: Stage) -> None:
        with pytest.raises(VenueRejectedError) as caught:
            await stage.venue.submit(buy(stage, "c-1", size=Decimal("0.5000000000000000001")))
        assert "SIZE" in caught.value.code
        assert await stage.venue.open_orders() == ()

    async def test_a_market_that_is_not_there_is_refused(self, stage: Stage) -> None:
        with pytest.raises(VenueRejectedError):
            await stage.venue.submit(msgspec.structs.replace(buy(stage, "c-1"), symbol="NO-SUCH"))

    async def test_a_cancel_ends_the_order(self, stage: Stage) -> None:
        venue_id = await stage.venue.submit(buy(stage, "c-1"))
        assert await stage.venue.cancel((venue_id,)) == {venue_id: None}
        # The venue took the request; the order ends when it says so.
        async with asyncio.timeout(PATIENCE_S):
            order = await stage.venue.order(venue_order_id=venue_id)
            while order is not None and order.status is OrderStatus.OPEN:
                await asyncio.sleep(0.02)
                order = await stage.venue.order(venue_order_id=venue_id)
        assert order is not None
        assert order.status is OrderStatus.CANCELLED
        assert await stage.venue.open_orders() == ()

    async def test_each_cancel_of_a_batch_has_its_own_answer(self, stage: Stage) -> None:
        venue_id = await stage.venue.submit(buy(stage, "c-1"))
        outcomes = await stage.venue.cancel((venue_id, "no-such-order"))
        assert outcomes[venue_id] is None
        assert isinstance(outcomes["no-such-order"], VenueRejectedError)

    async def test_cancelling_nothing_asks_nothing(self, stage: Stage) -> None:
        assert await stage.venue.cancel(()) == {}

    async def test_an_amended_order_keeps_its_id(self, stage: Stage) -> None:
        venue_id = await stage.venue.submit(buy(stage, "c-1"))
        await stage.venue.amend(venue_id, size=SIZE / 2, price=stage.other_price)
        order = await stage.venue.order(venue_order_id=venue_id)
        assert order is not None
        assert (order.size, order.limit_price, order.status) == (SIZE / 2, stage.other_price, OrderStatus.OPEN)

    async def test_amending_what_is_not_open_is_refused(self, stage: Stage) -> None:
        venue_id = await stage.venue.submit(buy(stage, "c-1"))
        await stage.venue.cancel((venue_id,))
        with pytest.raises(VenueRejectedError):
            await stage.venue.amend(venue_id, size=SIZE, price=stage.other_price)

    async def test_open_orders_are_all_pages(self, stage: Stage) -> None:
        placed = {await stage.venue.submit(buy(stage, f"c-{number}", size=SIZE / 10)) for number in range(7)}
        assert {order.venue_order_id for order in await stage.venue.open_orders()} == placed

    async def test_fills_come_once_each_oldest_first_and_add_up(self, stage: Stage) -> None:
        before_ns = await stage.venue.server_time_ns() - 60 * 10**9
        venue_id = await stage.venue.submit(buy(stage, "c-1"))
        for part in ("0.1", "0.3", "0.1"):
            await stage.fill("c-1", Decimal(part))
        fills = await stage.venue.fills(since_ts_ns=before_ns)
        assert [fill.size for fill in fills] == [Decimal("0.1"), Decimal("0.3"), Decimal("0.1")]
        assert len({fill.trade_id for fill in fills}) == 3
        assert {(fill.venue_order_id, fill.client_order_id, fill.symbol) for fill in fills} == {(venue_id, "c-1", stage.symbol)}
        assert {(fill.side, fill.price) for fill in fills} == {(Side.BUY, stage.resting_price)}
        assert [fill.ts_ns for fill in fills] == sorted(fill.ts_ns for fill in fills)
        order = await stage.venue.order(venue_order_id=venue_id)
        assert order is not None
        assert (order.status, order.filled_size) == (OrderStatus.FILLED, SIZE)
        assert await stage.venue.fills(since_ts_ns=before_ns) == fills

    async def test_a_partly_filled_order_is_told_as_one(self, stage: Stage) -> None:
        venue_id = await stage.venue.submit(buy(stage, "c-1"))
        await stage.fill("c-1", Decimal("0.2"))
        order = await stage.venue.order(venue_order_id=venue_id)
        assert order is not None
        assert (order.status, order.filled_size, order.size) == (OrderStatus.PARTIALLY_FILLED, Decimal("0.2"), SIZE)
        assert [order.venue_order_id for order in await stage.venue.open_orders()] == [venue_id]

    async def test_a_reply_lost_after_the_fact_is_unknown_and_settled_by_asking(self, stage: Stage) -> None:
        await stage.lose_next_reply(applied=True)
        with pytest.raises(VenueUnknownError):
            await stage.venue.submit(buy(stage, "c-1"))
        order = await stage.venue.order(client_order_id="c-1")
        assert order is not None
        assert await stage.venue.submit(buy(stage, "c-1")) == order.venue_order_id
        assert len(await stage.venue.open_orders()) == 1

    async def test_a_request_lost_on_the_way_is_unknown_and_settled_by_asking(self, stage: Stage) -> None:
        await stage.lose_next_reply(applied=False)
        with pytest.raises(VenueUnknownError):
            await stage.venue.submit(buy(stage, "c-1"))
        assert await stage.venue.order(client_order_id="c-1") is None
        assert await stage.venue.open_orders() == ()

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (500, ""),
            (502, "<html>bad gateway</html>"),
            (503, '{"error":"unavailable"}'),
            (401, "Unauthorized\n"),
            (429, '{"errors":[{"id":"rate_limit_exceeded","message":"slow down"}]}'),
            (200, "<html>maintenance</html>"),
            (200, '{"success":true}'),
            (200, '{"success":true,"success_response":{"order_id":""}}'),
            (200, '{"success":true,"success_response":{"order_id":"another","client_order_id":"not-ours"}}'),
            (200, '{"success":tr'),
            (200, '{"success":false}'),
        ],
    )
    async def test_an_answer_that_proves_nothing_is_unknown(self, stage: Stage, status: int, body: str) -> None:
        await stage.answer_next_order(status, body)
        with pytest.raises(VenueUnknownError):
            await stage.venue.submit(buy(stage, "c-1"))
        assert len(await stage.venue.open_orders()) == 1

    async def test_an_order_that_is_not_there_is_none(self, stage: Stage) -> None:
        assert await stage.venue.order(client_order_id="never-sent") is None
        assert await stage.venue.order(venue_order_id="00000000-0000-0000-0000-000000000000") is None

    async def test_balances_name_free_and_held(self, stage: Stage) -> None:
        balances = {balance.currency: balance for balance in await stage.venue.balances()}
        assert balances[stage.quote].available + balances[stage.quote].held > 0

    async def test_markets_have_their_increments(self, stage: Stage) -> None:
        instruments = {instrument.symbol: instrument for instrument in await stage.venue.products()}
        instrument = instruments[stage.symbol]
        assert (instrument.base, instrument.quote) == tuple(stage.symbol.split("-"))
        assert instrument.price_increment > 0
        assert instrument.size_increment > 0

    async def test_a_market_that_is_traded_takes_every_kind_of_order(self, stage: Stage) -> None:
        states = await stage.venue.market_states()
        assert states[stage.symbol] == MarketState(symbol=stage.symbol, tradable=True)

    async def test_the_key_can_trade_and_not_transfer(self, stage: Stage) -> None:
        permissions = await stage.venue.permissions()
        assert (permissions.can_view, permissions.can_trade, permissions.can_transfer) == (True, True, False)

    async def test_the_stream_says_when_it_is_live_and_hints_at_orders(self, stage: Stage) -> None:
        events = stage.venue.events()
        await until(events, StreamChange, state=StreamState.LIVE)
        venue_id = await stage.venue.submit(buy(stage, "c-1"))
        hint = await until(events, OrderHint)
        assert isinstance(hint, OrderHint)
        assert (hint.order.venue_order_id, hint.order.client_order_id) == (venue_id, "c-1")
        assert (hint.order.symbol, hint.order.side, hint.order.status) == (stage.symbol, Side.BUY, OrderStatus.OPEN)
        await stage.fill("c-1", Decimal("0.2"))
        hint = await until(events, OrderHint)
        assert isinstance(hint, OrderHint)
        assert (hint.order.filled_size, hint.order.size) == (Decimal("0.2"), SIZE)

    async def test_a_broken_stream_is_told_and_comes_back_by_itself(self, stage: Stage) -> None:
        events = stage.venue.events()
        await until(events, StreamChange, state=StreamState.LIVE)
        await stage.drop_stream()
        lost = await until(events, StreamChange, state=StreamState.LOST)
        assert isinstance(lost, StreamChange)
        assert lost.detail
        await until(events, StreamChange, state=StreamState.LIVE)
        await stage.venue.submit(buy(stage, "c-1"))
        hint = await until(events, OrderHint)
        assert isinstance(hint, OrderHint)
        assert hint.order.client_order_id == "c-1"

    async def test_a_stopped_venue_sends_nothing_and_ends_its_stream(self, stage: Stage) -> None:
        events = stage.venue.events()
        await until(events, StreamChange, state=StreamState.LIVE)
        await stage.venue.stop()
        async with asyncio.timeout(PATIENCE_S):
            rest = [event async for event in events]
        assert all(isinstance(event, StreamChange) and event.state is StreamState.LOST for event in rest)
        with pytest.raises(VenueUnavailableError):
            await stage.venue.submit(buy(stage, "c-1"))
