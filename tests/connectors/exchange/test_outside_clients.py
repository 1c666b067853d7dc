"""The official SDK and ccxt, unmodified: what each decodes is what the exchange holds, and what the others decode."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
import pytest
from coinbase.websocket import WebsocketResponse
from requests import HTTPError

from tests.connectors.exchange import outside
from tests.connectors.exchange.outside import call
from tests.connectors.exchange.running import Running, exchange
from traider.connectors.sim.exchange.keys import KeyKind
from traider.connectors.sim.exchange.tls import server_context


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return tmp_path / "ca.pem"


@pytest.fixture
async def running(ca: Path) -> AsyncIterator[Running]:
    async with exchange(virtual=False, tls=server_context(ca, "127.0.0.1")) as running:
        yield running


@pytest.fixture
def sdk(running: Running, ca: Path) -> Iterator[Any]:
    client = outside.official(running, ca, running.key)
    yield client
    client.session.close()


@pytest.fixture
async def ccxt_client(running: Running) -> AsyncIterator[Any]:
    client = outside.ccxt_client(running, running.key)
    await call(client.load_markets)
    yield client
    client.session.close()


@pytest.fixture
async def ccxt_pro(running: Running) -> AsyncIterator[Any]:
    client = outside.ccxt_pro_client(running, running.key)
    await client.load_markets()
    yield client
    await client.close()


def trade(running: Running, side: int, ticks: int, lots: int) -> None:
    running.simulator.exchange.step(running.simulator.exchange.markets["BTC-USD"], lambda matcher: matcher.on_trade(side, ticks, lots))


async def subscribed(running: Running, channel: str) -> None:
    """Returns when somebody listens to it."""
    await until(lambda: any(channel in session.channels for session in running.simulator.sessions()))


async def until(holds: Callable[[], bool]) -> None:
    """Returns when it holds; the clients have no event that says so."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def truth(running: Running) -> dict[str, Any]:
    return running.simulator.truth.report()


