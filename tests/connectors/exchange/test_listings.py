"""Listings of orders and fills: filters, words that there are not, sorts, and their pages."""

from collections.abc import AsyncIterator

import pytest

from tests.connectors.exchange.running import Running, exchange


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange() as running:
        yield running


async def place(running: Running, *terms: tuple[str, str, str]) -> list[str]:
    """Orders of side, price and size, a second apart; their ids."""
    ids = []
    for side, price, size in terms:
        ids.append(await running.place(side, price, size))
        await running.advance(1)
    return ids


async def listed(running: Running, query: str, of: str = "batch") -> list[str]:
    told = await running.get(f"/orders/historical/{of}?{query}")
    return [row["order_id"] for row in told["orders" if of == "batch" else "fills"]]


@pytest.mark.parametrize(
    "query",
    [
        "order_status=DONE", "order_status=OPEN&order_status=open", "order_types=ICEBERG", "time_in_forces=GTC", "order_side=HOLD",
        "product_type=STOCK", "order_placement_source=PHONE", "contract_expiry_type=NEVER", "sort_by=SIZE",
    ],
)  # fmt: skip
async def test_a_word_that_there_is_not_is_a_bad_request(running: Running, query: str) -> None:
    await running.place()
    reply = await running.call("GET", f"/orders/historical/batch?{query}")
    name, _, word = query.rpartition("&")[2].partition("=")
    assert reply.status == 400
    assert f'"{name}": "{word}" is not a valid value' in reply.json()["message"]


async def test_words_that_mean_anything_filter_nothing(running: Running) -> None:
    (order,) = await place(running, ("BUY", "90", "1"))
    query = "product_type=UNKNOWN_PRODUCT_TYPE&contract_expiry_type=UNKNOWN_CONTRACT_EXPIRY_TYPE&sort_by=UNKNOWN_SORT_BY"
    assert await listed(running, query) == [order]
    assert await listed(running, "order_placement_source=UNKNOWN_PLACEMENT_SOURCE") == [order]
    assert await listed(running, "order_status=UNKNOWN_ORDER_STATUS") == []


async def test_an_asset_is_one_that_is_bought_or_paid_with(running: Running) -> None:
    (order,) = await place(running, ("BUY", "90", "1"))
    assert [await listed(running, f"asset_filters={asset}") for asset in ("BTC", "USD", "USDC")] == [[order], [order], []]


async def test_orders_are_sorted_by_what_is_asked_for_and_come_in_pages(running: Running) -> None:
    low, high, middle, taken = await place(running, ("BUY", "80", "1"), ("BUY", "95", "1"), ("BUY", "90", "1"), ("BUY", "101", "1"))
    await running.control("POST", "/trades", {"product_id": "BTC-USD", "side": "SELL", "price": "94", "size": "0.5"})
    assert await listed(running, "sort_by=LIMIT_PRICE") == [taken, high, middle, low]
    assert (await listed(running, "sort_by=LAST_FILL_TIME"))[:2] == [high, taken]
    assert (await listed(running, "sort_by=LAST_UPDATE_TIME"))[0] == high
    pages, cursor = [], ""
    while True:
        page = await running.get(f"/orders/historical/batch?sort_by=LIMIT_PRICE&limit=3&cursor={cursor}")
        pages.append([order["order_id"] for order in page["orders"]])
        cursor = page["cursor"]
        assert page["has_next"] == bool(cursor)
        if not cursor:
            break
    assert pages == [[taken, high, middle], [low]]


async def test_fills_are_sorted_by_price_or_time(running: Running) -> None:
    cheap, dear = await place(running, ("BUY", "101", "1"), ("BUY", "102", "1"))
    assert await listed(running, "sort_by=PRICE", "fills") == [dear, cheap]
    (sold,) = await place(running, ("SELL", "99", "1"))
    assert await listed(running, "sort_by=PRICE", "fills") == [dear, cheap, sold]
    assert await listed(running, "sort_by=TRADE_TIME", "fills") == [sold, dear, cheap]
    assert (await running.call("GET", "/orders/historical/fills?sort_by=SIZE")).status == 400


async def test_an_order_tells_its_last_five_edits(running: Running) -> None:
    order_id = await running.place()
    for size in range(2, 10):
        await running.call("POST", "/orders/edit", {"order_id": order_id, "price": "90", "size": str(size)})
    history = (await running.get(f"/orders/historical/{order_id}"))["order"]["edit_history"]
    assert [edit["size"] for edit in history] == ["5", "6", "7", "8", "9"]


async def test_a_filled_order_is_complete_though_a_quote_size_leaves_some_cents(running: Running) -> None:
    body = running.order_body() | {"order_configuration": {"market_market_ioc": {"quote_size": "50"}}}
    order_id = (await running.call("POST", "/orders", body)).json()["success_response"]["order_id"]
    order = (await running.get(f"/orders/historical/{order_id}"))["order"]
    assert (order["status"], order["completion_percentage"]) == ("FILLED", "100")
    assert float(order["filled_value"]) + float(order["total_fees"]) < 50


async def test_an_order_goes_on_telling_what_was_attached_to_it(running: Running) -> None:
    bracket = {"limit_price": "120", "stop_trigger_price": "80"}
    body = running.order_body(price="101") | {"attached_order_configuration": {"trigger_bracket_gtc": bracket}}
    created = (await running.call("POST", "/orders", body)).json()["success_response"]
    parent, child = [(await running.get(f"/orders/historical/{created[name]}"))["order"] for name in ("order_id", "attached_order_id")]
    assert (parent["status"], parent["attached_order_configuration"]) == ("FILLED", {"trigger_bracket_gtc": bracket})
    assert child["order_configuration"] == {"trigger_bracket_gtc": bracket | {"base_size": "1"}}
    sized = body | {"client_order_id": "sized", "attached_order_configuration": {"trigger_bracket_gtc": bracket | {"base_size": "2"}}}
    refused = (await running.call("POST", "/orders", sized)).json()
    assert refused["error_response"]["preview_failure_reason"] == "PREVIEW_INVALID_ATTACHED_ORDER_CONFIGURATION"


@pytest.mark.parametrize("field", [{"price_distribution": "LINEAR_INCREASING"}, {"size_distribution": "CUSTOM_SIZE_DISTRIBUTION"}])
async def test_a_distribution_that_is_not_simulated_is_refused(running: Running, field: dict[str, str]) -> None:
    scaled = {"base_size": "1", "num_orders": "4", "min_price": "80", "max_price": "90"}
    body = running.order_body() | {"order_configuration": {"scaled_limit_gtc": scaled | field}}
    reply = (await running.call("POST", "/orders", body)).json()
    assert reply["error_response"]["new_order_failure_reason"] == "UNSUPPORTED_ORDER_CONFIGURATION"


async def test_an_order_that_is_being_replaced_can_not_be_cancelled() -> None:
    async with exchange(edit_delay_s=5) as running:
        order_id = await running.place()
        await running.call("POST", "/orders/edit", {"order_id": order_id, "price": "89", "size": "1"})
        reply = await running.call("POST", "/orders/batch_cancel", {"order_ids": [order_id]})
        (result,) = reply.json()["results"]
        assert (result["success"], result["failure_reason"]) == (False, "ORDER_IS_BEING_REPLACED")
        await running.advance(5)
        reply = await running.call("POST", "/orders/batch_cancel", {"order_ids": [order_id]})
        assert reply.json()["results"][0]["success"]
