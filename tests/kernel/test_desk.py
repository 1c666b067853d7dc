"""A desk from outside: what it tells, what it takes back, and how it is built up again from a journal."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tests.kernel.desks import BUY, SELL, START_NS, Pit, fills, instrument
from traider.domain.errors import TraiderError
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import EventKind, OrderType, Reason
from traider.kernel import layout
from traider.kernel.desk import Desk, Execution
from traider.kernel.layout import ORDER
from traider.kernel.order_row import OrderRow
from traider.kernel.simulation import Fees, FillMode


def test_ids_are_given_in_order_and_never_again() -> None:
    pit = Pit(marks=[100.0])
    first = pit.limit(BUY, 1.0, 90.0)
    second = pit.limit(BUY, 1.0, 91.0)
    assert (first, second) == (1, 2)
    pit.desk.cancel(second)
    assert pit.limit(BUY, 1.0, 92.0) == 3


def test_open_orders_are_copies_in_the_order_of_submission() -> None:
    pit = Pit(marks=[100.0])
    orders = [pit.limit(BUY, 1.0, price) for price in (92.0, 90.0, 91.0)]
    copies = pit.desk.open_orders()
    assert [order["id"] for order in copies] == orders
    copies[0]["size"] = 5.0
    assert pit.desk.open_orders()[0]["size"] == 1.0
    pit.desk.cancel(orders[1])
    assert [order["id"] for order in pit.desk.open_orders()] == [orders[0], orders[2]]


def test_a_cancellation_is_told_once_with_its_reason_and_what_was_left() -> None:
    pit = Pit(marks=[100.0])
    order = pit.limit(BUY, 1.0, 101.0)
    pit.trade(100.0, size=0.4)
    assert pit.desk.cancel(order, Reason.KILL_SWITCH)
    assert pit.desk.drain() == [Execution("cancel", order, 0, 0, BUY, 0.0, 0.6, 0.0, False, Reason.KILL_SWITCH, pit.now_ns)]
    assert pit.desk.drain() == []
    assert not pit.desk.cancel(order)
    assert not pit.desk.is_open(order)


def test_the_reference_of_an_order_comes_back_with_its_fills() -> None:
    pit = Pit(marks=[100.0])
    order, reason = pit.desk.submit(inst=0, side=BUY, type=0, tif=0, post_only=False, size=1.0, limit_price=0.0, stop_price=0.0, ref=77)
    assert reason is Reason.NONE
    (fill,) = pit.bar(100.0, 100.0, 100.0, 100.0)
    assert (fill.order_id, fill.ref) == (order, 77)


def test_in_fill_mode_same_an_order_is_filled_as_it_is_submitted() -> None:
    pit = Pit(fill=FillMode.SAME, fees=Fees(taker=0.01), marks=[100.0])
    order = pit.market(BUY, 2.0)
    assert fills(pit.desk.drain()) == [(order, 100.0, 2.0, False)]
    assert (pit.position(), pit.equity) == (2.0, 1_000_000.0 - 2.0)
    assert pit.max_drawdown == 2.0 / 1_000_000.0, "the fee is a loss at once"


def test_the_number_of_instruments_has_an_end() -> None:
    many = [instrument(f"C{n}-USD") for n in range(layout.MAX_INSTRUMENTS)]
    assert len(Desk(many, cash=1.0).instruments) == layout.MAX_INSTRUMENTS
    for wrong in ([], [*many, instrument()]):
        with pytest.raises(TraiderError, match=f"an account trades 1 to 64 instruments, not {len(wrong)}"):
            Desk(wrong, cash=1.0)


def test_a_copy_of_the_record_is_a_copy_of_the_account() -> None:
    pit = Pit(marks=[100.0])
    pit.limit(BUY, 1.0, 99.0)
    other = Desk([instrument()], cash=0.0)
    other.records[:] = pit.desk.records
    for desk in (pit.desk, other):
        desk.on_market(int(EventKind.TRADE), 0, pit.now_ns + 1, 98.0, 5.0, 0.0, 0.0, 0.0)
        desk.on_market(int(EventKind.TRADE), 0, pit.now_ns + 2, 98.0, 5.0, 0.0, 0.0, 0.0)
    assert pit.position() == 1.0
    assert other.records.tobytes() == pit.desk.records.tobytes()


def busy() -> Pit:
    """A desk with two positions, a partly filled and two resting orders."""
    pit = Pit(instrument("BTC-USD"), instrument("ETH-USD", shortable=True), fees=Fees(0.001, 0.002), marks=[100.0, 10.0])
    pit.market(BUY, 2.0)
    pit.trade(101.0)
    pit.market(SELL, 30.0, inst=1)
    pit.trade(10.5, inst=1)
    pit.limit(BUY, 1.5, 102.0)
    pit.trade(101.5, size=0.5)
    pit.stop(SELL, 1.0, 95.0)
    pit.limit(SELL, 1.0, 120.0)
    pit.trade(102.25)
    pit.trade(10.25, inst=1)
    return pit


def rebuilt(original: Pit) -> Desk:
    """The same account from its fills and its open orders, as a journal tells them."""
    source = original.desk
    desk = Desk(source.instruments, cash=1_000_000.0, fees=Fees(0.001, 0.002))
    for inst, side, price, size, maker in ((0, BUY, 101.0, 2.0, False), (1, SELL, 10.5, 30.0, False), (0, BUY, 101.5, 0.5, False)):
        fee = price * size * 0.002
        desk.apply_fill(order_id=0, inst=inst, side=side, price=price, size=size, fee=fee, ts_ns=original.now_ns, maker=maker)
    for order in source.open_orders():
        whole = {name: int(order[name]) for name in ("inst", "side", "type", "tif", "ts_ns", "ref")}
        desk.restore_order(
            order_id=int(order["id"]),
            post_only=bool(order["post_only"]),
            size=float(order["size"]),
            filled=float(order["filled"]),
            limit_price=float(order["limit_price"]),
            stop_price=float(order["stop_price"]),
            **whole,
        )
    account = source.account
    desk.restore_marks(
        day_start_equity=float(account["day_start_equity"]),
        day_index=int(account["day_end_ns"]) // layout.DAY_NS - 1,
        high_water_mark=float(account["high_water_mark"]),
        marks=[102.25, 10.25],
        now_ns=original.now_ns,
    )
    desk.drain()
    return desk


def test_a_desk_is_built_up_again_from_fills_orders_and_marks() -> None:
    original = busy()
    desk = rebuilt(original)
    for name in ("size", "average_price", "mark_price", "realized_pnl", "fees", "open_buys", "open_sells"):
        assert desk.positions[name].tolist() == original.desk.positions[name].tolist(), name
    for name in ("cash", "equity", "high_water_mark", "day_start_equity", "day_end_ns", "now_ns", "fees", "open_orders"):
        assert desk.account[name] == original.desk.account[name], name
    assert desk.cash_reserved() == original.desk.cash_reserved()
    assert desk.breached() is original.desk.breached() is Reason.NONE
    assert [order["id"] for order in desk.open_orders()] == [order["id"] for order in original.desk.open_orders()]


def test_after_that_the_next_order_gets_a_new_id_and_the_limits_hold() -> None:
    desk = rebuilt(busy())
    largest = max(int(order["id"]) for order in desk.open_orders())
    order, reason = desk.submit(
        inst=0, side=BUY, type=int(OrderType.LIMIT), tif=0, post_only=False, size=1.0, limit_price=50.0, stop_price=0.0
    )
    assert (order > largest, reason) == (True, Reason.NONE)
    desk.set_limits(RiskLimits(max_position_size=Decimal("5.5")))
    room = 5.5 - 2.5 - 1.0 - 1.0  # held, left of the partly filled order, just asked for
    for size, expected in ((room, Reason.NONE), (room + 0.001, Reason.POSITION_SIZE)):
        assert desk.check(inst=0, side=BUY, type=0, tif=0, post_only=False, size=size, limit_price=0.0, stop_price=0.0) is expected


def test_a_fill_elsewhere_of_a_part_and_of_the_rest_of_an_order() -> None:
    pit = Pit(remote=True, marks=[100.0])
    order = pit.limit(BUY, 1.0, 99.0)
    common = {"inst": 0, "side": BUY, "price": 99.0, "fee": 0.0, "ts_ns": START_NS + 10**15, "maker": True}
    pit.desk.apply_fill(order_id=order, size=0.3, **common)  # type: ignore[arg-type]  # mypy sees one type for all values
    assert pit.desk.open_orders()[0]["filled"] == 0.3
    assert pit.desk.positions[0]["open_buys"] == 0.7
    pit.desk.apply_fill(order_id=order, size=0.7, **common)  # type: ignore[arg-type]
    assert not pit.desk.is_open(order)
    assert (pit.position(), pit.desk.positions[0]["open_buys"]) == (1.0, 0.0)
    assert pit.desk.account["now_ns"] == START_NS + 10**15


def test_a_remote_desk_matches_nothing() -> None:
    pit = Pit(remote=True, marks=[100.0])
    pit.market(BUY, 1.0)
    assert pit.bar(100.0, 110.0, 90.0, 100.0) == []


def test_records_can_be_taken_as_they_are() -> None:
    pit = Pit(marks=[100.0])
    order = pit.market(BUY, 1.0)
    pit.desk.on_market(int(EventKind.TRADE), 0, pit.now_ns + 1, 101.0, 1.0, 0.0, 0.0, 0.0)
    (taken,) = pit.desk.take_executions()
    assert (taken["order_id"], taken["price"], taken["kind"]) == (order, 101.0, layout.FILL)
    assert taken.dtype == layout.EXECUTION
    assert len(pit.desk.take_executions()) == 0
    assert isinstance(pit.desk.take_executions(), np.ndarray)


def test_an_order_that_takes_anothers_place_is_checked_as_if_that_were_gone() -> None:
    limits = RiskLimits(max_position_size=Decimal(2), max_open_orders=1, max_orders_per_minute=1, duplicate_window_s=Decimal(60))
    desk = Desk([instrument("BTC-USD")], cash=1_000.0, limits=limits)
    desk.on_market(int(EventKind.TRADE), 0, 1, 100.0, 1.0, 0.0, 0.0, 0.0)
    number, _ = desk.submit(inst=0, side=BUY, type=int(OrderType.LIMIT), size=2.0, limit_price=90.0)
    assert desk.check(inst=0, side=BUY, type=int(OrderType.LIMIT), size=2.0, limit_price=90.0) is Reason.OPEN_ORDERS
    before = desk.records.copy()
    for size, expected in ((2.0, Reason.NONE), (2.001, Reason.POSITION_SIZE)):
        assert desk.check(replaces=number, inst=0, side=BUY, type=int(OrderType.LIMIT), size=size, limit_price=90.0) is expected
    assert desk.records.tobytes() == before.tobytes(), "nothing changes"


def test_a_row_holds_what_it_was_filled_with_in_the_layouts_fields() -> None:
    values: dict[str, Any] = {
        "ref": 1,
        "inst": 2,
        "side": -1,
        "type": 3,
        "tif": 4,
        "post_only": 1,
        "size": 6.5,
        "limit_price": 7.5,
        "stop_price": 8.5,
        "trail": 9.5,
        "trail_kind": 2,
        "expire_ns": 11,
        "oco": 12,
        "parent": 13,
    }
    row = OrderRow()
    row.fill(inst=9, side=9, type=9, size=9.0)
    row.fill(**values)
    record = row._rows._memory[0]
    assert {name: record[name].item() for name in values} == values
    assert {record[name].item() for name in ORDER.names or () if name not in values} == {0}
