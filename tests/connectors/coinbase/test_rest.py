"""The manners of the REST client, over real connections to the scripted Coinbase."""

import asyncio
import logging
from collections.abc import AsyncIterator
from decimal import Decimal

import msgspec
import pytest

from tests.connectors.coinbase.fake_rest import FakeRest, Fault
from tests.connectors.coinbase.fake_socket import FakeSocket
from tests.connectors.coinbase.keys import ED_NAME, ed_key
from tests.connectors.coinbase.running import REST_TIMING, Exchange, running
from traider.connectors.coinbase import Addresses, ApiKey, CoinbaseVenue, Options, coinbase_venue
from traider.connectors.coinbase.rest import Rest
from traider.connectors.coinbase.transport import Call, NoReplyError, NotSentError, Reply
from traider.connectors.coinbase.wire_account import ServerTime
from traider.domain.orders import OrderRequest
from traider.domain.venue import VenueRejectedError, VenueUnavailableError, VenueUnknownError
from traider.domain.vocabulary import OrderType, Side
from traider.runtime.clock import SystemClock

PRIVATE, SECRET = ed_key()
ORDER = OrderRequest(
    client_order_id="c-1", symbol="BTC-USD", side=Side.BUY, type=OrderType.LIMIT, size=Decimal("0.5"), limit_price=Decimal("25000.00")
)


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    async with running(Exchange(FakeRest({ED_NAME: PRIVATE.public_key()}), FakeSocket())) as exchange:
        yield exchange


@pytest.fixture
async def venue(exchange: Exchange) -> AsyncIterator[CoinbaseVenue]:
    venue = coinbase_venue(ApiKey(ED_NAME, SECRET), SystemClock(), exchange.options)
    await venue.start()
    yield venue
    await venue.stop()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/accounts", status=503, body=""),
        Fault("/accounts", drop=True),
        Fault("/accounts", body="<html>"),
        Fault("/accounts", status=429, body="{}"),
        Fault("/accounts", status=401, body=""),
    ],
)
async def test_a_question_is_asked_again(exchange: Exchange, venue: CoinbaseVenue, fault: Fault) -> None:
    exchange.rest.faults.append(Fault(**vars(fault)))
    assert [balance.currency for balance in await venue.balances()] == ["BTC", "USD"]
    # aiohttp asks again by itself, and only where a kept connection was closed
    assert len(exchange.rest.sent("/accounts")) == (3 if fault.drop else 2)


async def test_a_question_is_not_asked_for_ever(exchange: Exchange, venue: CoinbaseVenue) -> None:
    exchange.rest.faults.append(Fault("/accounts", status=503, body="", times=1000))
    with pytest.raises(VenueUnavailableError, match="status 503"):
        await venue.balances()
    assert len(exchange.rest.sent("/accounts")) == REST_TIMING.attempts


async def test_a_refused_token_is_tried_once_more_and_no_oftener(exchange: Exchange, venue: CoinbaseVenue) -> None:
    exchange.rest.public_keys.clear()
    with pytest.raises(VenueUnavailableError, match="status 401"):
        await venue.balances()
    assert len(exchange.rest.sent("/accounts")) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/orders", status=503, body=""),
        Fault("/orders", drop=True),
        Fault("/orders", status=429, body="{}"),
        Fault("/orders", status=401, body=""),
    ],
)
async def test_an_order_is_sent_once_whatever_comes_back(exchange: Exchange, venue: CoinbaseVenue, fault: Fault) -> None:
    exchange.rest.faults.append(Fault(**vars(fault)))
    with pytest.raises(VenueUnknownError):
        await venue.submit(ORDER)
    assert len(exchange.rest.sent("/orders")) == 1


async def test_an_order_on_a_connection_that_the_venue_closed_is_not_sent_twice(exchange: Exchange, venue: CoinbaseVenue) -> None:
    """A kept connection is aborted in the moment of the send: HTTP libraries like to repeat that."""
    await venue.balances()
    exchange.rest.faults.append(Fault("/orders", apply=False, drop=True, times=5))
    with pytest.raises(VenueUnknownError):
        await venue.submit(ORDER)
    assert len(exchange.rest.sent("/orders")) == 1


async def test_the_same_order_again_is_the_same_bytes(exchange: Exchange, venue: CoinbaseVenue) -> None:
    exchange.rest.faults.append(Fault("/orders", drop=True))
    with pytest.raises(VenueUnknownError):
        await venue.submit(ORDER)
    await venue.submit(msgspec.json.decode(msgspec.json.encode(ORDER), type=OrderRequest))
    first, second = exchange.rest.sent("/orders")
    assert first == second
    assert first.startswith(b'{"client_order_id":"c-1"')


