"""The REST interface over a socket: shapes, pages, errors, limits."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.connectors.exchange.floor import START_NS
from tests.connectors.exchange.running import PREFIX, Running, exchange


def words(text: str) -> set[str]:
    return set(text.split())


# The fields that clients read: the reference's lists.
PRODUCT = words(
    "product_id price price_percentage_change_24h volume_24h volume_percentage_change_24h base_increment quote_increment "
    "quote_min_size quote_max_size base_min_size base_max_size base_name quote_name watched is_disabled new status cancel_only "
    "limit_only post_only trading_disabled auction_mode product_type quote_currency_id base_currency_id "
    "fcm_trading_session_details mid_market_price alias alias_to base_display_symbol quote_display_symbol view_only "
    "price_increment display_name product_venue approximate_quote_24h_volume new_at"
)
ACCOUNT = words(
    "uuid name currency available_balance default active created_at updated_at deleted_at type ready hold retail_portfolio_id platform"
)
ORDER = words(
    "order_id product_id user_id order_configuration side client_order_id status time_in_force created_time completion_percentage "
    "filled_size average_filled_price fee number_of_fills filled_value pending_cancel size_in_quote total_fees "
    "size_inclusive_of_fees total_value_after_fees trigger_status order_type reject_reason settled product_type reject_message "
    "cancel_message order_placement_source outstanding_hold_amount is_liquidation last_fill_time edit_history leverage margin_type "
    "retail_portfolio_id originating_order_id attached_order_id commission_detail_total workable_size workable_size_completion_pct "
    "product_details cost_basis_method displayed_order_config last_update_time"
)
FILL = words(
    "entry_id trade_id order_id trade_time trade_type price size commission product_id sequence_timestamp liquidity_indicator "
    "size_in_quote user_id side retail_portfolio_id"
)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange() as running:
        yield running


async def test_time_is_the_exchanges(running: Running) -> None:
    told = await running.get("/time", public=True)
    assert told == {"iso": "2026-01-01T00:00:00Z", "epochSeconds": "1767225600", "epochMillis": "1767225600000"}
    await running.advance(1.5)
    assert (await running.get("/time", public=True))["epochMillis"] == "1767225601500"


async def test_products_have_every_field_and_their_alias(running: Running) -> None:
    products = (await running.get("/market/products", public=True))["products"]
    assert [(p["product_id"], p["alias"], p["alias_to"]) for p in products] == [("BTC-USD", "", ["BTC-USDC"]), ("BTC-USDC", "BTC-USD", [])]
    assert all(product.keys() >= PRODUCT for product in products)
    assert (products[0]["price"], products[0]["base_increment"], products[0]["price_increment"]) == ("100", "0.001", "1")
    assert (await running.get("/market/products?product_type=FUTURE", public=True))["products"] == []
    assert await running.get("/products/BTC-USD") == products[0]


async def test_products_come_in_pages(running: Running) -> None:
    first = await running.get("/market/products?limit=1", public=True)
    assert (first["num_products"], first["pagination"]["has_next"], first["pagination"]["has_prev"]) == (1, True, False)
    second = await running.get(f"/market/products?limit=1&cursor={first['pagination']['next_cursor']}", public=True)
    assert [product["product_id"] for product in second["products"]] == ["BTC-USDC"]
    assert (second["pagination"]["has_next"], second["pagination"]["next_cursor"]) == (False, "")
    again = await running.get(f"/market/products?limit=1&cursor={second['pagination']['prev_cursor']}", public=True)
    assert again == first
    assert (await running.call("GET", "/market/products?product_type=STOCK", public=True)).status == 400


async def test_what_is_held_can_not_be_traded(running: Running) -> None:
    (portfolio,) = (await running.get("/portfolios"))["portfolios"]
    await running.place(side="SELL", price="200", size="4")
    positions = (await running.get(f"/portfolios/{portfolio['uuid']}"))["breakdown"]["spot_positions"]
    (bitcoin,) = (position for position in positions if position["asset"] == "BTC")
    assert (bitcoin["total_balance_fiat"], bitcoin["available_to_trade_fiat"]) == (1000.0, 600.0)


async def test_trades_of_some_time_ago_are_told(running: Running) -> None:
    for _ in range(1500):
        running.simulator.exchange.step(running.simulator.exchange.markets["BTC-USD"], lambda matcher: matcher.on_trade(1, 100, 1))
    await running.advance(60)
    await running.control("POST", "/trades", {"product_id": "BTC-USD", "side": "BUY", "price": "100", "size": "1"})
    told = await running.get(f"/market/products/BTC-USD/ticker?limit=1000&end={START_NS // 10**9 + 1}", public=True)
    assert len(told["trades"]) == 1000
    assert told["trades"][0]["trade_id"] == "1501"


async def test_a_product_that_is_not_there_is_not_found(running: Running) -> None:
    reply = await running.call("GET", "/market/products/ETH-USD", public=True)
    assert (reply.status, reply.json()["error"]) == (404, "NOT_FOUND")


async def test_the_book_has_its_best_levels_first(running: Running) -> None:
    book = await running.get("/market/product_book?product_id=BTC-USD&limit=1", public=True)
    assert book["pricebook"]["bids"] == [{"price": "99", "size": "1"}]
    assert book["pricebook"]["asks"] == [{"price": "101", "size": "1"}]
    assert (book["last"], book["mid_market"], book["spread_absolute"], book["spread_bps"]) == ("100", "100", "2", "200")
    coarse = await running.get("/product_book?product_id=BTC-USD&aggregation_price_increment=5")
    assert coarse["pricebook"]["bids"] == [{"price": "95", "size": "3"}]
    assert coarse["pricebook"]["asks"] == [{"price": "105", "size": "3"}]
    best = (await running.get("/best_bid_ask?product_ids=BTC-USD&product_ids=BTC-USDC"))["pricebooks"]
    assert [(b["product_id"], b["bids"][0]["price"]) for b in best] == [("BTC-USD", "99"), ("BTC-USDC", "99")]


async def test_trades_name_the_makers_side(running: Running) -> None:
    ticker = await running.get("/market/products/BTC-USD/ticker?limit=5", public=True)
    assert [(t["price"], t["size"], t["side"]) for t in ticker["trades"]] == [("100", "1", "SELL")]  # the taker bought
    assert (ticker["best_bid"], ticker["best_ask"]) == ("99", "101")


async def test_candles_are_newest_first_without_those_in_which_nothing_traded(running: Running) -> None:
    await running.advance(150)
    for price in ("103", "97"):
        await running.control("POST", "/trades", {"product_id": "BTC-USD", "side": "BUY", "price": price, "size": "0.5"})
    start = START_NS // 10**9
    path = f"/market/products/BTC-USD/candles?start={start}&end={start + 300}&granularity="
    assert (await running.get(path + "ONE_MINUTE", public=True))["candles"] == [
        {"start": str(start + 120), "low": "97", "high": "103", "open": "103", "close": "97", "volume": "1"},
        {"start": str(start), "low": "100", "high": "100", "open": "100", "close": "100", "volume": "1"},
    ]
    hour = (await running.get(path + "ONE_HOUR", public=True))["candles"]
    assert hour == [{"start": str(start), "low": "97", "high": "103", "open": "100", "close": "97", "volume": "2"}]
    assert (await running.call("GET", path + "ONE_YEAR", public=True)).status == 400
    assert (
        await running.call("GET", f"/market/products/BTC-USD/candles?start=0&end={start}&granularity=ONE_MINUTE", public=True)
    ).status == 400


async def test_accounts_have_every_field_and_show_what_is_held(running: Running) -> None:
    await running.place(price="90", size="2")
    told = await running.get("/accounts")
    accounts = {account["currency"]: account for account in told["accounts"]}
    assert all(account.keys() >= ACCOUNT for account in accounts.values())
    assert accounts["USD"]["hold"] == {"value": "181.08", "currency": "USD"}  # 2 x 90 x 1.006
    assert accounts["USD"]["available_balance"]["value"] == "99818.92"
    assert (accounts["USD"]["type"], accounts["BTC"]["type"]) == ("ACCOUNT_TYPE_FIAT", "ACCOUNT_TYPE_CRYPTO")
    assert (await running.get(f"/accounts/{accounts['BTC']['uuid']}"))["account"] == accounts["BTC"]
    assert (await running.call("GET", "/accounts/none")).status == 404


async def test_accounts_come_in_pages(running: Running) -> None:
    first = await running.get("/accounts?limit=2")
    assert (first["size"], first["has_next"]) == (2, True)
    second = await running.get(f"/accounts?limit=2&cursor={first['cursor']}")
    assert (second["size"], second["has_next"], second["cursor"]) == (1, False, "")
    assert {a["currency"] for page in (first, second) for a in page["accounts"]} == {"USD", "USDC", "BTC"}
    assert (await running.call("GET", "/accounts?cursor=abc")).status == 400


async def test_key_portfolio_and_fees(running: Running) -> None:
    permissions = await running.get("/key_permissions")
    assert [permissions[f"can_{scope}"] for scope in ("view", "trade", "transfer")] == [True, True, False]
    portfolio = (await running.get("/portfolios"))["portfolios"][0]
    assert portfolio["uuid"] == permissions["portfolio_uuid"]
    balances = (await running.get(f"/portfolios/{portfolio['uuid']}"))["breakdown"]["portfolio_balances"]
    assert balances["total_balance"] == {"value": "101000", "currency": "USD"}  # 100,000 USD and 10 BTC at 100
    tier = (await running.get("/transaction_summary"))["fee_tier"]
    assert (tier["maker_fee_rate"], tier["taker_fee_rate"]) == ("0.004", "0.006")


async def test_an_order_from_its_creation_to_its_fills(running: Running) -> None:
    reply = await running.call("POST", "/orders", body := running.order_body("BUY", "101", "2", "mine"))
    told = reply.json()
    assert (told["success"], told["order_configuration"]) == (True, body["order_configuration"])
    order_id = told["success_response"]["order_id"]
    order = (await running.get(f"/orders/historical/{order_id}"))["order"]
    assert order.keys() >= ORDER
    assert [order[name] for name in ("status", "filled_size", "filled_value", "average_filled_price", "completion_percentage")] == [
        "OPEN", "1", "101", "101", "50",
    ]  # fmt: skip
    assert (order["total_fees"], order["total_value_after_fees"], order["outstanding_hold_amount"]) == ("0.606", "101.606", "101.606")
    fills = await running.get(f"/orders/historical/fills?order_ids={order_id}")
    assert len(fills["fills"]) == 1
    assert fills["fills"][0].keys() >= FILL
    assert (fills["fills"][0]["price"], fills["fills"][0]["liquidity_indicator"], fills["cursor"]) == ("101", "TAKER", "")


async def test_a_refused_order_is_answered_with_200_and_both_words(running: Running) -> None:
    reply = await running.call("POST", "/orders", running.order_body(size="99999"))
    assert (reply.status, reply.json()["success"]) == (200, False)
    error = reply.json()["error_response"]
    assert (error["new_order_failure_reason"], error["preview_failure_reason"]) == ("INVALID_REQUEST", "PREVIEW_INVALID_BASE_SIZE")
    assert "success_response" not in reply.json()


async def test_the_same_body_again_gives_the_same_order(running: Running) -> None:
    body = running.order_body(client_order_id="again")
    first, second = [(await running.call("POST", "/orders", body)).json() for _ in range(2)]
    assert first == second
    assert len((await running.get("/orders/historical/batch"))["orders"]) == 1


async def test_a_fill_of_a_quote_sized_order_is_told_in_quote(running: Running) -> None:
    body = running.order_body() | {"order_configuration": {"market_market_ioc": {"quote_size": "50"}}}
    order_id = (await running.call("POST", "/orders", body)).json()["success_response"]["order_id"]
    fill = (await running.get(f"/orders/historical/fills?order_ids={order_id}"))["fills"][0]
    assert (fill["size_in_quote"], fill["size"], fill["price"]) == (True, "49.692", "101")  # 0.492 x 101


async def test_a_preview_tells_cost_and_errors_and_makes_nothing(running: Running) -> None:
    body = running.order_body("BUY", "101", "2")
    del body["client_order_id"]
    told = (await running.call("POST", "/orders/preview", body)).json()
    assert (told["errs"], told["order_total"], told["commission_total"], told["base_size"]) == ([], "203.212", "1.212", "2")
    poor = (await running.call("POST", "/orders/preview", running.order_body("SELL", "101", "11"))).json()
    assert poor["errs"] == ["PREVIEW_INSUFFICIENT_FUND"]
    assert (await running.get("/orders/historical/batch"))["orders"] == []


async def test_cancels_are_answered_one_by_one_in_their_order(running: Running) -> None:
    first, second = await running.place(), await running.place()
    reply = await running.call("POST", "/orders/batch_cancel", {"order_ids": [second, "nothing", first]})
    assert [(r["order_id"], r["success"], r["failure_reason"]) for r in reply.json()["results"]] == [
        (second, True, "UNKNOWN_CANCEL_FAILURE_REASON"),
        ("nothing", False, "UNKNOWN_CANCEL_ORDER"),
        (first, True, "UNKNOWN_CANCEL_FAILURE_REASON"),
    ]
    too_many = await running.call("POST", "/orders/batch_cancel", {"order_ids": ["x"] * 101})
    assert (too_many.status, too_many.json()["message"][-3:]) == (400, "100")


async def test_an_edit_and_its_preview(running: Running) -> None:
    order_id = await running.place(price="90", size="1")
    change = {"order_id": order_id, "price": "91", "size": "2"}
    preview = (await running.call("POST", "/orders/edit_preview", change)).json()
    assert (preview["errors"], preview["order_total"]) == ([], "183.092")  # 2 x 91 x 1.006
    assert (await running.call("POST", "/orders/edit", change)).json() == {"success": True, "errors": []}
    order = (await running.get(f"/orders/historical/{order_id}"))["order"]
    assert [(e["price"], e["size"]) for e in order["edit_history"]] == [("91", "2")]
    refused = (await running.call("POST", "/orders/edit", change)).json()
    assert refused["errors"][0]["edit_failure_reason"] == "EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST"


async def test_orders_are_listed_newest_first_in_pages(running: Running) -> None:
    ids = [await running.place() for _ in range(5)]
    found: list[str] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        page = await running.get(f"/orders/historical/batch?limit=2&cursor={cursor}")
        found += [order["order_id"] for order in page["orders"]]
        assert page["has_next"] == bool(page["cursor"])
        cursor, pages = page["cursor"], pages + 1
    assert (found, pages) == (ids[::-1], 3)


async def test_an_empty_page_has_no_cursor(running: Running) -> None:
    assert await running.get("/orders/historical/batch") == {"orders": [], "sequence": "0", "has_next": False, "cursor": ""}
    assert await running.get("/orders/historical/fills") == {"fills": [], "cursor": ""}


async def test_orders_are_found_by_what_they_are(running: Running) -> None:
    old = await running.place()
    await running.advance(10)
    done = await running.place(price="101")
    website = running.order_body() | {"source": "RETAIL_SIMPLE"}
    assert (await running.control("POST", "/orders", website)).status == 200
    cases = {
        "": {old, done},
        "order_status=OPEN": {old},
        "order_status=FILLED&order_status=OPEN": {old, done},
        f"order_ids={done}": {done},
        "order_side=SELL": set(),
        "product_ids=BTC-USDC": set(),
        "product_id=BTC-USD": {old, done},
        "start_date=2026-01-01T00:00:10Z": {done},
        "end_date=2026-01-01T00:00:10Z": {old},
        "order_types=MARKET": set(),
        "time_in_forces=GOOD_UNTIL_CANCELLED": {old, done},
    }
    for query, wanted in cases.items():
        told = await running.get(f"/orders/historical/batch?{query}")
        assert {order["order_id"] for order in told["orders"]} == wanted, query
    elsewhere = await running.get("/orders/historical/batch?order_placement_source=RETAIL_SIMPLE")
    assert len(elsewhere["orders"]) == 1


async def test_with_the_switch_the_singular_product_is_ignored() -> None:
    async with exchange(strict_query=True) as running:
        await running.place()
        assert len((await running.get("/orders/historical/batch?product_id=BTC-USDC"))["orders"]) == 1


async def test_orders_and_fills_can_be_seen_late() -> None:
    async with exchange(order_lag_s=3, fill_lag_s=5) as running:
        order_id = await running.place(price="101")
        assert (await running.call("GET", f"/orders/historical/{order_id}")).status == 404
        assert (await running.get("/orders/historical/batch"))["orders"] == []
        await running.advance(3)
        assert (await running.get(f"/orders/historical/{order_id}"))["order"]["status"] == "FILLED"
        assert (await running.get("/orders/historical/fills"))["fills"] == []
        await running.advance(2)
        assert len((await running.get("/orders/historical/fills"))["fills"]) == 1


async def test_another_accounts_orders_are_not_there(running: Running) -> None:
    order_id = await running.place()
    bob = running.add_account("bob")
    assert (await running.call("GET", f"/orders/historical/{order_id}", key=bob)).status == 404
    assert (await running.get("/orders/historical/batch", key=bob))["orders"] == []


async def test_doubled_slashes_and_bodies_of_gets_are_tolerated(running: Running) -> None:
    assert (await running.call("GET", "//api/v3//brokerage/accounts", b"{}")).status == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_a_body_that_is_no_object_is_a_bad_request(running: Running, body: bytes) -> None:
    reply = await running.call("POST", "/orders", body)
    assert (reply.status, reply.json()["error"]) == (400, "INVALID_ARGUMENT")


async def test_what_ccxt_asks_of_the_older_api(running: Running) -> None:
    currencies = (await running.get("/v2/currencies", public=True))["data"]
    cryptos = (await running.get("/v2/currencies/crypto", public=True))["data"]
    assert ([c["id"] for c in currencies], [c["code"] for c in cryptos]) == (["USD"], ["BTC", "USDC"])
    assert (await running.get("/v2/exchange-rates", public=True))["data"]["rates"]["BTC"] == "0.01"
    assert (await running.get("/v2/time", public=True))["data"]["epoch"] == 1767225600


class TestLimits:
    async def test_private_calls_are_counted_by_user(self) -> None:
        async with exchange(limits=True, private_per_s=4) as running:
            replies = [await running.call("GET", "/accounts") for _ in range(7)]
            assert [reply.status for reply in replies] == [200] * 6 + [429]
            assert [r.headers["x-ratelimit-remaining"] for r in replies] == ["3", "2", "2", "1", "0", "0", "0"]
            assert replies[-1].json()["errors"][0]["id"] == "rate_limit_exceeded"
            await running.advance(1)
            assert [(await running.call("GET", "/accounts")).status for _ in range(5)] == [200] * 4 + [429]

    async def test_without_a_burst_a_second_has_what_it_has(self) -> None:
        async with exchange(limits=True, private_per_s=4, burst=1) as running:
            replies = [await running.call("GET", "/accounts") for _ in range(5)]
            assert [reply.status for reply in replies] == [200] * 4 + [429]
            assert [r.headers["x-ratelimit-remaining"] for r in replies] == ["3", "2", "1", "0", "0"]

    async def test_a_key_that_may_not_is_told_what_is_left_as_well(self) -> None:
        async with exchange(limits=True) as running:
            reply = await running.call("POST", "/orders", {}, key=running.add_account("eve", scopes=("view",)))
            assert (reply.status, reply.headers["x-ratelimit-limit"]) == (403, "30")

    async def test_public_calls_by_address_and_with_the_other_body(self) -> None:
        async with exchange(limits=True, public_per_s=2, limit_body="error") as running:
            replies = [await running.call("GET", "/time", public=True) for _ in range(4)]
            assert [reply.status for reply in replies] == [200, 200, 200, 429]
            assert replies[-1].json()["error"] == "RATE_LIMIT_EXCEEDED"
            assert (await running.call("GET", "/accounts")).status == 200


async def test_public_answers_may_be_old_and_no_cache_makes_them_new() -> None:
    async with exchange(public_cache_s=1) as running:
        path = "/market/product_book?product_id=BTC-USD&limit=1"
        first = await running.get(path, public=True)
        await running.control("POST", "/levels", {"product_id": "BTC-USD", "levels": [{"side": "BUY", "price": "100", "size": "1"}]})
        assert await running.get(path, public=True) == first
        async with running.http.get(running.base + PREFIX + path, headers={"Cache-Control": "no-cache"}) as reply:
            assert (await reply.json())["pricebook"]["bids"][0]["price"] == "100"
        await running.advance(1)
        assert (await running.get(path, public=True))["pricebook"]["bids"][0]["price"] == "100"


async def test_no_reply_has_a_null_where_the_official_client_wants_an_object(running: Running) -> None:
    await running.place(price="101")
    await running.place()
    allowed = {"deleted_at", "fcm_trading_session_details", "margin_rate", "goods_and_services_tax", "last_fill_time"}

    def nulls(value: Any, name: str = "") -> set[str]:
        if isinstance(value, dict):
            return set().union(*(nulls(v, k) for k, v in value.items()))
        if isinstance(value, list):
            return set().union(*(nulls(v, name) for v in value))
        return {name} if value is None else set()

    for path in ("/accounts", "/products", "/orders/historical/batch", "/orders/historical/fills", "/transaction_summary", "/portfolios"):
        assert nulls(await running.get(path)) <= allowed, path
    assert nulls((await running.call("POST", "/orders", running.order_body())).json()) == set()
