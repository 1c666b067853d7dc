"""Group H of the fault matrix: orders that should never leave, strategies gone mad, and the kill switch."""

import asyncio
import random
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.guard.live.bench import Bench, Side, order, story
from tests.guard.live.exchange import Fault, down, lost
from tests.guard.support import TRADER
from traider.domain.guard_protocol import Beat, Cancel, Refused, Submit
from traider.domain.limits import RiskLimits
from traider.domain.venue import VenueRejectedError
from traider.domain.vocabulary import OrderStatus, Reason, TimeInForce
from traider.guard.gates import Cause as Gate
from traider.runtime.virtual_time import play

SANE = RiskLimits(
    max_order_notional=Decimal(500),
    max_position_size=Decimal(20),
    max_gross_exposure=Decimal(1500),
    max_price_deviation=Decimal("0.05"),
    duplicate_window_s=Decimal(1),
    prevent_self_match=True,
    max_orders_per_second=5,
)


def test_h1_a_slip_of_the_finger_is_refused_with_limit_value_and_head_room(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        assert bench.refusal(order("size", "1000", limit="100"))[1].startswith(
            "1000 BTC at 100 USD is 100000 USD, above MAX_ORDER_NOTIONAL"
        )
        assert bench.refusal(order("price", "0.1", limit="1000")) == (
            Reason.PRICE_COLLAR,
            "buy at 1000 is 900 % from the market's 100; MAX_PRICE_DEVIATION is 5 %: prices from 95 to 105 pass",
        )
        assert bench.refusal(order("a", "5", limit="99")) == (Reason.NONE, "")
        assert bench.refusal(order("b", "5", limit="99")) == (
            Reason.DUPLICATE_ORDER,
            "the same order was sent less than DUPLICATE_WINDOW_S 1 s ago: buying 5 BTC-USD at 99",
        )
        assert bench.refusal(order("c", "5", limit="98"))[0] is Reason.NONE
        assert bench.refusal(order("d", "4.9", limit="101"))[0] is Reason.NONE
        assert bench.refusal(order("e", "0.2", limit="101")) == (
            Reason.GROSS_EXPOSURE,
            "0.2 BTC at 101 USD is 20.2 USD, with 1479.9 USD exposed; MAX_GROSS_EXPOSURE is 1500 USD, head-room 20.1 USD",
        )
        await asyncio.sleep(1)
        bench.exchange.fill(bench.exchange.id_of("a"))
        await asyncio.sleep(1)
        assert bench.refusal(order("f", "5", Side.SELL, limit="98")) == (
            Reason.SELF_MATCH,
            "selling 5 BTC-USD at 98 could trade with an own order on the other side; cancel that first (PREVENT_SELF_MATCH)",
        )

    bench = story(tmp_path, told, limits=SANE)
    assert bench.exchange.count("submit") == 3


def test_h2_a_runaway_loop_is_stopped_by_the_rate_and_then_for_good(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        for i in range(1000):
            bench.submit(order(f"o{i}", f"{0.001 * (i + 1):.3f}", limit="99"))
            await asyncio.sleep(0.001)
        assert bench.exchange.count("submit") <= 5
        assert bench.books.kill.on
        assert bench.books.kill.reason == "too many refusals in a row: MAX_REJECTIONS_IN_A_ROW 10 is reached"
        bench.kill(False, "mended")
        assert bench.refusal(order("again", "0.5", limit="99"))[0] is Reason.NONE

    story(tmp_path, told, limits=RiskLimits(max_orders_per_second=5, max_rejections_in_a_row=10))


def test_refusals_with_good_orders_between_them_are_counted_within_a_minute(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        for minute in range(2):
            for i in range(3):
                assert bench.refusal(order(f"above {minute}{i}", "1.001", limit="90"))[0] is Reason.ORDER_SIZE
                assert bench.refusal(order(f"at {minute}{i}", "1", limit="90"))[0] is Reason.NONE
                await asyncio.sleep(1)
            assert not bench.books.kill.on
            await asyncio.sleep(60)
        for i in range(4):
            bench.submit(order(f"last {i}", "1.001", limit="90"))
        assert bench.books.kill.reason == "too many refusals within a minute: more than MAX_REJECTIONS_PER_MINUTE 3"

    story(tmp_path, told, limits=RiskLimits(max_order_size=Decimal(1), max_rejections_per_minute=3))


def test_refusals_of_the_exchange_halt_too(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.fail("submit", *[Fault(before=VenueRejectedError("no"))] * 3)
        for name in "abc":
            bench.submit(order(name, limit="90"))
            await asyncio.sleep(0.5)
        assert bench.books.kill.on

    story(tmp_path, told, limits=RiskLimits(max_rejections_in_a_row=3))


def test_fills_that_come_too_fast_halt(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.submit(order("a", limit="90"), order("rest", limit="80"))
        await asyncio.sleep(1)
        for _ in range(4):
            bench.exchange.fill("v1", "0.1")
        await asyncio.sleep(3)
        assert bench.books.kill.on
        assert "more than MAX_EXECUTIONS_PER_MINUTE 3 fills" in bench.books.kill.reason
        assert bench.exchange.open_ids() == set()

    story(tmp_path, told, limits=RiskLimits(max_executions_per_minute=3))


def test_an_order_whose_time_is_over_counts_until_the_exchange_has_said_so(tmp_path: Path) -> None:
    """The exchange's clock ends it, not this machine's: until then it may fill."""

    async def told(bench: Bench) -> None:
        ends_ns = bench.clock.now_ns() + 2_000_000_000
        timed = msgspec.structs.replace(order("a", "1", limit="99"), time_in_force=TimeInForce.GTD, expire_ts_ns=ends_ns)
        assert bench.refusal(timed)[0] is Reason.NONE
        await asyncio.sleep(5)
        bench.feed(100.0)
        assert bench.exchange.orders[bench.exchange.id_of("a")].status is OrderStatus.OPEN
        assert bench.refusal(order("b", "0.1", limit="99"))[0] is Reason.POSITION_SIZE
        bench.exchange.end(bench.exchange.id_of("a"))
        await asyncio.sleep(5)
        assert bench.refusal(order("c", "1", limit="99"))[0] is Reason.NONE

    story(tmp_path, told, limits=RiskLimits(max_position_size=Decimal(1)))


def test_an_order_whose_fate_is_unknown_counts_in_full(tmp_path: Path) -> None:
    """Position, open and unknown together never get above the limit, on the exchange's truth too (I9)."""

    async def told(bench: Bench) -> None:
        bench.exchange.silent = True
        bench.exchange.fail("submit", Fault(after=lost()), Fault(before=lost()))
        bench.submit(order("a", "5", limit="100"))
        bench.submit(order("b", "5", limit="100"))
        await asyncio.sleep(0.5)
        assert bench.refusal(order("c", "0.001", limit="100"))[0] is Reason.GROSS_EXPOSURE
        await asyncio.sleep(20)
        assert bench.refusal(order("d", "5", limit="100"))[0] is Reason.NONE, "b is proven absent"

    story(tmp_path, told, limits=RiskLimits(max_gross_exposure=Decimal(1000)))


@pytest.mark.parametrize("seed", range(8))
def test_random_orders_and_faults_never_get_above_the_exposure_limit(tmp_path: Path, seed: int) -> None:
    """Strategy, exchange and faults by one seed: I1 to I12 hold in the end, I5 and I9 at every moment."""
    source = random.Random(seed)
    limits = RiskLimits(max_gross_exposure=Decimal(2000), max_position_size=Decimal(15), max_orders_per_second=10)

    async def told(bench: Bench) -> None:
        for step in range(120):
            await random_step(bench, source, step)
        if not bench.exchange.stream_up:
            bench.exchange.come_back()
        bench.exchange.faults.clear()
        await asyncio.sleep(60)

    story(tmp_path, told, limits=limits)


async def random_step(bench: Bench, source: random.Random, step: int) -> None:
    exchange = bench.exchange
    fault = source.choice([Fault(before=lost()), Fault(after=lost()), Fault(before=down()), Fault(wait_after_s=2.0)])
    chance = source.random()
    if chance < 0.45:
        side = source.choice([Side.BUY, Side.BUY, Side.SELL])
        bench.submit(order(f"o{step}", f"{source.randint(1, 5000) / 1000:.3f}", side, limit=f"{source.randint(90, 100)}"))
    elif chance < 0.6 and bench.books.open:
        bench.cancel(source.choice(list(bench.books.open)))
    elif chance < 0.75 and exchange.open_ids():
        chosen = exchange.orders[source.choice(sorted(exchange.open_ids()))]
        part = (chosen.size - chosen.filled_size) * source.choice([Decimal("0.5"), Decimal(1)])
        exchange.fill(chosen.venue_order_id, str(part.quantize(Decimal("0.001")) or part), told=source.random() < 0.7)
    elif chance < 0.85:
        exchange.fail(source.choice(["submit", "cancel", "open_orders", "fills", "balances", "order"]), fault)
    elif chance < 0.9:
        exchange.drop() if exchange.stream_up else exchange.come_back()
    elif chance < 0.93:
        exchange.go_down()
    await asyncio.sleep(source.choice([0.0, 0.01, 0.3, 2.0]))


# -- the kill switch


def test_the_kill_switch_cancels_everything_and_reads_back_an_empty_list(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        for i in range(5):
            bench.submit(order(f"o{i}", limit="90"))
        external = bench.exchange.order_elsewhere(Side.BUY, "1", "80")
        await asyncio.sleep(1)
        bench.kill()
        await asyncio.sleep(2)
        assert bench.exchange.open_ids() == set()
        assert bench.status("o0") is OrderStatus.CANCELLED
        found = bench.books.find("o0")
        assert found is not None
        assert found.reason is Reason.KILL_SWITCH
        later = bench.exchange.order_elsewhere(Side.BUY, "1", "80")
        await asyncio.sleep(5)
        assert bench.exchange.orders[later].status is OrderStatus.CANCELLED, "what comes later goes too"
        assert bench.refusal(order("x", limit="90"))[0] is Reason.KILL_SWITCH
        assert external

    story(tmp_path, told)


def test_an_order_that_is_under_way_when_the_switch_is_pulled_is_cancelled_when_it_arrives(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.exchange.silent = True
        bench.exchange.fail("submit", Fault(wait_before_s=2.0))
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(1)
        bench.kill()
        await asyncio.sleep(5)
        assert bench.exchange.orders["v1"].status is OrderStatus.CANCELLED

    story(tmp_path, told)


def test_h6_the_switch_is_latched_while_the_network_is_down_and_cancels_come_first_when_it_is_back(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(1)
        bench.exchange.go_down()
        bench.kill()
        assert bench.refusal(order("b", limit="90"))[0] is Reason.KILL_SWITCH
        await asyncio.sleep(60)
        assert bench.exchange.open_ids() == {"v1"}
        bench.exchange.come_back()
        back_s = asyncio.get_running_loop().time()
        await asyncio.sleep(3)
        assert bench.exchange.open_ids() == set()
        assert [request.call for request in bench.exchange.seen if request.at_s >= back_s].count("submit") == 0

    story(tmp_path, told)


def test_h7_cancels_that_are_refused_are_tried_again_and_what_is_open_is_told_once(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(1)
        bench.exchange.always["cancel"] = Fault(before=VenueRejectedError("the market is halted"))
        bench.kill()
        await asyncio.sleep(120)
        assert bench.notes() == ["the kill switch is on, still open: a"], "once, not once a second"
        assert 10 < bench.exchange.count("cancel") < 70
        bench.exchange.always.clear()
        await asyncio.sleep(35)
        assert bench.exchange.open_ids() == set()
        assert bench.notes()[-1] == "the kill switch is on, and the exchange has no open order of this account"

    story(tmp_path, told)


@pytest.mark.parametrize("reaches", ["DAILY_LOSS", "DRAWDOWN"])
def test_a_loss_limit_trips_the_switch_from_fills_and_marks(tmp_path: Path, reaches: str) -> None:
    limits = RiskLimits(max_daily_loss=Decimal(100)) if reaches == "DAILY_LOSS" else RiskLimits(max_drawdown=Decimal("0.001"))

    async def told(bench: Bench) -> None:
        bench.submit(order("a", "10"), order("rest", limit="50"))
        await asyncio.sleep(1)
        assert bench.position() == 10.0
        bench.feed(91.0)
        assert bench.killed_because() == "", "90 lost on the price, 1 on the fee"
        bench.feed(90.0)
        assert f"MAX_{reaches} " in bench.killed_because()
        await asyncio.sleep(3)
        assert bench.exchange.open_ids() == set()

    story(tmp_path, told, limits=limits)


# -- a trader that is gone


def test_a_trader_that_asked_for_it_leaves_no_order_behind(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path)
        async with bench.up(client=False, price=None):
            bench.open_clients(cancel_on_disconnect=True)
            bench.feed(100.0)
            bench.exchange.order_elsewhere(Side.BUY, "1", "80")
            bench.submit(order("a", limit="90"), order("b", limit="91"))
            await asyncio.sleep(1)
            bench.guard.disconnect(TRADER)
            await asyncio.sleep(5)
            assert bench.exchange.open_ids() == {"v1"}, "within five seconds, and nothing but its own"
            await asyncio.sleep(30)
            bench.check()
        return bench

    play(whole)


def test_a_trader_that_did_not_ask_for_it_finds_its_orders_again(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(1)
        bench.guard.disconnect(TRADER)
        await asyncio.sleep(5)
        assert bench.exchange.open_ids() == {"v1"}

    story(tmp_path, told)


def test_h8_a_trader_that_hangs_is_let_go_and_can_not_trade_when_it_wakes_up(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path)
        async with bench.up(client=False, price=None):
            bench.open_clients(cancel_on_disconnect=True, heartbeat_s=2.0)
            bench.feed(100.0)
            bench.submit(order("a", limit="90"))
            for _ in range(10):
                await asyncio.sleep(1)
                bench.done(Beat(seq=1))
            assert bench.exchange.open_ids() == {"v1"}
            await asyncio.sleep(5)
            assert bench.exchange.open_ids() == set()
            for ask in (Submit(seq=2, orders=(order("b", limit="90"),)), Cancel(seq=3, client_order_ids=()), Beat(seq=4)):
                assert isinstance(bench.ask(ask).reply, Refused)
            assert bench.exchange.count("submit") == 1
            await asyncio.sleep(30)
            bench.check()
        return bench

    play(whole)


# -- gates and safe mode


def test_market_data_that_is_old_closes_a_gate_of_its_market(tmp_path: Path) -> None:
    async def whole() -> Bench:
        bench = Bench(tmp_path, limits=RiskLimits(max_market_data_age_s=Decimal(5)))
        async with bench.up():
            bench.submit(order("a", "1"))
            await asyncio.sleep(4)
            assert bench.closed() == set()
            await asyncio.sleep(2)
            assert bench.closed() == {Gate.MARKET_DATA}
            assert "MAX_MARKET_DATA_AGE_S 5 s" in bench.refusal(order("b", limit="90"))[1]
            assert bench.refusal(order("c", "1", Side.SELL))[0] is Reason.NONE
            await asyncio.sleep(20)
            bench.feed(100.0)
            await asyncio.sleep(1)
            bench.check()
        return bench

    play(whole)


def test_a_gap_in_the_market_data_closes_the_gate_of_its_market(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.guard.close_gate(Gate.MARKET_DATA, "a gap in the sequence", "BTC-USD")
        assert bench.refusal(order("a", limit="90")) == (
            Reason.GATE_CLOSED,
            "market data for BTC-USD: a gap in the sequence; it opens by itself when that is over",
        )
        bench.guard.open_gate(Gate.MARKET_DATA, "BTC-USD")
        assert bench.refusal(order("b", limit="90"))[0] is Reason.NONE

    story(tmp_path, told)


def test_in_safe_mode_a_position_can_only_be_reduced(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        assert bench.refusal(order("a", limit="90")) == (Reason.SAFE_MODE, "SAFE_MODE is on: only orders that reduce a position may go")
        assert bench.refusal(order("b", "3", Side.SELL))[0] is Reason.NONE

    story(tmp_path, told, limits=RiskLimits(safe_mode=True), money={"USD": "1000", "BTC": "3"})