async def test_without_a_connection_nothing_was_sent() -> None:
    options = Options(addresses=Addresses(rest_url="http://127.0.0.1:1"), rest_timing=REST_TIMING)
    venue = coinbase_venue(ApiKey(ED_NAME, SECRET), SystemClock(), options)
    with pytest.raises(VenueUnavailableError, match=r"no connection to 127\.0\.0\.1:1"):
        await venue.start()
    with pytest.raises(VenueUnavailableError, match="not started"):
        await venue.server_time_ns()


async def test_a_venue_that_does_not_answer_ends_at_the_deadline(exchange: Exchange) -> None:
    over = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    timing = msgspec.structs.replace(REST_TIMING, timeout_s=0.1, total_timeout_s=0.15)
    options = Options(addresses=Addresses(rest_url=f"http://127.0.0.1:{port}"), rest_timing=timing)
    venue = coinbase_venue(ApiKey(ED_NAME, SECRET), SystemClock(), options)
    began_s = asyncio.get_running_loop().time()
    with pytest.raises(VenueUnavailableError, match="no reply within"):
        await venue.start()
    assert asyncio.get_running_loop().time() - began_s < 1.0
    over.set()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.01)


async def test_connections_are_used_again(exchange: Exchange, venue: CoinbaseVenue) -> None:
    for _ in range(10):
        await venue.server_time_ns()
    assert len(exchange.rest.peers) == 1


async def test_every_page_is_asked_for_and_a_circle_is_noticed(exchange: Exchange, venue: CoinbaseVenue) -> None:
    for number in range(7):
        exchange.rest.balances[f"COIN{number}"] = (Decimal(number), Decimal(0))
    assert len(await venue.balances()) == 9
    assert len(exchange.rest.sent("/accounts")) == 5, "nine accounts, two a page"
    exchange.rest.faults.append(Fault("/accounts", body='{"accounts":[],"has_next":true,"cursor":"1"}', times=10))
    with pytest.raises(VenueUnavailableError, match="circle"):
        await venue.balances()


async def test_a_fill_that_is_no_fill_stops_the_booking(exchange: Exchange, venue: CoinbaseVenue) -> None:
    await venue.submit(ORDER)
    exchange.rest.fill("c-1", size="0.5", price="25000")["trade_type"] = "REVERSAL"
    with pytest.raises(VenueUnavailableError, match="REVERSAL"):
        await venue.fills(since_ts_ns=0)


async def test_more_than_a_hundred_cancels_are_several_requests(exchange: Exchange, venue: CoinbaseVenue) -> None:
    ids = tuple(f"v-{number}" for number in range(230))
    outcomes = await venue.cancel(ids)
    assert tuple(outcomes) == ids
    assert {type(outcome) for outcome in outcomes.values()} == {VenueRejectedError}
    assert [len(msgspec.json.decode(body)["order_ids"]) for body in exchange.rest.sent("/orders/batch_cancel")] == [100, 100, 30]


async def test_cancels_are_found_by_id_and_one_that_is_left_out_is_unknown(exchange: Exchange, venue: CoinbaseVenue) -> None:
    results = [
        {"order_id": "c", "success": False, "failure_reason": "ORDER_IS_FULLY_FILLED"},
        {"order_id": "d", "success": False, "failure_reason": "DUPLICATE_CANCEL_REQUEST"},
        {"order_id": "a", "success": True, "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON"},
    ]
    exchange.rest.faults.append(Fault("/orders/batch_cancel", body=msgspec.json.encode({"results": results}).decode()))
    outcomes = await venue.cancel(("a", "b", "c", "d"))
    assert outcomes["a"] is None
    assert isinstance(outcomes["b"], VenueUnknownError)
    assert isinstance(outcomes["c"], VenueRejectedError)
    assert outcomes["c"].code == "ORDER_IS_FULLY_FILLED"
    assert outcomes["d"] is None, "it is being cancelled already"


async def test_a_lost_answer_to_a_cancel_leaves_only_those_unknown(exchange: Exchange, venue: CoinbaseVenue) -> None:
    exchange.rest.faults.append(Fault("/orders/batch_cancel", drop=True))
    outcomes = await venue.cancel(tuple(f"v-{number}" for number in range(150)))
    assert [type(outcome).__name__ for outcome in outcomes.values()] == ["VenueUnknownError"] * 100 + ["VenueRejectedError"] * 50


async def test_cancels_go_while_questions_are_throttled(exchange: Exchange) -> None:
    timing = msgspec.structs.replace(REST_TIMING, private_per_s=0.5, burst=3, cancel_reserve=2, timeout_s=0.2, attempts=1)
    venue = coinbase_venue(ApiKey(ED_NAME, SECRET), SystemClock(), msgspec.structs.replace(exchange.options, rest_timing=timing))
    await venue.start()
    await venue.permissions()
    with pytest.raises(VenueUnavailableError, match="rate limit"):
        await venue.permissions()
    with pytest.raises(VenueUnavailableError, match="rate limit"):
        await venue.submit(ORDER)
    assert await venue.cancel(("v-1",)) != {}
    assert len(exchange.rest.sent("/orders/batch_cancel")) == 1
    assert len(exchange.rest.sent("/orders")) == 0
    await venue.stop()


