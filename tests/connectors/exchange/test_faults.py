"""Each hook of the fault API does what its name says, and the truth knows of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.connectors.exchange.running import PREFIX, Reply, Running, exchange, sign
from traider.connectors.sim.exchange.acts import ACTS, REQUEST_ACTS
from traider.connectors.sim.exchange.triggers import TRIGGERS

CREATE = {"method": "POST", "path": "/orders"}


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange() as running:
        yield running


async def create(running: Running, **order: str) -> Reply:
    return await running.call("POST", "/orders", running.order_body(**order))


async def listed(running: Running) -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = (await running.get("/orders/historical/batch"))["orders"]
    return orders


async def received(running: Running) -> None:
    """Returns when a request has come in."""
    while not running.simulator.truth.requests.count:  # noqa: ASYNC110  - the truth has no event of its own
        await asyncio.sleep(0)


async def user_socket(running: Running) -> Any:
    socket = await running.socket()
    await socket.subscribe("user", key=running.key)
    return socket


class TestRequests:
    @pytest.mark.parametrize(("when", "orders"), [("before_apply", 0), ("after_apply", 1)])
    async def test_a_reply_is_lost_before_or_after_the_order_is_taken(self, running: Running, when: str, orders: int) -> None:
        await running.fault(match=CREATE, do="drop_reply", when=when)
        with pytest.raises(aiohttp.ClientConnectionError):
            await create(running)
        assert len(await listed(running)) == orders
        record = (await running.truth())["requests"][0]
        assert (record["status"], record["applied"], record["faults"]) == (None, orders == 1, [1])

    @pytest.mark.parametrize(("applied", "orders"), [(False, 0), (True, 1)])
    async def test_a_status_with_or_without_the_order(self, running: Running, applied: bool, orders: int) -> None:
        await running.fault(match=CREATE, do="status", code=503, applied=applied, headers={"x-why": "test"})
        reply = await create(running)
        assert (reply.status, reply.headers["x-why"], len(await listed(running))) == (503, "test", orders)

    @pytest.mark.parametrize(("when", "orders"), [("before_apply", 0), ("after_apply", 1)])
    async def test_a_status_goes_by_when_it_is_said_to_come(self, running: Running, when: str, orders: int) -> None:
        await running.fault(match=CREATE, do="status", code=503, when=when)
        assert ((await create(running)).status, len(await listed(running))) == (503, orders)

    @pytest.mark.parametrize("ids", ["abc", 5, {"a": 1}])
    async def test_a_request_that_is_damaged_itself_is_answered_as_ever(self, running: Running, ids: object) -> None:
        await running.fault(match={"path": "/orders/batch_cancel", "order_id": "abc"}, do="forget")
        await running.fault(match={"path": "/orders/batch_cancel"}, do="hide", seconds=1)
        assert (await running.call("POST", "/orders/batch_cancel", {"order_ids": ids})).status == 400

    async def test_a_status_has_the_body_that_is_asked_for(self, running: Running) -> None:
        await running.fault(match=CREATE, do="status", code=502, body="<html>bad gateway</html>")
        reply = await create(running)
        assert (reply.status, reply.text, reply.headers["content-type"]) == (502, "<html>bad gateway</html>", "text/html; charset=utf-8")
        await running.fault(match=CREATE, do="status", code=429)
        assert (await create(running)).json()["errors"][0]["id"] == "rate_limit_exceeded"

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            ({"remove": "success_response.order_id"}, {"success", "success_response", "order_configuration"}),
            ({"null": ["success_response"]}, {"success", "success_response", "order_configuration"}),
            ({"rename": {"success_response": "response"}}, {"success", "response", "order_configuration"}),
            ({"set": {"extra": 1}}, {"success", "success_response", "order_configuration", "extra"}),
        ],
    )
    async def test_fields_of_the_answer_are_changed(self, running: Running, change: dict[str, Any], found: set[str]) -> None:
        await running.fault(match=CREATE, do="mutate", **change)
        told = (await create(running)).json()
        assert told.keys() == found
        if "remove" in change:
            assert "order_id" not in told["success_response"]
        if "null" in change:
            assert told["success_response"] is None
        assert len(await listed(running)) == 1

    async def test_an_answer_is_cut_short_or_a_page_of_html(self, running: Running) -> None:
        await running.fault(match=CREATE, do="mutate", truncate=10)
        assert (await create(running)).text == '{"success"'
        await running.fault(match=CREATE, do="mutate", html=True)
        reply = await create(running)
        assert (reply.status, reply.text[:6]) == (200, "<html>")

    async def test_a_refusal_that_is_no_json_has_no_fields_to_change(self, running: Running) -> None:
        await running.fault(match=CREATE, do="mutate", remove="success_response.order_id")
        reply = await running.call("POST", "/orders", running.order_body(), token="none")
        assert (reply.status, reply.text) == (401, "Unauthorized\n")

    async def test_results_of_a_batch_are_reversed_or_missing(self, running: Running) -> None:
        ids = [await running.place() for _ in range(2)]
        await running.fault(match={"path": "/orders/batch_cancel"}, do="mutate", reverse="results", remove="results.1")
        told = (await running.call("POST", "/orders/batch_cancel", {"order_ids": ids})).json()
        assert [result["order_id"] for result in told["results"]] == [ids[0]]

    @pytest.mark.parametrize(("when", "seen"), [("before_apply", 0), ("after_apply", 1)])
    async def test_a_delay_is_of_the_exchanges_time(self, running: Running, when: str, seen: int) -> None:
        await running.fault(match=CREATE, do="delay", when=when, seconds=3)
        asked = asyncio.create_task(create(running))
        await received(running)
        assert len(await listed(running)) == seen
        await running.advance(2.9)
        assert not asked.done()
        await running.advance(0.2)
        assert (await asked).json()["success"]

    async def test_an_answer_drips(self, running: Running) -> None:
        await running.fault(match={"path": "/key_permissions"}, do="slow_drip", bytes_per_s=50)
        asked = asyncio.create_task(running.get("/key_permissions"))
        await received(running)
        await running.advance(2)
        assert not asked.done()
        await running.advance(2)
        assert (await asked)["can_view"]

    async def test_a_connection_is_closed_after_a_reply_that_promised_to_keep_it(self, running: Running) -> None:
        await running.fault(match={"path": "/time"}, do="close_after_reply")
        async with running.http.get(f"{running.base}{PREFIX}/time") as reply:
            assert (reply.status, reply.headers.get("Connection")) == (200, None)
            await reply.read()
        assert (await running.call("GET", "/accounts")).status == 200

    async def test_maintenance_is_503_for_everybody_and_closes_sockets(self, running: Running) -> None:
        socket = await running.socket()
        await socket.subscribe("heartbeats")
        await running.fault(do="maintenance", seconds=1800)
        assert await socket.closed() == 1001
        assert (await running.call("GET", "/accounts")).status == 503
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await running.socket()
        await running.advance(1800)
        assert (await running.call("GET", "/accounts")).status == 200


class TestMatching:
    async def test_the_nth_request_and_so_many_times(self, running: Running) -> None:
        await running.fault(match={"path": "/accounts", "nth": 2}, do="status", code=500)
        assert [(await running.call("GET", "/accounts")).status for _ in range(4)] == [200, 500, 200, 200]
        await running.fault(match={"path": "/accounts"}, do="status", code=500, times=2)
        assert [(await running.call("GET", "/accounts")).status for _ in range(3)] == [500, 500, 200]
        await running.fault(match={"path": "/accounts"}, do="status", code=500, times=0)
        assert [(await running.call("GET", "/accounts")).status for _ in range(3)] == [500, 500, 500]
        await running.control("DELETE", "/faults")
        assert (await running.call("GET", "/accounts")).status == 200

    @pytest.mark.parametrize(
        ("match", "hit"),
        [
            ({"client_order_id": "^run-1"}, True),
            ({"client_order_id": "^run-2"}, False),
            ({"product": "BTC-USD"}, True),
            ({"product": "ETH-USD"}, False),
            ({"size": "0.123"}, True),
            ({"size": "*23"}, True),
            ({"size": "*24"}, False),
            ({"account": "alice"}, True),
            ({"account": "bob"}, False),
            ({"method": "GET"}, False),
            ({"path": "/orders*"}, True),
            ({"path": f"{PREFIX}/orders"}, True),
        ],
    )
    async def test_what_a_request_is_known_by(self, running: Running, match: dict[str, Any], hit: bool) -> None:
        await running.fault(match=match, do="status", code=500)
        reply = await create(running, size="0.123", client_order_id="run-1-7")
        assert reply.status == (500 if hit else 200)

    async def test_rules_are_told_with_their_counts_and_can_be_taken_back(self, running: Running) -> None:
        await running.fault(match={"path": "/accounts"}, do="status", code=500, times=5)
        await running.call("GET", "/accounts")
        (rule,) = (await running.control("GET", "/faults")).json()["rules"]
        assert (rule["id"], rule["seen"], rule["done"]) == (1, 1, 1)
        await running.control("DELETE", "/faults/1")
        assert (await running.control("GET", "/faults")).json() == {"rules": []}

    @pytest.mark.parametrize(
        ("rule", "words"),
        [
            ({"do": "explode"}, "there are: delay"),
            ({"do": "status", "match": CREATE}, "status needs 'code'"),
            ({"do": "status", "match": CREATE, "code": "x"}, "wrong type"),
            ({"do": "status", "code": 500}, "needs match"),
            ({"do": "status", "match": CREATE, "code": 500, "colour": 1}, "takes no 'colour'"),
            ({"do": "status", "match": {"paths": "x"}, "code": 500}, "match is an object of"),
            ({"do": "status", "match": {"client_order_id": "("}, "code": 500}, "match:"),
            ({"do": "drop_reply", "match": CREATE, "when": "later"}, "before_apply or after_apply"),
            ({"do": "drop_reply", "match": CREATE, "times": -1}, "not negative"),
            ({"do": "balance", "currency": "USD", "delta": "x"}, "decimal number"),
            ({"do": "key.scopes", "scopes": ["fly"]}, "scopes are of"),
            ({"do": "key.scopes", "scopes": [["view"]]}, "scopes are of"),
            ({"do": "fee_tier", "maker": "x", "taker": "0"}, "rate such as"),
            ({"do": "product", "product_id": "X-Y"}, "there is no product"),
            ({"do": "ws.drop", "account": "nobody"}, "there is no account"),
            ("drop", "a rule is an object"),
        ],
    )
    async def test_a_rule_that_makes_no_sense_is_refused_in_one_line(self, running: Running, rule: Any, words: str) -> None:
        reply = await running.control("POST", "/faults", {"rules": [rule]})
        assert reply.status == 400
        assert words in reply.json()["message"]


class TestOrders:
    async def test_an_order_or_its_fills_are_hidden_for_a_while(self, running: Running) -> None:
        await running.fault(match=CREATE, do="hide", what="order", seconds=3)
        await running.fault(match=CREATE, do="hide", what="fill", seconds=5)
        order_id = await running.place(price="101")
        assert (await running.call("GET", f"/orders/historical/{order_id}")).status == 404
        assert await listed(running) == []
        await running.advance(3)
        assert len(await listed(running)) == 1
        assert (await running.get("/orders/historical/fills"))["fills"] == []
        await running.advance(2)
        assert len((await running.get("/orders/historical/fills"))["fills"]) == 1

    async def test_a_client_order_id_is_forgotten(self, running: Running) -> None:
        first = await running.place(client_order_id="x")
        await running.fault(do="forget", client_order_id="x")
        assert await running.place(client_order_id="x") != first

    @pytest.mark.parametrize(("fraction", "status", "filled"), [(1.0, "FILLED", "1"), (0.25, "CANCELLED", "0.25")])
    async def test_a_fill_comes_before_the_cancel(self, running: Running, fraction: float, status: str, filled: str) -> None:
        order_id = await running.place(price="90")
        await running.fault(do="fill", order=order_id, on="cancel", fraction=fraction)
        result = (await running.call("POST", "/orders/batch_cancel", {"order_ids": [order_id]})).json()["results"][0]
        assert result["failure_reason"] == ("ORDER_IS_FULLY_FILLED" if fraction == 1.0 else "UNKNOWN_CANCEL_FAILURE_REASON")
        order = (await running.get(f"/orders/historical/{order_id}"))["order"]
        assert (order["status"], order["filled_size"], order["average_filled_price"]) == (status, filled, "90")

    async def test_a_fill_comes_before_the_edit(self, running: Running) -> None:
        order_id = await running.place(price="90")
        await running.fault(do="fill", order=order_id, on="edit")
        told = (await running.call("POST", "/orders/edit", {"order_id": order_id, "price": "91", "size": "1"})).json()
        assert told["errors"][0]["edit_failure_reason"] == "ONLY_OPEN_ORDERS_CAN_BE_EDITED"

    async def test_a_fill_of_a_size_and_price_comes_when_it_is_due(self, running: Running) -> None:
        order_id = await running.place(price="90")
        await running.fault(do="fill", order=order_id, size="0.3", price="89", at=10)
        assert (await listed(running))[0]["filled_size"] == "0"
        await running.advance(10)
        order = (await listed(running))[0]
        assert (order["filled_size"], order["average_filled_price"], order["outstanding_hold_amount"]) == ("0.3", "89", "63.378")

    async def test_an_order_from_the_website_and_its_end_there(self, running: Running) -> None:
        body = running.order_body(client_order_id="by-hand")
        await running.fault(do="external_order", order=body)
        assert [order["client_order_id"] for order in await listed(running)] == ["by-hand"]
        await running.fault(do="cancel_order", client_order_id="by-hand")
        assert (await listed(running))[0]["status"] == "CANCELLED"


class TestSockets:
    async def test_a_connection_goes_silent_without_a_close(self, running: Running) -> None:
        socket = await user_socket(running)
        await running.fault(do="ws.drop", no_close=True)
        await running.place()
        await socket.ws.ping()
        assert await socket.nothing()
        assert not socket.ws.closed

    async def test_a_connection_is_reset(self, running: Running) -> None:
        socket = await user_socket(running)
        await running.fault(do="ws.drop", account="alice")
        assert await socket.closed() in (None, 1006)

    @pytest.mark.parametrize("code", [1000, 1001, 1011])
    async def test_a_connection_is_closed_with_a_code(self, running: Running, code: int) -> None:
        socket = await user_socket(running)
        await running.fault(do="ws.close", code=code)
        assert await socket.closed() == code

    async def test_a_channel_stalls_while_the_others_go_on(self, running: Running) -> None:
        socket = await user_socket(running)
        await socket.subscribe("heartbeats")
        await running.fault(do="ws.stall", channels=["user"])
        await running.place()
        await running.advance(1)
        beat = await socket.next()
        assert (beat["channel"], beat["sequence_num"]) == ("heartbeats", 3)  # no gap is seen

    @pytest.mark.parametrize(("numbered", "gap"), [(True, 2), (False, 1)])
    async def test_a_message_is_lost_before_or_after_it_got_its_number(self, running: Running, numbered: bool, gap: int) -> None:
        socket = await user_socket(running)
        await running.fault(do="ws.skip", count=1, channel="user", numbered=numbered)
        await running.place()
        await running.place()
        assert (await socket.next())["sequence_num"] == 1 + gap
        assert len((await running.truth())["orders"]) == 2

    async def test_a_message_comes_twice(self, running: Running) -> None:
        socket = await user_socket(running)
        await running.fault(do="ws.dup", count=1)
        await running.place()
        assert await socket.next() == await socket.next()

    async def test_messages_come_in_reverse(self, running: Running) -> None:
        socket = await user_socket(running)
        await running.fault(do="ws.reorder", count=3)
        for _ in range(3):
            await running.place()
        assert [(await socket.next())["sequence_num"] for _ in range(3)] == [4, 3, 2]

    async def test_messages_are_cut_short_or_garbage(self, running: Running) -> None:
        socket = await user_socket(running)
        await running.fault(do="ws.truncate")
        await running.place()
        text = await socket.text()
        assert text.startswith('{"channel":"user"')
        assert not text.endswith("}")
        await running.fault(do="ws.garbage")
        await running.place()
        assert (await socket.text()).startswith("not json")

    async def test_messages_are_late(self, running: Running) -> None:
        socket = await user_socket(running)
        await running.fault(do="ws.delay", seconds=5)
        await running.place()
        assert await socket.nothing()
        await running.advance(5)
        assert (await socket.next())["sequence_num"] == 2

    async def test_a_subscription_has_no_snapshot(self, running: Running) -> None:
        socket = await user_socket(running)
        await running.fault(do="ws.no_snapshot")
        messages = await socket.subscribe("level2", "BTC-USD")
        assert [message["channel"] for message in messages] == ["subscriptions"]

    async def test_anything_can_be_injected_and_damage_mended(self, running: Running) -> None:
        socket = await user_socket(running)
        await running.fault(do="ws.inject", message={"type": "error", "message": "authentication failure"})
        assert (await socket.next())["type"] == "error"
        await running.fault(do="ws.skip", count=100)
        await running.fault(do="ws.mend")
        await running.place()
        assert (await socket.next())["channel"] == "user"


class TestState:
    async def test_the_clock_is_off_or_steps(self, running: Running) -> None:
        await running.fault(do="clock.skew", seconds=90)
        assert (await running.get("/time", public=True))["epochSeconds"] == "1767225690"
        await running.fault(do="clock.step", seconds=-30)
        assert (await running.get("/time", public=True))["epochSeconds"] == "1767225660"

    async def test_a_key_is_revoked_for_requests_and_subscriptions(self, running: Running) -> None:
        await running.fault(do="key.revoke", account="alice")
        assert (await running.call("GET", "/accounts")).status == 401
        socket = await running.socket()
        await socket.ask("subscribe", "user", key=running.key)
        assert (await socket.next())["message"] == "authentication failure"

    async def test_when_all_rules_are_taken_back_what_they_changed_is_as_it_was(self, running: Running) -> None:
        rates = (await running.get("/transaction_summary"))["fee_tier"]
        await running.fault(do="product", product_id="BTC-USD", trading_disabled=True, status="offline")
        await running.fault(do="product", product_id="BTC-USD", cancels_rejected=True)
        await running.fault(do="fee_tier", account="alice", maker="0.1", taker="0.2")
        await running.fault(do="limit", private_per_s=1)
        await running.fault(do="key.scopes", account="alice", scopes=["view"])
        await running.fault(do="key.revoke", account="alice")
        await running.fault(do="clock.step", seconds=30)
        await running.fault(do="clock.step", seconds=30)
        await running.control("DELETE", "/faults")
        assert (await running.get("/time", public=True))["epochSeconds"] == "1767225600"
        assert (await running.get("/transaction_summary"))["fee_tier"] == rates
        order_id = (await create(running)).json()["success_response"]["order_id"]
        assert (await running.call("POST", "/orders/batch_cancel", {"order_ids": [order_id]})).json()["results"][0]["success"]
        assert (await running.get("/products/BTC-USD"))["status"] == "online"

    async def test_a_key_may_do_less(self, running: Running) -> None:
        await running.fault(do="key.scopes", key=running.key["name"], scopes=["view", "transfer"])
        assert (await create(running)).status == 403
        assert (await running.get("/key_permissions"))["can_transfer"]

    async def test_limits_tighten(self, running: Running) -> None:
        await running.fault(do="limit", private_per_s=1)
        assert [(await running.call("GET", "/accounts")).status for _ in range(2)] == [200, 429]

    async def test_a_products_flags_change_and_cancels_are_rejected(self, running: Running) -> None:
        order_id = await running.place()
        await running.fault(do="product", product_id="BTC-USD", trading_disabled=True, cancels_rejected=True)
        assert (await create(running)).json()["error_response"]["error"] == "ORDER_ENTRY_DISABLED"
        told = (await running.call("POST", "/orders/batch_cancel", {"order_ids": [order_id]})).json()["results"][0]
        assert told["failure_reason"] == "COMMANDER_REJECTED_CANCEL_ORDER"
        assert (await running.get("/products/BTC-USD"))["trading_disabled"]

    async def test_a_balance_changes_and_the_ledger_knows_from_where(self, running: Running) -> None:
        await running.fault(do="balance", account="alice", currency="USD", delta="-99950.5")
        truth = await running.truth()
        assert truth["balances"]["alice"]["USD"] == {"available": "49.5", "hold": "0"}
        assert set(truth["ledger"].values()) == {"0"}
        assert (await create(running)).json()["error_response"]["error"] == "INSUFFICIENT_FUND"

    async def test_a_fee_tier_is_set(self, running: Running) -> None:
        await running.fault(do="fee_tier", maker="0", taker="0.001")
        assert (await running.get("/transaction_summary"))["fee_tier"]["taker_fee_rate"] == "0.001"
        await running.place(price="101")
        assert (await listed(running))[0]["total_fees"] == "0.101"


class TestTriggers:
    """Faults by the last four digits of a size: 0.001 is the product's increment here, so 9.001 ends in 9001."""

    @pytest.fixture
    async def running(self) -> AsyncIterator[Running]:
        async with exchange(quantity_triggers=True) as running:
            yield running

    async def test_a_reply_is_lost(self, running: Running) -> None:
        for size, orders in (("9.001", 0), ("9.002", 1)):
            with pytest.raises(aiohttp.ClientConnectionError):
                await create(running, price="10", size=size)
            assert len(await listed(running)) == orders

    @pytest.mark.parametrize(("size", "status", "orders"), [("9.003", 500, 0), ("9.004", 503, 1), ("9.012", 429, 0), ("9.000", 200, 1)])
    async def test_a_status(self, running: Running, size: str, status: int, orders: int) -> None:
        assert (await create(running, price="10", size=size)).status == status
        assert len(await listed(running)) == orders

    @pytest.mark.parametrize("size", ["9.010", "9.01", "19.0100"])
    async def test_zeros_at_the_end_of_a_size_may_be_left_out(self, running: Running, size: str) -> None:
        order_id = (await create(running, price="10", size=size)).json()["success_response"]["order_id"]
        reply = await running.call("POST", "/orders/batch_cancel", {"order_ids": [order_id]})
        assert reply.json()["results"][0]["failure_reason"] == "ORDER_IS_FULLY_FILLED"

    async def test_half_of_it_is_filled_on_cancel(self, running: Running) -> None:
        order_id = await running.place(price="10", size="9.011")
        await running.call("POST", "/orders/batch_cancel", {"order_ids": [order_id]})
        assert (await listed(running))[0]["filled_size"] == "4.505"

    async def test_they_are_off_unless_asked_for(self) -> None:
        async with exchange() as running:
            assert (await create(running, price="10", size="9.003")).status == 200