class TestOfficialClient:
    @pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])
    async def test_keys_of_both_kinds(self, running: Running, ca: Path, kind: KeyKind) -> None:
        client = outside.official(running, ca, running.add_account("bob", kind, ("view",)))
        permissions = await call(client.get_api_key_permissions)
        assert (permissions.can_view, permissions.can_trade, permissions.can_transfer) == (True, False, False)
        with pytest.raises(HTTPError, match="Missing Required Scopes"):
            await call(client.market_order_buy, "", "BTC-USD", quote_size="10")
        client.session.close()

    async def test_every_configuration_of_an_order(self, running: Running, sdk: Any) -> None:
        later = "2099-01-01T00:00:00Z"
        up, down = "STOP_DIRECTION_STOP_UP", "STOP_DIRECTION_STOP_DOWN"
        asked = {
            "market": (sdk.market_order_buy, {"quote_size": "50"}),
            "ioc": (sdk.limit_order_ioc_buy, {"base_size": "0.1", "limit_price": "101"}),
            "gtc": (sdk.limit_order_gtc_sell, {"base_size": "0.1", "limit_price": "150"}),
            "gtd": (sdk.limit_order_gtd_buy, {"base_size": "0.1", "limit_price": "50", "end_time": later}),
            "fok": (sdk.limit_order_fok_sell, {"base_size": "0.1", "limit_price": "99"}),
            "stop": (sdk.stop_limit_order_gtc_sell, {"base_size": "0.1", "limit_price": "80", "stop_price": "85", "stop_direction": down}),
            "stop gtd": (
                sdk.stop_limit_order_gtd_buy,
                {"base_size": "0.1", "limit_price": "190", "stop_price": "180", "end_time": later, "stop_direction": up},
            ),
            "bracket": (sdk.trigger_bracket_order_gtc_sell, {"base_size": "0.1", "limit_price": "150", "stop_trigger_price": "60"}),
            "bracket gtd": (
                sdk.trigger_bracket_order_gtd_buy,
                {"base_size": "0.1", "limit_price": "60", "stop_trigger_price": "150", "end_time": later},
            ),
        }
        for name, (function, fields) in asked.items():
            reply = await call(function, name, "BTC-USD", **fields)
            assert reply.success, (name, reply.to_dict())
            order = (await call(sdk.get_order, reply.success_response["order_id"])).order
            assert (order.client_order_id, order.order_configuration.to_dict()) == (name, reply.order_configuration.to_dict())
        orders = (await call(sdk.list_orders, product_ids=["BTC-USD"])).orders
        told = {order.client_order_id: (order.status, order.order_type, order.time_in_force) for order in orders}
        assert told == {
            "market": ("FILLED", "MARKET", "IMMEDIATE_OR_CANCEL"),
            "ioc": ("FILLED", "LIMIT", "IMMEDIATE_OR_CANCEL"),
            "gtc": ("OPEN", "LIMIT", "GOOD_UNTIL_CANCELLED"),
            "gtd": ("OPEN", "LIMIT", "GOOD_UNTIL_DATE_TIME"),
            "fok": ("FILLED", "LIMIT", "FILL_OR_KILL"),
            "stop": ("OPEN", "STOP_LIMIT", "GOOD_UNTIL_CANCELLED"),
            "stop gtd": ("OPEN", "STOP_LIMIT", "GOOD_UNTIL_DATE_TIME"),
            "bracket": ("OPEN", "BRACKET", "GOOD_UNTIL_CANCELLED"),
            "bracket gtd": ("OPEN", "BRACKET", "GOOD_UNTIL_DATE_TIME"),
        }

    async def test_place_edit_fill_and_cancel(self, running: Running, sdk: Any) -> None:
        order_id = (await call(sdk.limit_order_gtc_buy, "one", "BTC-USD", "2", "90")).success_response["order_id"]
        preview = await call(sdk.preview_edit_order, order_id, size="3", price="95")
        assert preview.order_total == "286.71"  # 3 x 95 x 1.006
        assert (await call(sdk.edit_order, order_id, size="3", price="95")).success
        trade(running, -1, 94, 1000)
        order = (await call(sdk.get_order, order_id)).order
        assert (order.filled_size, order.average_filled_price, order.edit_history[0]["price"]) == ("1", "95", "95")
        fills = (await call(sdk.get_fills, order_ids=[order_id])).fills
        assert [(fill.price, fill.size, fill.commission, fill.liquidity_indicator) for fill in fills] == [("95", "1", "0.38", "MAKER")]
        results = (await call(sdk.cancel_orders, [order_id, "nothing"])).results
        assert [(result.success, result.failure_reason) for result in results] == [
            (True, "UNKNOWN_CANCEL_FAILURE_REASON"),
            (False, "UNKNOWN_CANCEL_ORDER"),
        ]
        assert (await call(sdk.get_order, order_id)).order.status == "CANCELLED"

    async def test_a_refusal_is_read(self, running: Running, sdk: Any) -> None:
        reply = await call(sdk.limit_order_gtc_sell, "big", "BTC-USD", "11", "150")
        assert (reply.success, reply.error_response["preview_failure_reason"]) == (False, "PREVIEW_INSUFFICIENT_FUND")
        preview = await call(sdk.preview_limit_order_gtc_sell, "BTC-USD", "11", "150")
        assert preview.errs == ["PREVIEW_INSUFFICIENT_FUND"]

    async def test_market_data_and_the_account(self, running: Running, sdk: Any) -> None:
        book = (await call(sdk.get_public_product_book, "BTC-USD", limit=1)).pricebook
        assert [(level.price, level.size) for level in (*book.bids, *book.asks)] == [("99", "1"), ("101", "1")]
        assert (await call(sdk.get_best_bid_ask, ["BTC-USD"])).pricebooks[0].asks[0].price == "101"
        now = int(time.time())
        candles = (await call(sdk.get_candles, "BTC-USD", str(now - 3600), str(now), "ONE_HOUR")).candles
        assert [(candle.close, candle.volume) for candle in candles] == [("100", "1")]
        assert [t.side for t in (await call(sdk.get_market_trades, "BTC-USD", limit=1)).trades] == ["SELL"]
        assert {p.product_id for p in (await call(sdk.get_products)).products} == {"BTC-USD", "BTC-USDC"}
        portfolio = (await call(sdk.get_portfolios)).portfolios[0]
        assert (await call(sdk.get_portfolio_breakdown, portfolio.uuid)).breakdown.portfolio_balances["total_balance"]["value"] == "101000"
        assert (await call(sdk.get_transaction_summary)).fee_tier["taker_fee_rate"] == "0.006"
        assert abs(int((await call(sdk.get_unix_time)).epoch_millis) / 1000 - time.time()) < 5

    async def test_limits_are_in_the_headers(self, running: Running, ca: Path) -> None:
        running.simulator.exchange.switches.limits = True
        client = outside.official(running, ca, running.key)
        client.rate_limit_headers = True
        reply = await call(client.get_accounts)
        assert reply["rate_limit_remaining"] == "29"
        client.session.close()


