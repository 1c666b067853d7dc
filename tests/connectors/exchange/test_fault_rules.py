"""What the control API refuses: a fault that can't be is told when it is given, and changes nothing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.connectors.exchange.running import Running, exchange

CREATE = {"method": "POST", "path": "/orders"}


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange() as running:
        yield running


@pytest.mark.parametrize(
    "rule",
    [
        {"match": CREATE, "do": "status", "code": 0},
        {"match": CREATE, "do": "status", "code": 1000},
        {"match": CREATE, "do": "status", "code": 500, "headers": {"a": "b\r\nc: d"}},
        {"match": CREATE, "do": "delay", "seconds": -1},
        {"match": CREATE, "do": "delay", "seconds": 1e300},
        {"match": CREATE, "do": "slow_drip", "bytes_per_s": 0},
        {"match": CREATE, "do": "mutate", "truncate": -5},
        {"match": CREATE | {"nth": -1}, "do": "drop_reply"},
        {"do": "hide", "what": "balance", "seconds": 1},
        {"do": "hide", "order": "nobody's", "seconds": 1},
        {"do": "fill", "on": "monday"},
        {"do": "fill", "fraction": 2},
        {"do": "cancel_order", "client_order_id": "nobody's"},
        {"do": "ws.close", "code": 5},
        {"do": "ws.close", "reason": "x" * 124},
        {"do": "ws.skip", "count": 0},
        {"do": "ws.stall", "channels": ["full"]},
        {"do": "ws.stall", "channels": [5]},
        {"do": "ws.drop", "channel": "full"},
        {"do": "clock.skew", "seconds": 1e300},
        {"do": "key.revoke", "key": "nobody's"},
        {"do": "limit", "private_per_s": 0},
        {"do": "product", "product_id": "BTC-USD", "status": "asleep"},
        {"do": "balance", "currency": "USD", "delta": "--5"},
        {"do": "maintenance", "seconds": -1},
        {"do": "maintenance", "seconds": 1, "at": 1e300},
    ],
)
async def test_a_fault_that_can_not_be_is_refused(running: Running, rule: dict[str, Any]) -> None:
    reply = await running.control("POST", "/faults", [rule])
    assert reply.status == 400, reply.text
    assert (await running.control("GET", "/faults")).json() == {"rules": []}
    assert (await running.call("GET", "/accounts")).status == 200


async def test_of_a_list_with_a_wrong_rule_none_is_taken(running: Running) -> None:
    rules = [{"do": "clock.skew", "seconds": 90}, {"match": CREATE, "do": "status", "code": 500}, {"do": "nothing"}]
    assert (await running.control("POST", "/faults", rules)).status == 400
    assert (await running.control("GET", "/faults")).json() == {"rules": []}
    assert (await running.control("GET", "/clock")).json()["skew_s"] == 0
    assert (await running.call("POST", "/orders", running.order_body())).status == 200


async def test_a_method_may_be_written_small(running: Running) -> None:
    await running.fault(match={"method": "post", "path": "/orders"}, do="status", code=500)
    assert (await running.call("POST", "/orders", running.order_body())).status == 500


async def test_a_rule_tells_when_it_acts(running: Running) -> None:
    await running.fault(do="maintenance", seconds=1, at=7)
    (rule,) = (await running.control("GET", "/faults")).json()["rules"]
    assert (rule["at"], rule["done"]) == (7, 0)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/levels", {"product_id": "BTC-USD"}),
        ("/levels", {"product_id": "BTC-USD", "levels": "all"}),
        ("/levels", {"product_id": "BTC-USD", "levels": ["best"]}),
        ("/trades", {"product_id": "BTC-USD", "side": "BUY", "price": "100", "size": "0"}),
        ("/accounts", {"name": "bob", "key": "mine"}),
        ("/clock", {"skew": 1e300}),
        ("/clock", {"advance": 1e300}),
        ("/switches", {"user_batch": 0}),
        ("/switches", {"cancel_batch": -1}),
        ("/switches", {"fill_lag_s": -1}),
        ("/switches", {"private_per_s": 0}),
    ],
)
async def test_what_can_not_be_is_a_bad_request(running: Running, path: str, body: dict[str, Any]) -> None:
    assert (await running.control("POST", path, body)).status == 400


async def test_a_reset_ends_orders_that_wait_for_their_cancel_or_can_not_be_cancelled() -> None:
    async with exchange(cancel_delay_s=5, edit_delay_s=5) as running:
        waiting, edited, _ = [await running.place() for _ in range(3)]
        await running.call("POST", "/orders/batch_cancel", {"order_ids": [waiting]})
        await running.call("POST", "/orders/edit", {"order_id": edited, "price": "89", "size": "2"})
        await running.control("POST", "/reset")
        await running.advance(10)
        truth = await running.truth()
        assert {order["status"] for order in truth["orders"]} == {"CANCELLED"}
        assert truth["balances"]["alice"]["USD"] == {"available": "100000", "hold": "0"}
