"""The order's state machine against a table of its own, and its invariants under any sequence of events."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traider.domain.errors import OrderStateError
from traider.domain.order_state import Order, apply
from traider.domain.orders import (
    AnyOrderEvent,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequest,
    OrderSubmitted,
    OrderUnknown,
)
from traider.domain.vocabulary import Liquidity, OrderStatus, OrderType, Reason, Side

REQUEST = OrderRequest(client_order_id="a", symbol="BTC-USD", side=Side.BUY, type=OrderType.MARKET, size=Decimal(3))
P, OP, PF, F, C, R, U = (
    OrderStatus.PENDING,
    OrderStatus.OPEN,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.FILLED,
    OrderStatus.CANCELLED,
    OrderStatus.REJECTED,
    OrderStatus.UNKNOWN,
)


def submitted(n: int = 1) -> OrderSubmitted:
    return OrderSubmitted(n=n, ts_ns=n, client_order_id="a", request=REQUEST)


def accepted(n: int) -> OrderAccepted:
    return OrderAccepted(n=n, ts_ns=n, client_order_id="a", venue_order_id="v1")


def rejected(n: int) -> OrderRejected:
    return OrderRejected(n=n, ts_ns=n, client_order_id="a", reason=Reason.KILL_SWITCH, detail="why", request=REQUEST)


def filled(n: int, size: str = "1", price: str = "10") -> OrderFilled:
    return OrderFilled(
        n=n,
        ts_ns=n,
        client_order_id="a",
        trade_id=f"t{n}",
        symbol="BTC-USD",
        side=Side.BUY,
        price=Decimal(price),
        size=Decimal(size),
        fee=Decimal("0.01"),
        liquidity=Liquidity.TAKER,
    )


def cancelled(n: int) -> OrderCancelled:
    return OrderCancelled(n=n, ts_ns=n, client_order_id="a", reason=Reason.REQUESTED)


def unknown(n: int) -> OrderUnknown:
    return OrderUnknown(n=n, ts_ns=n, client_order_id="a", detail="no answer")


EVENTS: dict[str, Callable[[int], AnyOrderEvent]] = {
    "submitted": submitted,
    "accepted": accepted,
    "rejected": rejected,
    "filled": filled,
    "cancelled": cancelled,
    "unknown": unknown,
}

# how to get an order into each state, and where each further event takes it; what is missing here must be refused
REACHED: dict[OrderStatus, list[AnyOrderEvent]] = {
    P: [submitted()],
    OP: [submitted(), accepted(2)],
    PF: [submitted(), accepted(2), filled(3)],
    F: [submitted(), accepted(2), filled(3, "3")],
    C: [submitted(), accepted(2), cancelled(3)],
    R: [submitted(), rejected(2)],
    U: [submitted(), unknown(2)],
}
NEXT = {
    P: {"accepted": OP, "rejected": R, "unknown": U},
    OP: {"filled": PF, "cancelled": C},
    PF: {"filled": PF, "cancelled": C},
    F: {},
    C: {"filled": C},
    R: {},
    U: {"accepted": OP, "rejected": R, "filled": PF, "cancelled": C},
}


def replay(events: list[AnyOrderEvent]) -> Order:
    order: Order | None = None
    for event in events:
        order = apply(order, event)
    assert order is not None
    return order


@pytest.mark.parametrize("status", list(OrderStatus))
@pytest.mark.parametrize("name", list(EVENTS))
def test_every_pair_of_state_and_event(status: OrderStatus, name: str) -> None:
    order = replay(REACHED[status])
    assert order.status is status
    event = EVENTS[name](9)
    if name in NEXT[status]:
        after = apply(order, event)
        assert after.status is NEXT[status][name]
        assert after.n == after.updated_ts_ns == 9
        assert after.created_ts_ns == 1
    else:
        with pytest.raises(OrderStateError, match=f"order a is {status}: {name} is not possible"):
            apply(order, event)


@pytest.mark.parametrize("name", ["accepted", "filled", "cancelled", "unknown"])
def test_an_order_begins_with_its_submission_or_refusal(name: str) -> None:
    with pytest.raises(OrderStateError, match="never submitted"):
        apply(None, EVENTS[name](1))
    assert apply(None, submitted()).status is P
    assert apply(None, rejected(1)).status is R


def test_average_price_fees_and_remaining_are_exact() -> None:
    order = replay([submitted(), accepted(2), filled(3, "0.1", "3"), filled(4, "0.2", "6")])
    assert order.filled_size == Decimal("0.3")
    assert order.remaining_size == Decimal("2.7")
    assert order.average_price == (Decimal("0.1") * 3 + Decimal("0.2") * 6) / Decimal("0.3")
    assert order.fees == Decimal("0.02")
    assert order.fills == 2


def test_notional_of_long_decimals_is_not_rounded() -> None:
    price, size = "12345.678901234567", "1.2345678901234567"
    order = replay([submitted(), accepted(2), filled(3, size, price)])
    numerator = int(price.replace(".", "")) * int(size.replace(".", ""))
    assert order.notional == Decimal(f"{numerator}E-28")


def test_a_late_fill_is_booked_but_does_not_reopen() -> None:
    order = apply(replay([submitted(), accepted(2), cancelled(3)]), filled(4, "3"))
    assert (order.status, order.filled_size, order.is_open) == (C, Decimal(3), False)


def test_more_than_the_order_asked_for_cannot_fill() -> None:
    order = replay([submitted(), accepted(2), filled(3, "2")])
    with pytest.raises(OrderStateError, match="a fill of 2 with 1 left"):
        apply(order, filled(4, "2"))


def test_events_of_others_and_events_seen_before_are_refused() -> None:
    order = replay([submitted(), accepted(2)])
    with pytest.raises(OrderStateError, match="event of order b"):
        apply(order, OrderCancelled(n=3, ts_ns=3, client_order_id="b", reason=Reason.REQUESTED))
    with pytest.raises(OrderStateError, match="event 2 comes after event 2"):
        apply(order, filled(2))
    fill = filled(3)
    for wrong in (msgspec.structs.replace(fill, side=Side.SELL), msgspec.structs.replace(fill, symbol="ETH-USD")):
        with pytest.raises(OrderStateError, match="another market or side"):
            apply(order, wrong)


@given(st.lists(st.tuples(st.sampled_from(list(EVENTS)), st.integers(1, 4)), max_size=12))
def test_invariants_hold_under_any_sequence(script: list[tuple[str, int]]) -> None:
    order = apply(None, submitted())
    for n, (name, size) in enumerate(script, 2):
        event = filled(n, str(size)) if name == "filled" else EVENTS[name](n)
        try:
            after = apply(order, event)
        except OrderStateError:
            continue
        assert after.filled_size >= order.filled_size
        assert Decimal(0) <= after.filled_size <= REQUEST.size
        assert (after.status is F) <= (after.filled_size == REQUEST.size)
        if not order.is_open:
            assert after.status is order.status
        assert after.request is REQUEST
        order = after
    assert order.is_open == (order.status in {P, OP, PF, U})


def amended(n: int, size: str = "2", price: str = "11") -> OrderAmended:
    return OrderAmended(n=n, ts_ns=n, client_order_id="a", size=Decimal(size), limit_price=Decimal(price))


def test_an_open_order_is_what_it_was_amended_to() -> None:
    order = after(submitted(), accepted(2), filled(3), amended(4))
    assert (order.request.size, order.request.limit_price, order.remaining_size) == (Decimal(2), Decimal(11), Decimal(1))
    assert order.status is PF
    assert after(submitted(), accepted(2), filled(3), amended(4), filled(5)).status is F


def test_an_order_that_is_amended_to_what_is_filled_is_filled() -> None:
    assert after(submitted(), accepted(2), filled(3), amended(4, "1")).status is F


@pytest.mark.parametrize("size", ["0", "-1", "0.5"])
def test_an_order_can_not_be_amended_to_less_than_is_filled(size: str) -> None:
    with pytest.raises(OrderStateError, match="with 1 filled"):
        after(submitted(), accepted(2), filled(3), amended(4, size))


@pytest.mark.parametrize("before", [(submitted(),), (submitted(), rejected(2)), (submitted(), accepted(2), filled(3, "3"))])
def test_only_an_open_order_is_amended(before: tuple[AnyOrderEvent, ...]) -> None:
    with pytest.raises(OrderStateError, match="amended is not possible"):
        after(*before, amended(9))


def after(*events: AnyOrderEvent) -> Order:
    order = None
    for event in events:
        order = apply(order, event)
    assert order is not None
    return order