async def test_the_official_sockets_stream_every_channel(running: Running) -> None:
    messages: list[str] = []
    market = outside.official_socket(running, running.key, messages.append)
    user = outside.official_socket(running, running.key, messages.append, user=True)
    await call(market.open)
    await call(user.open)
    channels = ["heartbeats", "level2", "ticker", "ticker_batch", "market_trades", "candles", "status"]
    await call(market.subscribe, ["BTC-USD"], channels)
    await call(user.subscribe, [], ["user", "heartbeats", "futures_balance_summary"])
    await subscribed(running, "user")
    order_id = running.simulator.entry.create(running.account, running.order_body("BUY", "101", "0.5")).order_id
    wanted = {"heartbeats", "l2_data", "ticker", "ticker_batch", "market_trades", "candles", "status", "user", "futures_balance_summary"}

    def complete() -> bool:
        return wanted <= {message["channel"] for message in outside.decoded(list(messages))} and any('"FILLED"' in m for m in messages)

    await until(complete)
    await call(market.close)
    await call(user.close)
    read = [WebsocketResponse(message) for message in outside.decoded(messages)]
    assert [order.order_id for r in read if r.channel == "user" for e in r.events for order in e.orders or ()] == [order_id]
    snapshot = next(event for r in read if r.channel == "l2_data" for event in r.events)
    first = snapshot.updates[0]
    assert (first.side, first.price_level, first.new_quantity) == ("bid", "99", "1")
    update = [event for r in read if r.channel == "l2_data" for event in r.events][1]
    assert [(u.side, u.price_level, u.new_quantity) for u in update.updates] == [("offer", "101", "0.5")]


class TestCcxt:
    async def test_place_list_edit_cancel_and_fill(self, running: Running, ccxt_client: Any) -> None:
        placed = await call(ccxt_client.create_order, "BTC/USD", "limit", "buy", 2, 90, {"client_order_id": "mine"})
        assert placed["clientOrderId"] == "mine"
        (order,) = await call(ccxt_client.fetch_open_orders, "BTC/USD")
        assert (order["id"], order["price"], order["amount"], order["status"]) == (placed["id"], 90.0, 2.0, "open")
        edited = await call(ccxt_client.edit_order, placed["id"], "BTC/USD", "limit", "buy", 3, 95)
        assert edited["info"]["success"]
        trade(running, -1, 94, 1000)
        order = await call(ccxt_client.fetch_order, placed["id"], "BTC/USD")
        assert (order["filled"], order["average"], order["fee"]["cost"]) == (1.0, 95.0, "0.38")
        cancelled = await call(ccxt_client.cancel_order, placed["id"], "BTC/USD")
        assert cancelled["info"]["success"]
        assert (await call(ccxt_client.fetch_order, placed["id"], "BTC/USD"))["status"] == "canceled"
        (fill,) = await call(ccxt_client.fetch_my_trades, "BTC/USD")
        assert (fill["price"], fill["amount"], fill["takerOrMaker"], fill["order"]) == (95.0, 1.0, "maker", placed["id"])

    async def test_market_orders_and_stops(self, running: Running, ccxt_client: Any) -> None:
        bought = await call(ccxt_client.create_order, "BTC/USD", "market", "buy", 0.5, 101)
        order = await call(ccxt_client.fetch_order, bought["id"])
        assert (order["status"], order["average"]) == ("closed", 101.0)
        stop = await call(ccxt_client.create_order, "BTC/USD", "limit", "sell", 1, 80, {"stopLossPrice": 85})
        assert (await call(ccxt_client.fetch_order, stop["id"]))["info"]["trigger_status"] == "STOP_PENDING"
        assert len(await call(ccxt_client.cancel_orders, [stop["id"]])) == 1

    async def test_market_data(self, running: Running, ccxt_client: Any) -> None:
        market = ccxt_client.market("BTC/USD")
        assert (market["precision"], market["taker"], market["limits"]["cost"]["min"]) == ({"amount": 0.001, "price": 1.0}, 0.006, 1.0)
        book = await call(ccxt_client.fetch_order_book, "BTC/USD")
        assert (book["bids"], book["asks"]) == ([[99.0, 1.0], [98.0, 2.0]], [[101.0, 1.0], [102.0, 2.0]])
        assert [candle[4] for candle in await call(ccxt_client.fetch_ohlcv, "BTC/USD", "1h", limit=5)] == [100.0]
        assert [t["side"] for t in await call(ccxt_client.fetch_trades, "BTC/USD")] == ["sell"]  # ccxt hands on the maker's side
        assert (await call(ccxt_client.fetch_balance))["BTC"]["free"] == 10.0

    async def test_errors_have_their_classes(self, running: Running, ccxt_client: Any) -> None:
        with pytest.raises(ccxt.InsufficientFunds):
            await call(ccxt_client.create_order, "BTC/USD", "limit", "sell", 11, 150)
        running.simulator.faults.add({"do": "status", "match": {"path": "/accounts"}, "code": 429})
        with pytest.raises(ccxt.RateLimitExceeded):
            await call(ccxt_client.fetch_balance)
        running.simulator.faults.add({"do": "key.revoke"})
        with pytest.raises(ccxt.AuthenticationError):
            await call(ccxt_client.fetch_balance)

    async def test_an_ed25519_key(self, running: Running) -> None:
        client = outside.ccxt_client(running, running.add_account("bob", "ed25519"))
        assert (await call(client.fetch_balance))["BTC"]["free"] == 10.0
        client.session.close()


