"""Group B of the fault matrix: cancels and amendments that race with fills, get lost, or are refused."""

import asyncio
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.guard.live.bench import Bench, Side, order, story
from tests.guard.live.exchange import Fault, down, lost
from traider.domain.limits import RiskLimits
from traider.domain.venue import VenueRejectedError
from traider.domain.vocabulary import OrderStatus, Reason


async def resting(bench: Bench, name: str = "a", size: str = "1") -> str:
    bench.submit(order(name, size, limit="90"))
    await asyncio.sleep(1)
    return bench.exchange.id_of(name)


def test_a_cancelled_order_is_over_when_the_exchange_has_said_so(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        await resting(bench)
        bench.cancel("a")
        assert bench.status("a") is OrderStatus.OPEN, "a cancel is a request"
        await asyncio.sleep(1)
        assert bench.story_of("a") == ["submitted", "accepted", "cancelled"]

    story(tmp_path, told)


def test_b1_a_whole_fill_races_the_cancel(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = await resting(bench)
        bench.exchange.on_cancel[venue_id] = lambda: bench.exchange.fill(venue_id)
        bench.cancel("a")
        await asyncio.sleep(1)
        assert bench.story_of("a") == ["submitted", "accepted", "filled"]
        assert bench.status("a") is OrderStatus.FILLED
        assert bench.notes() == []

    story(tmp_path, told)


def test_b2_a_part_is_filled_and_the_rest_cancelled(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = await resting(bench)
        bench.exchange.on_cancel[venue_id] = lambda: bench.exchange.fill(venue_id, "0.3")
        bench.cancel("a")
        await asyncio.sleep(1)
        assert bench.story_of("a") == ["submitted", "accepted", "filled", "cancelled"]
        assert bench.position() == 0.3

    story(tmp_path, told)


def test_b3_a_cancel_whose_answer_is_lost_is_sent_again_and_proven_by_asking(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        await resting(bench)
        bench.exchange.fail("cancel", Fault(before=lost()), Fault(after=lost()))
        bench.cancel("a")
        await asyncio.sleep(1)
        assert bench.status("a") is OrderStatus.OPEN
        await asyncio.sleep(3)
        assert bench.status("a") is OrderStatus.CANCELLED

    bench = story(tmp_path, told)
    assert bench.exchange.count("cancel") == 2


def test_b4_an_order_stays_live_until_its_cancel_has_happened(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = await resting(bench)
        bench.exchange.cancel_takes_s = 5.0
        bench.cancel("a")
        await asyncio.sleep(2)
        assert bench.books.desk.positions[0]["open_buys"] == 1.0
        bench.exchange.fill(venue_id, "0.6")
        await asyncio.sleep(1)
        assert bench.position() == 0.6
        await asyncio.sleep(4)
        assert bench.story_of("a") == ["submitted", "accepted", "filled", "cancelled"]

    story(tmp_path, told)


def test_b6_one_of_a_batch_is_refused(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        for name in "abc":
            await resting(bench, name)
        bench.exchange.on_cancel[bench.exchange.id_of("b")] = lambda: bench.exchange.fill(bench.exchange.id_of("b"))
        bench.cancel()
        await asyncio.sleep(2)
        assert [bench.status(name) for name in "abc"] == [OrderStatus.CANCELLED, OrderStatus.FILLED, OrderStatus.CANCELLED]

    story(tmp_path, told)


def test_a_cancel_of_an_order_whose_id_is_not_known_yet_waits_for_it(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.silent = True
        bench.exchange.fail("submit", Fault(wait_after_s=3.0))
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(0.5)
        bench.cancel("a")
        await asyncio.sleep(5)
        assert bench.story_of("a") == ["submitted", "accepted", "cancelled"]

    story(tmp_path, told)


def test_an_order_that_is_cancelled_before_it_left_is_never_sent(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.submit(order("a", limit="90"))
        bench.cancel("a")
        await asyncio.sleep(1)
        assert bench.story_of("a") == ["submitted", "rejected"]

    bench = story(tmp_path, told)
    assert bench.exchange.count("submit") == 0


def test_cancels_pass_every_closed_gate(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        await resting(bench)
        bench.exchange.drop()
        bench.exchange.fail("open_orders", *[Fault(before=down())] * 3)
        await asyncio.sleep(1)
        assert bench.closed()
        bench.cancel("a")
        await asyncio.sleep(8)
        assert bench.exchange.orders["v1"].status is OrderStatus.CANCELLED
        bench.exchange.revive()

    story(tmp_path, told)


def test_a_late_fill_is_booked_to_a_cancelled_order_which_stays_cancelled(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = await resting(bench)
        bench.cancel("a")
        await asyncio.sleep(1)
        bench.exchange.fill(venue_id, "0.2")
        await asyncio.sleep(1)
        assert bench.story_of("a") == ["submitted", "accepted", "cancelled", "filled"]
        assert bench.status("a") is OrderStatus.CANCELLED
        assert bench.position() == 0.2

    story(tmp_path, told)


# -- amendments


def test_an_amended_order_is_what_the_exchange_has_taken(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        await resting(bench)
        assert bench.amend("a", "2", "91") == ""
        await asyncio.sleep(1)
        assert bench.story_of("a") == ["submitted", "accepted", "amended"]
        request = bench.books.open["a"].request
        assert (request.size, request.limit_price) == (Decimal(2), Decimal(91))
        assert bench.books.desk.positions[0]["open_buys"] == 2.0

    story(tmp_path, told)


def test_an_amendment_that_the_exchange_refuses_leaves_the_order_as_it_was(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        await resting(bench)
        bench.exchange.fail("amend", Fault(before=VenueRejectedError("too late")))
        assert bench.amend("a", "2", "91") == ""
        assert bench.books.desk.positions[0]["open_buys"] == 2.0, "until it is known, it counts as the larger of the two"
        await asyncio.sleep(1)
        assert bench.books.open["a"].request.size == Decimal(1)
        assert bench.books.desk.positions[0]["open_buys"] == 1.0

    story(tmp_path, told)


def test_an_amendment_whose_answer_is_lost_counts_as_the_worse_of_the_two_until_the_exchange_tells(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        for name, fault in (("a", Fault(before=lost())), ("b", Fault(after=lost()))):
            await resting(bench, name)
            bench.exchange.fail("amend", fault)
            assert bench.amend(name, "2", "91") == ""
        await asyncio.sleep(0.005)
        assert bench.books.desk.positions[0]["open_buys"] == 4.0
        await asyncio.sleep(12)
        assert bench.books.open["a"].request.size == Decimal(1)
        assert bench.books.open["b"].request.size == Decimal(2)

    story(tmp_path, told)


def test_an_amendment_that_waits_for_its_turn_is_held_back_when_a_gate_has_closed_meanwhile(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        await resting(bench)
        bench.exchange.turn_comes_after_s = 2.0
        assert bench.amend("a", "2", "91") == ""
        await asyncio.sleep(1)
        bench.exchange.drop()
        await asyncio.sleep(2)
        assert bench.books.open["a"].request.size == Decimal(1)
        assert bench.notes()[-1].startswith("a is what it was: stream")
        bench.exchange.revive()
        await asyncio.sleep(2)
        assert bench.amend("a", "2", "91") == ""
        await asyncio.sleep(1)
        bench.kill()
        await asyncio.sleep(4)
        assert bench.status("a") is OrderStatus.CANCELLED
        bench.kill(False, "seen to")

    bench = story(tmp_path, told)
    assert bench.exchange.count("amend") == 0


@pytest.mark.parametrize("answer", [Fault(wait_after_s=3.0), Fault(after=lost())])
def test_a_fill_of_an_amended_order_may_come_before_the_amendments_answer(tmp_path: Path, answer: Fault) -> None:
    """More is filled than the order was for, as far as the books know: it is the order's all the same."""

    async def told(bench: Bench) -> None:
        await resting(bench)
        bench.exchange.silent = True
        bench.exchange.fail("amend", answer)
        assert bench.amend("a", "2", "91") == ""
        await asyncio.sleep(0.0015)
        assert bench.exchange.orders[bench.exchange.id_of("a")].size == Decimal(2)
        bench.exchange.fill(bench.exchange.id_of("a"))
        await asyncio.sleep(5)
        assert bench.status("a") is OrderStatus.FILLED
        assert bench.position() == 2.0
        assert bench.notes() == [], "nothing was ordered elsewhere"

    story(tmp_path, told)


def test_a_fill_of_an_order_that_was_made_larger_elsewhere_is_the_orders(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        await resting(bench)
        bench.exchange.silent = True
        exchange, identifier = bench.exchange, bench.exchange.id_of("a")
        exchange.orders[identifier] = msgspec.structs.replace(exchange.orders[identifier], size=Decimal(3))
        exchange.fill(identifier)
        await asyncio.sleep(31)
        assert bench.status("a") is OrderStatus.FILLED
        assert bench.position() == 3.0

    story(tmp_path, told)


def test_an_amendment_passes_the_limits_as_a_new_order_would(tmp_path: Path) -> None:
    limits = RiskLimits(
        max_position_size=Decimal(2),
        max_order_notional=Decimal(200),
        max_order_size=Decimal("2.5"),
        max_open_orders_per_market=1,
        max_amends_per_second=2,
    )

    async def told(bench: Bench) -> None:
        await resting(bench)
        assert "MAX_POSITION_SIZE is 2 BTC" in bench.amend("a", "2.001", "90")
        assert bench.refusal(order("b", limit="90"))[0] is Reason.MARKET_OPEN_ORDERS
        assert "MAX_ORDER_NOTIONAL 200 USD" in bench.amend("a", "2", "101")
        assert bench.amend("a", "2", "100") == ""
        await asyncio.sleep(0.1)
        assert bench.amend("a", "1.5", "100") == ""
        await asyncio.sleep(0.1)
        assert "MAX_AMENDS_PER_SECOND is 2 orders" in bench.amend("a", "1", "100")
        bench.cancel("a")
        await asyncio.sleep(1)
        assert "no open limit order" in bench.amend("a", "1", "100")

    story(tmp_path, told, limits=limits)


def test_an_order_changed_elsewhere_is_what_the_exchange_says(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = await resting(bench)
        await bench.exchange.amend(venue_id, size=Decimal(3), price=Decimal(95))
        await asyncio.sleep(40)
        assert bench.books.open["a"].request.size == Decimal(3)
        assert bench.books.desk.positions[0]["open_buys"] == 3.0
        assert bench.notes() == ["order a was changed elsewhere to 3 at 95"]

    story(tmp_path, told)


def test_no_rate_and_no_repetition_hides_what_an_amendment_would_do(tmp_path: Path) -> None:
    limits = RiskLimits(
        max_orders_per_minute=2,
        max_orders_per_second=2,
        duplicate_window_s=Decimal(3600),
        prevent_self_match=True,
        max_gross_exposure=Decimal(300),
    )

    async def told(bench: Bench) -> None:
        await resting(bench)
        bench.submit(order("s", side=Side.SELL, limit="105"))
        await asyncio.sleep(1)
        assert bench.refusal(order("b", limit="90"))[0] is Reason.ORDER_RATE
        assert "PREVENT_SELF_MATCH" in bench.amend("a", "1", "105")
        assert "MAX_GROSS_EXPOSURE is 300 USD" in bench.amend("a", "3.1", "100")
        assert bench.amend("a", "2", "100") == "", "which neither repeats anything nor is another order"
        await asyncio.sleep(1)
        assert bench.amend("a", "1", "90") == "", "what it was before is no repetition either"

    story(tmp_path, told, limits=limits, money={"USD": "100000", "BTC": "1"})