def test_every_trigger_does_something_that_there_is() -> None:
    done = {rule["do"] for _, rules in TRIGGERS.values() for rule in rules}
    assert done <= ACTS.keys() | REQUEST_ACTS.keys()


async def test_requests_are_in_the_truth_with_their_bytes_and_without_the_token(running: Running) -> None:
    await running.call("POST", "/orders", b'{"client_order_id": "\xc3\xa9"}')
    truth = await running.truth()
    record = truth["requests"][0]
    assert (record["method"], record["body"], record["account"], record["status"]) == ("POST", '{"client_order_id": "é"}', "alice", 200)
    assert sign(running.key, 0)[:20] not in str(truth)


async def test_the_truth_is_bounded_and_counts_everything(running: Running) -> None:
    for _ in range(1010):
        running.simulator.truth.sockets.add({})
    truth = await running.truth()
    assert (truth["counts"]["sockets"], len(truth["sockets"]), truth["sockets"][0]["number"]) == (1010, 1000, 11)
    later = (await running.control("GET", "/truth?since=1005")).json()
    assert [record["number"] for record in later["sockets"]] == [1006, 1007, 1008, 1009, 1010]


async def test_a_reset_leaves_what_there_was_at_the_start(running: Running) -> None:
    await running.place(price="101")
    await running.place()
    await running.fault(match={"path": "/accounts"}, do="status", code=500, times=0)
    await running.control("POST", "/reset")
    truth = await running.truth()
    assert truth["balances"]["alice"] == {
        "USD": {"available": "100000", "hold": "0"},
        "USDC": {"available": "0", "hold": "0"},
        "BTC": {"available": "10", "hold": "0"},
    }
    assert (truth["counts"]["fills"], truth["requests"]) == (0, [])
    assert set(truth["ledger"].values()) == {"0"}
    assert (await running.call("GET", "/accounts")).status == 200