async def test_ccxt_pro_streams_books_trades_ticker_and_orders(running: Running, ccxt_pro: Any) -> None:
    book = await ccxt_pro.watch_order_book("BTC/USD")
    assert (book["bids"], book["asks"]) == ([[99.0, 1.0], [98.0, 2.0]], [[101.0, 1.0], [102.0, 2.0]])
    assert (await ccxt_pro.watch_ticker("BTC/USD"))["last"] == 100.0
    assert [t["price"] for t in await ccxt_pro.watch_trades("BTC/USD")] == [100.0]
    watched = asyncio.create_task(ccxt_pro.watch_orders("BTC/USD"))
    await subscribed(running, "user")
    order = running.simulator.entry.create(running.account, running.order_body("BUY", "101", "0.5"))
    (told,) = await asyncio.wait_for(watched, 5)
    assert (told["id"], told["status"], told["info"]["cumulative_quantity"]) == (order.order_id, "closed", "0.5")
    await until(lambda: bool(ccxt_pro.orderbooks["BTC/USD"]["asks"][0] == [101.0, 0.5]))  # its copy of the book follows by itself


@pytest.fixture
async def own(running: Running) -> AsyncIterator[Any]:
    venue = outside.own(running, running.key)
    await venue.start()
    yield venue
    await venue.stop()


async def test_our_own_client_decodes_what_the_sdk_does(running: Running, sdk: Any, own: Any) -> None:
    """Order, fills, balances, products and permissions, number by number."""
    placed = (await call(sdk.limit_order_gtc_buy, "sdk", "BTC-USD", "1.5", "101")).success_response["order_id"]
    await call(sdk.limit_order_gtc_sell, "other", "BTC-USD", "2", "150")
    there, here = (await call(sdk.get_order, placed)).order, await own.order(client_order_id="sdk")
    assert (here.venue_order_id, here.status.value, here.side.name) == (placed, "partially_filled", there.side)
    assert (here.filled_size, here.limit_price) == (Decimal(there.filled_size), Decimal(101))
    assert {order.venue_order_id for order in await own.open_orders()} == {
        order.order_id for order in (await call(sdk.list_orders, order_status=["OPEN"])).orders
    }
    fills = {fill.trade_id: fill for fill in (await call(sdk.get_fills)).fills}
    read = await own.fills(since_ts_ns=0)
    assert {fill.trade_id for fill in read} == fills.keys() != set()
    for fill in read:
        other = fills[fill.trade_id]
        assert (fill.price, fill.size, fill.fee) == (Decimal(other.price), Decimal(other.size), Decimal(other.commission))
        assert (fill.liquidity.name, fill.venue_order_id) == (other.liquidity_indicator, other.order_id)
    accounts = {account.currency: account for account in (await call(sdk.get_accounts)).accounts}
    for balance in await own.balances():
        account = accounts[balance.currency]
        assert (balance.available, balance.held) == (Decimal(account.available_balance["value"]), Decimal(account.hold["value"]))
    products = {product.product_id: product for product in (await call(sdk.get_products)).products}
    for instrument in await own.products():
        assert instrument.price_increment == Decimal(products[instrument.symbol].price_increment)
        assert instrument.size_increment == Decimal(products[instrument.symbol].base_increment)
    permissions, theirs = await own.permissions(), await call(sdk.get_api_key_permissions)
    assert (permissions.can_trade, permissions.can_transfer, permissions.portfolio) == (
        theirs.can_trade,
        theirs.can_transfer,
        theirs.portfolio_uuid,
    )


