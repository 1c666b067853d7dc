"""Groups B and C of the fault matrix: cancels, and news that get lost.

From the guard's journal through the Coinbase client to the exchange's log, on virtual time, broken by the exchange's fault API. The
invariants are checked after each row; what is asserted here is the row's own expectation.
"""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.faults.rig import CANCEL, CREATE, Gate, OrderStatus, Reason, Rig, row


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


def test_b3_a_cancel_that_is_lost_on_its_way_is_sent_again(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("takes_s", [0.0, 5.0], ids=["at once", "after a while"])
def test_b3_the_end_of_an_order_whose_cancels_answer_is_lost_is_proven_by_asking(tmp_path: Path, takes_s: float) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.exchange.simulator.exchange.switches.cancel_delay_s = takes_s
        rig.fault(do="ws.stall", channels=["user"])  # nobody tells of the end
        rig.fault(match=CANCEL, do="drop_reply", when="after_apply")
        asked_s = asyncio.get_running_loop().time()
        rig.cancel("a")
        await asyncio.sleep(takes_s + 2)
        assert rig.status("a") is OrderStatus.CANCELLED
        assert [one for one in rig.requests("", since_s=asked_s) if one["method"] == "GET" and "/orders/historical/" in one["path"]]
        assert (len(rig.requests("/orders/batch_cancel")) > 1) == bool(takes_s), "sent again while it is not over"
        assert rig.story_of("a") == ["submitted", "accepted", "cancelled"]

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
