"""Group A of the fault matrix: what becomes of an order whose answer is lost, late or wrong."""

import asyncio
from pathlib import Path

import msgspec

from tests.guard.live.bench import Bench, Side, order, story
from tests.guard.live.exchange import Fault, lost
from traider.domain.orders import OrderAccepted, OrderRejected
from traider.domain.venue import VenueRejectedError
from traider.domain.vocabulary import OrderStatus, Reason
from traider.runtime.virtual_time import play


def test_an_order_that_goes_well(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(1)
        assert bench.status("a") is OrderStatus.OPEN
        bench.exchange.fill(bench.exchange.id_of("a"), "0.4")
        await asyncio.sleep(1)
        assert bench.position() == 0.4
        bench.exchange.fill(bench.exchange.id_of("a"))
        await asyncio.sleep(1)
        assert bench.story_of("a") == ["submitted", "accepted", "filled", "filled"]

    story(tmp_path, told)


def test_an_order_that_waits_for_its_turn_is_held_back_when_a_gate_has_closed_meanwhile(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.turn_comes_after_s = 2.0
        bench.submit(order("a", limit="90"), order("b", limit="90"))
        await asyncio.sleep(1)
        bench.exchange.drop()
        await asyncio.sleep(2)
        assert bench.story_of("a") == ["submitted", "rejected"]
        bench.exchange.revive()
        await asyncio.sleep(2)
        bench.submit(order("c", limit="90"))
        await asyncio.sleep(1)
        bench.kill()
        await asyncio.sleep(2)
        found = bench.books.find("c")
        assert found is not None
        assert found.reason is Reason.KILL_SWITCH

    bench = story(tmp_path, told)
    assert bench.exchange.count("submit") == 0


def test_what_is_no_number_is_refused_also_while_a_gate_is_closed(tmp_path: Path) -> None:
    """To compare NaN is an error of Python's decimals: such an order must not end the guard."""
    bench = Bench(tmp_path)

    async def told() -> None:
        async with bench.up():
            bench.exchange.drop()
            await asyncio.sleep(0.1)
            for size in ("NaN", "sNaN", "Infinity"):
                assert bench.refusal(order(f"closed {size}", size, limit="90"))[0] is Reason.GATE_CLOSED
            bench.exchange.revive()
            await asyncio.sleep(5)
            for size in ("NaN", "sNaN", "Infinity"):
                assert bench.refusal(order(f"open {size}", size, limit="90"))[0] is Reason.INVALID_ORDER
            bench.submit(order("good", limit="90"))
            await asyncio.sleep(1)
            assert bench.amend("good", "NaN", "90") == "good can't become NaN at 90: give finite numbers"
            assert bench.amend("good", "1", "Infinity") == "good can't become 1 at Infinity: give finite numbers"
            assert bench.status("good") is OrderStatus.OPEN

    play(told)


def test_a1_an_order_lost_on_its_way_is_unknown_until_its_absence_is_proven(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.fail("submit", Fault(before=lost()))
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(9)
        assert bench.status("a") is OrderStatus.UNKNOWN
        assert bench.books.desk.positions[0]["open_buys"] == 1.0, "it counts in full"
        assert bench.guard.risk().unknown_orders == ("a",)
        (unknown,) = bench.guard.risk().unresolved
        assert (unknown.client_order_id, unknown.detail) == ("a", "exchange: the answer was lost")
        assert 8.9e9 < bench.clock.now_ns() - unknown.since_ns < 9.1e9, "the age of an order is since its answer was missed"
        assert unknown.doing.startswith("the exchange is asked for it at every look; it has denied it ")
        await asyncio.sleep(4)
        assert bench.story_of("a") == ["submitted", "unknown", "rejected"]
        assert bench.books.desk.positions[0]["open_buys"] == 0.0

    bench = story(tmp_path, told)
    assert bench.exchange.count("submit") == 1


def test_a2_an_order_whose_answer_is_lost_is_found_and_is_one_order(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.silent = True
        bench.exchange.fail("submit", Fault(after=lost()))
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(2)
        assert bench.story_of("a") == ["submitted", "unknown", "accepted"]

    bench = story(tmp_path, told)
    assert bench.exchange.count("submit") == 1


def test_a13_fills_that_are_listed_before_their_order_wait_for_it(tmp_path: Path) -> None:
    """Its answer was lost, and its fill is there before the order itself is: that is nobody else's order."""

    async def told(bench: Bench) -> None:
        bench.exchange.silent, bench.exchange.names_orders = True, False
        bench.exchange.hide("v1", 4.0)
        bench.exchange.fail("submit", Fault(after=lost()))
        bench.submit(order("a", "1"))
        await asyncio.sleep(3)
        assert bench.position() == 0.0
        assert bench.status("a") is OrderStatus.UNKNOWN
        await asyncio.sleep(3)
        assert bench.story_of("a") == ["submitted", "unknown", "accepted", "filled"]
        assert bench.position() == 1.0
        assert bench.notes() == [], "nothing was ordered elsewhere"

    story(tmp_path, told)


def test_a13_an_order_that_is_never_to_be_seen_is_not_taken_for_absent_while_a_fill_may_be_its(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.silent, bench.exchange.names_orders = True, False
        bench.exchange.hide("v1", 60.0)
        bench.exchange.fail("submit", Fault(after=lost()))
        bench.submit(order("a", "1"))
        await asyncio.sleep(50)
        assert bench.guard.risk().unknown_orders == ("a",)
        await asyncio.sleep(15)
        assert bench.status("a") is OrderStatus.FILLED

    story(tmp_path, told)


def test_a4_a6_a8_whatever_is_no_plain_answer_leaves_the_order_unknown(tmp_path: Path) -> None:
    """A gateway's 5xx, a page of HTML, a success without an id: to the guard they are one thing."""

    async def told(bench: Bench) -> None:
        bench.exchange.silent = True
        for name, what in (("a", "503"), ("b", "<html>"), ("c", "no order id")):
            bench.exchange.fail("submit", Fault(after=lost(what)))
            bench.submit(order(name, limit="90"))
            await asyncio.sleep(0.004)
            assert bench.story_of(name) == ["submitted", "unknown"]
        await asyncio.sleep(3)
        assert {bench.status(name) for name in "abc"} == {OrderStatus.OPEN}

    story(tmp_path, told)


def test_a_mistake_of_the_client_leaves_the_order_unknown_too(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.silent = True
        bench.exchange.fail("submit", Fault(after=KeyError("order_id")))  # type: ignore[arg-type]  # what no client should raise
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(3)
        assert bench.story_of("a") == ["submitted", "unknown", "accepted"]

    story(tmp_path, told)


def test_the_exchanges_no_is_a_refusal_with_its_words(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.fail("submit", Fault(before=VenueRejectedError("too small", code="X")))
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(1)
        rejected = bench.books.find("a")
        assert rejected is not None
        assert (rejected.status, rejected.reason, rejected.detail) == (OrderStatus.REJECTED, Reason.VENUE_REJECTED, "exchange: too small")

    story(tmp_path, told)


def test_a13_an_order_that_does_not_show_up_at_once_stays_live(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.silent = True
        bench.exchange.fail("submit", Fault(after=lost()))
        bench.submit(order("a", limit="90"))
        bench.exchange.hide("v1", 8.0)
        for _ in range(7):
            await asyncio.sleep(1)
            assert bench.status("a") is OrderStatus.UNKNOWN
        await asyncio.sleep(3)
        assert bench.status("a") is OrderStatus.OPEN

    story(tmp_path, told)


def test_an_order_is_not_absent_while_a_balance_is_held_for_it(tmp_path: Path) -> None:
    """The exchange denies the order for a minute, and holds the money for it: it is there."""

    async def told(bench: Bench) -> None:
        bench.exchange.silent = True
        bench.exchange.fail("submit", Fault(after=lost()))
        bench.submit(order("a", limit="90"))
        bench.exchange.hide("v1", 60.0)
        await asyncio.sleep(50)
        assert bench.status("a") is OrderStatus.UNKNOWN
        await asyncio.sleep(15)
        assert bench.status("a") is OrderStatus.OPEN

    story(tmp_path, told)


def test_a14_killed_between_journal_and_send_is_proven_absent_and_not_sent_again(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path)
        async with bench.up():
            bench.guard.wake = lambda: None
            bench.submit(order("a", limit="90"))
            bench.guard.outgoing.clear()
        async with bench.up():
            assert bench.status("a") is OrderStatus.UNKNOWN
            await asyncio.sleep(30)
            assert bench.status("a") is OrderStatus.REJECTED
            bench.check()
        return bench

    bench = play(whole)
    assert bench.exchange.count("submit") == 0


def test_a15_killed_between_send_and_answer_is_found_and_taken_over(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path)
        async with bench.up():
            bench.exchange.fail("submit", Fault(wait_after_s=5.0))
            bench.submit(order("a", limit="90"))
            await asyncio.sleep(0.5)
            bench.exchange.silent = True
        bench.exchange.silent = False
        async with bench.up():
            assert bench.status("a") is OrderStatus.OPEN
            await asyncio.sleep(30)
            bench.check()
        return bench

    bench = play(whole)
    assert bench.exchange.count("submit") == 1


def test_a16_news_that_come_before_the_answer_belong_to_the_order(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.fail("submit", Fault(wait_after_s=3.0))
        bench.submit(order("a", side=Side.BUY))
        await asyncio.sleep(1)
        assert bench.story_of("a") == ["submitted", "accepted", "filled"]
        await asyncio.sleep(3)
        assert bench.story_of("a") == ["submitted", "accepted", "filled"]
        assert bench.notes() == [], "nothing about it is strange"

    story(tmp_path, told)


def test_orders_that_hang_together_are_refused_as_a_whole_before_anything_is_sent(tmp_path: Path) -> None:
    """Else an entry could be filled whose stop was refused."""

    async def told(bench: Bench) -> None:
        entry = msgspec.structs.replace(order("entry", limit="90"), leads=True)
        target = msgspec.structs.replace(order("target", side=Side.SELL, limit="120"), parent="entry", oco="target")
        stop = msgspec.structs.replace(order("stop", side=Side.SELL, stop="80"), parent="entry", oco="target")
        events = [event for event in bench.submit(entry, target, stop).events if isinstance(event, OrderRejected)]
        assert [event.reason for event in events] == [Reason.INVALID_ORDER] * 3
        assert all("orders that hang together (oco, oto, protect) are not kept on an exchange" in event.detail for event in events)
        await asyncio.sleep(1)
        assert bench.exchange.count("submit") == 0

    story(tmp_path, told)


def test_answers_that_come_at_once_are_made_durable_at_once(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.submit(*(order(f"o{number}", "0.1", limit="90") for number in range(5)))
        await asyncio.sleep(1)
        accepted = [entry for entry in bench.guard.journal.read() if isinstance(entry.record, OrderAccepted)]
        assert [entry.left for entry in accepted] == [4, 3, 2, 1, 0]
        assert [bench.status(f"o{number}") for number in range(5)] == [OrderStatus.OPEN] * 5

    story(tmp_path, told)
