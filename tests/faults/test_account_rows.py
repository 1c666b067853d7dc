"""Groups E to J of the fault matrix: clock, key, rates, network, disk, kill switch, balances.

From the guard's journal through the Coinbase client to the exchange's log, on virtual time, broken by the exchange's fault API. The
invariants are checked after each row; what is asserted here is the row's own expectation.
"""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from tests.faults.rig import CREATE, FILLS, LIST, Gate, OrderStatus, Reason, Rig, row
from traider.domain.limits import RiskLimits


def test_e1_a_clock_that_is_90_s_off_gets_no_401_and_an_alert(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.machine.clock.offset_ns = 90_000_000_000
        await asyncio.sleep(31)
        assert Gate.CLOCK in rig.closed()
        assert not [one for one in rig.exchange.simulator.truth.requests.items if one["status"] == 401]
        assert rig.refusal("a") is Reason.GATE_CLOSED
        rig.machine.clock.offset_ns = -90_000_000_000
        await asyncio.sleep(31)
        assert Gate.CLOCK in rig.closed()
        assert not [one for one in rig.exchange.simulator.truth.requests.items if one["status"] == 401]
        rig.machine.clock.offset_ns = 0

    row(tmp_path, told)


def test_e3_a_revoked_key_closes_the_gates_and_makes_no_storm(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.submit("a")
        await asyncio.sleep(1)
        rig.fault(do="key.revoke")
        await rig.until(lambda: Gate.KEY in rig.closed() or Gate.VENUE in rig.closed(), within_s=31)
        assert rig.refusal("b") is Reason.GATE_CLOSED
        assert "401" in " ".join(gate.detail for gate in rig.guard.gates.closed()), "a person is told why"
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
        else:
            await asyncio.sleep(25)  # the list of open orders is asked for every 30 s
        assert rig.requests(match["path"]), "it was asked"
        assert Gate.VENUE in rig.closed()
        assert "cursor" in " ".join(gate.detail for gate in rig.guard.gates.closed())
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
        assert len(rig.exchange.account.open) == 1
        rig.network.unplugged = False
        back_s = asyncio.get_running_loop().time()
        await rig.until(lambda: not rig.exchange.account.open, within_s=2.5)
        posts = [one["path"] for one in rig.requests("", since_s=back_s) if one["method"] == "POST"]
        assert posts[0].endswith("/orders/batch_cancel"), "before anything else is changed"
        await asyncio.sleep(40)
        assert rig.is_nothing_open()
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
        assert not rig.is_nothing_open()
        assert "still open: a" in rig.guard.journal.path.read_text()
        rig.fault(do="product", product_id="BTC-USD", cancels_rejected=False)
        await asyncio.sleep(5)
        assert rig.is_nothing_open()
        rig.kill_switch(False)

    row(tmp_path, told)


def test_j1_money_that_is_missing_is_a_refusal_and_closes_the_gate_until_somebody_has_seen_it(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(do="balance", currency="USD", delta="-99950")
        rig.submit("a", away=0.02)
        await asyncio.sleep(3)
        assert (rig.status("a"), rig.order("a").reason) == (OrderStatus.REJECTED, Reason.VENUE_REJECTED)
        assert Gate.BALANCE in rig.closed(), "the balances were asked for at once"
        rig.fault(do="balance", currency="USD", delta="99950")

    row(tmp_path, told, RiskLimits())


def test_j1_an_order_elsewhere_that_holds_what_is_missing_is_looked_for_at_once(tmp_path: Path) -> None:
    async def told(rig: Rig) -> None:
        rig.fault(do="ws.stall", channels=["user"])  # nobody tells of it
        limit = {"base_size": "1080", "limit_price": "90.00"}
        rig.fault(do="external_order", order={"product_id": "BTC-USD", "side": "BUY", "order_configuration": {"limit_limit_gtc": limit}})
        (elsewhere,) = rig.exchange.account.open.values()
        rig.submit("a", size="20", away=0.02)
        await asyncio.sleep(2)
        assert rig.order("a").reason is Reason.VENUE_REJECTED
        assert f"external-{elsewhere.order_id}" in rig.guard.books.open, "and counts from here on"

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