async def test_all_of_them_decode_the_same(running: Running, sdk: Any, ccxt_client: Any, ccxt_pro: Any) -> None:
    """One script of orders; what each client reads afterwards, in its own words, is compared number by number with the truth."""
    first = (await call(sdk.limit_order_gtc_buy, "sdk", "BTC-USD", "1", "101")).success_response["order_id"]
    second = (await call(ccxt_client.create_order, "BTC/USD", "limit", "sell", 2, 98, {"client_order_id": "ccxt"}))["id"]
    third = (await ccxt_pro.create_order("BTC/USD", "limit", "buy", 0.25, 90))["id"]
    told = {order["order_id"]: order for order in truth(running)["orders"]}
    for order_id in (first, second, third):
        there, here = (await call(sdk.get_order, order_id)).order, await call(ccxt_client.fetch_order, order_id)
        streamed = await ccxt_pro.fetch_order(order_id)
        assert there.to_dict() == {k: v for k, v in told[order_id].items() if k != "account"}
        for read in (here, streamed):
            assert Decimal(str(read["filled"])) == Decimal(there.filled_size)
            assert Decimal(str(read["price"])) == Decimal(next(iter(there.order_configuration.to_dict().values()))["limit_price"])
            assert Decimal(str(read["fee"]["cost"])) == Decimal(there.total_fees)
            assert read["clientOrderId"] == there.client_order_id
    fills = {fill["trade_id"]: fill for fill in truth(running)["fills"]}
    by_sdk = (await call(sdk.get_fills)).fills
    by_ccxt = await call(ccxt_client.fetch_my_trades, "BTC/USD")
    assert len(fills) == len(by_sdk) == len(by_ccxt) == 3
    for fill in by_sdk:
        assert fill.to_dict() == {k: v for k, v in fills[fill.trade_id].items() if k not in ("account", "client_order_id", "number")}
    assert {(t["id"], str(Decimal(str(t["price"]))), t["side"]) for t in by_ccxt} == {
        (trade_id, str(Decimal(fill["price"]).quantize(Decimal("0.1"))), fill["side"].lower()) for trade_id, fill in fills.items()
    }
    balances = truth(running)["balances"]["alice"]
    accounts = {account.currency: account for account in (await call(sdk.get_accounts)).accounts}
    by_ccxt_balance, by_pro_balance = await call(ccxt_client.fetch_balance), await ccxt_pro.fetch_balance()
    for currency, balance in balances.items():
        assert accounts[currency].available_balance["value"] == balance["available"]
        assert accounts[currency].hold["value"] == balance["hold"]
        for read in (by_ccxt_balance, by_pro_balance):
            assert read[currency]["free"] == float(balance["available"])
            assert read[currency]["used"] == float(balance["hold"])
    book = (await call(sdk.get_product_book, "BTC-USD")).pricebook
    rest = [[[float(level.price), float(level.size)] for level in side] for side in (book.bids, book.asks)]
    by_ccxt_book, streamed_book = await call(ccxt_client.fetch_order_book, "BTC/USD"), await ccxt_pro.watch_order_book("BTC/USD")
    for read in (by_ccxt_book, streamed_book):
        assert [read["bids"], read["asks"]] == rest
