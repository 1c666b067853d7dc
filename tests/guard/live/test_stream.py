"""Group C of the fault matrix: the user channel is lost, silent, or tells things late, twice or out of order."""

import asyncio
from decimal import Decimal
from pathlib import Path

from tests.guard.live.bench import Bench, Side, order, story
from tests.guard.live.exchange import Fault
from traider.domain.limits import RiskLimits
from traider.domain.venue import OrderHint
from traider.domain.vocabulary import OrderStatus, Reason
from traider.guard.gates import Cause as Gate


async def resting(bench: Bench, name: str = "a", size: str = "1") -> str:
    bench.submit(order(name, size, limit="90"))
    await asyncio.sleep(1)
    return bench.exchange.id_of(name)


def test_c1_c2_a_lost_channel_closes_the_gates_until_everything_was_asked_for_again(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.fail("open_orders", Fault(), Fault(wait_before_s=2.0))
        bench.exchange.drop("closed with 1000")
        await asyncio.sleep(0.0)
        await asyncio.sleep(0.0005)
        reason, detail = bench.refusal(order("a", limit="90"))
        assert reason is Reason.GATE_CLOSED
        assert "closed with 1000" in detail
        await asyncio.sleep(3)
        assert bench.closed() == {Gate.STREAM}, "what the account holds is known again, what happens is not told"
        bench.exchange.revive()
        await asyncio.sleep(0.001)
        assert bench.refusal(order("b", limit="90"))[0] is Reason.GATE_CLOSED
        await asyncio.sleep(3)
        assert bench.refusal(order("c", limit="90"))[0] is Reason.NONE

    story(tmp_path, told)


def test_while_the_channel_is_lost_only_orders_that_reduce_go(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.fill(await resting(bench))
        await asyncio.sleep(1)
        bench.exchange.drop()
        await asyncio.sleep(1)
        assert bench.refusal(order("more", limit="90"))[0] is Reason.GATE_CLOSED
        assert bench.refusal(order("less", "1", Side.SELL))[0] is Reason.NONE
        await asyncio.sleep(6)
        assert bench.position() == 0.0, "found by asking"
        bench.exchange.revive()

    story(tmp_path, told)


def test_c4_a_channel_that_is_silent_does_not_hide_a_fill_for_long(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = await resting(bench)
        bench.exchange.silent = True
        await asyncio.sleep(120)
        bench.exchange.fill(venue_id)
        await asyncio.sleep(6)
        assert bench.position() == 1.0

    story(tmp_path, told)


def test_c5_one_lost_message_is_made_up_for_by_asking(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = await resting(bench)
        bench.exchange.fill(venue_id, told=False)
        await asyncio.sleep(32)
        assert bench.position() == 1.0

    story(tmp_path, told)


def test_c9_an_order_that_ended_while_the_channel_was_gone_is_booked_once(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = await resting(bench)
        bench.exchange.go_down()
        await asyncio.sleep(5)
        bench.exchange.fill(venue_id, "0.5")
        bench.exchange.fill(venue_id, "0.5", "89")
        await asyncio.sleep(5)
        assert bench.position() == 0.0
        bench.exchange.come_back()
        await asyncio.sleep(10)
        assert bench.story_of("a") == ["submitted", "accepted", "filled", "filled"]

    story(tmp_path, told)


def test_c10_more_open_orders_than_one_page_holds(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        for i in range(130):
            bench.submit(order(f"o{i}", "0.01", limit="90"))
            await asyncio.sleep(0.05)
        await asyncio.sleep(40)
        assert len(bench.books.open) == 130
        bench.exchange.drop()
        await asyncio.sleep(2)
        bench.exchange.revive()
        await asyncio.sleep(5)
        assert len(bench.books.open) == 130

    story(tmp_path, told)


def test_c11_many_trades_behind_one_message_are_all_booked(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = await resting(bench)
        for _ in range(9):
            bench.exchange.fill(venue_id, "0.1", told=False)
        bench.exchange.fill(venue_id, "0.1")
        await asyncio.sleep(1)
        assert bench.story_of("a") == ["submitted", "accepted", *["filled"] * 10]

    story(tmp_path, told)


def test_c12_fills_that_are_listed_late_are_waited_for(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = await resting(bench)
        bench.exchange.hide("t1", 3.0)
        bench.exchange.fill(venue_id)
        await asyncio.sleep(2)
        assert bench.status("a") is OrderStatus.OPEN
        assert bench.books.desk.positions[0]["open_buys"] == 1.0, "it counts until it is booked"
        assert Gate.BALANCE not in bench.closed(), "a fill that is on its way is no mismatch"
        await asyncio.sleep(3)
        assert bench.story_of("a") == ["submitted", "accepted", "filled"]

    story(tmp_path, told)


def test_messages_told_twice_and_out_of_order_change_nothing(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = await resting(bench)
        before = OrderHint(order=bench.exchange.orders[venue_id])
        bench.exchange.fill(venue_id, "0.4")
        middle = OrderHint(order=bench.exchange.orders[venue_id])
        bench.exchange.fill(venue_id, "0.6")
        for hint in (middle, before, middle, before):
            bench.exchange._stream.put_nowait(hint)
        await asyncio.sleep(2)
        assert bench.story_of("a") == ["submitted", "accepted", "filled", "filled"]
        asked = bench.exchange.count("fills")
        bench.exchange._stream.put_nowait(middle)
        await asyncio.sleep(1)
        assert bench.exchange.count("fills") == asked, "what is known already is not asked for"

    story(tmp_path, told)


# -- what others do on the account


def test_an_order_made_elsewhere_is_taken_in_and_counts(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = bench.exchange.order_elsewhere(Side.BUY, "1.5", "90")
        await asyncio.sleep(1)
        assert bench.books.open[f"external-{venue_id}"].request.strategy == "external"
        assert bench.refusal(order("a", "0.6", limit="90"))[0] is Reason.POSITION_SIZE
        bench.exchange.fill(venue_id)
        await asyncio.sleep(1)
        assert bench.position() == 1.5
        assert bench.notes() == [f"buy 1.5 BTC-USD was ordered elsewhere ({venue_id})"]

    story(tmp_path, told, limits=RiskLimits(max_position_size=Decimal(2)))


def test_an_order_made_and_filled_elsewhere_between_two_looks_is_booked(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.silent = True
        bench.exchange.fill(bench.exchange.order_elsewhere(Side.BUY, "1", "101"))
        await asyncio.sleep(70)
        assert bench.position() == 1.0
        assert bench.story_of("external-v1") == ["submitted", "accepted", "filled"]

    story(tmp_path, told)


def test_a_trader_may_not_cancel_everything_that_others_made_but_the_kill_switch_does(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        venue_id = bench.exchange.order_elsewhere(Side.BUY, "1", "90")
        await asyncio.sleep(1)
        bench.cancel()
        await asyncio.sleep(5)
        assert bench.exchange.open_ids() == {venue_id}
        bench.kill()
        await asyncio.sleep(5)
        assert bench.exchange.open_ids() == set()

    story(tmp_path, told)


def test_a_market_that_is_not_ours_still_moves_the_balances(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.fill(bench.exchange.order_elsewhere(Side.BUY, "10", "20", symbol="ETH-USD"))
        await asyncio.sleep(2)
        assert float(bench.books.desk.account["cash"]) == 100_000 - 200 - 0.2

    story(tmp_path, told)