async def test_a_rule_that_fails_when_it_is_due_says_so_and_the_exchange_goes_on(running: Running) -> None:
    await running.fault(do="ws.drop", account="nobody", at=5)
    await running.advance(10)
    (rule,) = (await running.control("GET", "/faults")).json()["rules"]
    assert (rule["done"], "nobody" in rule["failed"]) == (1, True)
    assert (await running.call("GET", "/accounts")).status == 200


async def test_a_list_of_rules_needs_no_wrapping(running: Running) -> None:
    reply = await running.control("POST", "/faults", [{"do": "clock.skew", "seconds": 1}, {"do": "clock.step", "seconds": 1}])
    assert [rule["id"] for rule in reply.json()["rules"]] == [1, 2]
    assert (await running.get("/time", public=True))["epochSeconds"] == "1767225602"


async def test_what_was_delayed_is_applied_before_time_goes_on(running: Running) -> None:
    """The order comes at 3 s, the market that fills it at 4 s, both within one advance."""
    await running.fault(match=CREATE, do="delay", when="before_apply", seconds=3)
    await running.fault(do="fill", client_order_id="late", at=4)
    asked = asyncio.create_task(create(running, client_order_id="late"))
    await received(running)
    await running.advance(5)
    assert (await asked).json()["success"]
    assert (await listed(running))[0]["status"] == "FILLED"


async def test_deeply_nested_bodies_are_bad_requests(running: Running) -> None:
    body = b'{"a":' + b"[" * 100_000
    assert (await running.call("POST", "/orders", body)).status == 400
    socket = await running.socket()
    await socket.ws.send_str("[" * 100_000)
    assert (await socket.next())["type"] == "error"


async def test_the_truth_keeps_so_many_bytes_of_what_clients_send(running: Running) -> None:
    running.simulator.truth.requests.most_bytes = 1_500_000
    for number in range(3):
        await running.call("POST", "/orders", running.order_body(client_order_id=str(number) * 500_000))
    requests = (await running.truth())["requests"]
    assert [request["number"] for request in requests] == [2, 3]