@pytest.mark.parametrize("skew_s", [-90.0, 90.0])
async def test_a_wrong_clock_here_is_put_right_by_the_venues(exchange: Exchange, skew_s: float) -> None:
    exchange.rest.clock_offset_s = skew_s
    venue = coinbase_venue(ApiKey(ED_NAME, SECRET), SystemClock(), exchange.options)
    await venue.start()
    assert await venue.submit(ORDER)
    assert (await venue.order(client_order_id="c-1")) is not None
    await venue.stop()


async def test_a_venue_that_moves_its_clock_is_followed_at_the_first_401(exchange: Exchange, venue: CoinbaseVenue) -> None:
    await venue.balances()
    exchange.rest.clock_offset_s = 300.0
    times = len(exchange.rest.sent("/time"))
    assert await venue.balances()
    assert len(exchange.rest.sent("/time")) == times + 1
    assert await venue.submit(ORDER)


async def test_an_order_of_another_process_is_found_within_the_look_back(exchange: Exchange, venue: CoinbaseVenue) -> None:
    venue_id = await venue.submit(ORDER)
    other = coinbase_venue(ApiKey(ED_NAME, SECRET), SystemClock(), exchange.options)
    await other.start()
    order = await other.order(client_order_id="c-1")
    assert order is not None
    assert order.venue_order_id == venue_id
    exchange.rest.orders[venue_id]["created_time"] = "2020-01-01T00:00:00.000000Z"
    assert await other.order(client_order_id="c-1") is None
    await other.stop()


async def test_an_order_that_changes_state_between_two_lists_is_not_missed(exchange: Exchange, venue: CoinbaseVenue) -> None:
    venue_id = await venue.submit(ORDER)
    answer = exchange.rest._listed

    def racing(query: object) -> list[dict[str, object]]:
        rows = answer(query)
        if len(exchange.rest.sent("/orders/historical/batch")) == 1:
            # after the first question, before the second
            exchange.rest.orders[venue_id]["status"] = "CANCEL_QUEUED"
        return rows

    exchange.rest._listed = racing  # type: ignore[method-assign]  # the venue, in the moment of the question
    assert [order.venue_order_id for order in await venue.open_orders()] == [venue_id]


async def test_preview_fees_portfolios_and_states(exchange: Exchange, venue: CoinbaseVenue) -> None:
    preview = await venue.orders.preview(ORDER)
    assert (preview.total, preview.fees, preview.best_bid, preview.best_ask) == (
        Decimal("10.06"),
        Decimal("0.06"),
        Decimal(99),
        Decimal(101),
    )
    assert (preview.refusals, preview.warnings) == ((), ("SMALL_ORDER",))
    assert b"client_order_id" not in exchange.rest.sent("/orders/preview")[0]
    assert (await venue.fees()).taker == Decimal("0.012")
    assert [portfolio.uuid for portfolio in await venue.account.portfolios()] == ["p-1"]
    assert list(await venue.market_states()) == ["BTC-USD", "BIP-20DEC30-CDE"]
    assert [instrument.symbol for instrument in await venue.products()] == ["BTC-USD"], "spot only"


async def test_the_key_is_in_no_message_and_no_log(exchange: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        venue = coinbase_venue(ApiKey(ED_NAME, SECRET), SystemClock(), exchange.options)
        await venue.start()
        exchange.rest.faults += [Fault("/orders", status=500, body="x"), Fault("/accounts", status=401, body="Unauthorized", times=9)]
        told: list[str] = [repr(venue), repr(exchange.options)]
        for work in (venue.submit(ORDER), venue.balances()):
            with pytest.raises((VenueUnknownError, VenueUnavailableError)) as caught:
                await work
            told.append(str(caught.value))
        exchange.socket.hang_up(1011)
        await asyncio.sleep(0.1)
        await venue.stop()
    everything = caplog.text + "".join(told)
    assert SECRET[:20] not in everything
    assert "Bearer" not in everything
    assert "eyJ" not in everything, "a token begins with this"


class Scripted:
    """A transport that answers from a list."""

    def __init__(self, *answers: Reply | Exception) -> None:
        self.answers = list(answers)
        self.calls: list[Call] = []

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def send(self, call: Call, *, timeout_s: float) -> Reply:
        self.calls.append(call)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_not_sent_and_no_reply_are_told_apart() -> None:
    rest = Rest(Scripted(NotSentError("no connection"), NoReplyError("it broke")), REST_TIMING)
    with pytest.raises(VenueUnavailableError, match="no connection"):
        await rest.change("/orders", {}, ServerTime)
    with pytest.raises(VenueUnknownError, match="it broke"):
        await rest.change("/orders", {}, ServerTime)
