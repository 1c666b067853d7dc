"""Rows of the fault matrix, from the guard's journal to the exchange's log: the guard, the Coinbase client and the exchange simulator,
broken by the exchange's fault API. The invariants are checked after each one; what is asserted here is the row's own expectation."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.faults.rig import CANCEL, CREATE, FILLS, LIST, Gate, OrderStatus, Reason, Rig, Side, row
from traider.domain.limits import RiskLimits


def test_a1_a_request_lost_on_its_way_is_proven_absent_and_never_sent_again(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(match=CREATE, do="drop_reply", when="before_apply")
        rig.submit("a")
        await asyncio.sleep(5)
        assert rig.status("a") is OrderStatus.UNKNOWN
        assert rig.guard.books.desk.positions[0]["open_buys"] == 1.0, "it counts in full"
        await asyncio.sleep(15)
        assert rig.story_of("a") == ["submitted", "unknown", "rejected"]
        assert (rig.sent("a"), rig.made("a")) == (1, 0)

    row(tmp_path, told)


def test_a2_an_answer_lost_after_the_order_was_made_is_one_order(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(match=CREATE, do="drop_reply", when="after_apply")
        rig.submit("a")
        await asyncio.sleep(3)
        assert rig.status("a") is OrderStatus.OPEN
        assert "rejected" not in rig.story_of("a")
        assert (rig.sent("a"), rig.made("a")) == (1, 1)

    row(tmp_path, told)


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a4_a_gateways_error_after_the_order_was_made_is_no_refusal(tmp_path: Path, code: int) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(match=CREATE, do="status", code=code, applied=True)
        rig.submit("a")
        await asyncio.sleep(3)
        assert rig.status("a") is OrderStatus.OPEN
        assert "rejected" not in rig.story_of("a")

    row(tmp_path, told)


def test_a6_a_page_of_html_with_status_200_is_no_answer(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(do="ws.stall", channels=["user"])
        rig.fault(match=CREATE, do="mutate", html=True)
        rig.submit("a")
        await asyncio.sleep(3)
        assert rig.story_of("a") == ["submitted", "unknown", "accepted"]

    row(tmp_path, told)


@pytest.mark.parametrize(
    "change",
    [
        {"remove": "success_response.order_id"},
        {"null": "success_response.order_id"},
        {"rename": {"success_response": "answer"}},
        {"set": {"success_response.client_order_id": "another"}},
    ],
)
def test_a8_a_success_that_does_not_name_the_order_is_no_answer(tmp_path: Path, change: dict[str, Any]) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(do="ws.stall", channels=["user"])
        rig.fault(match=CREATE, do="mutate", **change)
        rig.submit("a")
        await asyncio.sleep(3)
        assert rig.story_of("a") == ["submitted", "unknown", "accepted"]

    row(tmp_path, told)


def test_a13_an_order_that_is_not_listed_at_once_stays_live(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(do="ws.stall", channels=["user"])
        rig.fault(match=CREATE, do="hide", seconds=3)
        rig.submit("a")
        await asyncio.sleep(2)
        assert rig.status("a") is OrderStatus.OPEN
        await asyncio.sleep(10)
        assert rig.story_of("a") == ["submitted", "accepted"]
        assert rig.sent("a") == 1

    row(tmp_path, told)


@pytest.mark.parametrize("point", ["order: about to leave", "order: under way", "order: answered"])
def test_a14_a15_a_process_that_dies_around_the_send_neither_loses_nor_doubles_the_order(tmp_path: Path, point: str) -> None:
    async def told(rig: Rig) -> None:
        rig.machine.fate.doom(point, 1)
        rig.submit("a")
        await asyncio.sleep(2)
        assert rig.machine.fate.dead
        await rig.restart()
        await asyncio.sleep(20)
        if point == "order: about to leave":
            assert (rig.status("a"), rig.order("a").reason) == (OrderStatus.REJECTED, Reason.NOT_SENT)
            assert (rig.sent("a"), rig.made("a")) == (0, 0)
        else:
            assert rig.status("a") is OrderStatus.OPEN
            assert (rig.sent("a"), rig.made("a")) == (1, 1)

    row(tmp_path, told)


def test_a16_a_fill_that_is_told_before_the_answer_is_the_orders(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(match=CREATE, do="delay", when="after_apply", seconds=3)
        rig.submit("a", away=None)
        await asyncio.sleep(2)
        assert rig.status("a") is OrderStatus.FILLED
        await asyncio.sleep(3)
        assert rig.story_of("a").count("accepted") == 1
        assert not [event for event in rig.told if event.client_order_id.startswith("external")]

    row(tmp_path, told)


def test_b1_a_fill_that_comes_with_the_cancel_fills_the_order(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(do="fill", on="cancel", fraction=1.0)
        rig.cancel("a")
        await asyncio.sleep(3)
        assert rig.status("a") is OrderStatus.FILLED
        assert rig.position() == 1

    row(tmp_path, told)


def test_b2_a_part_that_is_filled_with_the_cancel_is_booked(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(do="fill", on="cancel", fraction=0.25)
        rig.cancel("a")
        await asyncio.sleep(3)
        assert (rig.status("a"), rig.order("a").filled_size) == (OrderStatus.CANCELLED, Decimal("0.25"))

    row(tmp_path, told)


def test_b3_a_cancel_whose_answer_is_lost_is_sent_again(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(match=CANCEL, do="drop_reply", when="before_apply")
        rig.cancel("a")
        await asyncio.sleep(1)
        assert rig.status("a") is OrderStatus.OPEN
        await asyncio.sleep(4)
        assert rig.status("a") is OrderStatus.CANCELLED
        assert len(rig.requests("/orders/batch_cancel")) == 2

    row(tmp_path, told)


def test_b4_a_cancel_that_takes_its_time_leaves_the_order_counted(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.exchange.simulator.exchange.switches.cancel_delay_s = 5.0
        rig.cancel("a")
        await asyncio.sleep(2)
        assert rig.status("a") is OrderStatus.OPEN
        assert rig.guard.books.desk.positions[0]["open_buys"] == 1.0
        rig.fault(do="fill", client_order_id="a", fraction=0.5)
        await asyncio.sleep(5)
        assert (rig.status("a"), rig.order("a").filled_size) == (OrderStatus.CANCELLED, Decimal("0.5"))

    row(tmp_path, told)


def test_b6_results_of_a_batch_that_are_mixed_up_or_missing_are_found_by_id(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        for name, away in (("a", 0.02), ("b", 0.021), ("c", 0.022)):
            rig.submit(name, away=away)
        await asyncio.sleep(1)
        rig.fault(match=CANCEL, do="mutate", reverse="results", remove="results.0")
        rig.cancel("a", "b", "c")
        await asyncio.sleep(5)
        assert {rig.status(name) for name in "abc"} == {OrderStatus.CANCELLED}

    row(tmp_path, told)


@pytest.mark.parametrize("how", [{"do": "ws.drop", "no_close": True}, {"do": "ws.drop"}, {"do": "ws.close", "code": 1000}])
def test_c1_c2_a_user_channel_that_is_gone_closes_the_gates_until_everything_was_asked(tmp_path: Path, how: dict[str, Any]) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(**how)
        rig.fault(do="fill", client_order_id="a", fraction=0.5)
        await rig.until(lambda: rig.closed() >= {Gate.STREAM}, within_s=6.5 if how.get("no_close") else 0.1)
        assert rig.refusal("b") is Reason.GATE_CLOSED
        await asyncio.sleep(10)
        assert rig.closed() == set()
        assert rig.position() == Decimal("0.5")

    row(tmp_path, told)


def test_c4_a_user_channel_that_says_nothing_while_the_heart_beats_hides_nothing_for_long(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(do="ws.stall", channels=["user"])
        await asyncio.sleep(61)
        rig.fault(do="fill", client_order_id="a", fraction=0.5)
        await asyncio.sleep(10)
        assert rig.position() == Decimal("0.5")
        assert Gate.STREAM not in rig.closed(), "nothing says that it is lost"

    row(tmp_path, told)


def test_c5_a_message_that_is_lost_without_a_gap_is_made_up_for(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(do="ws.skip", channel="user", count=1, numbered=False)
        rig.fault(do="fill", client_order_id="a", fraction=1.0)
        await asyncio.sleep(31)
        assert rig.status("a") is OrderStatus.FILLED
        assert rig.position() == 1
        assert sum(one["method"] == "POST" for one in rig.requests("/orders")) == 1, "no order was made because of it"

    row(tmp_path, told)


def test_c6_a_gap_in_the_user_channels_numbers_has_everything_asked_on_the_same_connection(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        sockets = rig.network.sessions
        rig.fault(do="ws.skip", channel="user", count=1)
        rig.fault(do="fill", client_order_id="a", fraction=0.5)  # its message is the one that is lost
        # the next heartbeat shows the gap
        await rig.until(lambda: rig.closed() >= {Gate.STREAM, Gate.RECONCILIATION}, within_s=1.1)
        await asyncio.sleep(4)
        assert rig.closed() == set()
        assert rig.position() == Decimal("0.5")
        assert rig.network.sessions == sockets, "subscribed anew, not connected anew"

    row(tmp_path, told)


def test_c9_an_order_that_ended_while_the_channel_was_gone_is_asked_for_by_its_id(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(do="ws.drop")
        rig.fault(do="fill", client_order_id="a", fraction=1.0)
        await asyncio.sleep(8)
        assert (rig.status("a"), rig.position()) == (OrderStatus.FILLED, Decimal(1))
        assert rig.story_of("a").count("filled") == 1

    row(tmp_path, told)


def test_c10_more_open_orders_than_a_message_of_the_snapshot_are_all_known_after_a_restart(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        for number in range(130):
            rig.submit(f"o{number}", size="0.02", away=0.02 + number / 10_000)
            await asyncio.sleep(0.1)
        await asyncio.sleep(5)
        assert len(rig.exchange.account.open) == 130, "a message of the user channel's snapshot has fifty"
        await rig.restart()
        await asyncio.sleep(10)
        assert len(rig.guard.books.open) == 130
        assert not [event for event in rig.told if "Cancelled" in type(event).__name__]

    row(tmp_path, told)


def test_c11_several_trades_behind_one_message_are_booked_one_by_one(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(do="ws.skip", channel="user", count=3, numbered=False)
        for _ in range(3):
            rig.fault(do="fill", client_order_id="a", size="0.2")
        rig.fault(do="fill", client_order_id="a", size="0.1")
        await asyncio.sleep(2)
        assert rig.story_of("a").count("filled") == 4
        assert rig.position() == Decimal("0.7")

    row(tmp_path, told)


def test_c12_fills_that_are_listed_late_are_waited_for_and_booked_once(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(match=CREATE, do="hide", what="fill", seconds=3)
        rig.submit("a", away=None)
        await asyncio.sleep(2)
        assert rig.status("a") is not OrderStatus.FILLED
        assert rig.guard.books.desk.positions[0]["open_buys"] == 1.0, "it counts as open until its fills are there"
        assert Gate.BALANCE not in rig.closed()
        await asyncio.sleep(3)
        assert (rig.status("a"), rig.position()) == (OrderStatus.FILLED, Decimal(1))

    row(tmp_path, told)


def test_e1_a_clock_that_is_90_s_off_gets_no_401_and_an_alert(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.machine.clock.offset_ns = 90_000_000_000
        await asyncio.sleep(31)
        assert Gate.CLOCK in rig.closed()
        assert not [one for one in rig.exchange.simulator.truth.requests.items if one["status"] == 401]
        rig.machine.clock.offset_ns = -90_000_000_000
        await asyncio.sleep(31)
        assert not [one for one in rig.exchange.simulator.truth.requests.items if one["status"] == 401]
        rig.machine.clock.offset_ns = 0

    row(tmp_path, told)


def test_e3_a_revoked_key_closes_the_gates_and_makes_no_storm(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(do="key.revoke")
        await asyncio.sleep(40)
        assert rig.refusal("b") is Reason.GATE_CLOSED
        before = len(rig.network.arrivals)
        await asyncio.sleep(60)
        assert len(rig.network.arrivals) - before < 60, "fewer than one request a second"
        rig.fault(do="key.revoke", undo=True)

    row(tmp_path, told)


@pytest.mark.parametrize("scopes", [["view"], ["view", "trade", "transfer"]])
def test_e6_a_key_with_the_wrong_scopes_is_not_traded_with(tmp_path: Path, scopes: list[str]) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(do="key.scopes", scopes=scopes)
        await rig.restart()
        await asyncio.sleep(3)
        assert Gate.KEY in rig.closed()
        assert rig.refusal("a") is Reason.GATE_CLOSED
        assert rig.sent("a") == 0
        rig.fault(do="key.scopes", scopes=["view", "trade"])

    row(tmp_path, told)


def test_f1_a_storm_of_429_for_a_minute_is_met_with_patience_and_cancels_go_first(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        began_s = asyncio.get_running_loop().time()
        for match in ({"method": "GET"}, CREATE):
            rig.fault(match=match, do="status", code=429, times=0)
        rig.submit("b", away=0.03)  # whatever 429 says, it is no refusal
        await asyncio.sleep(1)
        rig.cancel("a")
        await asyncio.sleep(1)
        (cancel,) = rig.requests("/orders/batch_cancel")[:1]
        assert cancel["status"] == 200
        assert rig.made("a") == 1
        assert not rig.exchange.account.open, "the cancel went through the storm"
        await asyncio.sleep(58)
        assert rig.status("b") is OrderStatus.UNKNOWN
        private = [one for one in rig.requests("", since_s=began_s) if one["account"]]
        assert len(private) < 180, "three a second at most, over a minute"

    row(tmp_path, told)


def test_f5_maintenance_closes_the_gates_and_is_asked_about_rarely(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(do="maintenance", seconds=1800)
        await asyncio.sleep(30)
        assert rig.closed() >= {Gate.STREAM, Gate.VENUE}
        assert rig.refusal("b") is Reason.GATE_CLOSED
        before_s = asyncio.get_running_loop().time()
        await asyncio.sleep(600)
        assert len(rig.requests("", since_s=before_s)) < 600
        await asyncio.sleep(1175)

    row(tmp_path, told)


def test_f6_a_connection_that_the_exchange_had_closed_leaves_the_order_unknown_and_unsent(tmp_path: Path) -> None:
    """The HTTP library does not send it again by itself (``tests/connectors/coinbase/test_rest.py`` has that over real sockets)."""

    async def told(rig: Rig) -> None:
        rig.fault(match={"method": "GET"}, do="close_after_reply", times=0)
        await asyncio.sleep(35)  # a look at everything was the last thing that the connection carried
        rig.submit("a")
        await asyncio.sleep(1)
        assert rig.status("a") is OrderStatus.UNKNOWN
        await asyncio.sleep(20)
        assert (rig.sent("a"), rig.made("a")) == (0, 0)
        assert rig.order("a").reason is Reason.NOT_SENT

    row(tmp_path, told)


@pytest.mark.parametrize("match", [FILLS, LIST])
def test_f7_a_cursor_that_comes_again_is_an_error_and_no_end(tmp_path: Path, match: dict[str, str]) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(match=match, do="mutate", set={"cursor": "round", "has_next": True}, times=0)
        rig.fault(do="fill", client_order_id="a", fraction=0.5)
        await asyncio.sleep(10)
        if match == FILLS:
            assert rig.position() == 0
            assert Gate.VENUE in rig.closed()
        before = len(rig.network.arrivals)
        await asyncio.sleep(10)
        assert len(rig.network.arrivals) - before < 100, "it does not go round and round"
        rig.exchange.simulator.faults.clear()
        await asyncio.sleep(40)
        assert rig.position() == Decimal("0.5")

    row(tmp_path, told)


def test_g6_a_full_disk_stops_new_orders_and_no_cancel(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.machine.disk.full = True
        assert rig.refusal("b") is Reason.GUARD_NOT_READY
        assert rig.sent("b") == 0
        rig.cancel("a")
        await asyncio.sleep(1)
        assert not rig.exchange.account.open
        rig.machine.disk.full = False
        await rig.restart()

    row(tmp_path, told)


def test_h6_the_kill_switch_holds_while_the_network_is_down_and_cancels_first_when_it_is_back(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.network.unplugged = True
        rig.kill_switch(True)
        assert rig.refusal("b") is Reason.KILL_SWITCH
        await asyncio.sleep(60)
        assert rig.exchange.account.open
        rig.network.unplugged = False
        await asyncio.sleep(40)
        assert not rig.exchange.account.open
        assert rig.guard.kill_proven
        rig.kill_switch(False)

    row(tmp_path, told)


def test_h7_cancels_that_are_rejected_are_repeated_and_what_is_open_is_told(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(do="product", product_id="BTC-USD", cancels_rejected=True)
        rig.kill_switch(True)
        await asyncio.sleep(20)
        assert 3 < len(rig.requests("/orders/batch_cancel")) < 25
        assert not rig.guard.kill_proven
        assert "still open: a" in rig.guard.journal.path.read_text()
        rig.fault(do="product", product_id="BTC-USD", cancels_rejected=False)
        await asyncio.sleep(5)
        assert rig.guard.kill_proven
        rig.kill_switch(False)

    row(tmp_path, told)


def test_j1_money_that_is_missing_is_a_refusal_and_closes_the_gate_until_somebody_has_seen_it(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(do="balance", currency="USD", delta="-99950")
        rig.submit("a", away=0.02)
        await asyncio.sleep(2)
        assert (rig.status("a"), rig.order("a").reason) == (OrderStatus.REJECTED, Reason.VENUE_REJECTED)
        await asyncio.sleep(61)
        assert Gate.BALANCE in rig.closed()
        rig.fault(do="balance", currency="USD", delta="99950")

    row(tmp_path, told, RiskLimits())


def test_j5_fills_whose_size_is_in_the_quote_currency_are_turned_exactly(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(do="fill", client_order_id="a", size="0.125")
        (fill,) = rig.exchange.truth([]).fills
        in_quote = {"fills.0.size": f"{fill.size * fill.price}", "fills.0.size_in_quote": True}
        rig.fault(match=FILLS, do="mutate", set=in_quote, times=2)
        await asyncio.sleep(3)
        assert rig.position() == Decimal("0.125")

    row(tmp_path, told)


def test_a_sale_of_what_is_held_closes_the_position(tmp_path: Path) -> None:
    """The rig itself: without any fault a position is opened and closed."""

    async def told(rig: Rig) -> None:
        rig.submit("a", away=None)
        await asyncio.sleep(2)
        rig.submit("b", side=Side.SELL, away=None)
        await asyncio.sleep(2)
        assert rig.position() == 0
        assert (rig.status("a"), rig.status("b")) == (OrderStatus.FILLED, OrderStatus.FILLED)

    row(tmp_path, told)
