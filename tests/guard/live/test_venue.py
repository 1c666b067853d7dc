"""Groups E, F and J of the fault matrix, as far as they are the guard's: clock, key, markets, outages, balances."""

import asyncio
from pathlib import Path

import pytest

from tests.guard.live.bench import Bench, Side, order, story
from tests.guard.live.exchange import Fault, down
from tests.guard.support import BTC, ETH, OBSERVER
from traider.domain.guard_protocol import AcceptBalances, Done, Refused
from traider.domain.venue import Permissions
from traider.domain.vocabulary import OrderStatus, Reason
from traider.guard.gates import Cause as Gate
from traider.runtime.virtual_time import play


@pytest.mark.parametrize("offset_s", [-90, 90])
def test_e1_a_clock_that_is_off_closes_a_gate_until_it_is_right_again(tmp_path: Path, offset_s: int) -> None:
    async def told(bench: Bench) -> None:
        bench.clock.offset_ns = offset_s * 1_000_000_000
        await asyncio.sleep(31)
        assert bench.closed() == {Gate.CLOCK}
        reason, detail = bench.refusal(order("a", limit="90"))
        assert reason is Reason.GATE_CLOSED
        assert f"this machine's clock is {offset_s:+d}.0 s off exchange's" in detail
        bench.clock.offset_ns = 0
        await asyncio.sleep(31)
        assert bench.closed() == set()

    story(tmp_path, told)


@pytest.mark.parametrize("slow", [Fault(wait_before_s=11.0), Fault(wait_after_s=11.0)], ids=["there", "back"])
def test_an_answer_that_was_long_under_way_accuses_no_clock_and_clears_none(tmp_path: Path, slow: Fault) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.always["server_time_ns"] = slow
        await asyncio.sleep(60)
        assert Gate.CLOCK not in bench.closed()
        del bench.exchange.always["server_time_ns"]
        bench.clock.offset_ns = 20_000_000_000
        await asyncio.sleep(45)
        assert Gate.CLOCK in bench.closed()
        bench.exchange.always["server_time_ns"] = slow
        bench.clock.offset_ns = 8_000_000_000
        await asyncio.sleep(60)
        assert Gate.CLOCK in bench.closed(), "it may be right, and it may be 8 s off"
        del bench.exchange.always["server_time_ns"]
        bench.clock.offset_ns = 0
        await asyncio.sleep(45)

    story(tmp_path, told)


