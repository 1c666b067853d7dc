"""Group A of the fault matrix, and the rig itself: what becomes of an order whose answer is lost, late or wrong.

From the guard's journal through the Coinbase client to the exchange's log, on virtual time, broken by the exchange's fault API. The
invariants are checked after each row; what is asserted here is the row's own expectation.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.faults.rig import CREATE, OrderStatus, Reason, Rig, Side, row


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