def test_e1_a_clock_that_is_off_by_less_than_the_limit_is_let_be(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.clock.offset_ns = 4_900_000_000
        await asyncio.sleep(31)
        assert bench.closed() == set()

    story(tmp_path, told)


@pytest.mark.parametrize("offset_s", [-90, 90])
def test_e1_nothing_is_missed_that_happens_while_the_clock_is_off(tmp_path: Path, offset_s: int) -> None:
    """Fills carry the exchange's time: looked for from a clock that is 90 s ahead they would never be found."""

    async def told(bench: Bench) -> None:
        await asyncio.sleep(65)
        bench.clock.offset_ns = offset_s * 1_000_000_000
        bench.submit(order("new", limit="91"))
        elsewhere = bench.exchange.order_elsewhere(Side.BUY, "0.25", "95")  # makes the guard look at everything
        await asyncio.sleep(5)
        bench.exchange.fill(bench.exchange.id_of("new"))
        bench.exchange.fill(elsewhere, told=False)
        await asyncio.sleep(40)
        bench.clock.offset_ns = 0
        await asyncio.sleep(31)
        assert bench.position() == 1.25
        assert bench.status("new") is OrderStatus.FILLED

    story(tmp_path, told)


def test_e1_an_account_that_is_opened_by_a_clock_that_is_off_books_its_first_fills(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path)
        bench.clock.offset_ns = 90_000_000_000
        async with bench.up():
            await asyncio.sleep(1)
            bench.exchange.fill(bench.exchange.order_elsewhere(Side.BUY, "1", "95"))
            await asyncio.sleep(5)
            assert bench.position() == 1.0
            bench.clock.offset_ns = 0
            await asyncio.sleep(31)
            bench.check()
        return bench

    play(whole)


def test_e3_a_key_that_is_revoked_stops_everything_without_a_storm(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.allowed = Permissions(can_view=True, can_trade=False, can_transfer=False)
        await asyncio.sleep(31)
        assert bench.refusal(order("a", limit="90"))[0] is Reason.GATE_CLOSED
        bench.exchange.go_down()
        before = len(bench.exchange.seen)
        await asyncio.sleep(600)
        assert len(bench.exchange.seen) - before < 100, "asked at growing intervals"
        bench.exchange.come_back()
        bench.exchange.allowed = Permissions(can_view=True, can_trade=True, can_transfer=False)
        await asyncio.sleep(31)

    story(tmp_path, told)


def test_e6_a_key_that_may_transfer_is_not_traded_with(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.allowed = Permissions(can_view=True, can_trade=True, can_transfer=True)
        await asyncio.sleep(31)
        assert "the key may transfer money" in bench.refusal(order("a", limit="90"))[1]

    story(tmp_path, told, latched=frozenset({Gate.KEY}))


def test_f5_an_outage_closes_the_gates_and_is_asked_about_ever_more_rarely(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(1)
        bench.exchange.go_down()
        before = bench.exchange.count("open_orders")
        await asyncio.sleep(1800)
        assert {Gate.VENUE, Gate.STREAM, Gate.RECONCILIATION} <= bench.closed()
        assert bench.exchange.count("open_orders") - before < 80
        bench.exchange.come_back()
        await asyncio.sleep(35)
        assert bench.closed() == set()

    story(tmp_path, told)


def test_a_market_that_the_exchange_does_not_trade_now_is_closed_and_no_other(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.feed(10.0, "ETH-USD")
        bench.exchange.instruments = (BTC,)
        await asyncio.sleep(31)
        assert bench.refusal(order("a", symbol="ETH-USD", limit="9"))[0] is Reason.GATE_CLOSED
        assert bench.refusal(order("b", limit="90"))[0] is Reason.NONE
        bench.exchange.instruments = (BTC, ETH)
        await asyncio.sleep(31)

    story(tmp_path, told, instruments=(BTC, ETH))


def test_an_exchange_that_can_not_be_reached_at_the_start_is_tried_until_it_is(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path)
        bench.exchange.fail("start", *[Fault(before=down())] * 4)
        async with bench.up():
            assert bench.closed() == {Gate.START, Gate.STREAM, Gate.VENUE}
            assert bench.refusal(order("a", limit="90"))[0] is Reason.GATE_CLOSED
            await asyncio.sleep(60)
            bench.check()
        return bench

    play(whole)


def test_an_order_that_could_not_leave_is_refused_and_not_unknown(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.fail("submit", Fault(before=down()))
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(2)
        rejected = bench.books.find("a")
        assert rejected is not None
        assert (rejected.status, rejected.reason) == (OrderStatus.REJECTED, Reason.NOT_SENT)

    story(tmp_path, told)


# -- balances


def test_j1_the_exchange_has_less_than_the_books(tmp_path: Path) -> None:
    """Money that somebody took out: the gate closes, and opens by itself when it is back."""

    async def told(bench: Bench) -> None:
        bench.exchange.money["USD"] -= 500
        await asyncio.sleep(65)
        assert bench.closed() == {Gate.BALANCE}
        reason, detail = bench.refusal(order("a", limit="90"))
        assert reason is Reason.GATE_CLOSED
        assert "the exchange has 99500 USD, the fills come to 100000" in detail
        assert bench.refusal(order("b", side=Side.SELL))[0] is Reason.GATE_CLOSED, "what the account holds is not known"
        bench.exchange.money["USD"] += 500
        await asyncio.sleep(5)
        assert bench.closed() == set()

    story(tmp_path, told)


def test_balances_that_a_person_accepts_are_the_books_and_no_profit(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        account = bench.books.desk.account
        bench.exchange.money["USD"] += 1000
        bench.exchange.money["BTC"] += 2
        await asyncio.sleep(65)
        assert bench.closed() == {Gate.BALANCE}
        assert isinstance(bench.ask(AcceptBalances(seq=1, by="owner", reason=" "), OBSERVER).reply, Refused)
        assert isinstance(bench.ask(AcceptBalances(seq=2, by="owner", reason="a deposit"), OBSERVER).reply, Done)
        assert bench.closed() == set()
        assert float(account["cash"]) == 101_000.0
        assert float(account["equity"]) == 101_200.0, "two coins at the last price of 100"
        assert float(account["day_start_equity"]) == 101_200.0, "no profit"
        bench.feed(90.0)
        assert float(account["high_water_mark"]) == 101_200.0
        assert float(account["equity"]) == 101_180.0

    story(tmp_path, told)


def test_what_the_account_holds_at_its_first_start_is_neither_profit_nor_loss(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        account = bench.books.desk.account
        assert (bench.position(), float(account["equity"])) == (3.0, 1300.0)
        assert float(account["day_start_equity"]) == float(account["high_water_mark"]) == 1300.0
        bench.feed(90.0)
        assert float(account["day_start_equity"]) - float(account["equity"]) == pytest.approx(30.0)
        assert bench.refusal(order("a", "3", Side.SELL))[0] is Reason.NONE, "it can be sold"
        await asyncio.sleep(2)
        assert bench.position() == 0.0

    story(tmp_path, told, money={"USD": "1000", "BTC": "3"})


def test_the_opening_balances_wait_for_the_first_price(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path, money={"USD": "1000", "BTC": "3"})
        async with bench.up(price=None):
            assert bench.refusal(order("a", limit="90"))[0] is Reason.NO_MARKET_DATA
            bench.feed(100.0)
            assert float(bench.books.desk.account["day_start_equity"]) == 1300.0
            bench.check()
        async with bench.up(price=None):
            assert float(bench.books.desk.account["day_start_equity"]) == 1300.0
            assert float(bench.books.desk.positions[0]["average_price"]) == 100.0
            bench.check()
        return bench

    play(whole)
